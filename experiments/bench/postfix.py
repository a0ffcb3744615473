"""A Postfix of one's own: configuration, queue and data in a directory, on a loopback port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_MASTER: Final = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_GUARD: Final = "/bin/sh|-c|while kill -0 {} 2>/dev/null; do sleep 1; done; kill {}"
"""Stops it, too, where this process is killed and can do nothing more."""
_MAIN: Final = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
maillog_file = {folder}/queue/mail.log
maillog_file_prefixes = {folder}
myhostname = bench.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
notify_classes =
smtpd_peername_lookup = no
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
transport_maps = texthash:{folder}/conf/transport
smtp_tls_security_level = none
smtputf8_enable = no
"""


def missing() -> str:
    """Return why there is no Postfix to run here, "" if there is."""
    if shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        return "Postfix is not installed"
    if os.geteuid() != 0:
        return "Postfix has to be started as root"
    with suppress(KeyError):
        pwd.getpwnam("postfix")
        return ""
    return "there is no user postfix"


class Postfix:
    """A context manager that starts it, and stops it by the process id.

    Parameters
    ----------
    folder
        Directory for all of its files; every user must be able to reach it.
    settings
        Lines of ``main.cf`` that matter to the experiment.
    routes
        Transport map: the next hop of each domain.
    services
        Lines of ``master.cf`` that are added.
    port
        Where it takes mail in.
    """

    name = "postfix"

    def __init__(
        self,
        folder: Path,
        settings: str,
        routes: Mapping[str, str],
        services: str = "",
        port: int = 2600,
    ) -> None:
        self.folder, self.port = folder, port
        self.main_cf, self.master_cf = folder / "conf" / "main.cf", folder / "conf" / "master.cf"
        self.transport = folder / "conf" / "transport"
        self.log = folder / "queue" / "mail.log"
        for name in ("conf", "queue", "data"):
            (folder / name).mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        self.main_cf.write_text(_MAIN.format(folder=folder) + settings)
        self.master_cf.write_text(_MASTER.format(port=port) + services)
        # Notices of bounces go nowhere.
        lines = [*(f"{domain} {hop}\n" for domain, hop in routes.items()), "bench.test discard:\n"]
        self.transport.write_text("".join(lines))
        self.pid, self.started_s = 0, 0.0
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for command in ("check", "start"):
            done = subprocess.run(
                ["/usr/sbin/postfix", "-c", str(self.main_cf.parent), command],
                check=False,
                capture_output=True,
                text=True,
                timeout=60,
            )
            if done.returncode:
                said = self.log.read_text() if self.log.exists() else ""
                raise RuntimeError(f"postfix {command}: {done.stderr.strip()} {said[-500:]}")
        file = self.folder / "queue" / "pid" / "master.pid"
        until_s = time.monotonic() + 10.0
        while time.monotonic() < until_s:
            with suppress(OSError, ValueError):
                self.pid = int(file.read_text())
                self.started_s = time.time()
                self._guard = subprocess.Popen(_GUARD.format(os.getpid(), self.pid).split("|"))
                return self
            time.sleep(0.05)
        raise TimeoutError("Postfix has not told its process id")

    def __exit__(self, *_: object) -> None:
        assert self._guard is not None
        self._guard.terminate()
        self._guard.wait()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        until_s = time.monotonic() + 10.0
        while time.monotonic() < until_s and Path(f"/proc/{self.pid}").exists():
            time.sleep(0.05)

    def left(self) -> int:
        """Return how many messages are in the queue still."""
        return sum(
            1
            for name in ("incoming", "active", "deferred")
            for path in (self.folder / "queue" / name).rglob("*")
            if path.is_file()
        )
