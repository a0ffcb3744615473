"""The time that a stage takes to carry a load under its constraints, as a fluid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sendcap.scenario.constraints import Constraint

_MOST_WINDOWS: Final = 1_000
"""Of a load that takes more windows, one more or less does not matter."""
_NOTHING: Final = 1e-9
"""Rounding error of attempts, relative to the burst."""


class Carried(NamedTuple):
    """The end of a load, and the seconds for which each constraint was the slowest."""

    at_s: float
    limited_s: Mapping[str, float]


def carried(constraints: Iterable[Constraint], attempts: float, from_s: float = 0.0) -> Carried:
    """Return when a stage that is never idle has carried a load.

    The stage goes at the pace of the slowest constraint of the moment. A burst goes as fast as the
    other constraints allow, and fills up again while they are slower; at ``from_s`` all bursts are
    full. Chance is left out: connect and transaction times count with their means. Without any
    constraint the load takes no time.
    """
    buckets = [_bucket(constraint, attempts, from_s) for constraint in constraints]
    limited_s = {constraint.name: 0.0 for constraint in constraints}
    now_s, left = from_s, attempts
    while left > _NOTHING * max(attempts, 1.0):
        per_s, slowest = math.inf, None
        for bucket in buckets:
            if bucket.per_s < per_s:
                per_s, slowest = bucket.per_s, bucket
        if slowest is None:
            # The smallest burst goes at once.
            at_once = min([left, *(bucket.burst_left for bucket in buckets)])
            for bucket in buckets:
                bucket.take(at_once, 0.0)
            left -= at_once
            continue
        lasts_s = min(bucket.lasts_s(now_s, per_s) for bucket in buckets)
        if per_s > 0.0:
            lasts_s = min(lasts_s, left / per_s)
        if lasts_s == math.inf:
            return Carried(math.inf, limited_s)
        for bucket in buckets:
            bucket.take(per_s * lasts_s, lasts_s)
            bucket.move_to(now_s + lasts_s)
        now_s += lasts_s
        left -= per_s * lasts_s
        limited_s[slowest.name] += lasts_s
    return Carried(now_s, limited_s)


def _bucket(constraint: Constraint, attempts: float, from_s: float) -> _Bucket:
    if constraint.window_s is not None:
        pace = constraint.paces[0]
        if attempts <= _MOST_WINDOWS * pace.burst:
            return _Window(constraint, from_s)
    return _Bucket(constraint, from_s)


class _Bucket:
    """A constraint's token bucket: tokens come at the pace, and are saved up to the burst.

    ``_spent`` counts the tokens missing from a full bucket. With a burst that shrinks at a change
    of pace it can exceed the burst.
    """

    def __init__(self, constraint: Constraint, from_s: float) -> None:
        self.name = constraint.name
        self._paces = constraint.paces
        self._step = 0
        self._spent = 0.0
        self.move_to(from_s)

    def move_to(self, now_s: float) -> None:
        """Change to the pace of a later moment."""
        while self._step + 1 < len(self._paces) and self._paces[self._step + 1].from_s <= now_s:
            self._step += 1
        self._pace = self._paces[self._step]

    @property
    def burst_left(self) -> float:
        """Attempts left in the burst."""
        if self._pace.per_s == math.inf:
            return math.inf
        return self._pace.burst - self._spent

    @property
    def per_s(self) -> float:
        """Current limit in attempts per second, infinite with a burst left."""
        nothing = _NOTHING * max(self._pace.burst, 1.0)
        if self._pace.per_s == 0.0 or self.burst_left < -nothing:
            return 0.0
        return math.inf if self.burst_left > nothing else self._pace.per_s

    def lasts_s(self, now_s: float, per_s: float) -> float:
        """Return for how long `per_s` stays the same at this throughput."""
        lasts_s = math.inf
        if self._step + 1 < len(self._paces):
            lasts_s = self._paces[self._step + 1].from_s - now_s
        empties_per_s = per_s - self._pace.per_s
        if self.per_s == math.inf and empties_per_s > 0.0:
            lasts_s = min(lasts_s, self.burst_left / empties_per_s)
        elif self.per_s == 0.0 and self._pace.per_s > 0.0:
            lasts_s = min(lasts_s, -self.burst_left / self._pace.per_s)
        return lasts_s

    def take(self, attempts: float, passed_s: float) -> None:
        """Take tokens for attempts over a time."""
        if self._pace.per_s < math.inf:
            self._spent = max(self._spent + attempts - self._pace.per_s * passed_s, 0.0)


class _Window(_Bucket):
    """A fixed window's tokens: all come when a window begins, and lapse when it ends."""

    def __init__(self, constraint: Constraint, from_s: float) -> None:
        assert constraint.window_s is not None
        self._length_s = constraint.window_s
        self._number = math.floor(from_s / self._length_s)
        super().__init__(constraint, from_s)

    def move_to(self, now_s: float) -> None:
        """Move to a later moment; a new window brings new tokens."""
        super().move_to(now_s)
        number = math.floor(now_s / self._length_s * (1.0 + 1e-12))
        if number > self._number:
            self._number, self._spent = number, 0.0

    @property
    def per_s(self) -> float:
        """Infinite, or 0 in a window used up."""
        return math.inf if self.burst_left > _NOTHING * self._pace.burst else 0.0

    def lasts_s(self, now_s: float, per_s: float) -> float:
        """Return the time until the window ends or is used up."""
        ends_s = (self._number + 1) * self._length_s - now_s
        if self.per_s == 0.0:
            return ends_s
        if per_s * ends_s <= self.burst_left and per_s * self._length_s <= self._pace.burst:
            return math.inf  # so slow, or at rest, that no window is used up
        return min(ends_s, self.burst_left / per_s)

    def take(self, attempts: float, passed_s: float) -> None:  # noqa: ARG002
        """Take tokens for attempts."""
        self._spent += attempts
