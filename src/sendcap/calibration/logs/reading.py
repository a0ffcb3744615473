"""The common part of all log readers: hashed identities, skipped lines, rows to records."""

from __future__ import annotations

import csv
import re
import secrets
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import LEFT, Attempts, Floats, Records, rows
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.outcomes import Reply, packed, read_reply
from sendcap.calibration.providers import Providers
from sendcap.calibration.repeats import Sources

Row = tuple[Any, ...]
"""The values of an attempt, in the order of a reader's columns."""

_64_BITS: Final = (1 << 64) - 1
_32_BITS: Final = (1 << 32) - 1
_LEAST_AGE_S: Final = 5.0
_MOST_AGE_S: Final = 90 * 86_400.0
_CLOCKS_S: Final = 946_684_800.0
_CHUNK: Final = 1 << 15
"""Rows that become records together."""
_LOOKED_AT: Final = 100
"""Lines of a block, evenly spaced, in which other formats are looked for."""
_FEW: Final = 400
"""Of so many, every line is looked at."""
_MOST_REPLIES: Final = 20_000
_LONGEST_REPLY: Final = 1000
_SAMPLES: Final = 3
_SHOWN: Final = 60
_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_LETTER: Final = re.compile(rb"[A-Za-z\x80-\xff]")
_DIGIT: Final = re.compile(rb"[0-9]")
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_UNREADABLE: Final = (
    *(ValueError, LookupError, TypeError, AttributeError),
    *(OverflowError, RecursionError, csv.Error),
)
"""Errors by which a line turns out to be damaged."""


