"""Connections: how long attempts take on them, and how many messages one carries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats, Ints, Records
from sendcap.calibration.times import Z90, Figure, Times, share

_CLOSED_AT_LIMIT: Final = 0.5
_LEAST_CLOSED: Final = 10
_LEAST_COARSE: Final = 200


def rounded(values_s: Floats) -> Times:
    """Return what Postfix's times say, which have two significant digits and two decimals.

    References
    ----------
    Postfix, ``src/util/format_tv.c``: rounded to the nearest.
    """
    values_s = np.round(values_s.astype(np.float64), 2).astype(np.float64)
    below = np.select([values_s <= 1.0, values_s <= 10.0], [0.005, 0.05], 0.5)
    above = np.select([values_s < 1.0, values_s < 10.0], [0.005, 0.05], 0.5)
    return Times.of(np.maximum(values_s - below, 0.0), values_s + above)


def session_transactions(rows: Records) -> dict[int, Times]:
    """Return how long attempts took at each provider, from when connections were done with them.

    On an open connection an attempt begins when the connection is done with the one before, or
    when its message comes, if that is later. Only first attempts count: of a retry nobody knows
    when it was due.

    Parameters
    ----------
    rows
        Whole sessions, one after the other, in order of time; times finer than seconds.
    """
    same = rows["session"][1:] == rows["session"][:-1]
    its, before_s = rows[1:], rows["finished_s"][:-1]
    new = same & (its["attempt"] <= 1) & ~np.isnan(its["arrived_s"])
    gap_s = (its["finished_s"] - np.maximum(before_s, its["arrived_s"]))[new]
    provider = its["provider"][new]
    found = {}
    for number in np.unique(provider).tolist():
        mine_s = gap_s[provider == number]
        found[number] = Times.of(mine_s, mine_s)
    return found


def coarse_transactions(rows: Records) -> dict[int, Figure]:
    """Return how long attempts took on average, where stamps are whole seconds.

    The time between two of them is off by up to a second either way, and on average by nothing.
    So its mean is right, and its spread is not that of what it took. Only of messages that had
    waited for their connection is it known when their attempt began.
    """
    same = rows["session"][1:] == rows["session"][:-1]
    its, before_s = rows[1:], rows["finished_s"][:-1]
    waited = same & (its["attempt"] <= 1) & (its["arrived_s"] < before_s - 1.0)
    gap_s = (its["finished_s"] - before_s)[waited]
    provider = its["provider"][waited]
    found = {}
    for number in np.unique(provider).tolist():
        mine_s = gap_s[provider == number]
        if len(mine_s) >= _LEAST_COARSE and mine_s.any():
            mean_s = float(mine_s.mean())
            error_s = float(mine_s.std(ddof=1)) / math.sqrt(len(mine_s))
            found[number] = Figure(mean_s, mean_s - Z90 * error_s, mean_s + Z90 * error_s)
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


def closed_share(found: PerConnection) -> Figure:
    """Return the share of the connections that carried the most."""
    return share(found.closed_there, found.connections)
