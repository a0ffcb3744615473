"""Which format a log is in, by its content; and reading logs, each in its own format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sendcap.calibration.logs.kumomta import KumomtaReader
from sendcap.calibration.logs.momentum import MomentumReader
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.postfix import PostfixReader
from sendcap.calibration.logs.powermta import PowermtaReader
from sendcap.calibration.logs.reading import Context, Reader
from sendcap.calibration.logs.skipped import shape
from sendcap.errors import SendcapError

READERS: Final[dict[str, type[Reader]]] = {
    its.format: its for its in (PostfixReader, KumomtaReader, PowermtaReader, MomentumReader)
}
FORMATS: Final = tuple(READERS)
_LINES: Final = 200
"""Lines that are looked at."""


class FileRead(NamedTuple):
    """What was read of one file; ``remark`` is what is not as it should be."""

    name: str
    format: str
    read_bytes: int
    lines: int
    used: int
    remark: str


def recognised(log: Log) -> type[Reader]:
    """Return the reader of a log's format.

    Raises
    ------
    SendcapError
        If it is empty, or none of the formats.
    """
    start = log.start()
    if not start.strip():
        why = log.damage or "is empty"
        raise SendcapError(f"{log.path}: {why}; give a log with deliveries")
    lines = start.split(b"\n")[:_LINES]
    counts = {reader: reader.recognises(lines) for reader in READERS.values()}
    best = max(counts, key=lambda reader: counts[reader])
    if not counts[best]:
        first = next(line for line in lines if line.strip())
        raise SendcapError(
            f"{log.path}: its format is not recognised (a line looks like {shape(first)!r}); "
            f"tell it with --format: {', '.join(FORMATS)}"
        )
    return best


def read_logs(
    paths: Sequence[Path],
    context: Context,
    format_name: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[FileRead]:
    """Read logs into the table.

    Parameters
    ----------
    format_name
        Of all of them; each is recognised by its content without it.
    progress
        Called now and then with the bytes read so far.

    Raises
    ------
    SendcapError
        If one cannot be read at all, is empty, is in no known format, or is there twice.
    """
    # All are looked at before the first is read: a slip shows at once.
    logs = [Log(path) for path in paths]
    _refuse_the_same_twice(logs)
    readers = [READERS[format_name] if format_name else recognised(log) for log in logs]
    found = []
    total = 0
    for log, kind in zip(logs, readers, strict=True):
        reader = kind(log, context)
        others = _Others(kind)
        reader.read(None if progress is None else _after(total, progress), others.look)
        total += log.read_bytes
        remark = "; ".join(filter(None, (log.damage, others.told)))
        found.append(
            FileRead(log.name, kind.format, log.read_bytes, log.lines, reader.used, remark)
        )
    return found


def _refuse_the_same_twice(logs: Sequence[Log]) -> None:
    """Refuse a file that begins as another one: its copy, compressed or grown since."""
    starts: list[tuple[bytes, Log]] = []
    for log in logs:
        start = log.start(1 << 14).rstrip(b"\n")
        for other, its in starts:
            shorter = min(len(start), len(other))
            # One line may be a header, which all files have.
            if start[:shorter] == other[:shorter] and b"\n" in start[:shorter]:
                raise SendcapError(
                    f"{log.path}: begins as {its.path} does, so its deliveries would count twice; "
                    f"give each log once"
                )
        starts.append((start, log))


class _Others:
    """Finds lines of other formats in a file that is read as one."""

    def __init__(self, kind: type[Reader]) -> None:
        self._left = [its for its in READERS.values() if its is not kind]
        self._found: list[str] = []

    def look(self, lines: list[bytes]) -> None:
        """Look at some lines."""
        for its in [its for its in self._left if its.recognises(lines)]:
            self._left.remove(its)
            self._found.append(its.format)

    @property
    def told(self) -> str:
        """What a report should say."""
        if not self._found:
            return ""
        return f"has lines of {' and '.join(self._found)}, too, which were not read"


def _after(before: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    return lambda done: progress(before + done)
