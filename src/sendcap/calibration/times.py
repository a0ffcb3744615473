"""Measured times: exact, between two bounds, or not ended yet; estimates with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import CensoredData, beta, ecdf

from sendcap.calibration.attempts import Floats

_MOST_DIFFERENT: Final = 3000
_CELL: Final = 0.01
_Z90: Final = 1.6448536269514722
"""Half the width of a 90 % interval in standard errors."""


class Figure(NamedTuple):
    """An estimate with a 90 % interval, whose ends are NaN if unknown."""

    value: float
    low: float = math.nan
    high: float = math.nan

    @staticmethod
    def with_error(value: float, error: float) -> Figure:
        """Return an estimate with a standard error."""
        return Figure(value, value - _Z90 * error, value + _Z90 * error)

    def text(self, write: Callable[[float], str], unit: str = "") -> str:
        """Return the estimate and the interval as text, with the unit behind each.

        >>> Figure(0.5, 0.25, 0.75).text("{:.2f}".format), Figure(2.0).text(str, " s")
        ('0.50 (0.25 to 0.75)', '2.0 s')
        """
        value = f"{write(self.value)}{unit}"
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return value
        return f"{value} ({write(self.low)} to {write(self.high)}{unit})"

    @property
    def percent(self) -> str:
        """A share as a percentage, with three digits."""
        return self.text(percent, " %")


def percent(share: float) -> str:
    """Return a share in percent, with three digits and without the sign."""
    return f"{100 * share:.3g}"


def _coarse(ends: Floats) -> Floats:
    """Round the ends of intervals to 1 %; exact times become cells of that width."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.log(np.maximum(ends, 0.0)) / _CELL
    exact = ends[:, 0] == ends[:, 1]
    low = np.where(exact, np.floor(places[:, 0]), np.rint(places[:, 0]))
    high = np.where(exact, np.floor(places[:, 0]) + 1.0, np.rint(places[:, 1]))
    return np.exp(np.column_stack((low, np.maximum(high, low))) * _CELL)


@dataclass(frozen=True)
class Times:
    """Intervals of times: ``weight`` of them are in (low, high]."""

    low_s: Floats
    high_s: Floats
    weight: Floats

    @property
    def count(self) -> float:
        """Number of times."""
        return float(self.weight.sum())

    @property
    def censored(self) -> float:
        """Number of times without an end."""
        return float(self.weight[np.isinf(self.high_s)].sum())

    @property
    def middle_s(self) -> Floats:
        """Middle of each interval; the beginning of an open one."""
        return np.where(np.isinf(self.high_s), self.low_s, (self.low_s + self.high_s) / 2.0)

    @staticmethod
    def of(low_s: Floats, high_s: Floats) -> Times:
        """Group equal times, and close ones if there are very many different ones."""
        ends = np.column_stack((low_s, high_s))
        pairs, counts = np.unique(ends, axis=0, return_counts=True)
        if len(pairs) > _MOST_DIFFERENT:
            pairs, counts = np.unique(_coarse(ends), axis=0, return_counts=True)
        return Times(pairs[:, 0], pairs[:, 1], counts.astype(np.float64))

    @staticmethod
    def rounded(values_s: Floats, parts: Floats | float = 1.0) -> Times:
        """Return the intervals of Postfix's times, rounded to two digits and two decimals.

        Each was divided into a number of parts after that.

        Source: Postfix, ``src/util/format_tv.c``: rounded to the nearest.
        """
        values_s = np.round(values_s * parts, 2)
        below = np.select([values_s <= 1.0, values_s <= 10.0], [0.005, 0.05], 0.5)
        above = np.select([values_s < 1.0, values_s < 10.0], [0.005, 0.05], 0.5)
        return Times.of(np.maximum(values_s - below, 0.0) / parts, (values_s + above) / parts)


def observed(times: Times, *, early: bool = False) -> tuple[Floats, Floats]:
    """Return the distribution function of the data: times, and shares up to them.

    The estimator is that of Kaplan and Meier. A time between two bounds counts at the upper one,
    or with ``early`` at the lower one: the truth is between the two functions.
    """
    weight = np.maximum(1, np.rint(times.weight * min(1.0, 20_000 / times.count))).astype(np.int64)
    is_open = np.isinf(times.high_s)
    at_s = np.where(is_open | early, times.low_s, times.high_s)
    data = CensoredData.right_censored(np.repeat(at_s, weight), np.repeat(is_open, weight))
    function = ecdf(data).cdf
    shares = np.asarray(function.probabilities, np.float64)
    return np.asarray(function.quantiles, np.float64), shares


def distance(times: Times, cdf: Callable[[Floats], Floats]) -> float:
    """Return the largest distance of a distribution function from the range of the data.

    For exact times it is the statistic of Kolmogorov and Smirnov.
    """
    late_s, late = observed(times)
    early_s, early = observed(times, early=True)
    below = late - cdf(late_s)
    # Just before a step, the data are at the level of the previous one.
    above = cdf(early_s) - np.append(0.0, early[:-1])
    return float(max(below.max(initial=0.0), above.max(initial=0.0)))


def share(count: int, of: int, outside: float = 0.1) -> Figure:
    """Return a share with Jeffreys' interval, which misses such a part of the truths.

    Source: L. D. Brown, T. T. Cai and A. DasGupta, "Interval estimation for a binomial
    proportion", Statistical Science 16 (2001).
    """
    if of <= 0:
        return Figure(math.nan)
    ends = (outside / 2.0, 1.0 - outside / 2.0)
    low, high = (float(beta.ppf(end, count + 0.5, of - count + 0.5)) for end in ends)
    return Figure(count / of, 0.0 if count == 0 else low, 1.0 if count == of else high)
