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
from collections.abc import Callable, Iterator
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
_MOST_LINES: Final = 16
"""Lines of one row: a quoted cell may hold line ends."""
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
        self._header: dict[str, int] = {}
        self._times: dict[str, float] = {}
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
                cells = next(csv.reader([text.decode("utf-8-sig", "replace").strip("\r")]))
                if _is_header(text):
                    self._header = {name.strip(): place for place, name in enumerate(cells)}
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
        header, identities = self._header, self.context.identities

        def cell(name: str) -> str:
            place = header.get(name)
            return cells[place] if place is not None and place < len(cells) else ""

        kind = cell("type") if header else cells[0]
        if kind in _OTHER:
            self.pass_over(_OTHER[kind])
            return None
        outcome = _OUTCOMES[kind]
        to = cell("rcpt").encode("utf-8", "replace")
        queued = cell("timeQueued")
        status = _STATUS.search(cell("dsnStatus")[:100])
        enhanced = packed(*(int(part) for part in status.groups())) if status else 0
        reason = code = 0
        if outcome in (SOFT, HARD):
            text = f"{cell('dsnDiag')} {cell('dsnStatus')} {cell('bounceCat')}"
            reason, code, enhanced = self.context.replies.read(
                text.encode("utf-8", "replace"), enhanced
            )
        host = cell("dsnMta").partition(" ")[0].encode("utf-8", "replace")
        # Nothing numbers the message: who, when it came and the job tell it from others.
        identity = "\0".join((cell("rcpt"), queued, cell("jobId"), cell("envId"), cell("orig")))
        return (
            identities.of(identity.encode("utf-8", "replace")),
            identities.short(to),
            self.context.providers.number(host, to.rpartition(b"@")[2]),
            self._time_s(queued) if queued else _NAN,
            self._time_s(cell("timeLogged")),
            enhanced,
            code,
            reason,
            outcome,
        )

    def _time_s(self, text: str) -> float:
        found = self._times.get(text)
        if found is None:
            if len(self._times) > 10_000:
                self._times.clear()
            found = self._times[text] = any_time(text)
        return found


def _is_header(line: bytes) -> bool:
    start = line.removeprefix(b"\xef\xbb\xbf").replace(b'"', b"")
    return start.startswith(b"type,") and b"timeLogged" in start
