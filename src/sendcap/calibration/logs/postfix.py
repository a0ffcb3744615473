"""Postfix: the lines ``status=`` of its SMTP clients in mail.log.

A line splits the delay of an attempt into four parts, ``delays=a/b/c/d``: before the active queue,
in it, connection setup, transmission. They have two significant digits; below 0.01 s they are 0.
Source: Postfix, ``src/global/log_adhoc.c``.
"""

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, SOFT, Records, rows
from sendcap.calibration.logs.filters import SameMachine
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.reading import Context, Reader, Row
from sendcap.calibration.logs.receptions import Receptions
from sendcap.calibration.logs.stamps import Syslog, moment_s, rfc3339_s
from sendcap.calibration.logs.transactions import share_transactions
from sendcap.calibration.outcomes import packed

_STATUS: Final = b" status="
# Each part ends at a character that the part excludes, so a line is read once, left to right.
_DELIVERY: Final = (
    rb"to=<([^>]{0,1000})>, (?:orig_to=<([^>]{0,1000})>, )?relay=([^,]{1,300}), "
    rb"(?:conn_use=(\d{1,5}), )?delay=([\d.]{1,12}), "
    rb"delays=([\d.]{1,12})/([\d.]{1,12})/([\d.]{1,12})/([\d.]{1,12}), "
    rb"(?:tls=[^,]{1,300}, )?dsn=([245]\.\d{1,3}\.\d{1,3}), status=([A-Za-z-]{1,40})(.*)"
)
_LINE: Final = re.compile(
    rb"(?:([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(\d{4}-\d\d-\d\dT[^ ]{8,24})) [^ ]+ "
    rb"[^ /\[]*/(?:[^ /\[]+/)*([a-z]+)\[(\d+)\]: (?:\[ID [^\]]*\] )?([0-9A-Za-z]{1,40}): "
    + _DELIVERY
)
_MESSAGE: Final = re.compile(
    # Few addresses are quoted, so they need not cost the others a look.
    _DELIVERY.replace(rb"<([^>]", rb'<((?:"[^"]{0,300}"@)?[^>]')
)
_QUEUE_ID: Final = re.compile(rb"([0-9A-Za-z]{1,40})$")
_PROGRAM: Final = re.compile(rb"/([a-z]+)(?:\[(\d+)\])?:?(?= |$)")
_TO: Final = b": to=<"
_FROM: Final = b": from=<"
_EXPIRED: Final = re.compile(rb"from=<[^>]{0,1000}>, status=(?:force-)?expired")
_OUTCOMES: Final = {b"sent": ACCEPTED, b"deferred": SOFT, b"SOFTBOUNCE": SOFT, b"bounced": HARD}
_PROBES: Final = frozenset({b"deliverable", b"undeliverable", b"undeliverable-but-not-cached"})
"""Answers to a probe of an address, of which no message is sent."""
_NETWORKED: Final = frozenset({b"smtp", b"lmtp", b"relay"})
_WITHOUT_A_CONNECTION: Final = frozenset({b"error", b"retry"})
"""Agents for messages to a destination that is known to be dead."""
_OF_A_CONNECTION: Final = ("pid", "provider", "use", "a", "b", "c")
"""What the recipients of one transaction have in common, besides the message."""
_MOST_CODES: Final = 10_000
_MOST_RELAYS: Final = 50_000
_MOST_NUMBERS: Final = 100_000
_LONGEST_HOST: Final = 100


