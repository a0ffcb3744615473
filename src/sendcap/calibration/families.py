"""Families of distributions that a scenario has and that a log can distinguish; a fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln, ndtr

from sendcap.calibration.attempts import Floats
from sendcap.calibration.times import Figure


@dataclass(frozen=True)
class Fit:
    """A fitted distribution.

    Attributes
    ----------
    family
        Name of the family.
    table
        The distribution as a scenario writes it, with numbers in seconds.
    mean_s, cv
        Mean and coefficient of variation, with intervals.
    never
        Share of times that never end, with interval; None where all end.
    parameters
        Number of fitted parameters.
    distance
        Largest distance between the fitted distribution function and the data.
    count
        Number of times.
    """

    family: str
    table: dict[str, Any]
    mean_s: Figure
    cv: Figure
    never: Figure | None
    log_likelihood: float
    parameters: int
    distance: float
    count: float
    cdf: Callable[[Floats], Floats]

    @property
    def aic(self) -> float:
        """Akaike's information criterion: less is better."""
        return 2.0 * self.parameters - 2.0 * self.log_likelihood

    def quantile_s(self, share: float) -> float:
        """Return the time by which a share has ended, infinite if it never does."""
        low, high = 1e-6, 1e10
        if float(self.cdf(np.array([high]))[0]) < share:
            return math.inf
        for _ in range(80):
            middle = math.sqrt(low * high)
            if float(self.cdf(np.array([middle]))[0]) < share:
                low = middle
            else:
                high = middle
        return high


class Family(NamedTuple):
    """A family of distributions, with unbounded parameters.

    Attributes
    ----------
    start
        Parameters for a mean and a cv.
    cdf, sf, logpdf
        Functions of times and parameters.
    written
        Table of a scenario for parameters.
    moments
        Mean and cv for parameters.
    """

    name: str
    size: int
    start: Callable[[float, float], list[float]]
    cdf: Callable[[Any, Any], Any]
    sf: Callable[[Any, Any], Any]
    logpdf: Callable[[Any, Any], Any]
    written: Callable[[Any], dict[str, Any]]
    moments: Callable[[Any], tuple[float, float]]


_HALF_LOG_2PI: Final = 0.5 * math.log(2.0 * math.pi)
_TINY_S: Final = 1e-9


def _log(at_s: Any) -> Any:
    return np.log(np.maximum(at_s, _TINY_S))


EXPONENTIAL: Final = Family(
    name="exponential",
    size=1,
    start=lambda mean_s, _: [math.log(mean_s)],
    cdf=lambda t, x: -np.expm1(-t / math.exp(x[0])),
    sf=lambda t, x: np.exp(-t / math.exp(x[0])),
    logpdf=lambda t, x: -t / math.exp(x[0]) - x[0],
    written=lambda x: {"dist": "exponential", "mean": math.exp(x[0])},
    moments=lambda x: (math.exp(x[0]), 1.0),
)


def _lognormal_start(mean_s: float, cv: float) -> list[float]:
    sigma = math.sqrt(math.log1p(cv * cv))
    return [math.log(mean_s) - sigma * sigma / 2.0, math.log(sigma)]


def _lognormal_moments(x: Any) -> tuple[float, float]:
    variance = math.exp(2.0 * min(x[1], 3.0))
    return math.exp(min(x[0] + variance / 2.0, 700.0)), math.sqrt(math.expm1(min(variance, 700.0)))


def _lognormal_logpdf(t: Any, x: Any) -> Any:
    sigma = math.exp(x[1])
    return -0.5 * ((_log(t) - x[0]) / sigma) ** 2 - x[1] - _HALF_LOG_2PI - _log(t)


LOGNORMAL: Final = Family(
    name="lognormal",
    size=2,
    start=_lognormal_start,
    cdf=lambda t, x: ndtr((_log(t) - x[0]) / math.exp(x[1])),
    sf=lambda t, x: ndtr((x[0] - _log(t)) / math.exp(x[1])),
    logpdf=_lognormal_logpdf,
    written=lambda x: dict(
        zip(("dist", "mean", "cv"), ("lognormal", *_lognormal_moments(x)), strict=True)
    ),
    moments=_lognormal_moments,
)


def _gamma_shape(x: Any) -> float:
    return math.exp(min(max(-2.0 * x[1], -20.0), 20.0))


def _gamma_logpdf(t: Any, x: Any) -> Any:
    shape = _gamma_shape(x)
    rate = shape / math.exp(x[0])
    return shape * math.log(rate) + (shape - 1.0) * _log(t) - rate * t - gammaln(shape)


GAMMA: Final = Family(
    name="gamma",
    size=2,
    start=lambda mean_s, cv: [math.log(mean_s), math.log(cv)],
    cdf=lambda t, x: gammainc(_gamma_shape(x), _gamma_shape(x) * t / math.exp(x[0])),
    sf=lambda t, x: gammaincc(_gamma_shape(x), _gamma_shape(x) * t / math.exp(x[0])),
    logpdf=_gamma_logpdf,
    written=lambda x: {"dist": "gamma", "mean": math.exp(x[0]), "cv": math.exp(x[1])},
    moments=lambda x: (math.exp(x[0]), math.exp(x[1])),
)


def _weibull_moments(x: Any) -> tuple[float, float]:
    shape = math.exp(min(max(x[1], -2.3), 4.6))
    first = math.lgamma(1.0 + 1.0 / shape)
    second = math.lgamma(1.0 + 2.0 / shape)
    return math.exp(x[0] + first), math.sqrt(max(math.expm1(second - 2.0 * first), 0.0))


def _weibull_power(t: Any, x: Any) -> Any:
    return np.exp(np.minimum(math.exp(x[1]) * (_log(t) - x[0]), 700.0))


WEIBULL: Final = Family(
    name="weibull",
    size=2,
    start=lambda mean_s, cv: [math.log(mean_s), -math.log(min(max(cv, 0.1), 5.0))],
    cdf=lambda t, x: -np.expm1(-_weibull_power(t, x)),
    sf=lambda t, x: np.exp(-_weibull_power(t, x)),
    logpdf=lambda t, x: (
        x[1] + (math.exp(x[1]) - 1.0) * (_log(t) - x[0]) - x[0] - _weibull_power(t, x)
    ),
    written=lambda x: {
        "dist": "weibull",
        "scale": math.exp(x[0]),
        "shape": min(max(math.exp(x[1]), 0.1), 100.0),
    },
    moments=_weibull_moments,
)

FAMILIES: Final = (EXPONENTIAL, LOGNORMAL, GAMMA, WEIBULL)
"""The families with smooth likelihoods; `sendcap.calibration.edges` has the others."""
