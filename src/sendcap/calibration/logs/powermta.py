"""PowerMTA: the accounting file, CSV with a header.

Which columns there are depends on ``record-fields``, so they are found by name. Times are whole
seconds, and how long an attempt took is not told. By default only ``d`` and ``b`` are written;
without ``t`` the file tells nothing of soft bounces.

References
----------
PowerMTA 5.0 User's Guide, "Accounting".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any, Final

from sendcap.calibration.attempts import ACCEPTED, HARD, RETURNED, SOFT
from sendcap.calibration.logs.opening import LONGEST_LINE, Log
from sendcap.calibration.logs.reading import Context, Reader
from sendcap.calibration.logs.stamps import any_time
from sendcap.calibration.outcomes import packed

_OUTCOMES: Final = {"d": ACCEPTED, "b": HARD, "t": SOFT, "rb": RETURNED}
_OTHER: Final = {
    "r": "records of receptions",
    "f": "records of feedback loops",
    "rs": "records of remote statuses",
    "tq": "records of failed queues",
}
_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_COLUMNS: Final = (
    "type",
    "timeLogged",
    "timeQueued",
    "orig",
    "rcpt",
    "dsnStatus",
    "dsnDiag",
    "dsnMta",
    "bounceCat",
    "jobId",
    "envId",
)
"""Those that a row is made of."""
_MOST_REMEMBERED: Final = 10_000
_MOST_LINES: Final = 16
"""Lines of one row: a quoted cell may hold line ends."""
_MARK: Final = b"\xef\xbb\xbf"
"""Byte order mark."""
_STARTS: Final = (b"t", b'"', _MARK[:1])
"""First bytes of a header: without quotes, with them, and with a byte order mark."""
_NAN: Final = float("nan")


class PowermtaReader(Reader):
    """Reads the accounting file; see the module."""

    format = "powermta"
    columns = (
        "message",
        "recipient",
        "provider",
        "arrived_s",
        "finished_s",
        "enhanced",
        "code",
        "reason",
        "outcome",
    )

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        # Of rows without a header, the first cell tells at least what they are about.
        self._chosen, self._width = _chosen({"type": 0})
        self._times: dict[str, float] = {}
        self._statuses: dict[str, int] = {}
        self._open = b""
        self._open_lines = 0

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return how many lines are rows below a header that begins with ``type``."""
        header = next((line for line in lines if _is_header(line)), None)
        if header is None:
            return 0
        kinds = tuple(f"{kind},".encode() for kind in (*_OUTCOMES, *_OTHER, "type"))
        return sum(line.replace(b'"', b"").startswith(kinds) for line in lines)

    def _rows(self, lines: list[bytes], first: int) -> Iterator[tuple[Any, ...]]:
        for number, line in enumerate(lines):
            text = self._open + b"\n" + line if self._open else line
            if text.count(b'"') % 2:
                # A cell goes on in the next line, or a quote was never closed.
                if self._open_lines < _MOST_LINES and len(text) < LONGEST_LINE:
                    self._open, self._open_lines = text, self._open_lines + 1
                    continue
                self.refuse("a quote is never closed", first + number, text)
                self._open, self._open_lines = b"", 0
                continue
            self._open, self._open_lines = b"", 0
            if not text or text.isspace():
                continue
            try:
                plain = text.removeprefix(_MARK).decode("utf-8", "replace")
                cells = next(csv.reader([plain.strip("\r")]))
                if text[:1] in _STARTS and _is_header(text):
                    header = {name.strip(): place for place, name in enumerate(cells)}
                    self._chosen, self._width = _chosen(header)
                    continue
                row = self._row(cells)
            except (ValueError, KeyError, IndexError, csv.Error, StopIteration):
                self.refuse("a row that cannot be read", first + number, text)
                continue
            if row is not None:
                yield row

    def read(
        self,
        progress: Callable[[int], None] | None = None,
        look: Callable[[list[bytes]], None] | None = None,
    ) -> None:
        """Read the file to its end."""
        super().read(progress, look)
        if self._open:
            self.refuse("a quote is never closed", self.log.lines, self._open)

    def _row(self, cells: list[str]) -> tuple[Any, ...] | None:
        # The last cell is empty: it stands for columns that the file has not.
        cells += [""] * max(self._width - len(cells), 1)
        kind, logged, queued, orig, rcpt, dsn_status, diag, mta, category, job, envelope = (
            self._chosen(cells)
        )
        if kind in _OTHER:
            self.pass_over(_OTHER[kind])
            return None
        outcome, identities = _OUTCOMES[kind], self.context.identities
        to = rcpt.encode("utf-8", "replace")
        enhanced = self._enhanced(dsn_status)
        reason = code = 0
        if outcome in (SOFT, HARD):
            text = f"{diag} {dsn_status} {category}"
            reason, code, enhanced = self.context.replies.read(
                text.encode("utf-8", "replace"), enhanced
            )
        host = mta.partition(" ")[0].encode("utf-8", "replace")
        # Nothing numbers the message: who, when it came and the job tell it from others.
        identity = "\0".join((rcpt, queued, job, envelope, orig))
        return (
            identities.of(identity.encode("utf-8", "replace")),
            identities.short(to),
            self.context.providers.number(host, to.rpartition(b"@")[2]),
            self._time_s(queued) if queued else _NAN,
            self._time_s(logged),
            enhanced,
            code,
            reason,
            outcome,
        )

    def _enhanced(self, text: str) -> int:
        found = self._statuses.get(text)
        if found is None:
            if len(self._statuses) > _MOST_REMEMBERED:
                self._statuses.clear()
            status = _STATUS.search(text[:100])
            found = packed(*(int(part) for part in status.groups())) if status else 0
            self._statuses[text] = found
        return found

    def _time_s(self, text: str) -> float:
        found = self._times.get(text)
        if found is None:
            if len(self._times) > _MOST_REMEMBERED:
                self._times.clear()
            found = self._times[text] = any_time(text)
        return found


def _chosen(header: Mapping[str, int]) -> tuple[Callable[[list[str]], tuple[str, ...]], int]:
    """Return what takes a row's cells in the order of ``_COLUMNS``, and how many it must have."""
    places = [header.get(name, -1) for name in _COLUMNS]
    return itemgetter(*places), max(places) + 2


def _is_header(line: bytes) -> bool:
    start = line.removeprefix(_MARK).replace(b'"', b"")
    return start.startswith(b"type,") and b"timeLogged" in start
