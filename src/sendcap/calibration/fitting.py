"""Fitting distributions to times: exact, between two bounds, or not ended yet.

All data are intervals with weights: an exact time has no width, a rounded one the width of its
last digit, a time cut off by the log's end is open to the right. So one likelihood serves all.
SciPy fits such data too (`scipy.stats.CensoredData`), but without intervals of the parameters,
without a share that never ends, and with a million equal values one by one; the tests compare.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from sendcap.calibration.attempts import Floats
from sendcap.calibration.families import FAMILIES, Family, Fit, constant, measured, uniform
from sendcap.calibration.times import Figure, Times, distance

_LEAST_P: Final = 1e-300
_TINY_S: Final = 1e-6
_FAR_OFF: Final = 0.05
_SIMPLER: Final = 4.6
"""How much worse, by AIC, a simpler family may be: with it, chance leaves one in a hundred."""
_AS_GOOD: Final = 2.0
"""Difference in AIC up to which the data say nothing for either of two families."""
_LEAST_MEASURED: Final = 100
_ONCE_IN_100: Final = 1.63


def best(times: Times, *, never: bool = False, names: Sequence[str] | None = None) -> list[Fit]:
    """Fit every family, or those of some names; the best comes first.

    The best has the lowest AIC, or is a simpler one nearly as good: by AIC alone, chance takes a
    more general family in one of five cases. Its intervals are as wide as those of the families of
    the same size that fit about as well. With ``never``, a share may never end.
    """
    same = constant(times, never)
    if same is not None:
        return [same]
    families = [family for family in FAMILIES if names is None or family.name in names]
    fits = [_fit(family, times, never) for family in families]
    if not never and names is None:
        fits.append(uniform(times))
    found = sorted((fit for fit in fits if fit is not None), key=lambda fit: fit.aic)
    if not found:
        return []
    close = [fit for fit in found if fit.aic <= found[0].aic + _SIMPLER]
    best_one = min(close, key=lambda fit: (fit.parameters, fit.aic))
    return [_widened(best_one, found), *(fit for fit in found if fit is not best_one)]


def _widened(fit: Fit, others: Sequence[Fit]) -> Fit:
    """Return a fit with intervals that hold those of the fits that are about as good."""
    rivals = [
        other
        for other in others
        if other.parameters == fit.parameters and abs(other.aic - fit.aic) <= _AS_GOOD
    ]
    mean_s = _together([fit.mean_s, *(rival.mean_s for rival in rivals)])
    cv = _together([fit.cv, *(rival.cv for rival in rivals)])
    return replace(fit, mean_s=mean_s, cv=cv)


def _together(figures: Sequence[Figure]) -> Figure:
    """Return the first figure with the interval that holds all intervals."""
    lows, highs = [each.low for each in figures], [each.high for each in figures]
    if not np.isfinite([*lows, *highs]).all():
        return figures[0]
    return Figure(figures[0].value, min(lows), max(highs))


def best_or_measured(times: Times) -> list[Fit]:
    """Fit every family; if all are off by more than 5 points, the measured times come first."""
    fits = best(times)
    if fits and fits[0].distance <= _FAR_OFF:
        return fits
    quantiles = measured(times) if times.count >= _LEAST_MEASURED else None
    return fits if quantiles is None else [quantiles, *fits]


def fits_badly(fit: Fit) -> bool:
    """Tell whether a distribution of few values is further off than chance has it, once in 100.

    Source: the statistic of Kolmogorov and Smirnov, N. Smirnov, Annals of Mathematical Statistics
    19 (1948).
    """
    return fit.count < _LEAST_MEASURED and fit.distance > _ONCE_IN_100 / math.sqrt(fit.count)


def _fit(family: Family, times: Times, never: bool) -> Fit | None:
    at = np.array(family.start(*_moments(times)))
    if never:
        open_share = times.censored / times.count
        at = np.append(at, logit(min(max(0.7 * open_share, 0.01), 0.95)))

    likelihood = Likelihood(times)

    def cost(parameters: Floats) -> float:
        return -likelihood.log(family, parameters, never)

    with np.errstate(all="ignore"):
        # The second search begins with steps as wide as the first one's, wherever that has stuck.
        for tolerance, iterations in ((1e-2, 900), (1e-6, None)):
            options: Any = {"xatol": tolerance, "fatol": tolerance, "maxiter": iterations}
            result = minimize(cost, at, method="Nelder-Mead", options=options)
            at = result.x
        if not np.isfinite(result.fun):
            return None
        spread = _covariance(cost, at)
        mean = _figure(lambda x: math.log(family.moments(x)[0]), at, spread)
        cv = _figure(lambda x: math.log(family.moments(x)[1]), at, spread)
        lost = _figure(lambda x: x[-1], at, spread) if never else None
        ended = 1.0 - (expit(at[-1]) if never else 0.0)

        def cdf(at_s: Floats) -> Floats:
            return np.asarray(ended * family.cdf(np.maximum(at_s, _TINY_S), at), np.float64)

        return Fit(
            family=family.name,
            table=family.table(at),
            mean_s=_each(math.exp, mean),
            cv=_each(math.exp, cv) if family.size > 1 else Figure(family.moments(at)[1]),
            log_likelihood=-float(result.fun),
            parameters=len(at),
            count=times.count,
            cdf=cdf,
            distance=distance(times, cdf),
            never=None if lost is None else _each(expit, lost),
        )


class Likelihood:
    """The likelihood of times; what does not depend on the parameters is worked out once."""

    def __init__(self, times: Times) -> None:
        exact = times.low_s == times.high_s
        self._at_s, self._of_exact = np.maximum(times.low_s[exact], _TINY_S), times.weight[exact]
        self._low_s, high_s = times.low_s[~exact], times.high_s[~exact]
        self._of_between = times.weight[~exact]
        self._is_open, self._end_s = np.isinf(high_s), np.minimum(high_s, 1e300)
        self._any_open = bool(self._is_open.any())

    def log(self, family: Family, parameters: Floats, never: bool) -> float:
        """Return the logarithm; ``never`` says that the last parameter is a share without end."""
        lost = expit(parameters[-1]) if never else 0.0
        total = 0.0
        if len(self._at_s):
            log_p = math.log1p(-lost) + family.logpdf(self._at_s, parameters)
            total += float(self._of_exact @ log_p)
        if len(self._low_s):
            p = self._probability(family, parameters)
            if never:
                p = (1.0 - lost) * p + lost * self._is_open
            total += float(self._of_between @ np.log(np.maximum(p, _LEAST_P)))
        return total if math.isfinite(total) else -1e300

    def _probability(self, family: Family, parameters: Floats) -> Floats:
        # In the upper tail the difference of survival functions is exact, in the lower that of the
        # cdf.
        below, above = (family.cdf(each, parameters) for each in (self._low_s, self._end_s))
        if self._any_open:
            above = np.where(self._is_open, 1.0, above)
        p: Floats = above - below
        upper = below > 0.5
        if upper.any():
            beyond = family.sf(self._end_s[upper], parameters)
            if self._any_open:
                beyond = np.where(self._is_open[upper], 0.0, beyond)
            p[upper] = family.sf(self._low_s[upper], parameters) - beyond
        return p


def _moments(times: Times) -> tuple[float, float]:
    middle_s = np.maximum(times.middle_s, _TINY_S)
    ended = ~np.isinf(times.high_s)
    weight = times.weight * ended if (times.weight * ended).sum() > 0 else times.weight
    mean_s = float(np.average(middle_s, weights=weight))
    sd_s = math.sqrt(float(np.average((middle_s - mean_s) ** 2, weights=weight)))
    return max(mean_s, _TINY_S), min(max(sd_s / max(mean_s, _TINY_S), 0.01), 10.0)


def _covariance(cost: Callable[[Floats], float], at: Floats) -> Floats | None:
    """Return the inverse of the curvature at the minimum; None if it has none."""
    size = len(at)
    step = 1e-3 * np.maximum(1.0, np.abs(at))
    steps = np.diag(step)
    curvature = np.empty((size, size))
    middle = cost(at)
    for one in range(size):
        for two in range(one, size):
            first, second = steps[one], steps[two]
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
        inverse: Floats = np.linalg.inv(curvature).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
    usable = np.all(np.isfinite(inverse)) and np.all(np.diag(inverse) > 0)
    return inverse if usable else None


def _figure(value: Callable[[Floats], float], at: Floats, covariance: Floats | None) -> Figure:
    middle = value(at)
    if covariance is None:
        return Figure(middle)
    steps = np.diag(1e-4 * np.maximum(1.0, np.abs(at)))
    slope = np.array([(value(at + step) - value(at - step)) / (2.0 * step.sum()) for step in steps])
    error = math.sqrt(max(float(slope @ covariance @ slope), 0.0))
    return Figure.with_error(middle, error)


def _each(function: Callable[[float], float], figure: Figure) -> Figure:
    def safe(value: float) -> float:
        return float(function(min(max(value, -700.0), 700.0)) if math.isfinite(value) else math.nan)

    return Figure(*map(safe, figure))
