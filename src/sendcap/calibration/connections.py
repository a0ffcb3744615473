"""Connections: how long they take to open, how long an attempt takes, how many there are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats, Ints, Records
from sendcap.calibration.evidence import Evidence, OfProvider, Sample, Sessions
from sendcap.calibration.fitting import Figure, Times, share

_CLOSED_AT_LIMIT: Final = 0.5
_LEAST_CLOSED: Final = 10
_FLAT: Final = 0.97
_LEAST_FLAT: Final = 10
_TIE: Final = 1e-9


def rounded(values_s: Floats) -> Times:
    """Return what Postfix's times say, which have two significant digits and two decimals.

    References
    ----------
    Postfix, ``src/util/format_tv.c``: rounded to the nearest.
    """
    values_s = np.round(values_s.astype(np.float64), 2)
    below = np.select([values_s <= 1.0, values_s <= 10.0], [0.005, 0.05], 0.5)
    above = np.select([values_s < 1.0, values_s < 10.0], [0.005, 0.05], 0.5)
    return Times.of(np.maximum(values_s - below, 0.0), values_s + above)


def session_transactions(rows: Records, sharp: bool) -> dict[int, Times]:
    """Return how long attempts took at each provider, from when connections were done with them.

    Where a message had come before its connection was done with the one before, its attempt
    began then, so the time between the two is what it took. Only first attempts count: of a retry
    nobody knows when it was due.

    Parameters
    ----------
    rows
        Whole sessions, one after the other, in order of time.
    sharp
        Whether times are finer than whole seconds.
    """
    if len(rows) < 2:
        return {}
    same = rows["session"][1:] == rows["session"][:-1]
    its, before_s = rows[1:], rows["finished_s"][:-1]
    waited = same & (its["arrived_s"] <= before_s) & (its["attempt"] <= 1)
    gap_s = (its["finished_s"] - before_s)[waited]
    half_s = 0.0 if sharp else 1.0
    provider = its["provider"][waited]
    found = {}
    for number in np.unique(provider).tolist():
        mine_s = gap_s[provider == number]
        found[number] = Times.of(np.maximum(mine_s - half_s, 0.0), mine_s + half_s)
    return found


def session_uses(rows: Records) -> dict[int, Ints]:
    """Return at each provider how many attempts were the first, second, … of their connection."""
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = rows["session"][1:] != rows["session"][:-1]
    first = np.flatnonzero(begins)
    sizes = np.diff(np.append(first, len(rows)))
    use = np.arange(len(rows)) - np.repeat(first, sizes) + 1
    return {
        number: np.bincount(use[rows["provider"] == number])
        for number in np.unique(rows["provider"]).tolist()
    }


@dataclass(frozen=True)
class PerConnection:
    """How many messages went over a connection.

    Attributes
    ----------
    most
        The most that were seen.
    closed_there
        Connections that carried the most, and so were closed there.
    limit
        Whether that is a limit, and not just the most there were messages for.
    mean
        Messages per connection.
    connections
        How many.
    """

    most: int
    closed_there: int
    limit: bool
    mean: float
    connections: int


def per_connection(uses: Ints) -> PerConnection | None:
    """Read off how many messages went over a connection.

    Parameters
    ----------
    uses
        Attempts by the use of their connection, from 0 (unknown).

    Returns
    -------
    PerConnection or None
        It is a limit where at least 10 connections carried the most, and of those that carried
        one less, half: chance alone does not end so many at the same number.
    """
    known = np.flatnonzero(uses[1:]) + 1
    if not len(known):
        return None
    most = int(known[-1])
    there, before = int(uses[most]), int(uses[most - 1]) if most > 1 else int(uses[most])
    limit = there >= _LEAST_CLOSED and there >= _CLOSED_AT_LIMIT * before
    # That a connection carried a single one is no limit where none was ever used again.
    limit &= most > 1
    total = int(uses[1:].sum())
    return PerConnection(most, there, limit, total / max(int(uses[1]), 1), int(uses[1]))


@dataclass(frozen=True)
class Ceiling:
    """The most of something over time.

    Attributes
    ----------
    most
        The most in any bin.
    flat
        Bins in which it was within 3 % of the most.
    reached
        Whether it was that for long: then it is a limit.
    """

    most: float
    flat: int
    reached: bool


def in_parallel(mine: OfProvider, bin_s: float) -> Ceiling | None:
    """Return how many connections were in use at the same time, on average over a bin."""
    if not len(mine.busy_s) or not mine.busy_s.any():
        return None
    return _ceiling(mine.busy_s / bin_s, least=0.5)


def sessions_in_parallel(rows: Records, number: int, one_in: int) -> Ceiling | None:
    """Return how many connections to a provider were open at the same time."""
    rows = rows[rows["provider"] == number]
    if not len(rows):
        return None
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = rows["session"][1:] != rows["session"][:-1]
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(rows)) - 1
    times_s = np.concatenate((rows["finished_s"][first], rows["finished_s"][last]))
    change = np.repeat([1, -1], len(first))
    order = np.lexsort((-change, times_s))
    count = np.cumsum(change[order]) * one_in
    most = float(count.max())
    lasted_s = np.diff(times_s[order], append=times_s[order][-1])
    span_s = float(lasted_s.sum())
    at_most_s = float(lasted_s[count >= _FLAT * most].sum())
    return Ceiling(most, int(at_most_s), span_s > 0 and at_most_s >= max(0.05 * span_s, 10.0))


def _ceiling(values: Floats, least: float) -> Ceiling:
    most = float(values.max())
    flat = int((values >= _FLAT * most).sum())
    busy = int((values >= least).sum())
    return Ceiling(most, flat, flat >= max(_LEAST_FLAT, 0.05 * busy))


@dataclass(frozen=True)
class Pace:
    """Attempts per second at their fastest.

    Attributes
    ----------
    per_second, per_minute, per_hour
        The most in any second (NaN where bins are wider), minute and hour, each per second.
    steady
        The pace of a plateau: of the full minutes in which it was within 3 % of a common pace;
        None if there was none.
    minutes
        How many minutes the plateau has.
    """

    per_second: float
    per_minute: float
    per_hour: float
    steady: Figure | None
    minutes: int


def pace(in_bin: Ints, bin_s: float) -> Pace:
    """Return how fast attempts were made.

    A rate's plateau is flat: minute after minute has the same count, within less than chance
    alone would spread it.
    """
    counts = in_bin.astype(np.float64)
    per_second = float(counts.max()) / bin_s if bin_s <= 1.0 else math.nan
    minute = max(1, round(60.0 / bin_s))
    minutes = _sums(counts, minute) / (minute * bin_s)
    hour = max(1, round(3600.0 / bin_s))
    per_hour = float(_sums(counts, hour).max()) / (hour * bin_s)
    # Blocks without overlap, so that they are independent.
    blocks = np.add.reduceat(counts, np.arange(0, len(counts), minute))[:-1]
    steady, count = _plateau(blocks, minute * bin_s)
    return Pace(per_second, float(minutes.max()), per_hour, steady, count)


def _sums(counts: Floats, width: int) -> Floats:
    upto = np.append(0.0, np.cumsum(counts))
    if len(upto) <= width:
        return np.array([upto[-1]])
    return np.asarray(upto[width:] - upto[:-width], np.float64)


def _plateau(blocks: Floats, width_s: float) -> tuple[Figure | None, int]:
    """Return the common pace of the busiest blocks that are alike, and how many there are."""
    busy = np.sort(blocks[blocks > 0])[::-1]
    if len(busy) < _LEAST_FLAT:
        return None, 0
    # The first block of a burst is fuller.
    middle = float(np.median(busy[: max(_LEAST_FLAT, len(busy) // 2)]))
    alike = busy[np.abs(busy - middle) <= 0.03 * middle]
    if len(alike) < max(_LEAST_FLAT, 0.3 * len(busy)) or middle < 10:
        return None, 0
    # Of attempts that come by chance the counts would spread by their square root.
    spread = float(alike.std(ddof=1))
    if spread > 0.5 * math.sqrt(middle):
        return None, 0
    # One count more or less is at the edges of the blocks, not in the pace.
    mean = float(alike.mean())
    error = max(spread / math.sqrt(len(alike)), 0.5 / math.sqrt(len(alike)))
    return (
        Figure(mean / width_s, (mean - 1.645 * error) / width_s, (mean + 1.645 * error) / width_s),
        len(alike),
    )


def closed_share(found: PerConnection) -> Figure:
    """Return the share of the connections that carried the most."""
    return share(found.closed_there, found.connections)


__all__ = [
    "Ceiling",
    "Evidence",
    "Pace",
    "PerConnection",
    "Sample",
    "Sessions",
    "closed_share",
    "in_parallel",
    "pace",
    "per_connection",
    "rounded",
    "session_transactions",
    "session_uses",
    "sessions_in_parallel",
]
