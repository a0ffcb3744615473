"""Opening a user's file for reading: regular files only, with lines and sizes that have an end."""

import codecs
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final

LONGEST_LINE: Final = 1_000_000
"""Characters of a line of a table."""
_MOST_BYTES: Final = 200_000_000
"""Size of a table; beyond it, rows are a sample's business."""
_MOST_LINES: Final = 5_000_000
_OPEN_ALREADY: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Where a process has what it was started with: its standard input, and bash's ``<(…)``."""
_LOOKED_AT: Final = 400
_LEAST: Final = 16
"""Fewer bytes tell no encoding."""
_MOSTLY: Final = 0.8
_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def opened(path: Path, *, once: bool = False) -> BinaryIO:
    """Open a file; raise an `OSError` in plain words for anything else, without waiting for it.

    ``once``: it is read once from start to end, so it may be the pipe of a standard input.
    """
    mode = path.stat().st_mode
    if not (once and stat.S_ISFIFO(mode) and str(path).startswith(_OPEN_ALREADY)):
        for is_kind, noun in _KINDS:
            if is_kind(mode):
                raise OSError(f"is {noun}; give a file")
    return path.open("rb")


def encoding_of(start: bytes) -> str:
    """Return the encoding of a text, with any byte order mark, by its beginning.

    Windows writes the output of commands as UTF-16: without a mark, ASCII has every other byte 0.
    """
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = start[:_LOOKED_AT]
    even, odd = start[::2].count(0), start[1::2].count(0)
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if len(start) >= _LEAST and zeros >= _MOSTLY * len(start) / 2.0 and not others:
            return encoding
    return "utf-8-sig"


@contextmanager
def table_lines(path: Path, errors: str = "strict") -> Iterator[Iterator[str]]:
    """Open a text file; give its lines with their ends, as the csv module takes them.

    Lines raise an `OSError` in plain words where the file is too large, or a line too long.
    """
    with (
        opened(path, once=True) as stream,
        TextIOWrapper(stream, encoding="utf-8-sig", errors=errors, newline="") as text,
    ):
        yield _bounded(text)


def delimiter_of(line: str) -> str:
    """Return what parts the cells of a table, by its first line.

    Spreadsheets write semicolons in half of Europe, where commas are in numbers.

    >>> delimiter_of("gmail.com;62000"), delimiter_of("gmail.com,62000")
    (';', ',')
    """
    return next((sign for sign in ";\t" if sign in line), ",")


def _bounded(text: TextIOWrapper) -> Iterator[str]:
    size = 0
    for number in range(1, _MOST_LINES + 2):
        line = text.readline(LONGEST_LINE + 1)
        size += len(line)
        if not line:
            return
        if len(line) > LONGEST_LINE:
            raise OSError(f"line {number} has more than {LONGEST_LINE:,} characters")
        if size > _MOST_BYTES or number > _MOST_LINES:
            raise OSError(
                f"is too large (more than {_MOST_BYTES // 10**6} MB or {_MOST_LINES:,} lines); "
                f"give a part of it"
            )
        yield line
