"""How long Campaign takes to know: from a table of event times and the times they were known."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.fitting import Fit, best
from sendcap.calibration.logs.stamps import any_time
from sendcap.calibration.times import Times
from sendcap.errors import SendcapError

_MOST: Final = 500_000
_LEAST: Final = 20


def latencies_s(path: Path) -> tuple[Floats, Counter[str]]:
    """Read a CSV file whose first two columns with times are those of the event and of knowing.

    Returns
    -------
    latencies, and how many rows were left out for what reason

    Raises
    ------
    SendcapError
        If it cannot be read, or has no such rows.
    """
    found: list[float] = []
    skipped: Counter[str] = Counter()
    places: tuple[int, int] | None = None
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            start = file.read(4096)
            file.seek(0)
            separator = ";" if start.partition("\n")[0].count(";") else ","
            rows = csv.reader((line.replace("\0", "") for line in file), delimiter=separator)
            for row in rows:
                places = places or _places(row)
                if places is None:
                    skipped["no two times in it"] += 1
                    continue
                _take(row, places, found, skipped)
                if len(found) >= _MOST:
                    break
    except OSError as error:
        raise SendcapError(f"{path}: {error.strerror or error}") from None
    except csv.Error as error:
        raise SendcapError(f"{path}: is not a CSV file: {error}") from None
    if len(found) < _LEAST:
        raise SendcapError(
            f"{path}: {len(found)} rows with two times, the event's and when it was known; at "
            f"least {_LEAST} are needed"
        )
    return np.array(found), skipped


def _take(
    row: list[str], places: tuple[int, int], found: list[float], skipped: Counter[str]
) -> None:
    try:
        event_s, known_s = (any_time(row[place]) for place in places)
    except (ValueError, IndexError):
        skipped["no two times in it"] += 1
        return
    if known_s < event_s:
        skipped["known before it happened"] += 1
        return
    found.append(known_s - event_s)


def _places(row: list[str]) -> tuple[int, int] | None:
    """Return which two cells of a row are times."""
    found = []
    for place, cell in enumerate(row):
        try:
            any_time(cell)
        except ValueError:
            continue
        # A small number is a count or an identity.
        if not cell.strip().isdigit() or len(cell.strip()) >= 9:
            found.append(place)
    return (found[0], found[1]) if len(found) >= 2 else None


def times_of(latency_s: Floats) -> Times:
    """Return what is known of the latencies: those of whole seconds are rounded."""
    whole = bool(np.all(latency_s == np.rint(latency_s)))
    half_s = 0.5 if whole else 0.0
    return Times.of(np.maximum(latency_s - half_s, 0.0), latency_s + half_s)


def fits(latency_s: Floats) -> list[Fit]:
    """Return the distributions of the latency, the best first."""
    return best(times_of(latency_s))