class PostfixReader(Reader):
    """Reads mail.log."""

    format = "postfix"
    attempts = "lines with status= of postfix/smtp"
    columns = (
        *("message", "recipient", "provider", "finished_s", "use"),
        *("delay", "a", "b", "c", "d", "enhanced", "code", "reason", "outcome"),
        "pid",
    )

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        self._same_machine = SameMachine(self.pass_over)
        self._numbers = _Numbers()
        self._syslog = Syslog(log.written_s, context.year, log.samples)
        self._receptions = Receptions(lambda prefix: moment_s(prefix, self._syslog))

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that name one of Postfix's programs, or are a delivery."""
        return sum(
            (b"postfix" in line and b"]: " in line) or (b", delays=" in line and _STATUS in line)
            for line in lines
        )

    def _rows(self, lines: list[bytes], first: int) -> Iterator[Row]:
        # Names are local: the loop runs for every line of a log. What repeats is remembered.
        match, outcomes, identify = _LINE.match, _OUTCOMES, self.context.identities.of
        provider, short = self.context.providers.number, self.context.identities.short
        read, time_s, same_machine = self.context.reply, self._time_s, self._same_machine
        last_stamp, last_s, last_queue_id, last_message = b"", 0.0, b"", 0
        self._receptions.take(lines)
        waiting, others = self._receptions.waiting, 0
        for number, line in enumerate(lines, first):
            if _STATUS not in line:
                others += 1
                continue
            matched = match(line)
            parts = self._searched(line) if matched is None else matched.groups()
            if parts is None:
                expired = self._expired(line, number)
                if expired is not None:
                    yield expired
                continue
            (
                syslog, rfc3339, agent, pid, queue_id, to, original, relay, use, delay, a, b, c, d,
                dsn, status, text,
            ) = parts  # fmt: skip
            if waiting:
                waiting.pop(queue_id, None)
            outcome, connected = outcomes.get(status), agent in _NETWORKED
            if outcome is None:
                self.pass_over("probes of addresses" if status in _PROBES else "another status")
                continue
            host, nowhere, is_path, is_here = _told_by(relay)
            if (not connected and agent not in _WITHOUT_A_CONNECTION) or is_path:
                self.pass_over("local deliveries")
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
            enhanced, code, reason = _enhanced(dsn), 0, 0
            if outcome != ACCEPTED:
                reason, code, _ = read(text, enhanced)
            if not connected:
                c = d = b"nan"
            row = (
                last_message, short(to + (original or b"")),
                provider(host, to.rpartition(b"@")[2]), last_s,
                int(use or 1) if connected and not nowhere else 0, delay, a, b, c, d,
                enhanced, code, reason, outcome, pid,
            )  # fmt: skip
            if is_here or (nowhere and _is_here(text[:_LONGEST_HOST])):
                same_machine.hold(row, queue_id, text)
            else:
                yield row
        self.pass_over("lines about something else", others - lines.count(b""))
        yield from self._decided(lines)

    def _end(self) -> Iterator[Row]:
        return self._decided([], last=True)

    def _decided(self, lines: list[bytes], *, last: bool = False) -> Iterator[Row]:
        yield from self._same_machine.decided(lines, last=last)
        if last or self._receptions.are_many:
            # Their lines were passed over until now.
            self.pass_over("lines about something else", -len(self._receptions.waiting))
            for queue_id, at_s, place in self._receptions.left():
                yield self._of_nobody(queue_id, at_s, RECEIVED, place)

    def _searched(self, line: bytes) -> tuple[Any, ...] | None:
        """Return the parts of a delivery behind any prefix, which stands for the time."""
        at = line.find(_TO)
        message = _MESSAGE.match(line, at + 2) if at >= 0 else None
        queue_id = _QUEUE_ID.search(line, max(at - 40, 0), at) if message else None
        if message is None or queue_id is None:
            return None
        prefix = line[: queue_id.start()]
        programs = _PROGRAM.findall(prefix)
        agent, pid = programs[-1] if programs else (_agent_of(message[3]), b"")
        return (None, prefix, agent, pid, queue_id[1], *message.groups())

    def _time_s(self, syslog: bytes | None, other: bytes) -> float:
        if syslog:
            return self._syslog.seconds(syslog)
        try:
            return rfc3339_s(other)
        except ValueError:
            return moment_s(other, self._syslog)

    def _expired(self, line: bytes, number: int) -> Row | None:
        at = line.find(_FROM)
        queue_id = _QUEUE_ID.search(line, max(at - 40, 0), at) if at >= 0 else None
        if queue_id is None or _EXPIRED.match(line, at + 2) is None:
            if b" to=<" in line:
                self.refuse("unreadable delivery line", number, line)
            else:
                self.pass_over("lines about something else")
            return None
        try:
            finished_s = moment_s(line[:at], self._syslog)
        except ValueError:
            self.refuse("unreadable timestamp", number, line)
            return None
        self._receptions.waiting.pop(queue_id[1], None)
        return self._of_nobody(queue_id[1], finished_s, EXPIRED)

    def _of_nobody(self, queue_id: bytes, at_s: float, outcome: int, place: int = 0) -> Row:
        """Return a row of a line that names no recipient."""
        message, nobody = self.context.identities.of(queue_id), self.context.providers.number
        delay = b"0" if outcome == RECEIVED else b"nan"
        parts = (delay, *(b"nan",) * 4, 0, 0, 0, outcome, b"")
        return (message, place, nobody(b"", b""), at_s, 0, *parts)

    def _records(self, count: int, columns: dict[str, Any]) -> Records:
        places = [columns[name] for name in _OF_A_CONNECTION]
        texts = (columns.pop(name) for name in ("delay", "a", "b", "c", "d"))
        delay, a, _, c, d = map(self._numbers.of, texts)
        del columns["pid"]
        records = rows(count, columns)
        finished_s = records["finished_s"]
        records["arrived_s"] = finished_s - delay
        records["ready_s"] = finished_s - delay + a
        records["started_s"] = finished_s - c - d
        records["setup_s"] = np.where(records["use"] > 1, 0.0, c)
        records["transaction_s"] = d
        nowhere = (records["use"] == 0) & (records["outcome"] <= HARD)
        records["setup_s"][nowhere] = np.nan
        records["transaction_s"][nowhere] = np.nan
        share_transactions(records, places)
        return records


@lru_cache(_MOST_CODES)
def _enhanced(dsn: bytes) -> int:
    return packed(*map(int, dsn.split(b".")))


@lru_cache(_MOST_RELAYS)
def _told_by(relay: bytes) -> tuple[bytes, bool, bool, bool]:
    """Return the host of a relay, and whether it is none, a path, and on the same machine."""
    host = relay.partition(b"[")[0]
    nowhere = host == b"none"
    return b"" if nowhere else host, nowhere, b"/" in relay, not nowhere and _is_here(relay)


def _is_here(where: bytes) -> bool:
    return b"[127." in where or b"[::1]" in where


def _agent_of(relay: bytes) -> bytes:
    """Return the agent that a relay is typical of, where the log does not name it."""
    return b"smtp" if b"[" in relay else b"error" if relay == b"none" else b"local"


class _Numbers(dict[bytes, float]):
    """Numbers by their text: with two significant digits, most come again."""

    def of(self, values: Sequence[bytes]) -> Any:
        """Return the numbers of texts."""
        if len(self) > _MOST_NUMBERS:
            self.clear()
        return np.fromiter(map(self.__getitem__, values), np.float64, len(values))

    def __missing__(self, value: bytes) -> float:
        try:
            number = float(value)
        except ValueError:
            # It is like "1.2.3".
            number = math.nan
        self[value] = number
        return number
