"""What is known of times: exact ones, ones between two bounds, and ones that have not ended."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Floats

_MOST_DIFFERENT: Final = 3000
_CELL: Final = 0.01
Z90: Final = 1.6448536269514722
"""Half the width of a 90 % interval in standard errors."""


class Figure(NamedTuple):
    """An estimate and its 90 % interval; NaN ends where none can be given."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def scaled(self, factor: float) -> Figure:
        """Return it in another unit."""
        return Figure(self.value * factor, self.low * factor, self.high * factor)


def _coarse(ends: Floats) -> Floats:
    """Return intervals whose ends are to 1 %; exact times get cells of that width."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.log(np.maximum(ends, 0.0)) / _CELL
    exact = ends[:, 0] == ends[:, 1]
    low = np.where(exact, np.floor(places[:, 0]), np.rint(places[:, 0]))
    high = np.where(exact, np.floor(places[:, 0]) + 1.0, np.rint(places[:, 1]))
    found: Floats = np.exp(np.column_stack((low, np.maximum(high, low))) * _CELL)
    return found


@dataclass(frozen=True)
class Times:
    """What is known of some times: each is in (low, high], and there are ``weight`` of them."""

    low_s: Floats
    high_s: Floats
    weight: Floats

    @property
    def count(self) -> float:
        """How many they are."""
        return float(self.weight.sum())

    @property
    def censored(self) -> float:
        """How many of them have no end."""
        return float(self.weight[np.isinf(self.high_s)].sum())

    @property
    def middle_s(self) -> Floats:
        """The middle of each, or its beginning where it has no end."""
        return np.where(np.isinf(self.high_s), self.low_s, (self.low_s + self.high_s) / 2.0)

    @staticmethod
    def of(low_s: Floats, high_s: Floats) -> Times:
        """Return times, equal ones together; of very many different ones, those that are close."""
        ends = np.column_stack((low_s, high_s))
        pairs, counts = np.unique(ends, axis=0, return_counts=True)
        if len(pairs) > _MOST_DIFFERENT:
            pairs, counts = np.unique(_coarse(ends), axis=0, return_counts=True)
        return Times(pairs[:, 0], pairs[:, 1], counts.astype(np.float64))


def observed(times: Times, *, early: bool = False) -> tuple[Floats, Floats]:
    """Return the data's distribution function: times and the shares up to them.

    By Kaplan and Meier. What came between two times had come by the second, and with ``early``
    it is taken to have come at the first: the truth is between the two.
    """
    from scipy.stats import CensoredData, ecdf

    weight = np.maximum(1, np.rint(times.weight * min(1.0, 20_000 / times.count))).astype(np.int64)
    is_open = np.isinf(times.high_s)
    at_s = np.where(is_open | early, times.low_s, times.high_s)
    data = CensoredData.right_censored(np.repeat(at_s, weight), np.repeat(is_open, weight))
    function = ecdf(data).cdf
    return np.asarray(function.quantiles, np.float64), np.asarray(
        function.probabilities, np.float64
    )


def distance(times: Times, cdf: Callable[[Floats], Floats]) -> float:
    """Return how far a distribution function is at most from what the data allow.

    Of exact times that is the statistic of Kolmogorov and Smirnov.
    """
    late_s, late = observed(times)
    early_s, early = observed(times, early=True)
    below = late - cdf(late_s)
    # Until the step at a time, no more had come than at the step before.
    above = cdf(early_s) - np.append(0.0, early[:-1])
    return float(max(below.max(initial=0.0), above.max(initial=0.0)))


def share(count: int, of: int) -> Figure:
    """Return a share with Jeffreys' interval.

    References
    ----------
    L. D. Brown, T. T. Cai and A. DasGupta, "Interval estimation for a binomial proportion",
    Statistical Science 16 (2001).
    """
    from scipy.stats import beta

    if of <= 0:
        return Figure(math.nan)
    low, high = (float(beta.ppf(end, count + 0.5, of - count + 0.5)) for end in (0.05, 0.95))
    return Figure(count / of, 0.0 if count == 0 else low, 1.0 if count == of else high)
