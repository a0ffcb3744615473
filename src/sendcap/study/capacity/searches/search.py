"""The largest size that still meets a target, by noisy simulations.

Each replication has draws of its own, the same at every size (common random numbers). So within a
replication the excess over the target is a nearly smooth, increasing function of the size, and has
a root. The roots of different replications are independent and identically distributed: their mean
is the answer, with a t interval. Replications are added, a few at a time, until the interval is
narrow enough. Because the procedure stops when the roots happen to agree, an interval of 95 %
covers the answer in 92 to 95 % of the cases (tests/study/capacity/test_search.py). The root
searches run side by side, whatever the number of processors.

Source: A. M. Law, "Simulation Modeling and Analysis", 5th edition (2015), sections 9.4.1 and 11.2.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import elementwise

from sendcap.errors import SendcapError
from sendcap.readings.convergence import Floats
from sendcap.study.replication.estimates import Estimate, estimate, require_confidence
from sendcap.text.shares import share_text

AT_A_TIME: Final = 4
"""Replications added at a time, and at first."""
_PILOT: Final = 4
"""Largest number of simulations that improve the first guess."""
_NEAR: Final = 0.02
_STRIDE: Final = 1.0
_LEAST_STEP: Final = 0.003
_JUST_MET: Final = 0.01
_HELPS: Final = 0.5
"""A step that leaves a larger part of the excess was along too steep a line."""
_LEAST_SLOPE: Final = 0.1


class Trial(NamedTuple):
    """A simulation: a replication at a size."""

    replication: int
    size: int


class NoneSmallEnoughError(Exception):
    """Not even the smallest size meets the target."""


class AllLargeEnoughError(Exception):
    """Even the largest size meets the target."""


def effort(replications: int, simulations: int) -> str:
    """Return the number of replications and simulations, to end a bracket."""
    return f"; {replications} replications, {simulations} simulations"


def interval(low: str, high: str, confidence: float) -> str:
    """Return the ends of an interval, and the confidence."""
    return f"{low} to {high} with {share_text(confidence)} confidence"


def imprecise(precise: bool) -> str:
    """Return a sentence after one on a search that ran out of replications."""
    return "" if precise else " More replications would narrow the interval further."


class Root(NamedTuple):
    """The largest size that meets the target."""

    size: Estimate  # mean over the replications
    roots: tuple[float, ...]  # the root of each replication
    precise: bool  # whether the interval is narrow enough


def largest_size(
    excess: Callable[[Sequence[Trial]], Sequence[float]],
    guess: float,
    *,
    most: int,
    confidence: float,
    precision: float,
    replications: int,
    least: int = 1,
) -> Root:
    """Find the largest size, from ``least`` to ``most``, at which the excess is not above zero.

    The excess over the target increases with the size, and is dimensionless: near the target about
    the relative excess of the size. Replications are added, up to a number of them, until half
    the interval is not above ``precision``, relative to the mean. Raises `NoneSmallEnoughError` or
    `AllLargeEnoughError` if a replication has no root.
    """
    require_confidence(confidence)
    if not precision > 0.0:
        raise SendcapError(f"precision: must be more than 0, such as 0.002, not {precision!r}")
    search = _Search(excess, least, most)
    centre, step = search.pilot(min(max(guess, float(least)), float(most)))
    roots: list[float] = []
    while True:
        numbers = range(len(roots), min(len(roots) + AT_A_TIME, replications))
        roots += search.roots(numbers, centre, step, precision)
        size = estimate(roots, confidence)
        precise = size.half_width <= precision * size.mean
        if precise or len(roots) >= replications:
            return Root(size, tuple(roots), precise)
        centre = math.log(size.mean)
        step = max(step, (max(roots) - min(roots)) / size.mean)


class _Search:
    """Brackets and finds roots on a logarithmic scale; no trial is simulated twice."""

    def __init__(
        self, excess: Callable[[Sequence[Trial]], Sequence[float]], least: int, most: int
    ) -> None:
        self._excess = excess
        self._bottom, self._top = math.log(least), math.log(most)
        # A size too large by a percent misses the target by about a percent.
        self._slope = 1.0
        self._known: dict[Trial, float] = {}

    def pilot(self, guess: float) -> tuple[float, float]:
        """Return the approximate root of replication 0, and the distance of the other roots."""
        x, before = math.log(guess), (math.nan, math.nan)
        for _ in range(_PILOT):
            (excess,) = self._values((0,), [x])
            slope = (before[1] - excess) / (before[0] - x) if x != before[0] else math.nan
            if abs(excess) > _HELPS * abs(before[1]) and slope > 0.0:
                # By much less where retries make up for what is refused at first.
                self._slope = max(min(slope, 1.0), _LEAST_SLOPE)
            before = x, excess
            stride = max(min(excess / self._slope, _STRIDE), -_STRIDE)
            x = min(max(x - stride, self._bottom), self._top)
            if abs(excess) < _NEAR * self._slope:
                break
        # The spread of a count is at least about its square root.
        return x, max(_LEAST_STEP, 3.0 / math.sqrt(math.exp(x)))

    def roots(
        self, numbers: Sequence[int], centre: float, step: float, precision: float
    ) -> list[float]:
        """Return the root of each replication."""

        def values(x: Floats, number: Floats) -> Floats:
            return self._values(number.astype(int).tolist(), x.tolist())

        solution = elementwise.find_root(
            values,
            self._bracket(numbers, centre, step, margin=precision / 40),
            args=(np.array(numbers, np.float64),),
            tolerances={"xatol": precision / 10, "fatol": precision / 20},
        )
        sizes = ([round(math.exp(x)) for x in ends] for ends in solution.bracket)
        # A size is a whole number: the last one before the target is missed.
        return [
            float(min(math.floor(low + (high - low) * below / (below - above)), high - 1))
            for low, high, below, above in zip(*sizes, *solution.f_bracket, strict=True)
        ]

    def _bracket(
        self, numbers: Sequence[int], centre: float, step: float, margin: float
    ) -> tuple[Floats, Floats]:
        """Return ends around each replication's root, close together if possible.

        One end is the centre, the other just beyond the root of a straight line. Where that is on
        the same side, the search walks on, see `_further`, with steps that double.
        """
        near = np.full(len(numbers), centre)
        excess = self._values(numbers, near.tolist())
        other = near - excess / self._slope - np.copysign(margin, excess)
        other = np.clip(other, self._bottom, self._top)
        other_excess = self._values(numbers, other.tolist())
        swapped = other < near
        low, high = np.where(swapped, other, near), np.where(swapped, near, other)
        below = np.where(swapped, other_excess, excess)
        above = np.where(swapped, excess, other_excess)
        while True:
            down, up = below > 0.0, above < 0.0
            if not (down.any() or up.any()):
                return low, high
            if (low[down] <= self._bottom).any():
                raise NoneSmallEnoughError
            if (high[up] >= self._top).any():
                raise AllLargeEnoughError
            further = np.array(
                [
                    self._further(one, first, two, second, step)
                    if falls
                    else self._further(two, second, one, first, step)
                    for one, first, two, second, falls in zip(
                        low, below, high, above, down, strict=True
                    )
                ]
            )
            high[down], above[down] = low[down], below[down]
            low[up], below[up] = high[up], above[up]
            low[down], high[up] = further[down], further[up]
            moved = np.flatnonzero(down | up)
            ends = np.where(down, low, high)[moved].tolist()
            values = self._values([numbers[index] for index in moved.tolist()], ends)
            below[down] = values[down[moved]]
            above[up] = values[up[moved]]
            step *= 2.0

    def _further(
        self, end: float, excess: float, other: float, other_excess: float, step: float
    ) -> float:
        """Return the next size beyond an end, where both ends miss the target, or both meet it.

        Twice as far as the line through both ends reaches the target, and at least a step. But a
        size at which any replication is known to be on the other side is far enough.
        """
        down, size = excess > 0.0, round(math.exp(end))
        known = [trial.size for trial, each in self._known.items() if (each > 0.0) != down]
        known = [each for each in known if (each < size if down else each > size)]
        slope = (other_excess - excess) / (other - end) if other != end else 0.0
        stride = max(2.0 * abs(excess) / slope, step) if slope > 0.0 else math.inf
        stride = min([stride, *(abs(math.log(each) - end) for each in known)])
        stride = min(stride, _STRIDE) if stride < math.inf else step
        return min(max(end - stride if down else end + stride, self._bottom), self._top)

    def _values(self, numbers: Sequence[int], x: Sequence[float]) -> Floats:
        """Return the excess of replications at logarithms of a size; never exactly zero."""
        trials = [
            Trial(number, round(math.exp(log_size)))
            for number, log_size in zip(numbers, x, strict=True)
        ]
        missing = [trial for trial in dict.fromkeys(trials) if trial not in self._known]
        self._known.update(zip(missing, self._excess(missing), strict=True))
        # A target just met counts as met, maybe at larger sizes as well.
        return np.array([self._known[trial] or -_JUST_MET for trial in trials])
