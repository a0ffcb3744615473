"""What held sending back at a provider: its connections, or a rate; and the fastest seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sendcap.calibration.attempts import Floats, Ints, Records
from sendcap.calibration.evidence import OfProvider
from sendcap.calibration.times import Z90, Figure

_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3600.0
_LEAST_BLOCKS: Final = 10
_ALIKE: Final = 0.05
_FLAT: Final = 0.4
"""Connections that are all in use spread less than this share of what chance would do."""
_FLAT_PACE: Final = 0.25
"""So do the attempts of a rate; those of busy connections by their cv."""
_ONE_AT_A_TIME: Final = 1.05
_LEAST_PAUSE: Final = 0.05
_SHORT_WAIT_S: Final = 5.0
_LEAST_IN_A_BLOCK: Final = 10.0


@dataclass(frozen=True)
class Ceiling:
    """How fast it went at a provider, and why no faster.

    Attributes
    ----------
    connections
        The most that were in use at a time, on average over a bin; NaN if unknown.
    per_second, per_minute, per_hour
        Attempts in the busiest second (NaN where stamps are coarser), minute and hour, each per
        second.
    limited_by
        What the plateau is of: ``"connections"``, ``"rate"``, or nothing that can be told.
    level
        How high it is: connections, or attempts per second.
    blocks, block_s
        How many stretches of time are on the plateau, and how long one is.
    pause_s
        Where attempts come one by one, each a while after the last: how long that is.
    """

    connections: float
    per_second: float
    per_minute: float
    per_hour: float
    limited_by: Literal["connections", "rate", ""]
    level: Figure | None
    blocks: int
    block_s: float
    pause_s: float | None = None


def ceiling(mine: OfProvider, bin_s: float, open_sessions: Floats | None) -> Ceiling:
    """Read off how fast it went.

    Connections that are the limit are all in use all the time while messages wait, and their
    number is more even than that of the attempts; a rate is kept minute after minute, and the
    connections in use vary. Where messages hardly waited, the pace is that of their arrival, and
    says nothing of a limit.

    Parameters
    ----------
    open_sessions
        Connections that were open on average in each bin, where the log tells them apart;
        otherwise they are taken from how long attempts took.
    """
    counts = mine.in_bin.astype(np.float64)
    busy = mine.busy_s / bin_s if open_sessions is None else open_sessions
    most = float(busy.max()) if busy.any() else math.nan
    per_second = float(counts.max()) / bin_s if bin_s <= 1.0 else math.nan
    minute = _fastest(counts, bin_s, _MINUTE_S)
    hour = _fastest(counts, bin_s, _HOUR_S)
    limited: Literal["connections", "rate", ""] = ""
    level, blocks, block_s, pause_s = None, 0, 0.0, None
    if _waited(mine):
        limited, level, blocks, block_s = _plateau(counts, busy, bin_s)
        if level is not None and open_sessions is None:
            pause_s = _pause_s(mine, most, hour if limited == "connections" else level.value)
        if pause_s is not None and limited == "connections":
            # One at a time, and for a part of the time none: its level says how large a part.
            limited, level = "rate", Figure(hour)
    return Ceiling(most, per_second, minute, hour, limited, level, blocks, block_s, pause_s)


def _pause_s(mine: OfProvider, most: float, per_s: float) -> float | None:
    """Return the pause after each attempt, None where more than one are under way at a time.

    Postfix's ``destination_rate_delay`` makes them come one by one, so many seconds apart.
    """
    takes_s = float(mine.busy_s.sum()) / max(mine.attempts, 1)
    pause_s = 1.0 / per_s - takes_s
    if not most <= _ONE_AT_A_TIME or pause_s < _LEAST_PAUSE / per_s:
        return None
    return pause_s


def _fastest(counts: Floats, bin_s: float, span_s: float) -> float:
    width = max(1, round(span_s / bin_s))
    upto = np.append(0.0, np.cumsum(counts))
    if len(upto) <= width:
        return float(upto[-1]) / span_s
    return float((upto[width:] - upto[:-width]).max()) / (width * bin_s)


def _waited(mine: OfProvider) -> bool:
    (delay_s,) = mine.delay_s.columns()
    if not len(delay_s):
        return False
    (setup_s,), (transaction_s,) = mine.setup_s.columns(), mine.transaction_s.columns()
    takes_s = sum(float(its.mean()) for its in (setup_s, transaction_s) if len(its))
    return float(np.median(delay_s)) > max(_SHORT_WAIT_S, 3.0 * takes_s)


def _plateau(
    counts: Floats, busy: Floats, bin_s: float
) -> tuple[Literal["connections", "rate", ""], Figure | None, int, float]:
    """Find the busiest stretches that are alike, and what is alike in them."""
    for block_s in (_MINUTE_S, 10.0):
        width = max(1, round(block_s / bin_s))
        edges = np.arange(0, len(counts) // width * width, width)
        if not len(edges):
            continue
        its = np.add.reduceat(counts, edges)
        in_use = np.add.reduceat(busy, edges) / width
        # The first and the last stretch are cut by the beginning and the end.
        # Most stretches have a few retries only, so the busiest are found by their rank.
        if len(its) < _LEAST_BLOCKS:
            continue
        full = its >= 0.8 * np.partition(its, -_LEAST_BLOCKS)[-_LEAST_BLOCKS]
        full[1:-1] &= (its[:-2] > 0) & (its[2:] > 0)
        if full.sum() < _LEAST_BLOCKS:
            continue
        level, held = (np.median(values[full]) for values in (its, in_use))
        alike = full & (np.abs(its - level) <= 0.2 * level)
        if alike.sum() < _LEAST_BLOCKS or level < _LEAST_IN_A_BLOCK:
            continue
        chance = 1.0 / math.sqrt(level)
        paced = _evenness(its[alike], float(level))
        used = _evenness(in_use[alike], float(held)) if held > 0.0 else math.inf
        if used > _FLAT * chance and paced > _FLAT_PACE * chance:
            continue
        if used < paced:
            return "connections", _level(in_use[alike], 1.0), int(alike.sum()), width * bin_s
        return "rate", _level(its[alike], width * bin_s), int(alike.sum()), width * bin_s
    return "", None, 0, 0.0


def _evenness(values: Floats, level: float) -> float:
    """Return half the width of the middle two thirds, relative to the level."""
    low, high = np.quantile(values, [1.0 / 6.0, 5.0 / 6.0])
    return float(high - low) / 2.0 / level


def _level(values: Floats, divisor: float) -> Figure:
    middle = float(np.median(values))
    near = values[np.abs(values - middle) <= _ALIKE * middle]
    mean = float(near.mean()) / divisor
    spread = float(near.std(ddof=1)) / divisor if len(near) > 1 else math.nan
    # A count more or less falls over the edge of a block.
    error = max(spread, 0.5 / divisor) / math.sqrt(len(near))
    return Figure(mean, mean - Z90 * error, mean + Z90 * error)


def open_sessions(rows: Records, number: int, first_s: float, bin_s: float, bins: int) -> Floats:
    """Return how many of these connections to a provider were open in each bin, on average.

    A connection counts from its first attempt's finish to its last's: when it was opened, no log
    with connections tells. So that its first attempt counts, too, a usual gap is put before it.

    Parameters
    ----------
    rows
        Whole sessions, one after the other, in order of time.
    """
    rows = rows[rows["provider"] == number]
    found = np.zeros(bins)
    if not len(rows):
        return found
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = rows["session"][1:] != rows["session"][:-1]
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(rows)) - 1
    from_s, to_s = rows["finished_s"][first], rows["finished_s"][last]
    within_s = np.diff(rows["finished_s"])[~begins[1:]]
    gap_s = float(np.median(within_s)) if len(within_s) else 0.0
    _add_spans(found, from_s - gap_s - first_s, to_s - first_s, bin_s)
    return found / bin_s


def _add_spans(found: Floats, from_s: Floats, to_s: Floats, bin_s: float) -> None:
    for times_s, sign in ((from_s, 1.0), (to_s, -1.0)):
        place = np.clip(np.floor(times_s / bin_s).astype(np.int64) + 1, 0, len(found) - 1)
        rest_s = np.clip(place * bin_s - times_s, 0.0, bin_s)
        found += sign * np.bincount(place, rest_s, minlength=len(found))
        counts: Ints = np.bincount(place, minlength=len(found))
        found[1:] += sign * bin_s * np.cumsum(counts)[:-1]


def tolerated(mine: OfProvider, bin_s: float) -> tuple[Figure, int] | None:
    """Return how much a provider let through while it throttled, and in how many minutes.

    Returns
    -------
    tuple or None
        Attempts per second; None where the minutes differ by more than a tolerance makes them.
    """
    width = max(1, round(_MINUTE_S / bin_s))
    edges = np.arange(0, len(mine.in_bin) // width * width, width)
    if not len(edges):
        return None
    its = np.add.reduceat(mine.in_bin, edges).astype(np.float64)
    throttled = np.add.reduceat(mine.throttled_in_bin, edges).astype(np.float64)
    passed = (its - throttled)[throttled >= 5]
    if len(passed) < _LEAST_BLOCKS or passed.mean() < 5:
        return None
    middle = float(np.median(passed))
    if _evenness(passed, middle) > 0.1:
        return None
    return _level(passed, width * bin_s), len(passed)
