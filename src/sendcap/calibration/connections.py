"""Connections: duration of attempts on them, and messages per connection."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.calibration.attempts import Floats, Ints, Records
from sendcap.calibration.times import Z90, Figure, Times, share

_CLOSED_AT_LIMIT: Final = 0.5
_LEAST_CLOSED: Final = 10
_LEAST_COARSE: Final = 200


def rounded(values_s: Floats) -> Times:
    """Return the intervals of Postfix's times, rounded to two digits and two decimals.

    References
    ----------
    Postfix, ``src/util/format_tv.c``: rounded to the nearest.
    """
    values_s = np.round(values_s.astype(np.float64), 2).astype(np.float64)
    below = np.select([values_s <= 1.0, values_s <= 10.0], [0.005, 0.05], 0.5)
    above = np.select([values_s < 1.0, values_s < 10.0], [0.005, 0.05], 0.5)
    return Times.of(np.maximum(values_s - below, 0.0), values_s + above)


def session_transactions(rows: Records) -> dict[int, Times]:
    """Return the durations of attempts at each provider, from the ends of attempts in a session.

    On an open connection an attempt begins at the end of the previous one, or at the arrival of
    the message, if that is later. Only first attempts count: the due time of a retry is unknown.

    Parameters
    ----------
    rows
        Complete sessions, one after the other, in order of time; times finer than seconds.
    """
    same = rows["session"][1:] == rows["session"][:-1]
    after, before_s = rows[1:], rows["finished_s"][:-1]
    new = same & (after["attempt"] <= 1) & ~np.isnan(after["arrived_s"])
    gap_s = after["finished_s"] - np.maximum(before_s, after["arrived_s"])
    by_provider = _by_provider(after["provider"][new], gap_s[new])
    return {number: Times.of(times_s, times_s) for number, times_s in by_provider}


def coarse_transactions(rows: Records) -> dict[int, Figure]:
    """Return the mean duration of attempts at each provider, where stamps are whole seconds.

    The difference of two stamps is off by up to a second either way, and on average by nothing:
    the mean is right, the spread is not. Only messages that had waited for their connection count:
    their attempts began at the end of the previous one.
    """
    same = rows["session"][1:] == rows["session"][:-1]
    after, before_s = rows[1:], rows["finished_s"][:-1]
    waited = same & (after["attempt"] <= 1) & (after["arrived_s"] < before_s - 1.0)
    gap_s = (after["finished_s"] - before_s)[waited]
    means = {}
    for number, times_s in _by_provider(after["provider"][waited], gap_s):
        if len(times_s) >= _LEAST_COARSE and times_s.any():
            mean_s = float(times_s.mean())
            error_s = float(times_s.std(ddof=1)) / math.sqrt(len(times_s))
            means[number] = Figure(mean_s, mean_s - Z90 * error_s, mean_s + Z90 * error_s)
    return means


def session_uses(rows: Records) -> dict[int, Ints]:
    """Return for each provider the number of attempts by their position in the connection."""
    first = session_starts(rows)
    sizes = np.diff(np.append(first, len(rows)))
    use = np.arange(len(rows)) - np.repeat(first, sizes) + 1
    return {number: np.bincount(uses) for number, uses in _by_provider(rows["provider"], use)}


def session_starts(rows: Records) -> Ints:
    """Return the positions of the first attempt of each session."""
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = rows["session"][1:] != rows["session"][:-1]
    return np.flatnonzero(begins)


def _by_provider(provider: Ints, values: npt.NDArray[Any]) -> Iterator[tuple[int, Any]]:
    for number in np.unique(provider).tolist():
        yield number, values[provider == number]


@dataclass(frozen=True)
class PerConnection:
    """Messages per connection.

    Attributes
    ----------
    most
        Largest number of messages.
    closed_there
        Connections with that many messages, and closed there.
    limit
        Whether that is a limit, rather than chance.
    mean
        Mean number of messages.
    connections
        Number of connections.
    """

    most: int
    closed_there: int
    limit: bool
    mean: float
    connections: int


def per_connection(uses: Ints) -> PerConnection | None:
    """Return the messages per connection; None if unknown.

    The largest number is a limit if at least 10 connections reached it, and at least half of
    those with one message less: chance alone does not close so many at the same number.

    Parameters
    ----------
    uses
        Attempts by their position in the connection, from 0 (unknown).
    """
    known = np.flatnonzero(uses[1:]) + 1
    if not len(known):
        return None
    most = int(known[-1])
    there, before = int(uses[most]), int(uses[most - 1]) if most > 1 else int(uses[most])
    limit = there >= _LEAST_CLOSED and there >= _CLOSED_AT_LIMIT * before
    # Without any reuse, a single message per connection is no limit.
    limit &= most > 1
    total = int(uses[1:].sum())
    return PerConnection(most, there, limit, total / max(int(uses[1]), 1), int(uses[1]))


def closed_share(per: PerConnection) -> Figure:
    """Return the share of connections with the largest number of messages."""
    return share(per.closed_there, per.connections)
