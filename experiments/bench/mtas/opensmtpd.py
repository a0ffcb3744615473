"""An OpenSMTPD of one's own, with the paths that it is built with mounted from a directory.

Nothing outside of the directory changes: the mounts are in a namespace of its own, and so are its
users, its hosts and its resolver.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import sendcap
from bench.mtas.mta import Mta
from bench.trial import Trial
from sendcap.importers.imported import Imported

_USERS: Final = {"opensmtpd": 2680, "opensmtpq": 2681}
_HOLLOW: Final = "lib/opensmtpd/empty"
_MOUNTS: Final = {"spool": "/var/spool", "lib": "/var/lib", "run": "/run", "etc": "/etc"}
_START: Final = """\
set -e
cd {folder}
{mounts}
{smtpd} -d -f /etc/smtpd.conf 2>&1 | exec {python} -c '{stamp}' >{log}
"""
_STAMP: Final = """\
import sys
from datetime import UTC, datetime
for line in sys.stdin:
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(when, "bench smtpd[1]:", line, end="", flush=True)
"""
_ACTION: Final = """\
action "{name}" relay host "smtp+notls://{address}:{port}"
match from any for domain "{name}" action "{name}"
"""


class Opensmtpd(Mta):
    """OpenSMTPD: a trial's settings are lines of ``smtpd.conf``."""

    name = "opensmtpd"
    program = "smtpd"
    user = "root"
    dialogue_s = 0.046
    """It writes the dot that ends a message by itself, which waits for the system's delayed
    acknowledgement of the message: 40 ms."""

    def __init__(self, trial: Trial, folder: Path, port: int) -> None:
        super().__init__(trial, folder, port)
        self.log = folder / "mail.log"
        for name in (*_MOUNTS, _HOLLOW, "spool/smtpd", "etc/ssl/certs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "spool" / "smtpd").chmod(0o711)
        etc = folder / "etc"
        for name in ("ld.so.cache", "nsswitch.conf", "passwd", "group"):
            shutil.copy(Path("/etc", name), etc / name)
        with (etc / "passwd").open("a") as passwd, (etc / "group").open("a") as group:
            for user, number in _USERS.items():
                passwd.write(f"{user}:x:{number}:{number}::/var/{_HOLLOW}:/bin/false\n")
                group.write(f"{user}:x:{number}:\n")
        addresses = trial.addresses(port)
        hosts = [f"{address} host-of-{name}\n" for name, (address, _) in addresses.items()]
        (etc / "hosts").write_text("".join(["127.0.0.1 localhost bench.test\n", *hosts]))
        (etc / "resolv.conf").write_text("")
        (etc / "mailname").write_text("bench.test\n")
        self.configuration = etc / "smtpd.conf"
        actions = (
            _ACTION.format(name=name, address=address, port=at)
            for name, (address, at) in addresses.items()
        )
        head = f"listen on 127.0.0.1 port {port}\nsmtp limit max-mails 1000000\n"
        self.configuration.write_text("".join([head, trial.settings, *actions]))

    @classmethod
    def missing(cls) -> str:
        """Return why there is none to run here, "" if there is."""
        if reason := super().missing():
            return reason
        command = ["unshare", "--mount", "mount", "--bind", "/tmp", "/mnt"]
        done = subprocess.run(command, check=False, capture_output=True, timeout=10)
        return "a namespace of its own may not be had" if done.returncode else ""

    def _start(self) -> int:
        mounts = (f"mount --bind {self.folder / name} {at}" for name, at in _MOUNTS.items())
        script = self.folder / "start.sh"
        text = _START.format(
            folder=self.folder,
            mounts="\n".join(mounts),
            smtpd=self.path(),
            python=sys.executable,
            stamp=_STAMP,
            log=self.log,
        )
        script.write_text(text)
        return self._in_front(["unshare", "--mount", "/bin/sh", str(script)])

    def imported(self, base: Path) -> Imported:
        """Return the import of its configuration into a scenario."""
        trial = self.trial
        return sendcap.import_opensmtpd(
            self.configuration, trial.shares, messages=trial.messages, base=base, ips=1
        )

    def left(self) -> int:
        """Return how many messages are in the queue still."""
        queue = self.folder / "spool" / "smtpd" / "queue"
        return sum("message" in files for _, _, files in os.walk(queue))
