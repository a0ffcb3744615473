"""Postfix: the lines ``status=`` of its SMTP clients in mail.log.

A line tells the delay of its attempt in four parts, ``delays=a/b/c/d``: until the message was
active, in the active queue, to set up the connection, to transmit. They have two significant
digits, and those below 0.01 s are 0.

References
----------
Postfix, ``src/global/log_adhoc.c``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, SOFT, Records, rows
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.reading import Context, Reader
from sendcap.calibration.logs.stamps import Rfc3339, Syslog
from sendcap.calibration.outcomes import packed

_STATUS: Final = b" status="
# Each part ends at a character that it cannot contain, so a line is read once from left to right.
_LINE: Final = re.compile(
    rb"(?:([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(\d{4}-\d\d-\d\dT[^ ]{8,24})) [^ ]+ "
    rb"[^ /\[]*/(?:[^ /\[]+/)*([a-z]+)\[\d+\]: (?:\[ID [^\]]*\] )?([0-9A-Za-z]{1,40}): "
    rb"to=<([^>]{0,1000})>, (?:orig_to=<[^>]{0,1000}>, )?relay=([^,]{1,300}), "
    rb"(?:conn_use=(\d{1,5}), )?delay=([\d.]{1,12}), "
    rb"delays=([\d.]{1,12})/([\d.]{1,12})/([\d.]{1,12})/([\d.]{1,12}), "
    rb"(?:tls=[^,]{1,300}, )?dsn=([245])\.(\d{1,3})\.(\d{1,3}), status=([a-z]{1,20})(.*)"
)
_EXPIRED: Final = re.compile(
    rb"(?:([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(\d{4}-\d\d-\d\dT[^ ]{8,24})) [^ ]+ "
    rb"[^ \[]{1,100}\[\d+\]: (?:\[ID [^\]]*\] )?([0-9A-Za-z]{1,40}): "
    rb"from=<[^>]{0,1000}>, status=(?:force-)?expired"
)
_OUTCOMES: Final = {b"sent": ACCEPTED, b"deferred": SOFT, b"bounced": HARD}
_NETWORKED: Final = frozenset({b"smtp", b"lmtp", b"relay"})
_WITHOUT_A_CONNECTION: Final = frozenset({b"error", b"retry"})
"""Agents that fail a message whose destination is known to be dead."""
_AT_HOME: Final = (b"127.", b"[127.", b"localhost", b"local", b"virtual", b"[::1]", b"/")


class PostfixReader(Reader):
    """Reads mail.log; see the module."""

    format = "postfix"
    columns = (
        "message",
        "recipient",
        "provider",
        "finished_s",
        "use",
        "delay",
        "a",
        "b",
        "c",
        "d",
        "enhanced",
        "code",
        "reason",
        "outcome",
    )

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        self._syslog = Syslog(log.written_s, context.year)
        self._rfc3339 = Rfc3339()

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return how many lines name one of Postfix's programs, or look as if."""
        return sum(b"postfix" in line and b"]: " in line for line in lines)

    def _rows(self, lines: list[bytes], first: int) -> Iterator[tuple[Any, ...]]:
        # Everything in the loop is local: it is run for every line of a log.
        match, outcomes, identify = _LINE.match, _OUTCOMES, self.context.identities.of
        provider, short = self.context.providers.number, self.context.identities.short
        syslog, rfc3339 = self._syslog.seconds, self._rfc3339.seconds
        read = self.context.replies.read
        last_stamp, last_s, last_queue_id, last_message = b"", 0.0, b"", 0
        others = 0
        for number, line in enumerate(lines):
            if _STATUS not in line:
                others += 1
                continue
            found = match(line)
            if found is None:
                expired = self._expired(line, first + number)
                if expired is not None:
                    yield expired
                continue
            (
                *stamps,
                agent,
                queue_id,
                to,
                relay,
                use,
                delay,
                a,
                b,
                c,
                d,
                kind,
                subject,
                detail,
                status,
                text,
            ) = found.groups()
            outcome = outcomes.get(status)
            if outcome is None:
                self.pass_over("status of another kind")
                continue
            connected = agent in _NETWORKED
            if not connected and agent not in _WITHOUT_A_CONNECTION:
                self.pass_over("delivered on the machine itself")
                continue
            if connected and relay.startswith(_AT_HOME):
                self.pass_over("handed to a program on the machine itself")
                continue
            stamp = stamps[0] or stamps[1]
            if stamp != last_stamp:
                try:
                    last_s = syslog(stamp) if stamps[0] else rfc3339(stamp)
                except ValueError:
                    self.refuse("the time is none", first + number, line)
                    continue
                last_stamp = stamp
            if queue_id != last_queue_id:
                last_queue_id, last_message = queue_id, identify(queue_id)
            enhanced, code, reason = packed(int(kind), int(subject), int(detail)), 0, 0
            if outcome != ACCEPTED:
                reason, code, _ = read(text, enhanced)
            host = relay.partition(b"[")[0]
            yield (
                last_message,
                short(to),
                provider(b"" if host == b"none" else host, to.rpartition(b"@")[2]),
                last_s,
                int(use or 1) if connected and host != b"none" else 0,
                delay,
                a,
                b,
                c if connected else b"nan",
                d if connected else b"nan",
                enhanced,
                code,
                reason,
                outcome,
            )
        self.pass_over("not a status of a delivery", others)

    def _expired(self, line: bytes, number: int) -> tuple[Any, ...] | None:
        found = _EXPIRED.match(line)
        if found is None:
            if b" to=<" in line:
                self.refuse("a status of a delivery that cannot be read", number, line)
            else:
                self.pass_over("not a status of a delivery")
            return None
        try:
            syslog, rfc3339 = found[1], found[2]
            finished_s = self._syslog.seconds(syslog) if syslog else self._rfc3339.seconds(rfc3339)
        except ValueError:
            self.refuse("the time is none", number, line)
            return None
        message = self.context.identities.of(found[3])
        unknown = (b"nan",) * 5
        return (message, 0, 0, finished_s, 0, *unknown, 0, 0, 0, EXPIRED)

    def _records(self, count: int, found: dict[str, Any]) -> Records:
        numbers = {name: np.array(found.pop(name)) for name in ("delay", "a", "b", "c", "d")}
        delay, a, _, c, d = (_numbers(its) for its in numbers.values())
        finished_s = np.array(found["finished_s"])
        outcome = np.array(found["outcome"], np.uint8)
        # No connection was made where nothing was transmitted and no relay is known.
        records = rows(count, found)
        records["arrived_s"] = finished_s - delay
        records["ready_s"] = finished_s - delay + a
        records["started_s"] = finished_s - c - d
        records["setup_s"] = np.where(records["use"] > 1, 0.0, c)
        records["transaction_s"] = d
        nowhere = (records["use"] == 0) & (outcome != EXPIRED)
        records["setup_s"][nowhere] = np.nan
        records["transaction_s"][nowhere] = np.nan
        return records


def _numbers(values: Any) -> Any:
    try:
        return values.astype(np.float64)
    except ValueError:
        # Somewhere there is "1.2.3".
        return np.array([_number(value) for value in values.tolist()])


def _number(value: bytes) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")
