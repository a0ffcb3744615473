"""What all MTAs of the bench share: they are started, watched, and stopped by their process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final, Self

from bench.trial import Trial
from sendcap.importers.imported import Imported

_GUARD: Final = "while kill -0 {} 2>/dev/null; do sleep 1; done; kill -s TERM -- {}"
"""Stops it, too, where this process is killed and can do nothing more."""
_PATIENCE_S: Final = 10.0
_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin"


class Mta(ABC):
    """An MTA with a trial's configuration, and a directory of its own: a context manager.

    Parameters
    ----------
    trial
        The experiment.
    folder
        Directory for all of its files; every user must be able to reach it.
    port
        Where it takes mail in; the receivers listen at the next one.
    """

    name: ClassVar[str]
    """As commands and trials name it."""
    user: ClassVar[str]
    """Whom it runs as."""
    program: ClassVar[str]
    """What starts it."""
    connections: ClassVar[int] = 1
    """As many at a time as it has for a destination, where its configuration has no limit."""
    dialogue_s: ClassVar[float] = 0.004
    """Of an attempt's commands, besides the receiver's own time; measured on an idle bench."""
    log: Path
    """Its log of deliveries."""

    def __init__(self, trial: Trial, folder: Path, port: int) -> None:
        self.trial, self.folder, self.port = trial, folder, port
        self.pid, self.started_s = 0, 0.0
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @classmethod
    def path(cls) -> str:
        """Return where its program is, "" if nowhere."""
        return shutil.which(cls.program, path=_PATH) or ""

    @classmethod
    def missing(cls) -> str:
        """Return why there is none to run here, "" if there is."""
        if not cls.path():
            return f"{cls.program} is not installed"
        if os.geteuid() != 0:
            return f"{cls.program} has to be started as root"
        with suppress(KeyError):
            pwd.getpwnam(cls.user)
            return ""
        return f"there is no user {cls.user}"

    @abstractmethod
    def _start(self) -> int:
        """Start it, and return the process id."""

    def _began_s(self) -> float:
        """Return when it began to look at its queue."""
        return time.time()

    @abstractmethod
    def left(self) -> int:
        """Return how many messages are in the queue still."""

    @abstractmethod
    def imported(self, base: Path) -> Imported:
        """Return the import of its configuration into a scenario."""

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            # Messages would go there, and nobody would know.
            if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                raise RuntimeError(f"port {self.port} is taken already; choose another with --port")
        self.pid = self._start()
        self.started_s = self._began_s()
        group = -self.pid if self._leads() else self.pid
        self._guard = subprocess.Popen(["/bin/sh", "-c", _GUARD.format(os.getpid(), group)])
        return self

    def __exit__(self, *_: object) -> None:
        assert self._guard is not None
        self._guard.terminate()
        self._guard.wait()
        kill = os.killpg if self._leads() else os.kill
        # Twice, for what has been started while the first signal was on its way.
        for signum in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                kill(self.pid, signum)
                self._wait_until_gone()

    def _leads(self) -> bool:
        """Whether the processes that it starts are in a group of its own."""
        with suppress(ProcessLookupError):
            return os.getpgid(self.pid) == self.pid
        return False

    def _wait_until_gone(self) -> None:
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s and Path(f"/proc/{self.pid}").exists():
            if self._child is not None:
                self._child.poll()
            time.sleep(0.05)

    def _run(self, command: Sequence[str]) -> None:
        """Run a command that ends by itself."""
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()} {self._said()}")

    def _in_front(self, command: Sequence[str]) -> int:
        """Start a command that stays; return its process id."""
        with (self.folder / "said").open("wb") as said:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        return self._child.pid

    def _told(self, file: Path) -> int:
        """Return the process id that it writes to a file."""
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s:
            with suppress(OSError, ValueError):
                return int(file.read_text())
            time.sleep(0.05)
        raise TimeoutError(f"{self.name} has not told its process id; {self._said()}")

    def _said(self) -> str:
        """Return the end of what it has written."""
        files = [file for file in (self.log, self.folder / "said") if file.exists()]
        return " ".join(file.read_text(errors="replace")[-500:] for file in files)
