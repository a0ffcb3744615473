"""Fits in closed form: a constant, a uniform distribution, the measured times themselves."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.families import Fit
from sendcap.calibration.times import Z90, Figure, Times, distance, share

_LOG_20: Final = math.log(20.0)
_VALUES: Final = 100
_USUAL_S: Final = 300.0
"""The usual greylisting threshold: F. Pagani et al., DSN 2016."""


def constant(times: Times, never: bool) -> Fit | None:
    """Return the constant time that explains all data; None if they contradict each other.

    The constant is above all lower bounds and at most all upper bounds; that is its interval, and
    the middle is its estimate.
    """
    is_open = np.isinf(times.high_s)
    if is_open.all():
        return None
    low_s = float(times.low_s[~is_open].max())
    high_s = float(times.high_s.min())
    if low_s > high_s:
        return None
    if times.censored and not never:
        return None
    lost = share(int(times.censored), int(times.count)) if never else None
    value_s = (low_s + high_s) / 2.0
    if low_s <= 0.0 and high_s > _USUAL_S:
        # No attempt was too early, so the usual threshold is the best guess.
        value_s = _USUAL_S
    stays = 0.0 if lost is None else lost.value
    log_likelihood = 0.0
    if 0.0 < stays < 1.0:
        log_likelihood = times.censored * math.log(stays)
        log_likelihood += (times.count - times.censored) * math.log1p(-stays)

    def cdf(at_s: Floats) -> Floats:
        return np.where(at_s < value_s, 0.0, 1.0 - stays)

    return Fit(
        family="constant",
        table={"dist": "constant", "value": value_s},
        mean_s=Figure(value_s, low_s, high_s),
        cv=Figure(0.0),
        never=lost,
        log_likelihood=log_likelihood,
        parameters=2 if never else 1,
        distance=0.0,
        count=times.count,
        cdf=cdf,
    )


def measured(times: Times) -> Fit | None:
    """Return the measured times as a hundred quantiles; None if some have no end."""
    if times.censored:
        return None
    order = np.argsort(times.middle_s)
    middle_s, weight = times.middle_s[order], times.weight[order]
    # Within the interval of a rounded time, all values are equally likely.
    upto = np.cumsum(weight)
    shares = np.column_stack((upto - weight, upto)).ravel() / times.count
    ends_s = np.column_stack((times.low_s[order], times.high_s[order])).ravel()
    values_s = np.interp((np.arange(_VALUES) + 0.5) / _VALUES, shares, ends_s)
    mean_s = float(np.average(middle_s, weights=weight))
    sd_s = math.sqrt(float(np.average((middle_s - mean_s) ** 2, weights=weight)))
    error_s = sd_s / math.sqrt(times.count)
    # The last quantile stands for the end of the tail, so that the mean is right.
    beyond_s = _VALUES * (mean_s - float(values_s.mean()))
    values_s[-1] = max(values_s[-1] + beyond_s, values_s[-2])

    def cdf(at_s: Floats) -> Floats:
        return np.searchsorted(values_s, at_s, side="right") / _VALUES

    return Fit(
        family="empirical",
        table={"dist": "empirical", "values": values_s.tolist()},
        mean_s=Figure(mean_s, mean_s - Z90 * error_s, mean_s + Z90 * error_s),
        cv=Figure(sd_s / mean_s if mean_s else 0.0),
        never=None,
        log_likelihood=math.nan,
        parameters=0,
        distance=distance(times, cdf),
        count=times.count,
        cdf=cdf,
    )


def uniform(times: Times) -> Fit | None:
    """Return the uniform distribution between the least and the largest time; None if open."""
    if times.censored:
        return None
    low_s, high_s = float(times.middle_s.min()), float(times.middle_s.max())
    width_s = high_s - low_s
    if width_s <= 0.0:
        return None
    exact = times.low_s == times.high_s
    within_s = np.minimum(times.high_s, high_s) - np.maximum(times.low_s, low_s)
    p = np.where(exact, 1.0, np.maximum(within_s, 1e-12)) / width_s
    log_likelihood = float(times.weight @ np.log(p))
    # Bound of each edge beyond the data at 95 %; about the 90 % interval of the mean.
    beyond_s = width_s * _LOG_20 / times.count
    mean_s = (low_s + high_s) / 2.0
    cv = width_s / math.sqrt(12.0) / mean_s

    def cdf(at_s: Floats) -> Floats:
        return np.clip((at_s - low_s) / width_s, 0.0, 1.0)

    return Fit(
        family="uniform",
        table={"dist": "uniform", "low": low_s, "high": high_s},
        mean_s=Figure(mean_s, mean_s - beyond_s / 2.0, mean_s + beyond_s / 2.0),
        cv=Figure(cv, cv, (width_s + 2.0 * beyond_s) / math.sqrt(12.0) / mean_s),
        never=None,
        log_likelihood=log_likelihood,
        parameters=2,
        distance=distance(times, cdf),
        count=times.count,
        cdf=cdf,
    )
