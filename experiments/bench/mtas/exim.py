"""An Exim of one's own: configuration, spool and log in a directory, on a loopback port."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import sendcap
from bench.mtas.mta import Mta
from bench.trial import Trial
from sendcap.importers.imported import Imported

_CONFIGURATION: Final = """\
exim_path = {program}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/spool/daemon.pid
primary_hostname = bench.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
keep_environment =
acl_smtp_rcpt = accept
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
chunking_advertise_hosts =
deliver_drop_privilege = true
log_selector = +deliver_time +queue_time +millisec
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
{settings}
begin routers
# Notices of bounces go nowhere.
notices:
  driver = redirect
  domains = bench.test
  data = :blackhole:
{routers}
begin transports
remote:
  driver = smtp
  allow_localhost = true
  hosts_try_fastopen =
{transport}
begin retry
{retry}
"""
_STAMP: Final = len("2026-11-30 05:28:31.080")
_ROUTER: Final = """\
to_{number}:
  driver = manualroute
  domains = {domain}
  route_list = * {address}::{port} byname
  self = send
  transport = remote
"""


class Exim(Mta):
    """Exim; parts of a trial's configuration are ``transport``, ``retry`` and ``every``."""

    name = "exim"
    program = "exim4"
    user = "Debian-exim"
    connections = 1000
    # A process is started for each message: so long a lone queue runner takes between two.
    dialogue_s = 0.03

    def __init__(self, trial: Trial, folder: Path, port: int) -> None:
        super().__init__(trial, folder, port)
        self.log = folder / "log" / "mainlog"
        self.configuration = folder / "exim.conf"
        for name in ("spool", "log"):
            (folder / name).mkdir(parents=True)
            shutil.chown(folder / name, self.user, self.user)
        routers = (
            _ROUTER.format(number=number, domain=name, address=address, port=at)
            for number, (name, (address, at)) in enumerate(trial.addresses(port).items())
        )
        text = _CONFIGURATION.format(
            program=self.path(),
            folder=folder,
            port=port,
            settings=trial.settings,
            routers="".join(routers),
            transport=trial.parts.get("transport", ""),
            retry=trial.parts.get("retry", "* * F,1h,1m"),
        )
        self.configuration.write_text(text)

    def _start(self) -> int:
        every = f"-q{self.trial.parts.get('every', '10s')}"
        pid = self._in_front([self.path(), "-C", str(self.configuration), "-bdf", every])
        self._told(self.folder / "spool" / "daemon.pid")
        return pid

    def _began_s(self) -> float:
        """Return when the first queue run began: the others are at whole intervals after it."""
        until_s = time.monotonic() + 10.0
        while time.monotonic() < until_s:
            with suppress(FileNotFoundError):
                for line in self.log.read_text(encoding="utf-8").splitlines():
                    if "Start queue run" in line:
                        return datetime.fromisoformat(line[:_STAMP]).timestamp()
            time.sleep(0.05)
        raise TimeoutError(f"Exim has not begun a queue run; {self._said()}")

    def imported(self, base: Path) -> Imported:
        """Return the import of its configuration into a scenario."""
        return sendcap.import_exim(
            self.configuration,
            self.trial.shares,
            messages=self.trial.messages,
            base=base,
            ips=1,
            queue_interval=self.trial.parts.get("every", "10s"),
        )

    def left(self) -> int:
        """Return how many messages are in the queue still."""
        return sum(1 for _ in (self.folder / "spool" / "input").rglob("*-H"))
