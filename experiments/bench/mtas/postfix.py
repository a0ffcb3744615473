"""A Postfix of one's own: configuration, queue and data in a directory, on a loopback port."""

from __future__ import annotations

import math
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import sendcap
from bench.mtas.mta import Mta
from bench.trial import Trial
from sendcap.importers.imported import Imported

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


class Postfix(Mta):
    """Postfix; parts of a trial's configuration are ``main.cf`` and ``master.cf``."""

    name = "postfix"
    program = "postfix"
    user = "postfix"

    def __init__(self, trial: Trial, folder: Path, port: int) -> None:
        super().__init__(trial, folder, port)
        self.main_cf, self.master_cf = folder / "conf" / "main.cf", folder / "conf" / "master.cf"
        self.transport = folder / "conf" / "transport"
        self.log = folder / "queue" / "mail.log"
        for name in ("conf", "queue", "data"):
            (folder / name).mkdir(parents=True)
        shutil.chown(folder / "data", self.user)
        self.main_cf.write_text(_MAIN.format(folder=folder) + trial.settings)
        self.master_cf.write_text(_MASTER.format(port=port) + trial.parts.get("master.cf", ""))
        routes = (
            f"{name} {trial.transports.get(name, 'smtp')}:[{address}]:{at}\n"
            for name, (address, at) in trial.addresses(port).items()
        )
        # Notices of bounces go nowhere.
        self.transport.write_text("".join([*routes, "bench.test discard:\n"]))

    def _start(self) -> int:
        for command in ("check", "start"):
            self._run([self.path(), "-c", str(self.main_cf.parent), command])
        return self._told(self.folder / "queue" / "pid" / "master.pid")

    def _began_s(self) -> float:
        """Return when the queue manager began: its scans are at whole intervals after that."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        until_s = time.monotonic() + 10.0
        while time.monotonic() < until_s:
            for child in children.read_text().split():
                with suppress(OSError):
                    name, _, fields = Path(f"/proc/{child}/stat").read_text().rpartition(") ")
                    if name.endswith("(qmgr"):
                        ticks = float(fields.split()[19])  # since the machine was started
                        up_s = float(Path("/proc/uptime").read_text().split()[0])
                        began_s = time.time() - up_s + ticks / os.sysconf("SC_CLK_TCK")
                        return math.floor(began_s)  # it counts in whole seconds
            time.sleep(0.05)
        raise TimeoutError(f"Postfix has no queue manager; {self._said()}")

    def imported(self, base: Path) -> Imported:
        """Return the import of its configuration into a scenario."""
        return sendcap.import_postfix(
            self.main_cf,
            self.trial.shares,
            master_cf=self.master_cf,
            transport=self.transport,
            messages=self.trial.messages,
            base=base,
            ips=1,
        )

    def left(self) -> int:
        """Return how many messages are in the queue still."""
        return sum(
            1
            for name in ("incoming", "active", "deferred")
            for path in (self.folder / "queue" / name).rglob("*")
            if path.is_file()
        )
