"""PowerMTA: the accounting file, CSV with a header.

The columns depend on ``record-fields``, so they are identified by name; whoever exports them again
may separate them by semicolons, tabs or bars. Times are whole seconds; the duration of an attempt
is missing. By default only ``d`` and ``b`` are written; without ``t`` the file has no soft bounces.
An ``r`` tells when a message came in, and has all columns of the others in the file. Source:
PowerMTA 5.0 User's Guide, "Accounting", 11.2.9, "Encoding", and "records".
"""

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, RETURNED, SOFT
from sendcap.calibration.logs.opening import LONGEST_LINE, Log
from sendcap.calibration.logs.reading import (
    Context,
    LineError,
    LineReader,
    Reader,
    Row,
    status_code,
)
from sendcap.calibration.logs.stamps import any_time
from sendcap.calibration.reasons import is_expiry

_OUTCOMES: Final = {
    **dict.fromkeys(("d", "delivery"), ACCEPTED),
    **dict.fromkeys(("b", "bounce"), HARD),
    **dict.fromkeys(("t", "transient"), SOFT),
    **dict.fromkeys(("rb", "remote-bounce"), RETURNED),
    **dict.fromkeys(("r", "receipt"), RECEIVED),
}
_OTHER: Final = {
    **dict.fromkeys(("f", "feedback-loop"), "records of feedback loops"),
    **dict.fromkeys(("rs", "remote-status"), "records of remote statuses"),
    **dict.fromkeys(("tq", "transient-queue"), "records of failed queues"),
}
_KINDS: Final = "|".join((*_OUTCOMES, *_OTHER)).encode()
_ROW: Final = re.compile(rb'(?:^|[ \t|:>])("?(?:' + _KINDS + rb'|type)"?[,;\t|])')
"""The beginning of a row."""
_HEADER: Final = re.compile(rb'"?type"?([,;\t|])[^\n]*timeLogged')
_NAMELESS: Final = re.compile(
    rb'"?(?:' + _KINDS + rb')"?[,;\t|]"?(?:\d{4}-\d\d-\d\d[ T]|\d\d/\d\d/\d{4} |\d{10}\b)'
)
"""The beginning of a row, with the time as its second column, as it is by default."""
LACKS_A_HEADER: Final = (
    "is a part of a PowerMTA accounting file without the first line, which names the columns; put "
    "it before this one: type,timeLogged,…"
)
_AMERICAN: Final = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (.*)")
_LONGEST_PREFIX: Final = 200
_COLUMNS: Final = (
    *("type", "timeLogged", "timeQueued", "orig", "rcpt", "dsnStatus", "dsnDiag", "dsnMta"),
    *("bounceCat", "jobId", "envId"),
)
"""Columns that make a row of the table."""
_REMEMBERED: Final = 10_000
_MOST_LINES: Final = 16
"""Lines of one row: a quoted cell may contain line ends."""
_MARK: Final = b"\xef\xbb\xbf"
"""Byte order mark."""
_STARTS: Final = (b"t", b'"', _MARK[:1])
"""First bytes of a header: without quotes, with them, and with a byte order mark."""
_UNCLOSED: Final = "unclosed quote"
_BEFORE: Final = "row before the line with the names of the columns"
_PROTOCOL: Final = "smtp"
"""What a diagnostic text begins with, up to a semicolon."""


