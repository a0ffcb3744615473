"""Families of distributions that a scenario has and that a log can distinguish, and their fits.

The constant, the uniform distribution and the measured times are fitted in closed form here; for
the others see `sendcap.calibration.fitting`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln, ndtr

from sendcap.calibration.attempts import Floats
from sendcap.calibration.times import Figure, Times, distance, share


@dataclass(frozen=True)
class Fit:
    """A fitted distribution."""

    family: str
    table: dict[str, Any]  # as a scenario writes it, with numbers in seconds
    mean_s: Figure
    cv: Figure
    log_likelihood: float
    parameters: int  # number of fitted ones
    count: float  # number of times
    cdf: Callable[[Floats], Floats]
    distance: float = 0.0  # largest distance of the distribution function from the data
    never: Figure | None = None  # share of times that never end; None where all end

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
    """A family of distributions, with functions of times and of unbounded parameters."""

    name: str
    size: int
    start: Callable[[float, float], list[float]]  # parameters for a mean and a cv
    cdf: Callable[[Any, Any], Any]
    sf: Callable[[Any, Any], Any]
    logpdf: Callable[[Any, Any], Any]
    moments: Callable[[Any], tuple[float, float]]  # mean and cv

    def table(self, x: Any) -> dict[str, Any]:
        """Return the distribution as a scenario writes it."""
        if self.name == "weibull":
            shape = min(max(math.exp(x[1]), 0.1), 100.0)
            return {"dist": self.name, "scale": math.exp(x[0]), "shape": shape}
        names = ("mean", "cv")[: self.size]
        return {"dist": self.name, **dict(zip(names, self.moments(x), strict=False))}


_HALF_LOG_2PI: Final = 0.5 * math.log(2.0 * math.pi)
_TINY_S: Final = 1e-9
_LOG_20: Final = math.log(20.0)
_VALUES: Final = 100
_USUAL_S: Final = 300.0
"""The usual greylisting threshold: F. Pagani et al., DSN 2016."""


def _log(at_s: Any) -> Any:
    return np.log(np.maximum(at_s, _TINY_S))


EXPONENTIAL: Final = Family(
    name="exponential",
    size=1,
    start=lambda mean_s, _: [math.log(mean_s)],
    cdf=lambda t, x: -np.expm1(-t / math.exp(x[0])),
    sf=lambda t, x: np.exp(-t / math.exp(x[0])),
    logpdf=lambda t, x: -t / math.exp(x[0]) - x[0],
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
    moments=_weibull_moments,
)

FAMILIES: Final = (EXPONENTIAL, LOGNORMAL, GAMMA, WEIBULL)
"""The families with smooth likelihoods."""


def constant(times: Times, never: bool) -> Fit | None:
    """Return the constant time that explains all data; None if they contradict each other.

    The constant is above all lower bounds and at most all upper bounds; that is its interval, and
    the middle is its estimate.
    """
    is_open = np.isinf(times.high_s)
    if is_open.all() or (times.censored and not never):
        return None
    low_s, high_s = float(times.low_s[~is_open].max()), float(times.high_s.min())
    if low_s > high_s:
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
        log_likelihood=log_likelihood,
        parameters=2 if never else 1,
        count=times.count,
        cdf=cdf,
        never=lost,
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
        mean_s=Figure.with_error(mean_s, error_s),
        cv=Figure(sd_s / mean_s if mean_s else 0.0),
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
        log_likelihood=log_likelihood,
        parameters=2,
        distance=distance(times, cdf),
        count=times.count,
        cdf=cdf,
    )
