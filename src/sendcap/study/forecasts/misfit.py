"""The model's own misfit: how far readings are from what any values in the ranges would give.

A real delivery is never quite like its scenario. Its readings are taken for those of a simulation
plus an error of the model, of one size for each curve:

    observed ~ N(mean of simulations, covariance of simulations + rounding + misfit²)

The sizes are the likeliest ones, with an exponential prior whose mean is the spread of the
simulations, so that a small misfit is taken for chance. The simulations then get errors of the same
size before they are fitted: readings that the model cannot give count for less, and those that it
can give go on counting in full. That is the discrepancy term of Kennedy and O'Hagan (2001), in
approximate Bayesian computation (Wilkinson 2013).

Sources: M. Kennedy, A. O'Hagan, "Bayesian calibration of computer models", Journal of the Royal
Statistical Society B 63 (2001); R. Wilkinson, "Approximate Bayesian computation gives exact results
under the assumption of model error", Statistical Applications in Genetics and Molecular Biology 12
(2013).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from sendcap.readings.convergence import Floats
from sendcap.readings.modes import Mode
from sendcap.study.forecasts.reference import Summaries

_SMALLEST: Final = np.log(1e-3)
_LARGEST: Final = np.log(1e3)
NOTICED: Final = 0.02
"""A smaller misfit, in standard deviations of the simulations, changes nothing."""
LARGE: Final = 1.0
"""A misfit as large as all that the ranges do puts the model in doubt."""
_LASTING: Final = ("without-efs", "delivered_pct")
_JITTER: Final = 1e-6
"""Of variances, lest a reading that follows from others makes the matrix singular."""


@dataclass(frozen=True)
class Misfit:
    """The misfit of some readings, and the reading that fits the least."""

    sizes: Floats = field(repr=False)  # of each compared curve, in standard deviations
    mode: Mode
    column: str
    time_s: float
    observed_pct: float
    nearest_pct: float  # what the model says if it is to give the other readings, too
    low_pct: float  # of the simulations
    high_pct: float
    related: Floats = field(repr=False)  # correlation of each range with it, -1 to 1
    # Of the last Delivered % without EFS, in points: what has failed there stays so.
    lasting_pt: float = 0.0

    @property
    def largest(self) -> float:
        """The largest of the sizes."""
        return float(self.sizes.max())


class Discrepancy:
    """Finds the misfit of readings among those of simulations."""

    def __init__(self, summaries: Summaries, places: Floats) -> None:
        self._summaries, self._places = summaries, places
        simulated = summaries.simulated
        self.centre = simulated.mean(axis=0)
        # A difference below the rounding says little.
        self.scale = np.maximum(simulated.std(axis=0), summaries.step_pt)
        self.points = (simulated - self.centre) / self.scale
        rounding = (summaries.step_pt / self.scale) ** 2 / 12.0 + _JITTER
        self._covariance = np.atleast_2d(np.cov(self.points, rowvar=False)) + np.diag(rounding)
        self._curve = np.repeat(
            np.arange(len(summaries.compared)), [len(each.time_s) for each in summaries.compared]
        )

    def point(self, observed: Floats) -> Floats:
        """Return readings in standard deviations from the mean of the simulations."""
        point: Floats = (observed - self.centre) / self.scale
        return point

    def misfit(self, observed: Floats) -> Misfit:
        """Return the misfit of some readings."""
        point, summaries = self.point(observed), self._summaries
        sizes = self._sizes(point)
        spread = self._covariance + np.diag(sizes[self._curve] ** 2)
        weights = cho_solve(cho_factor(spread), point)
        # What is left of the readings is the part of the misfit in them.
        left = sizes[self._curve] ** 2 * weights
        worst = int(np.argmax(np.abs(left)))
        curve = summaries.compared[self._curve[worst]]
        simulated = summaries.simulated[:, worst]
        return Misfit(
            sizes,
            curve.mode,
            curve.column,
            float(curve.time_s[worst - int(np.argmax(self._curve == self._curve[worst]))]),
            float(observed[worst]),
            float(observed[worst] - left[worst] * self.scale[worst]),
            float(simulated.min()),
            float(simulated.max()),
            _correlations(self._places, simulated),
            self._lasting_pt(left),
        )

    def _lasting_pt(self, left: Floats) -> float:
        for number, (mode, column, _) in enumerate(self._summaries.compared):
            if (mode, column) == _LASTING:
                last = np.flatnonzero(self._curve == number)[-1]
                return float(left[last] * self.scale[last])
        return 0.0

    def disturbed(self, misfit: Misfit, rng: np.random.Generator) -> Floats:
        """Return the simulations' readings with errors of the size of a misfit."""
        errors = rng.standard_normal(self.points.shape) * misfit.sizes[self._curve]
        disturbed: Floats = self.points + errors
        return disturbed

    def _sizes(self, point: Floats) -> Floats:
        """Return the likeliest size of each curve's misfit."""
        curves, every = len(self._summaries.compared), np.eye(len(point))

        def unlikeliness(logs: Floats) -> tuple[float, Floats]:
            """Return it with its slope in each direction."""
            sizes = np.exp(logs)
            variances = sizes[self._curve] ** 2
            factor = cho_factor(self._covariance + np.diag(variances), lower=True)
            inverse = cho_solve(factor, every)
            weights = inverse @ point
            value = 0.5 * point @ weights + np.log(np.diag(factor[0])).sum() + sizes.sum()
            slopes = variances * (np.diag(inverse) - weights**2)
            return float(value), sizes + np.bincount(self._curve, slopes, curves)

        bounds: Sequence[tuple[float, float]] = [(_SMALLEST, _LARGEST)] * curves
        starts = (np.full(curves, start) for start in (-3.0, 1.0))
        found = [minimize(unlikeliness, start, jac=True, bounds=bounds) for start in starts]
        return np.exp(min(found, key=lambda each: float(each.fun)).x)


def _correlations(places: Floats, values: Floats) -> Floats:
    """Return the correlation of each column with some values; 0 where one does not vary."""
    apart = values - values.mean()
    columns = places - places.mean(axis=0)
    scale = np.sqrt((columns**2).sum(axis=0) * (apart**2).sum())
    correlations: Floats = np.divide(
        apart @ columns, scale, out=np.zeros(len(scale)), where=scale > 0.0
    )
    return correlations