class PowermtaReader(LineReader):
    """Reads the accounting file."""

    format = "powermta"
    attempts = "records d, t and b"
    has_numbers = False
    unreadable = "unreadable row"

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        self._separator = ""  # before any header
        self._chosen, self._width = _chosen({})
        self._names = 0
        self._has_queued = False
        self._time_s = lru_cache(_REMEMBERED)(_time_s)
        self._enhanced = lru_cache(_REMEMBERED)(status_code)
        self._open = b""
        self._open_lines = 0

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of rows below a header that begins with ``type``."""
        if not any(b"timeLogged" in line for line in lines):
            return 0
        lines = [cls._record_in(line) or line for line in lines]
        separator = next(filter(None, map(_separator_of, lines)), "")
        if not separator:
            return 0
        kinds = tuple(f"{kind}{separator}".encode() for kind in (*_OUTCOMES, *_OTHER, "type"))
        return sum(line.replace(b'"', b"").startswith(kinds) for line in lines)

    @classmethod
    def lack_a_header(cls, lines: list[bytes]) -> bool:
        """Tell whether lines are the rows of a file whose header is missing."""
        rows = (cls._record_in(line) for line in lines)
        return any(_NAMELESS.match(row) is not None for row in rows)

    @classmethod
    def _record_in(cls, line: bytes) -> bytes:
        row = _ROW.search(line[:_LONGEST_PREFIX])
        return line[row.start(1) :] if row else b""

    def read(
        self, others: Sequence[type[Reader]], progress: Callable[[int], None]
    ) -> list[type[Reader]]:
        """Read the file to the end."""
        mixed = super().read(others, progress)
        if self._open:
            self.refuse(_UNCLOSED, self.log.lines, self._open)
        return mixed

    def _row(self, line: bytes) -> Row | None:
        text = self._open + b"\n" + line if self._open else line
        if text.count(b'"') % 2:
            # A cell continues in the next line, or a quote is never closed.
            if self._open_lines < _MOST_LINES and len(text) < LONGEST_LINE:
                self._open, self._open_lines = text, self._open_lines + 1
                return None
            self._open, self._open_lines = b"", 0
            raise LineError(_UNCLOSED, text)
        self._open, self._open_lines = b"", 0
        separator = _separator_of(text) if text[:1] in _STARTS else ""
        self._separator = separator or self._separator
        if not self._separator:
            raise LineError(_BEFORE)
        plain = text.removeprefix(_MARK).decode("utf-8", "replace")
        cells = next(csv.reader([plain.strip("\r")], delimiter=self._separator), [])
        if separator:
            header = {name.strip(): position for position, name in enumerate(cells)}
            self._chosen, self._width = _chosen(header)
            self._names = len(header)
            self._has_queued = "timeQueued" in header
            return None
        if self._separator == ";" and len(cells) > self._names:
            _join_diagnostics(cells)
        return self._attempt(cells)

    def _attempt(self, cells: list[str]) -> Row | None:
        # The last cell is empty: it stands for missing columns.
        cells += [""] * max(self._width - len(cells), 1)
        kind, logged, queued, orig, rcpt, dsn_status, diag, mta, category, job, envelope = (
            self._chosen(cells)
        )
        if kind in _OTHER:
            self.pass_over(_OTHER[kind])
            return None
        outcome = _OUTCOMES[kind]
        arrived = queued
        if outcome == RECEIVED and not queued:
            if self._has_queued:
                # Nobody knows which of the other records it belongs to.
                self.pass_over("records of receptions")
                return None
            arrived = logged
        queued_s = self._time_s(queued) if queued else 0.0
        to = rcpt.encode("utf-8", "replace")
        enhanced = self._enhanced(dsn_status)
        reason = code = 0
        if outcome in (SOFT, HARD):
            text = (diag or dsn_status).encode("utf-8", "replace")
            reason, code, enhanced = self.context.reply(text, enhanced, 0, category)
            if outcome == HARD and is_expiry(category):
                outcome = EXPIRED
        host = mta.partition(" ")[0].encode("utf-8", "replace")
        return (
            # Messages have no number: recipient, arrival and job identify them. A time may be told
            # in another zone when the clocks have been changed.
            self._identity("\0".join((rcpt, str(queued_s), job, envelope, orig))),
            self.context.identities.short(to),
            self.context.providers.number(host, to.rpartition(b"@")[2]),
            0,
            self._time_s(arrived) if arrived else math.nan,
            self._time_s(logged),
            0,
            enhanced,
            code,
            reason,
            outcome,
        )


def _chosen(header: Mapping[str, int]) -> tuple[Callable[[list[str]], tuple[str, ...]], int]:
    """Return a function that takes a row's cells in the order of ``_COLUMNS``, and its width."""
    positions = [header.get(name, -1) for name in _COLUMNS]
    return itemgetter(*positions), max(positions) + 2


def _separator_of(line: bytes) -> str:
    """Return what separates the columns that a header names; nothing for any other line."""
    header = _HEADER.match(line.removeprefix(_MARK))
    return header[1].decode() if header else ""


def _join_diagnostics(cells: list[str]) -> None:
    """Join a diagnostic text, ``smtp;250 ok``, that has no quotes where semicolons separate."""
    for place in range(len(cells) - 2, -1, -1):
        if cells[place] == _PROTOCOL:
            cells[place : place + 2] = [";".join(cells[place : place + 2])]


def _time_s(text: str) -> float:
    """Read a time: as `any_time`, or as the manual writes it, with the month first.

    >>> _time_s("11/26/2026 09:00:00+0000") == _time_s("2026-11-26 09:00:00+0000")
    True
    """
    month_first = _AMERICAN.fullmatch(text)
    if month_first is not None:
        month, day, year, rest = month_first.groups()
        text = f"{year}-{month}-{day} {rest}"
    return any_time(text)
