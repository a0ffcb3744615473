"""Fitting a distribution of a time to what is known of it: exact, between two times, or longer.

All data are intervals with weights: an exact time has no width, a rounded one the width of its
last digit, a time that the log's end cut off is open to the right. So one likelihood serves all.
SciPy's own fits take such data too (`scipy.stats.CensoredData`), but they give no intervals, know
no share that never comes, and take each of a million equal values by itself; the tests hold this
likelihood against them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.families import FAMILIES, Family
from sendcap.calibration.times import Z90, Figure, Times, distance

_LEAST_P: Final = 1e-300
_TINY_S: Final = 1e-6
_FAR_OFF: Final = 0.05
_LEAST_MEASURED: Final = 100


@dataclass(frozen=True)
class Fit:
    """A fitted distribution.

    Attributes
    ----------
    family
        Its name.
    table
        As a scenario writes it, numbers as seconds.
    mean_s, cv
        With their intervals.
    never
        Share that never comes, with its interval; None where that was not asked.
    aic
        Akaike's criterion: less is better.
    distance
        Largest distance between its distribution function and the data's.
    count
        Times that it was fitted to.
    """

    family: str
    table: dict[str, Any]
    mean_s: Figure
    cv: Figure
    never: Figure | None
    log_likelihood: float
    aic: float
    distance: float
    count: float
    cdf: Callable[[Floats], Floats]


def best(times: Times, *, never: bool = False, names: Sequence[str] | None = None) -> list[Fit]:
    """Fit every family and return the fits, the best by AIC first.

    Parameters
    ----------
    never
        Whether a share of the times may never come.
    names
        Of the families; all by default.
    """
    from sendcap.calibration.edges import constant, uniform

    same = constant(times, never)
    if same is not None:
        return [same]
    fits = [_fit(its, times, never) for its in FAMILIES if names is None or its.name in names]
    if not never and names is None:
        fits.append(uniform(times))
    return sorted((its for its in fits if its is not None), key=lambda its: its.aic)


def best_or_measured(times: Times) -> list[Fit]:
    """Fit every family; where all are off by more than 5 points, the measured times come first."""
    from sendcap.calibration.edges import measured

    fits = best(times)
    if fits and fits[0].distance <= _FAR_OFF:
        return fits
    itself = measured(times) if times.count >= _LEAST_MEASURED else None
    return fits if itself is None else [itself, *fits]


def _fit(family: Family, times: Times, never: bool) -> Fit | None:
    from scipy.optimize import minimize

    mean_s, cv = _moments(times)
    start = np.array(family.start(mean_s, cv))
    if never:
        open_share = times.censored / times.count
        start = np.append(start, _logit(min(max(0.7 * open_share, 0.01), 0.95)))

    def cost(parameters: Floats) -> float:
        return -_log_likelihood(family, times, parameters, never)

    with np.errstate(all="ignore"):
        found = minimize(
            cost,
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-5, "fatol": 1e-5, "maxiter": 900},
        )
        found = minimize(
            cost, found.x, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-6}
        )
        best_x: Floats = found.x
        if not np.isfinite(found.fun):
            return None
        spread = _covariance(cost, best_x)
        return _told(family, times, best_x, spread, -float(found.fun), never)


def _told(
    family: Family,
    times: Times,
    found: Floats,
    spread: Floats | None,
    log_likelihood: float,
    never: bool,
) -> Fit:
    mean = _figure(lambda x: math.log(family.moments(x)[0]), found, spread)
    cv = _figure(lambda x: math.log(family.moments(x)[1]), found, spread)
    share = _figure(lambda x: x[-1], found, spread) if never else None
    gone = 1.0 - (_expit(found[-1]) if never else 0.0)

    def cdf(at_s: Floats) -> Floats:
        return np.asarray(gone * family.cdf(np.maximum(at_s, _TINY_S), found), np.float64)

    return Fit(
        family=family.name,
        table=family.written(found),
        mean_s=_each(math.exp, mean),
        cv=_each(math.exp, cv) if family.size > 1 else Figure(family.moments(found)[1]),
        never=None if share is None else _each(_expit, share),
        log_likelihood=log_likelihood,
        aic=2.0 * len(found) - 2.0 * log_likelihood,
        distance=distance(times, cdf),
        count=times.count,
        cdf=cdf,
    )


def _log_likelihood(family: Family, times: Times, parameters: Floats, never: bool) -> float:
    gone = _expit(parameters[-1]) if never else 0.0
    low_s, high_s = times.low_s, times.high_s
    exact = low_s == high_s
    found = np.empty(len(low_s))
    at_s = np.maximum(low_s[exact], _TINY_S)
    found[exact] = math.log1p(-gone) + family.logpdf(at_s, parameters)
    between = ~exact
    p = _probability(family, low_s[between], high_s[between], parameters)
    is_open = np.isinf(high_s[between])
    p = (1.0 - gone) * p + np.where(is_open, gone, 0.0)
    found[between] = np.log(np.maximum(p, _LEAST_P))
    total = float(times.weight @ found)
    return total if math.isfinite(total) else -1e300


def _probability(family: Family, low_s: Floats, high_s: Floats, parameters: Floats) -> Floats:
    # In the upper tail the difference of survivals is exact, in the lower that of the others.
    below = family.cdf(low_s, parameters)
    upper = family.sf(low_s, parameters) - np.where(
        np.isinf(high_s), 0.0, family.sf(np.minimum(high_s, 1e300), parameters)
    )
    lower = np.where(np.isinf(high_s), 1.0, family.cdf(np.minimum(high_s, 1e300), parameters))
    return np.asarray(np.where(below > 0.5, upper, lower - below), np.float64)


def _moments(times: Times) -> tuple[float, float]:
    middle_s = np.maximum(times.middle_s, _TINY_S)
    ended = ~np.isinf(times.high_s)
    weight = times.weight * ended if (times.weight * ended).sum() > 0 else times.weight
    mean_s = float(np.average(middle_s, weights=weight))
    sd_s = math.sqrt(float(np.average((middle_s - mean_s) ** 2, weights=weight)))
    return max(mean_s, _TINY_S), min(max(sd_s / max(mean_s, _TINY_S), 0.01), 10.0)


def _covariance(cost: Callable[[Floats], float], at: Floats) -> Floats | None:
    """Return the inverse of the curvature at the minimum, None where there is none."""
    size = len(at)
    step = 1e-3 * np.maximum(1.0, np.abs(at))
    curvature = np.empty((size, size))
    middle = cost(at)
    for one in range(size):
        for two in range(one, size):
            first, second = np.zeros(size), np.zeros(size)
            first[one], second[two] = step[one], step[two]
            if one == two:
                value = (cost(at + first) - 2.0 * middle + cost(at - first)) / step[one] ** 2
            else:
                corners = (
                    cost(at + first + second)
                    - cost(at + first - second)
                    - cost(at - first + second)
                    + cost(at - first - second)
                )
                value = corners / (4.0 * step[one] * step[two])
            curvature[one, two] = curvature[two, one] = value
    try:
        found: Floats = np.linalg.inv(curvature).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
    return found if np.all(np.isfinite(found)) and np.all(np.diag(found) > 0) else None


def _figure(value: Callable[[Floats], float], at: Floats, covariance: Floats | None) -> Figure:
    middle = value(at)
    if covariance is None:
        return Figure(middle)
    slope = np.empty(len(at))
    for number in range(len(at)):
        step = np.zeros(len(at))
        step[number] = 1e-4 * max(1.0, abs(at[number]))
        slope[number] = (value(at + step) - value(at - step)) / (2.0 * step[number])
    error = math.sqrt(max(float(slope @ covariance @ slope), 0.0))
    return Figure(middle, middle - Z90 * error, middle + Z90 * error)


def _each(function: Callable[[float], float], figure: Figure) -> Figure:
    def safe(value: float) -> float:
        return function(min(max(value, -700.0), 700.0)) if math.isfinite(value) else math.nan

    return Figure(*(safe(value) for value in figure))


def _expit(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(value, -700.0), 700.0)))


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))