class Identities:
    """Keyed hashes of messages and addresses; the random key ends with the process.

    The attempts of a message share a hash, and nobody can turn it back into an address. Python's
    own hash of bytes, SipHash (PEP 456), takes a tenth of the time of a cryptographic one; the key
    is before the text, because the key of the interpreter may be known.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, text: bytes) -> int:
        """Return 64 bits for an identity."""
        return hash(self._key + text) & _64_BITS

    def short(self, text: bytes) -> int:
        """Return 32 bits, never 0, for an identity within a message."""
        return hash(self._key + text) & _32_BITS or 1


class SkippedLine(NamedTuple):
    """The place of an unreadable line, and the shape of its beginning."""

    file: str
    line: int
    shape: str


@dataclass
class Skipped:
    """Lines that are not in the table, by reason; the first three unreadable ones as samples."""

    malformed: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)  # about something else than a delivery
    samples: dict[str, list[SkippedLine]] = field(default_factory=dict)

    def refuse(self, reason: str, file: str, line: int, text: bytes) -> None:
        """Count an unreadable line, and sample the first ones."""
        self.malformed[reason] += 1
        samples = self.samples.setdefault(reason, [])
        if len(samples) < _SAMPLES:
            samples.append(SkippedLine(file, line, shape(text)))


def shape(text: bytes) -> str:
    """Return the form of a line without the content: letters as x, digits as 0.

    >>> shape(b"Dec  1 10:00:00 mx1 to=<joe@example.com>")
    'Xxx  0 00:00:00 xx0 xx=<xxx@xxxxxxx.xxx>'
    """
    start = _CONTROL.sub(b"?", text[: _SHOWN + 1])
    start = _DIGIT.sub(b"0", _LETTER.sub(lambda m: b"X" if m[0].isupper() else b"x", start))
    beginning = start[:_SHOWN].decode("ascii", "replace")
    return f"{beginning}…" if len(start) > _SHOWN else beginning


def status_code(text: str) -> int:
    """Return the enhanced status code in a text as one number; 0 without one.

    >>> status_code("5.1.1 (bad destination mailbox address)"), status_code("None")
    (5001001, 0)
    """
    status = _STATUS.search(text[:100])
    return packed(*(int(part) for part in status.groups())) if status else 0


class Context:
    """The shared state of all files; ``year`` is that of the first line of each."""

    def __init__(self, providers: Providers, year: int | None = None) -> None:
        self.attempts = Attempts()
        self.skipped = Skipped()
        self.sources = Sources()
        self.identities = Identities()
        self.providers = providers
        self.year = year
        self.queue_runs_s: list[float] = []  # usual time between runs of the queue, of each file
        self._read_reply = lru_cache(_MOST_REPLIES)(read_reply)

    def reply(self, text: bytes, enhanced: int = 0, code: int = 0, category: str = "") -> Reply:
        """Return the reason and codes of a reply, by the beginning; most replies repeat.

        ``category`` is the MTA's own name or number of the kind of bounce.
        """
        return self._read_reply(text[:_LONGEST_REPLY], enhanced, code, category)


class LineError(ValueError):
    """An unreadable line, with the reason and the text to sample."""

    def __init__(self, reason: str, text: bytes | None = None) -> None:
        super().__init__(reason)
        self.text = text


class Reader(ABC):
    """Reads one file into the table."""

    format: ClassVar[str]
    attempts: ClassVar[str]
    """The lines or records that have attempts, for whoever gives a log without any."""
    repeated: ClassVar[str] = "repeated lines"
    """Name of lines that the logs have again in the report."""
    has_numbers: ClassVar[bool] = True
    """Whether a record has numbers of the message and the recipient, so that none is twice."""
    columns: ClassVar[tuple[str, ...]] = (
        *("message", "recipient", "provider", "session", "arrived_s", "finished_s"),
        *("attempt", "enhanced", "code", "reason", "outcome"),
    )
    """Columns of the rows, in order."""

    def __init__(self, log: Log, context: Context) -> None:
        self.log = log
        self.context = context
        self.used = 0
        context.sources.begin()

    @classmethod
    @abstractmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines in this format."""

    @abstractmethod
    def _rows(self, lines: list[bytes], first: int) -> Iterator[Row]:
        """Yield a row for each attempt; ``first`` is the number of the first line."""

    def _end(self) -> Iterator[Row]:
        """Yield the rows that wait for the end of the file."""
        yield from ()

    def read(
        self, others: Sequence[type[Reader]], progress: Callable[[int], None]
    ) -> list[type[Reader]]:
        """Read the file to the end; return the other readers that recognise some lines."""
        mixed: list[type[Reader]] = []
        pending: list[Row] = []
        for lines in self.log.blocks():
            few = len(lines) <= _FEW
            some = lines if few else lines[:: 1 + len(lines) // _LOOKED_AT]
            mixed += [kind for kind in others if kind not in mixed and kind.recognises(some)]
            pending += self._rows(lines, self.log.lines - len(lines) + 1)
            progress(self.log.read_bytes)
            if len(pending) >= _CHUNK:
                self._add(pending)
                pending = []
        self._add([*pending, *self._end()])
        for number, start in self.log.too_long:
            self.refuse("line too long", number, start)
        return mixed

    def refuse(self, reason: str, line: int, text: bytes) -> None:
        """Count an unreadable line."""
        self.context.skipped.refuse(reason, self.log.name, line, text)

    def pass_over(self, reason: str, count: int = 1) -> None:
        """Count lines about something else."""
        if count:
            self.context.skipped.other[reason] += count

    def _add(self, pending: list[Row]) -> None:
        if not pending:
            return
        # A list for each column becomes an array much faster than rows become records.
        columns = dict(zip(self.columns, zip(*pending, strict=True), strict=True))
        # A delivery to a mailbox on this machine is passed over, although it has a row.
        self.used += len(pending) - columns["outcome"].count(LEFT)
        records = self._records(len(pending), columns)
        early = records["finished_s"] < _CLOCKS_S
        if early.any():
            # As a machine has it that starts without a clock.
            self.context.skipped.malformed["time before 2000"] += int(early.sum())
            self.used -= int((early & (records["outcome"] != LEFT)).sum())
            records = records[~early]
            if not len(records):
                return
        age_s = records["finished_s"] - records["arrived_s"]
        # A message older than months, or younger than its attempt, has a wrong arrival.
        for name in ("arrived_s", "ready_s"):
            records[name][~((age_s > -_LEAST_AGE_S) & (age_s < _MOST_AGE_S))] = np.nan
        records["within_s"] = _within_s(records["finished_s"])
        records["source"] = self.context.sources.of(records["finished_s"])
        self.context.attempts.add(records)

    def _records(self, count: int, columns: dict[str, Any]) -> Records:
        return rows(count, columns)


def _within_s(finished_s: Floats) -> Floats:
    """Return how long after whole-second stamps attempts ended: lines of a second are in order."""
    if np.any(finished_s != np.floor(finished_s)):
        return np.zeros(len(finished_s))
    begins = np.flatnonzero(np.diff(finished_s, prepend=np.nan))
    lines = np.diff(np.append(begins, len(finished_s)))
    place = np.arange(len(finished_s)) - np.repeat(begins, lines)
    within_s: Floats = (place + 0.5) / np.repeat(lines, lines)
    return within_s


class LineReader(Reader):
    """Reads a file in which every line is a record."""

    unreadable: ClassVar[str]
    """Name of an unreadable line in the report."""

    @abstractmethod
    def _row(self, line: bytes) -> Row | list[Row] | None:
        """Return the row or rows of a line; None for a line about something else.

        A `LineError` means a damaged line, and so do errors of the conversions.
        """

    @classmethod
    def _record_in(cls, line: bytes) -> bytes:
        """Return the record behind whatever a collector put before it; empty if there is none."""
        return line[:0]

    def _rows(self, lines: list[bytes], first: int) -> Iterator[Row]:
        for number, line in enumerate(lines, first):
            if not line or line.isspace():
                continue
            try:
                row = self._row(line)
            except _UNREADABLE as error:
                row = self._row_in(line, number, error)
            if row is None:
                continue
            if isinstance(row, list):
                yield from row
            else:
                yield row

    def _row_in(self, line: bytes, number: int, error: Exception) -> Row | list[Row] | None:
        """Return the row of the record behind a prefix; refuse the line if there is none."""
        record = self._record_in(line)
        if record and record != line:
            try:
                return self._row(record)
            except _UNREADABLE as another:
                error = another
        known = isinstance(error, LineError)
        text = error.text if isinstance(error, LineError) and error.text is not None else line
        self.refuse(str(error) if known else self.unreadable, number, text)
        return None

    def _identity(self, text: str) -> int:
        return self.context.identities.of(text.encode("utf-8", "replace"))
