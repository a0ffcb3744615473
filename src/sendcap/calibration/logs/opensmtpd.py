"""OpenSMTPD: the lines ``mta delivery`` of the system's mail log, one for each attempt.

A line has the session, which is a connection, the envelope, which is a message to a recipient,
and its age in whole seconds; ``smtp envelope`` tells when it came. Source: OpenSMTPD 6.8.0p2,
``usr.sbin/smtpd/mta.c``: mta_log; ``smtp_session.c``; ``queue.c``: queue_log; ``mda.c``.
"""

import math
import re
from collections.abc import Iterator
from typing import Final

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, LEFT, RECEIVED, REMOVED, SOFT
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.reading import Context, Reader, Row
from sendcap.calibration.logs.stamps import Syslog, moment_s, span_s

_ID: Final = rb"([0-9a-f]{16})"
_TO: Final = rb"from=<[^>]{0,1000}> to=<([^>]{0,1000})>"
_DELIVERY: Final = re.compile(
    _ID + rb" (mta|mda) delivery evpid=" + _ID + b" " + _TO + rb" (?:rcpt=<[^>]{0,1000}> )?"
    rb"(?:source=\"[^\"]{0,200}\" relay=\"([^\"]{0,300})\"|user=\S{0,200})"
    rb" delay=(-?[0-9dhms]{2,30}) result=\"?(Ok|TempFail|PermFail)\"? stat=\"?(.*)"
)
_RECEPTION: Final = re.compile(_ID + rb" smtp envelope evpid=" + _ID + b" " + _TO)
_END: Final = re.compile(
    rb"relay: (Expire|Remove) for " + _ID + rb": from=<[^>]{0,1000}>, to=<([^>]{0,1000})>"
)
_MARKS: Final = (b" delivery evpid=", b" smtp envelope evpid=", b"relay: Expire", b"relay: Remove")
_OUTCOMES: Final = {b"Ok": ACCEPTED, b"TempFail": SOFT, b"PermFail": HARD}
_ENDS: Final = {b"Expire": EXPIRED, b"Remove": REMOVED}
_UPPER: Final = 0xFFFFFFFF_00000000
_HOST: Final = re.compile(rb"\S+ \(([^)]{1,255})\)")


class OpensmtpdReader(Reader):
    """Reads the mail log."""

    format = "opensmtpd"
    attempts = "lines with mta delivery"

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        self._syslog = Syslog(log.written_s, context.year, log.samples)

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines about an envelope."""
        return sum(_found(line) is not None for line in lines)

    def _rows(self, lines: list[bytes], first: int) -> Iterator[Row]:
        others = 0
        for number, line in enumerate(lines, first):
            found = _found(line)
            if found is None:
                others += line != b""
                continue
            try:
                time_s = moment_s(line[: found.start()], self._syslog)
            except (ValueError, OverflowError):
                self.refuse("unreadable line", number, line)
                continue
            yield self._row(found, time_s)
        self.pass_over("lines about something else", others)

    def _row(self, found: re.Match[bytes], time_s: float) -> Row:
        identities, number = self.context.identities, self.context.providers.number
        nobody = number(b"", b"")
        if found.re is _RECEPTION:
            of = self._message(found[2])
            return (of, 0, nobody, 0, time_s, time_s, 0, 0, 0, 0, RECEIVED)
        if found.re is _END:
            of, to = self._message(found[2]), found[3].lower()
            provider = number(b"", to.rpartition(b"@")[2])
            outcome = _ENDS[found[1]]
            return (of, identities.short(to), provider, 0, math.nan, time_s, 0, 0, 0, 0, outcome)
        session, agent, envelope, to, relay, age, result, text = found.groups()
        age_s = 0.0 if age.startswith(b"-") else span_s(age)
        of, arrived_s = self._message(envelope), time_s - age_s
        if agent == b"mda":
            self.pass_over("local deliveries")
            return (of, 0, nobody, 0, arrived_s, time_s, 0, 0, 0, 0, LEFT)
        outcome, to = _OUTCOMES[result], to.lower()
        host = _HOST.match(relay)
        name = b"" if host is None or host[1] == b"<unknown>" else host[1]
        reason = code = enhanced = 0
        if outcome != ACCEPTED:
            reason, code, enhanced = self.context.reply(text.removesuffix(b'"'))
        return (
            of,
            identities.short(to),
            number(name, to.rpartition(b"@")[2]),
            # Without a host no connection was made.
            0 if host is None else identities.of(session),
            arrived_s,
            time_s,
            0,
            enhanced,
            code,
            reason,
            outcome,
        )

    def _message(self, envelope: bytes) -> int:
        """Return the number of an envelope; the upper half is that of the message of several.

        So it is in the log: the first eight digits are those of the message, which goes to all of
        the recipients at a server in one transaction.
        """
        whole, one = self.context.identities.of(envelope[:8]), self.context.identities.of(envelope)
        return (whole & _UPPER) | (one & ~_UPPER)


def _found(line: bytes) -> re.Match[bytes] | None:
    """Return what a line tells of an envelope."""
    # The marks are found much faster than the whole, and most lines of others have none.
    if b" evpid=" not in line and b"relay: " not in line:
        return None
    if not any(mark in line for mark in _MARKS):
        return None
    return _DELIVERY.search(line) or _RECEPTION.search(line) or _END.search(line)
