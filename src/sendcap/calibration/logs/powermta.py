"""PowerMTA: the accounting file, CSV with a header.

The columns depend on ``record-fields``, so they are identified by name. Times are whole seconds;
the duration of an attempt is missing. By default only ``d`` and ``b`` are written; without ``t``
the file has no soft bounces. An ``r`` tells when a message came in, and has all columns of the
others in the file. Source: PowerMTA 5.0 User's Guide, "Accounting" and 11.2.9, "Encoding".
"""

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, RETURNED, SOFT
from sendcap.calibration.categories import is_expiry
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

_OUTCOMES: Final = {"d": ACCEPTED, "b": HARD, "t": SOFT, "rb": RETURNED, "r": RECEIVED}
_OTHER: Final = {
    "f": "records of feedback loops",
    "rs": "records of remote statuses",
    "tq": "records of failed queues",
}
_ROW: Final = re.compile(
    rb'(?:^|[ \t|:>])("?(?:' + "|".join((*_OUTCOMES, *_OTHER, "type")).encode() + rb')"?,)'
)
"""The beginning of a row."""
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


class PowermtaReader(LineReader):
    """Reads the accounting file."""

    format = "powermta"
    unreadable = "unreadable row"

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        # Rows before any header have at least their type in the first cell.
        self._chosen, self._width = _chosen({"type": 0})
        self._has_queued = False
        self._time_s = lru_cache(_REMEMBERED)(any_time)
        self._enhanced = lru_cache(_REMEMBERED)(status_code)
        self._open = b""
        self._open_lines = 0

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of rows below a header that begins with ``type``."""
        if not any(b"timeLogged" in line for line in lines):
            return 0
        lines = [cls._record_in(line) or line for line in lines]
        header = next((line for line in lines if _is_header(line)), None)
        if header is None:
            return 0
        kinds = tuple(f"{kind},".encode() for kind in (*_OUTCOMES, *_OTHER, "type"))
        return sum(line.replace(b'"', b"").startswith(kinds) for line in lines)

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
        plain = text.removeprefix(_MARK).decode("utf-8", "replace")
        cells = next(csv.reader([plain.strip("\r")]), [])
        if text[:1] in _STARTS and _is_header(text):
            header = {name.strip(): position for position, name in enumerate(cells)}
            self._chosen, self._width = _chosen(header)
            self._has_queued = "timeQueued" in header
            return None
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
            # Messages have no number: recipient, arrival and job identify them.
            self._identity("\0".join((rcpt, queued, job, envelope, orig))),
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


def _is_header(line: bytes) -> bool:
    start = line.removeprefix(_MARK).replace(b'"', b"")
    return start.startswith(b"type,") and b"timeLogged" in start
