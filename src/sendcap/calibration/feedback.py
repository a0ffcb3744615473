"""Latency of the feedback: from a table of events and the times at which Campaign knew them."""

import csv
import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.logs.stamps import any_time
from sendcap.calibration.times import Times
from sendcap.errors import SendcapError
from sendcap.files.reading import delimiter_of, table_lines
from sendcap.text.quantities import counted

_MOST: Final = 500_000
_LEAST: Final = 20


def latencies_s(file: str | os.PathLike[str] | None) -> tuple[Floats, Counter[str]]:
    """Read latencies from a CSV file, if any; count the skipped rows by reason.

    The first two columns of times are the event and the feedback.
    """
    latencies: list[float] = []
    skipped: Counter[str] = Counter()
    if file is None:
        return np.zeros(0), skipped
    path = Path(file)
    try:
        with table_lines(path, errors="replace") as lines:
            columns: tuple[int, int] | None = None
            for row in _table_rows(lines):
                columns = columns or _columns(row)
                try:
                    latencies.append(_latency_s(row, columns))
                except ValueError as error:
                    skipped[str(error)] += 1
                if len(latencies) >= _MOST:
                    break
    except OSError as error:
        raise SendcapError(f"{path}: {error.strerror or error}") from None
    except csv.Error as error:
        raise SendcapError(f"{path}: is not a CSV file: {error}") from None
    if len(latencies) < _LEAST:
        raise SendcapError(
            f"{path}: has {counted(len(latencies), 'row')} with the times of an event and its "
            f"feedback; at least {_LEAST} are needed"
        )
    return np.array(latencies), skipped


def _table_rows(lines: Iterator[str]) -> Iterator[list[str]]:
    """Yield the rows of a table."""
    readable = (line.replace("\0", "") for line in lines)
    first = next(readable, "")
    return csv.reader(chain([first], readable), delimiter=delimiter_of(first))


def _latency_s(row: list[str], columns: tuple[int, int] | None) -> float:
    """Return the latency of a row, or raise a `ValueError` with the reason to skip it."""
    try:
        event_s, known_s = (any_time(row[column]) for column in columns or ())
    except (ValueError, IndexError):
        raise ValueError("without two times") from None
    if known_s < event_s:
        raise ValueError("feedback before the event")
    return known_s - event_s


def _columns(row: list[str]) -> tuple[int, int] | None:
    """Return the positions of the first two times in a row."""
    times = []
    for position, cell in enumerate(row):
        try:
            any_time(cell)
        except ValueError:
            continue
        # A small number is a count or an identifier.
        if not cell.strip().isdigit() or len(cell.strip()) >= 9:
            times.append(position)
    return (times[0], times[1]) if len(times) >= 2 else None


def times_of(latency_s: Floats) -> Times:
    """Return the latencies as intervals; whole seconds are rounded values."""
    half_s = 0.5 if np.all(latency_s == np.rint(latency_s)) else 0.0
    return Times.of(np.maximum(latency_s - half_s, 0.0), latency_s + half_s)
