"""Backlogs: while messages wait without a break, what does not vary is what holds them back.

Where messages wait for a connection at every moment, a limit of connections has all of them in
use, and so the time in use grows evenly, however long the attempts take; at a limit of the rate
the number of attempts does. A sum that grows evenly stays near a straight line, and one that grows
by chance leaves it, by the square root of the number of attempts. So a backlog of seconds tells
the two apart, where stretches of it would be too short.
"""

from __future__ import annotations

import math
from typing import Final, Literal, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Bins, Floats, Ints, Records
from sendcap.calibration.times import Figure

_WAITING: Final = 0.5
"""Messages wait all the time where they are more than this share of the connections in use."""
_LEAST_WAITING: Final = 1.0
_REACHED: Final = 0.9
"""A limit is reached at this share of the usual number; an MTA may begin with few connections."""
_LEAST_SECONDS: Final = 5
_LEAST_ATTEMPTS: Final = 30
_BY_CHANCE: Final = 1.0 / math.sqrt(6.0)
"""Distance of a random sum from the line between its ends, in roots of its number: the mean of a
Brownian bridge's square over its length is a sixth."""
_EVEN: Final = 0.5
"""A limit's distance is less than this share of that by chance."""
_EVENER: Final = 0.5
"""Attempts at a rate are more even than their connections by this factor: at each second their
number is exact, and the time in use is off by the stamps."""
_LEAST_IN_USE: Final = 0.75
"""Who waits for connections has them all in use but between two attempts."""


class Backlog:
    """What went to a provider in each second: attempts, connections in use, and who waited.

    ``changed`` is by how many more connections were in use after each of some shorter bins.
    """

    def __init__(self, seconds: int, moments: int = 1) -> None:
        self.ended = np.zeros(seconds, np.int64)
        self.used_s, self.waited_s = np.zeros((2, seconds))
        self.changed = np.zeros(moments, np.int32)

    def take(self, rows: Records, ready_s: Floats, seconds: Bins, moments: Bins) -> None:
        """Add attempts that were due at some moments."""
        if not len(rows):
            return
        self.ended += np.bincount(seconds.of(rows["finished_s"]), minlength=seconds.number)
        known = ~np.isnan(rows["started_s"])
        rows, within_s = rows[known], rows["within_s"][known]
        started_s, finished_s = rows["started_s"] + within_s, rows["finished_s"] + within_s
        seconds.add_spans(self.used_s, started_s, finished_s)
        for times_s, sign in ((started_s, 1), (finished_s, -1)):
            np.add.at(self.changed, moments.of(times_s), sign)
        ready_s = ready_s[known] + within_s
        waited = ready_s < started_s
        seconds.add_spans(self.waited_s, ready_s[waited], started_s[waited])

    def __add__(self, other: Backlog) -> Backlog:
        both = Backlog(len(self.ended), len(self.changed))
        both.changed = self.changed + other.changed
        both.ended = self.ended + other.ended
        both.used_s, both.waited_s = self.used_s + other.used_s, self.waited_s + other.waited_s
        return both


class HeldBack(NamedTuple):
    """What held a backlog back: connections, or a rate."""

    limited_by: Literal["connections", "rate"]
    level: Figure  # connections, or attempts per second
    pace: Figure  # attempts per second
    lasted_s: float


def held_back(backlog: Backlog, second_s: float) -> HeldBack | None:
    """Return what held the longest backlog back; None if nothing did, or nothing tells it.

    ``second_s`` is the length of a bin, a second but for very long logs.
    """
    stretch = longest(backlog, second_s)
    if stretch is None:
        return None
    ended, used_s = backlog.ended[stretch], backlog.used_s[stretch]
    attempts, lasted_s = int(ended.sum()), len(ended) * second_s
    if len(ended) < _LEAST_SECONDS or attempts < _LEAST_ATTEMPTS or not used_s.any():
        return None
    takes_s, in_use = float(used_s.sum()) / attempts, float(used_s.sum()) / lasted_s
    of_attempts, of_use = off_a_line(ended), off_a_line(used_s) / takes_s
    by_rate = in_use < _LEAST_IN_USE or of_attempts < _EVENER * of_use
    off = of_attempts if by_rate else of_use
    if off > _EVEN * _BY_CHANCE * math.sqrt(attempts):
        return None
    # Both ends are off by as much.
    error = math.sqrt(2.0) * off / lasted_s
    pace = Figure.with_error(attempts / lasted_s, error)
    if by_rate:
        return HeldBack("rate", pace, pace, lasted_s)
    connections = Figure.with_error(in_use, error * takes_s)
    return HeldBack("connections", connections, pace, lasted_s)


def longest(backlog: Backlog, second_s: float) -> slice | None:
    """Return the backlog of most attempts, from where the limit is reached to before its end."""
    busy = backlog.ended > 0
    if not busy.any():
        return None
    usual = float(backlog.used_s[busy].mean())
    waits = backlog.waited_s > max(_WAITING * usual, _LEAST_WAITING * second_s)
    edges = np.flatnonzero(np.diff(waits.astype(np.int8), prepend=0, append=0))
    begins, ends = edges[::2], edges[1::2]
    if not len(begins):
        return None
    upto = np.append(0, np.cumsum(backlog.ended))
    longest = int(np.argmax(upto[ends] - upto[begins]))
    begin, end = int(begins[longest]), int(ends[longest])
    used_s = backlog.used_s[begin:end]
    # The first and the last second are not full.
    begin += int(np.argmax(used_s >= _REACHED * np.median(used_s))) + 1
    return slice(begin, end - 1)


def uneven(values: Floats | Ints) -> float:
    """Return how far the sum of counts is from growing evenly, as a share of that by chance."""
    return off_a_line(values) / (_BY_CHANCE * math.sqrt(float(values.sum())))


def off_a_line(values: Floats | Ints) -> float:
    """Return how far the sum of values is from growing evenly."""
    off = np.cumsum(values - values.mean())
    return float(np.sqrt(np.mean(off**2)))
