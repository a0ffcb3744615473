"""Regression adjustment: the ends of simulations, moved to the observed readings.

The number y of a simulation is split into the prediction from the readings x and the residual:

    y = m(x) + s(x) e

At the observed readings x', every simulation then gives a draw of the future,
m(x') + s(x') e (Blum and François 2010, whose m and s are neural networks; with s constant, and m
linear near x', Beaumont, Zhang and Balding 2002). What is left is that of a prediction without the
simulation itself: so the draws spread as the errors of a new delivery do, whatever is wrong with m
and s, and intervals between their quantiles hold what they say. That is conformal prediction,
normalised (Papadopoulos, Gammerman and Vovk 2008) and by leaving out, the jackknife of Barber,
Candès, Ramdas and Tibshirani (2021).

Sources: M. Beaumont, W. Zhang, D. Balding, "Approximate Bayesian computation in population
genetics", Genetics 162 (2002); M. Blum, O. François, "Non-linear regression models for approximate
Bayesian computation", Statistics and Computing 20 (2010); H. Papadopoulos, A. Gammerman, V. Vovk,
"Normalized nonconformity measures for regression conformal prediction", AIA (2008); R. Barber,
E. Candès, A. Ramdas, R. Tibshirani, "Predictive inference with the jackknife+", Annals of
Statistics 49 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from sendcap.study.forecasts.smoother import Smoothed, Smoother
from sendcap.study.forecasts.summaries import Summaries

Floats = npt.NDArray[np.float64]

_NEAREST: Final = 5
"""Simulations whose distance is the strangeness of readings."""
_FLOOR: Final = 0.05
"""Smallest residual before the logarithm, as a share of the root mean square."""


@dataclass(frozen=True, eq=False)
class Adjustment:
    """Numbers of simulations that can be moved to any readings."""

    mean: Smoothed  # prediction from the readings
    spread: Smoothed  # predicted logarithm of the squared residual

    @classmethod
    def of(
        cls,
        candidates: Sequence[Smoother],
        values: Floats,
        judged: npt.NDArray[np.intp] | None = None,
    ) -> Adjustment:
        """Fit numbers of simulations, of shape (n, k), by smoothers of their readings.

        For curves, ``judged`` are the columns that decide for all others; see `Smoothed.of`.
        """
        mean = Smoothed.of(candidates, values, judged)
        squares = mean.left_out**2
        floor = _FLOOR**2 * squares.mean(axis=0) + np.finfo(float).tiny
        spread = Smoothed.of(candidates, np.log(squares + floor), judged)
        return cls(mean, spread)

    def draws(self, point: Floats) -> Floats:
        """Return draws of the numbers at some readings, one of each simulation: shape (n, k)."""
        own = self.spread.values - self.spread.left_out
        # No readings are more or less certain than those of every simulation.
        observed = np.clip(self.spread.at(point), own.min(axis=0), own.max(axis=0))
        draws: Floats = self.mean.at(point) + np.exp(0.5 * (observed - own)) * self.mean.left_out
        return draws


@dataclass(frozen=True, eq=False)
class Novelty:
    """The strangeness of readings among those of the simulations: a conformal test.

    Strangeness is the mean distance to the nearest simulations, in units of how much the readings
    vary in each direction (Mahalanobis distance). Each simulation is measured in the same way
    against the others. The readings of one more such simulation would be the strangest of all in
    one of n + 1 cases.

    Sources: V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005;
    R. Laxhammar, G. Falkman, "Conformal prediction for distribution-independent anomaly detection
    in streaming vessel data", 2010.
    """

    summaries: Summaries
    own: Floats  # strangeness of each simulation

    @classmethod
    def of(cls, summaries: Summaries) -> Novelty:
        """Measure each simulation against the others."""
        readings, step_pt = summaries.simulated, summaries.step_pt
        others = (np.delete(readings, number, axis=0) for number in range(len(readings)))
        own = [_strangeness(rest, step_pt, one) for rest, one in zip(others, readings, strict=True)]
        return cls(summaries, np.array(own))

    def p_value(self, observed: Floats) -> float:
        """Return the share of such simulations that are as strange by chance."""
        strangeness = _strangeness(self.summaries.simulated, self.summaries.step_pt, observed)
        return float(1 + (self.own >= strangeness).sum()) / (1 + len(self.own))


def _strangeness(simulated: Floats, step_pt: Floats, one: Floats) -> float:
    scale = np.maximum(simulated.std(axis=0), step_pt)
    apart = (simulated - one) / scale
    # Rounding counts once more, so that there is a distance also where all of them are equal.
    rounding = np.diag((step_pt / scale) ** 2 / 12.0)
    precision = np.linalg.inv(np.atleast_2d(np.cov(apart, rowvar=False)) + rounding)
    distances = cdist(apart, np.zeros((1, len(one))), "mahalanobis", VI=precision)[:, 0]
    return float(np.sort(distances)[:_NEAREST].mean())
