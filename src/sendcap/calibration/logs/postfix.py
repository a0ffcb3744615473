"""Postfix: the lines ``status=`` of its SMTP clients in mail.log.

A line splits the delay of an attempt into four parts, ``delays=a/b/c/d``: before the active queue,
in it, connection setup, transmission. They have two significant digits; below 0.01 s they are 0.
Source: Postfix, ``src/global/log_adhoc.c``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, SOFT, Records, rows
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.reading import Context, Reader, Row
from sendcap.calibration.logs.stamps import Syslog, rfc3339_s
from sendcap.calibration.outcomes import packed

_STATUS: Final = b" status="
# Each part ends at a character that the part excludes, so a line is read once, left to right.
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
"""Agents for messages to a destination that is known to be dead."""
_AT_HOME: Final = (b"127.", b"[127.", b"localhost", b"local", b"virtual", b"[::1]", b"/")


class PostfixReader(Reader):
    """Reads mail.log."""

    format = "postfix"
    columns = (
        *("message", "recipient", "provider", "finished_s", "use"),
        *("delay", "a", "b", "c", "d", "enhanced", "code", "reason", "outcome"),
    )

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        self._syslog = Syslog(log.written_s, context.year)

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that seem to name one of Postfix's programs."""
        return sum(b"postfix" in line and b"]: " in line for line in lines)

    def _rows(self, lines: list[bytes], first: int) -> Iterator[Row]:
        # Names are local: the loop runs for every line of a log.
        match, outcomes, identify = _LINE.match, _OUTCOMES, self.context.identities.of
        provider, short = self.context.providers.number, self.context.identities.short
        read, time_s = self.context.reply, self._time_s
        last_stamp, last_s, last_queue_id, last_message = b"", 0.0, b"", 0
        others = 0
        for number, line in enumerate(lines, first):
            if _STATUS not in line:
                others += 1
                continue
            matched = match(line)
            if matched is None:
                expired = self._expired(line, number)
                if expired is not None:
                    yield expired
                continue
            (
                syslog, rfc3339, agent, queue_id, to, relay, use, delay, a, b, c, d,
                kind, subject, detail, status, text,
            ) = matched.groups()  # fmt: skip
            outcome, connected = outcomes.get(status), agent in _NETWORKED
            if outcome is None:
                self.pass_over("another status")
                continue
            if not connected and agent not in _WITHOUT_A_CONNECTION:
                self.pass_over("local deliveries")
                continue
            if connected and relay.startswith(_AT_HOME):
                self.pass_over("handed to a program on the same machine")
                continue
            if (syslog or rfc3339) != last_stamp:
                try:
                    last_s = time_s(syslog, rfc3339)
                except ValueError:
                    self.refuse("unreadable timestamp", number, line)
                    continue
                last_stamp = syslog or rfc3339
            if queue_id != last_queue_id:
                last_queue_id, last_message = queue_id, identify(queue_id)
            enhanced, code, reason = packed(int(kind), int(subject), int(detail)), 0, 0
            if outcome != ACCEPTED:
                reason, code, _ = read(text, enhanced)
            host = relay.partition(b"[")[0]
            if not connected:
                c = d = b"nan"
            yield (
                last_message, short(to),
                provider(b"" if host == b"none" else host, to.rpartition(b"@")[2]), last_s,
                int(use or 1) if connected and host != b"none" else 0, delay, a, b, c, d,
                enhanced, code, reason, outcome,
            )  # fmt: skip
        self.pass_over("lines about something else", others)

    def _time_s(self, syslog: bytes | None, rfc3339: bytes) -> float:
        return self._syslog.seconds(syslog) if syslog else rfc3339_s(rfc3339)

    def _expired(self, line: bytes, number: int) -> Row | None:
        match = _EXPIRED.match(line)
        if match is None:
            if b" to=<" in line:
                self.refuse("unreadable delivery line", number, line)
            else:
                self.pass_over("lines about something else")
            return None
        try:
            finished_s = self._time_s(match[1], match[2])
        except ValueError:
            self.refuse("unreadable timestamp", number, line)
            return None
        message = self.context.identities.of(match[3])
        # The line names the sender only.
        nobody = self.context.providers.number(b"", b"")
        return (message, 0, nobody, finished_s, 0, *(b"nan",) * 5, 0, 0, 0, EXPIRED)

    def _records(self, count: int, columns: dict[str, Any]) -> Records:
        delay, a, _, c, d = (
            _numbers(np.array(columns.pop(name))) for name in ("delay", "a", "b", "c", "d")
        )
        records = rows(count, columns)
        finished_s = records["finished_s"]
        records["arrived_s"] = finished_s - delay
        records["ready_s"] = finished_s - delay + a
        records["started_s"] = finished_s - c - d
        records["setup_s"] = np.where(records["use"] > 1, 0.0, c)
        records["transaction_s"] = d
        nowhere = (records["use"] == 0) & (records["outcome"] != EXPIRED)
        records["setup_s"][nowhere] = np.nan
        records["transaction_s"][nowhere] = np.nan
        return records


def _numbers(values: Any) -> Any:
    try:
        return values.astype(np.float64)
    except ValueError:
        # One of them is like "1.2.3".
        return np.array([_number(value) for value in values.tolist()])


def _number(value: bytes) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")
