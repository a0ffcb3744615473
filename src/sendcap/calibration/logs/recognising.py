"""The format of a log, recognised by the content; reading logs of any format."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from sendcap.calibration.logs.exim import EximReader
from sendcap.calibration.logs.kumomta import KumomtaReader
from sendcap.calibration.logs.momentum import MomentumReader
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.opensmtpd import OpensmtpdReader
from sendcap.calibration.logs.postfix import PostfixReader
from sendcap.calibration.logs.powermta import LACKS_A_HEADER, PowermtaReader
from sendcap.calibration.logs.reading import Context, Reader, shape
from sendcap.calibration.logs.services import (
    MailgunReader,
    SendgridReader,
    SesReader,
    SparkpostReader,
)
from sendcap.calibration.logs.wrapping import wrapping_of
from sendcap.calibration.repeats import repeated
from sendcap.errors import SendcapError
from sendcap.files.kinds import mistaken

READERS: Final[dict[str, type[Reader]]] = {
    reader.format: reader
    for reader in (
        *(PostfixReader, KumomtaReader, PowermtaReader, MomentumReader, EximReader),
        OpensmtpdReader,
        *(SesReader, SendgridReader, MailgunReader, SparkpostReader),
    )
}
FORMATS: Final = tuple(READERS)
_LINES: Final = 200
"""Lines that decide the format."""


class FileRead(NamedTuple):
    """A log file that was read; ``used`` counts attempts, ``remark`` names a problem."""

    name: str
    format: str
    read_bytes: int
    lines: int
    used: int
    remark: str


def recognised(log: Log, format_name: str | None = None) -> type[Reader]:
    """Return the reader of a log's format; the log gives the lines inside any wrapping."""
    readers = [READERS[format_name]] if format_name else list(READERS.values())
    lines = log.start().split(b"\n")[:_LINES]
    best, count = _best(lines, readers)
    unwrap = wrapping_of(lines)
    if unwrap is not None:
        unwrapped = unwrap(lines)
        inner, inner_count = _best(unwrapped, readers)
        # Parts of a line may look like lines, too.
        if inner_count >= max(count - unwrapped.count(b"") + lines.count(b""), 1):
            best, count = inner, inner_count
            # Another one, because it may keep a part of an entry.
            log.unwrap = wrapping_of(lines)
    if count or format_name:
        return best
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        problem = log.damage or "is empty"
        raise SendcapError(f"{log.path}: {problem}; give a log with deliveries")
    if PowermtaReader.lack_a_header(lines):
        raise SendcapError(f"{log.path}: {LACKS_A_HEADER}")
    unknown = (
        f"unknown format (a line looks like {shape(first)!r}); set --format to one of "
        f"{', '.join(FORMATS)}"
    )
    raise SendcapError(f"{log.path}: {mistaken(log.start(), 'log') or unknown}")


def _best(lines: list[bytes], readers: Sequence[type[Reader]]) -> tuple[type[Reader], int]:
    """Return the reader that recognises the most lines, and their number."""
    counts = {reader: reader.recognises(lines) for reader in readers}
    best = max(counts, key=lambda reader: counts[reader])
    return best, counts[best]


def read_logs(
    paths: Sequence[Path],
    context: Context,
    format_name: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[FileRead]:
    """Read logs of one format, or of that detected from each file, into the table.

    ``progress`` is called now and then with the bytes read so far.
    """
    # All logs are opened before the first is read, so that a mistake shows at once.
    logs = [Log(path, number) for number, path in enumerate(paths, 1)]
    readers = _readers(logs, format_name)
    files = []
    total = 0

    def note(read_bytes: int) -> None:
        if progress is not None:
            progress(total + read_bytes)

    for log, kind in zip(logs, readers, strict=True):
        reader = kind(log, context)
        mixed = reader.read([other for other in READERS.values() if other is not kind], note)
        total += log.read_bytes
        names = " and ".join(other.format for other in mixed)
        unread = f"lines of {names} in the same file were not read" if mixed else ""
        empty = "" if log.lines or log.damage else "is empty"
        remark = "; ".join(filter(None, (log.damage, unread, empty)))
        files.append(
            FileRead(log.name, kind.format, log.read_bytes, log.lines, reader.used, remark)
        )
    return files


def _readers(logs: Sequence[Log], format_name: str | None) -> list[type[Reader]]:
    """Return the reader of each log; one just rotated may be empty, if another one is not."""
    full = [bool(log.start().strip()) for log in logs]
    if not any(full):
        full[:1] = [True]
    found = [
        recognised(log, format_name) for log, has_lines in zip(logs, full, strict=True) if has_lines
    ]
    readers = iter(found)
    return [next(readers) if has_lines else found[0] for has_lines in full]


def counted_once(files: Sequence[FileRead], context: Context) -> list[FileRead]:
    """Drop the records that the logs have again; return the files with what counts of them."""
    logs, readers = context.sources.log, [READERS[file.format] for file in files]
    named = np.array([readers[log].has_numbers for log in logs])
    dropped = context.attempts.drop(lambda records: repeated(records, named)).tolist()
    again = Counter[int]()
    for log, count in zip(logs, dropped, strict=False):
        again[log] += count
    for log, count in again.items():
        if count:
            context.skipped.other[readers[log].repeated] += count
    return [file._replace(used=file.used - again[log]) for log, file in enumerate(files)]
