"""Exim: the main log, a line for each arrival and each delivery.

A line has the time, the message's number, a flag, the address, and fields such as ``H=host [ip]``.
``DT=`` is the time that an attempt took, with the connection if it was opened for it, without over
an open one, which has an asterisk after the address; ``QT=`` the
age of the message. Without ``QT=`` the number tells the arrival: its first six characters are the
second at which the reception began. Source: Exim, ``doc/doc-docbook/spec.xfpt``, "Log files" and
"Message identification"; ``src/src/deliver.c``: delivery_log, deferral_log, failure_log.
"""

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

import numpy as np

from sendcap.calibration.attempts import (
    ACCEPTED,
    EXPIRED,
    HARD,
    LEFT,
    RECEIVED,
    REMOVED,
    SOFT,
    Records,
    rows,
)
from sendcap.calibration.logs.filters import SameMachine
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.reading import Context, Reader, Row
from sendcap.calibration.logs.stamps import Syslog, moment_s, rfc3339_s, span_s
from sendcap.calibration.logs.transactions import share_transactions

_NUMBER: Final = (
    rb"([0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4}))"
)
_FLAGGED: Final = rb" (<=|=>|->|>>|\*>|\*\*|==|cancelled|Completed|Message removed)(.*)"
_LINE: Final = re.compile(
    rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})?)(?: ([-+]\d{4}))?(?: \[\d+\])? "
    + _NUMBER
    + _FLAGGED
)
_RUN: Final = re.compile(
    rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})?)(?: ([-+]\d{4}))?(?: \[\d+\])? Start queue run"
)
_MESSAGE: Final = re.compile(rb"(?:^|[ \t|>])" + _NUMBER + _FLAGGED)
_FLAG: Final = re.compile(rb" [-<=>*][-=>*]|Comp|canc|Mess")
_LONGEST_HEAD: Final = 300
_HOST: Final = re.compile(rb" H=([^ ]{1,255})(?: DS)? \[([0-9A-Fa-f.:]{2,45})\](?::\d+)?(\*)?")
_TRANSPORT: Final = re.compile(rb" T=([^ :]{1,100})")
_TOOK: Final = re.compile(rb" DT=([0-9a-z.]{1,20})")
_AGE: Final = re.compile(rb" QT=([0-9a-z.]{1,20})")
_DEFER: Final = re.compile(rb" defer \((-?\w+)\)")
_REPLY: Final = re.compile(rb": ([245]\d\d[ -].*)")
_RETRY_BASE: Final = -52
"""Numbers of errors up to this one: it was not time to try (``src/src/macros.h``)."""
_NOT_DUE: Final = b"retry time not reached"
_NOT_TRIED: Final = (
    _NOT_DUE,
    b"domain is held",
    b"connection limit reached for all",
)
_GAVE_UP: Final = (b"retry timeout exceeded", b"have been failing for a long time")
_FLAGS: Final = {b"=>": ACCEPTED, b"->": ACCEPTED, b">>": ACCEPTED, b"**": HARD, b"==": SOFT}
_DIGITS: Final = {
    digit: value
    for value, digit in enumerate(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
}
_QUARTER_S: Final = 900.0
_MOST_ZONE_S: Final = 15 * 3600.0
_LEAST_REUSED: Final = 30
_MOST_WAITING: Final = 300_000
_LEAST_RUNS: Final = 5
_MOST_RUNS: Final = 10_000
_SAME_S: Final = 10.0
_QUEUED: Final = re.compile(rb"(?:queued as |id=)([0-9A-Za-z-]{6,40})")
_MESSAGE_ID: Final = re.compile(_NUMBER + rb" <= [^\n]{0,2000}? id=([^ \n]{1,500})")


class EximReader(Reader):
    """Reads the main log."""

    format = "exim"
    attempts = "lines with =>, == or **"
    columns = (
        *("message", "recipient", "provider", "arrived_s", "finished_s", "transaction_s"),
        *("not_due_s", "enhanced", "code", "reason", "outcome", "reused", "host"),
    )

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        self._syslog = Syslog(log.written_s, context.year, log.samples)
        self._same_machine = SameMachine(self.pass_over, _QUEUED, _MESSAGE_ID, b" %s ")
        self._zone_s = math.nan  # of stamps without a zone; arrivals tell it
        self._remote: set[bytes] = set()  # transports that have been seen with a host
        # When a queue runner last found a message not due, by message and address.
        self._not_due_s: dict[tuple[int, int], float] = {}
        self._runs_s: list[float] = []

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have a number of a message and a flag."""
        # The flag is found much faster than the whole, and most lines of others have none.
        return sum(
            _FLAG.search(line, 0, _LONGEST_HEAD) is not None
            and _MESSAGE.search(line, 0, _LONGEST_HEAD) is not None
            for line in lines
        )

    def _rows(self, lines: list[bytes], first: int) -> Iterator[Row]:
        others = 0
        for number, line in enumerate(lines, first):
            found = _LINE.match(line)
            if found is not None:
                stamp, zone, message, flag, rest = found.groups()
            else:
                behind = _MESSAGE.search(line)
                if behind is None:
                    others += line != b""
                    self._note_run(line)
                    continue
                stamp, zone, (message, flag, rest) = line[: behind.start(1)], None, behind.groups()
            try:
                finished_s, zoned = self._time_s(stamp, zone)
                row = self._row(message, flag, rest, finished_s, zoned)
            except (ValueError, IndexError, OverflowError):
                self.refuse("unreadable line", number, line)
                continue
            if row is None:
                continue
            if row[-1].startswith((b"127.", b"::1")):
                self._same_machine.hold(row, message, rest)
            else:
                yield row
        self.pass_over("lines about something else", others)
        yield from self._same_machine.decided(lines)

    def _end(self) -> Iterator[Row]:
        apart_s = np.diff(self._runs_s)
        if len(apart_s) >= _LEAST_RUNS:
            self.context.queue_runs_s.append(float(np.median(apart_s)))
        yield from self._same_machine.decided([], last=True)

    def _note_run(self, line: bytes) -> None:
        """Keep when a run of the queue started; a collector's log may have those of several."""
        run = _RUN.match(line) if len(self._runs_s) < _MOST_RUNS else None
        if run is not None:
            with suppress(ValueError):
                self._runs_s.append(self._time_s(*run.groups())[0])

    def _time_s(self, stamp: bytes, zone: bytes | None) -> tuple[float, bool]:
        """Return the time of a line, and whether the line tells its zone."""
        if zone:
            return rfc3339_s(stamp + zone), True
        try:
            return rfc3339_s(stamp), False
        except ValueError:
            return moment_s(stamp, self._syslog), False

    def _row(
        self, message: bytes, flag: bytes, rest: bytes, finished_s: float, zoned: bool
    ) -> Row | None:
        begun_s = _begun_s(message)
        identity = self.context.identities.of(message)
        nobody = self.context.providers.number(b"", b"")
        if flag == b"<=":
            off_s = finished_s - begun_s
            if not zoned and abs(off_s) < _MOST_ZONE_S:
                self._zone_s = round(off_s / _QUARTER_S) * _QUARTER_S
            return _no_attempt(identity, nobody, finished_s, finished_s, RECEIVED)
        arrived_s = begun_s + (0.0 if zoned else self._zone_s)
        if flag in (b"cancelled", b"Message removed"):
            return _no_attempt(identity, nobody, arrived_s, finished_s, REMOVED)
        outcome = _FLAGS.get(flag)
        if outcome is None:
            self.pass_over(
                "messages that left the queue" if flag == b"Completed" else "fake deliveries"
            )
            return None
        host = _HOST.search(rest)
        to = rest.split(None, 1)[0].rstrip(b":").strip(b"<>").lower()
        if not self._is_remote(rest, host, to):
            self.pass_over("local deliveries")
            return _no_attempt(identity, nobody, arrived_s, finished_s, LEFT)
        recipient = self.context.identities.short(to)
        if outcome == SOFT and _not_tried(rest):
            self.pass_over("attempts that were not due")
            if _NOT_DUE in rest:
                self._keep_not_due(identity, recipient, finished_s)
            return None
        if outcome == HARD and any(words in rest for words in _GAVE_UP):
            outcome = EXPIRED
        age, took = _AGE.search(rest), _TOOK.search(rest)
        if age is not None:
            arrived_s = finished_s - span_s(age[1])
        reason = code = enhanced = 0
        if outcome in (SOFT, HARD):
            reply = _REPLY.search(rest)
            text = reply[1] if reply else rest.partition(b": ")[2] or rest
            if not host and b"nrouteable address" in text:
                # Exim's own words where no router takes a domain (``src/src/route.c``).
                text = b"domain not found"
            reason, code, enhanced = self.context.reply(text)
        return (
            identity,
            recipient,
            self.context.providers.number(host[1] if host else b"", to.rpartition(b"@")[2]),
            arrived_s,
            finished_s,
            span_s(took[1]) if took and host else math.nan,
            self._not_due_s.pop((identity, recipient), math.nan),
            enhanced,
            code,
            reason,
            outcome,
            bool(host and host[3]),
            host[2] if host else b"",
        )

    def _keep_not_due(self, identity: int, recipient: int, at_s: float) -> None:
        if len(self._not_due_s) >= _MOST_WAITING:
            # What is lost says less about a few retries, and nothing wrong.
            self._not_due_s.clear()
        self._not_due_s[identity, recipient] = at_s

    def _is_remote(self, rest: bytes, host: re.Match[bytes] | None, to: bytes) -> bool:
        """Tell whether a delivery was one to another server, or failed to become one."""
        transport = _TRANSPORT.search(rest)
        if host is not None:
            if transport is not None:
                self._remote.add(transport[1])
            return True
        if b"@" not in to or to[:1] in (b"|", b"/", b":", b">"):
            return False
        # Without a transport, no route was found.
        return transport is None or transport[1] in self._remote or b"smtp" in transport[1]

    def _records(self, count: int, columns: dict[str, Any]) -> Records:
        hosts, reused = columns.pop("host"), np.array(columns.pop("reused"))
        records = rows(count, columns)
        records["started_s"] = records["finished_s"] - records["transaction_s"]
        # With milliseconds, the lines of one transaction have different times.
        about = [finished_s // _SAME_S for finished_s in columns["finished_s"]]
        share_transactions(records, [hosts, about, columns["transaction_s"]])
        # Over a connection that was open, the time is that of the transaction alone.
        often = np.bincount(records["provider"][reused]) >= _LEAST_REUSED
        alone = np.append(often, False)[np.minimum(records["provider"], len(often))]
        records["transaction_s"][alone & ~reused] = np.nan
        return records


def _no_attempt(message: int, provider: int, arrived_s: float, at_s: float, outcome: int) -> Row:
    nothing = (math.nan, math.nan, 0, 0, 0)
    return (message, 0, provider, arrived_s, at_s, *nothing, outcome, False, b"")


def _not_tried(rest: bytes) -> bool:
    error = _DEFER.search(rest)
    with_number = error is not None and error[1].lstrip(b"-").isdigit()
    if with_number and int(error[1]) <= _RETRY_BASE:  # type: ignore[index]
        return True
    return any(words in rest for words in _NOT_TRIED)


@lru_cache(10_000)
def _begun_s(number: bytes) -> float:
    """Return the time that a message's number begins with."""
    seconds = 0
    for digit in number[:6]:
        seconds = 62 * seconds + _DIGITS[digit]
    return float(seconds)
