"""Regression adjustment: what simulations came to, moved to where the readings are.

Each simulation's number y is taken apart into what its readings x predict and what is left:

    y = m(x) + s(x) e

At the readings x' that were observed, every simulation then gives a draw of what is to come,
m(x') + s(x') e (Blum and François 2010, whose m and s are neural networks; with s constant, and m
linear near x', Beaumont, Zhang and Balding 2002). What is left is that of a prediction without the
simulation itself: so the draws spread as the errors of a new delivery do, whatever is wrong with m
and s, and intervals between their quantiles hold what they say. That is conformal prediction,
normalised (Papadopoulos, Gammerman and Vovk 2008) and by leaving out, the jackknife of Barber,
Candès, Ramdas and Tibshirani (2021).

References
----------
M. Beaumont, W. Zhang, D. Balding, "Approximate Bayesian computation in population genetics",
Genetics 162 (2002); M. Blum, O. François, "Non-linear regression models for approximate Bayesian
computation", Statistics and Computing 20 (2010); H. Papadopoulos, A. Gammerman, V. Vovk,
"Normalized nonconformity measures for regression conformal prediction", AIA (2008); R. Barber,
E. Candès, A. Ramdas, R. Tibshirani, "Predictive inference with the jackknife+", Annals of
Statistics 49 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sendcap.study.forecasts.smoother import Smoothed, Smoother

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_FLOOR: Final = 0.05
"""What is left is taken as no less than this share of its root mean square, for its logarithm."""


@dataclass(frozen=True, eq=False)
class Adjustment:
    """Numbers of simulations, to be moved to any readings.

    Attributes
    ----------
    mean
        What the readings predict.
    spread
        Logarithm of the square of what is left, as the readings predict that.
    """

    mean: Smoothed = field(repr=False)
    spread: Smoothed = field(repr=False)

    @classmethod
    def of(
        cls,
        candidates: Sequence[Smoother],
        values: Floats,
        judged: npt.NDArray[np.intp] | None = None,
    ) -> Adjustment:
        """Fit numbers of simulations, of shape (n, k), with smoothers of their readings.

        Parameters
        ----------
        candidates
            To choose from.
        values : ndarray, shape (n, k)
            Of the simulations.
        judged
            Where they are curves, the columns that decide for all others; see `Smoothed.of`.
        """
        import numpy as np

        mean = Smoothed.of(candidates, values, judged)
        squares = mean.left_out**2
        floor = _FLOOR**2 * squares.mean(axis=0) + np.finfo(float).tiny
        spread = Smoothed.of(candidates, np.log(squares + floor), judged)
        return cls(mean, spread)

    def draws(self, point: Floats) -> Floats:
        """Return draws of the numbers at some readings, one of each simulation: shape (n, k)."""
        import numpy as np

        its = self.spread
        own = its.values - its.left_out
        # No readings are more or less certain than those of every simulation.
        there = np.clip(its.at(point), own.min(axis=0), own.max(axis=0))
        found: Floats = self.mean.at(point) + np.exp(0.5 * (there - own)) * self.mean.left_out
        return found
