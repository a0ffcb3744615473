"""Regression adjustment: the ends of simulations, moved to the observed readings.

The number y of a simulation is split into the prediction from the readings x and the residual:

    y = m(x) + s(x) e

At the observed readings x', every simulation then gives a draw of the future, m(x') + s(x') e (Blum
and François 2010). What is left is that of a prediction without the simulation itself: so the draws
spread as the errors of a new delivery do, whatever is wrong with m and s. That is conformal
prediction, normalised (Papadopoulos, Gammerman and Vovk 2008) and by leaving out, the jackknife of
Barber, Candès, Ramdas and Tibshirani (2021).

m and s are those of `scipy.interpolate.RBFInterpolator` with a Gaussian kernel and smoothing:
kernel ridge regression. (All smoothings share a decomposition of the kernel's matrix here.) The
width of the kernel and the smoothing are chosen by leaving each simulation out. As the prediction
is linear in the numbers, that takes no further fit: the residual is that of the fit over 1 - h,
where h is the weight of a simulation in the prediction at the same point (Golub, Heath and Wahba
1979). Both have the smoothing as a factor.

Sources: M. Blum, O. François, "Non-linear regression models for approximate Bayesian computation",
Statistics and Computing 20 (2010); H. Papadopoulos, A. Gammerman, V. Vovk, "Normalized
nonconformity measures for regression conformal prediction", AIA (2008); R. Barber, E. Candès,
A. Ramdas, R. Tibshirani, "Predictive inference with the jackknife+", Annals of Statistics 49
(2021); G. Golub, M. Heath, G. Wahba, "Generalized cross-validation as a method for choosing a good
ridge parameter", Technometrics 21 (1979).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist, pdist, squareform

from sendcap.readings.convergence import Floats
from sendcap.study.forecasts.reference import Summaries

_WIDTHS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Of the kernel, as multiples of the median distance between the points."""
_FLAT: Final = 1e-4
"""Errors that are less than this are as good as none."""
_SMOOTHING: Final = tuple(10.0**power for power in range(-6, 3))
_NEAREST: Final = 5
"""Simulations whose distance is the strangeness of readings."""
_FLOOR: Final = 0.05
"""Smallest residual before the logarithm, as a share of the root mean square."""


class Smoother(NamedTuple):
    """Kernel ridge regression on the simulations, for one width and one smoothing."""

    points: Floats  # of the simulations: shape (n, d)
    epsilon: float  # of the kernel exp(-(epsilon distance)²)
    smoothing: float
    kernels: Floats  # by which numbers become the weights of the kernels: shape (n, n)
    constant: Floats  # by which they become the constant: shape (n,)

    def at(self, point: Floats, values: Floats) -> Floats:
        """Return numbers at a point, of shape (k,), from those of the simulations: (n, k)."""
        near = np.exp(-((self.epsilon * cdist(point[None], self.points)[0]) ** 2))
        numbers: Floats = (near @ self.kernels + self.constant) @ values
        return numbers

    def left_out(self, values: Floats) -> Floats:
        """Return the difference of each simulation from the prediction without it: (n, k)."""
        return (self.kernels @ values) / np.diag(self.kernels)[:, None]


def smoothers(points: Floats) -> list[Smoother]:
    """Return smoothers to choose from, for points of shape (n, d)."""
    distances = pdist(points)
    width = float(np.median(distances)) or 1.0
    candidates = []
    for multiple in _WIDTHS:
        epsilon = 1.0 / (np.sqrt(2.0) * multiple * width)
        # Of a matrix whose parts are known, with more on the diagonal, the inverse is known, too.
        sizes, parts = np.linalg.eigh(np.exp(-((epsilon * squareform(distances)) ** 2)))
        sums = parts.sum(axis=0)
        for smoothing in _SMOOTHING:
            inverse_sizes = 1.0 / (np.maximum(sizes, 0.0) + smoothing)
            inverse_sums = parts @ (inverse_sizes * sums)
            # The weights of the kernels add up to nothing.
            constant = inverse_sums / inverse_sums.sum()
            kernels = (parts * inverse_sizes) @ parts.T - np.outer(inverse_sums, constant)
            # A simulation that alone decides about itself cannot be left out.
            if smoothing * np.diag(kernels).min() > 1e-6:
                candidates.append(Smoother(points, epsilon, smoothing, kernels, constant))
    return candidates


class Smoothed:
    """Numbers of simulations, shape (n, k), by the smoothers that predict them best.

    For each column that is the one with the least mean square of errors left out. Or columns are
    judged together, by their geometric mean, for all others. With one smoother a curve stays a
    curve: where those of all simulations are flat, so is the prediction.
    """

    def __init__(
        self,
        candidates: Sequence[Smoother],
        values: Floats,
        judged: npt.NDArray[np.intp] | None = None,
    ) -> None:
        some = values if judged is None else values[:, judged]
        squares = np.array([(smoother.left_out(some) ** 2).mean(axis=0) for smoother in candidates])
        if judged is None:
            best = np.argmin(squares, axis=0)
        else:
            logs = np.log(squares + _FLAT**2)
            best = np.full(values.shape[1], np.argmin(logs.mean(axis=1)))
        self.chosen = [
            (candidates[number], np.flatnonzero(best == number)) for number in np.unique(best)
        ]
        self.values = values
        self.left_out = np.empty_like(values)
        for smoother, columns in self.chosen:
            self.left_out[:, columns] = smoother.left_out(values[:, columns])

    def at(self, point: Floats) -> Floats:
        """Return the numbers at a point: shape (k,)."""
        numbers = np.empty(self.values.shape[1])
        for smoother, columns in self.chosen:
            numbers[columns] = smoother.at(point, self.values[:, columns])
        return numbers


class Adjustment:
    """Numbers of simulations, of shape (n, k), that can be moved to any readings.

    For curves, ``judged`` are the columns that decide for all others; see `Smoothed`.
    """

    def __init__(
        self,
        candidates: Sequence[Smoother],
        values: Floats,
        judged: npt.NDArray[np.intp] | None = None,
    ) -> None:
        self._mean = Smoothed(candidates, values, judged)
        squares = self._mean.left_out**2
        floor = _FLOOR**2 * squares.mean(axis=0) + np.finfo(float).tiny
        self._spread = Smoothed(candidates, np.log(squares + floor), judged)

    def draws(self, point: Floats) -> Floats:
        """Return draws of the numbers at some readings, one of each simulation: shape (n, k)."""
        mean, spread = self._mean, self._spread
        own = spread.values - spread.left_out
        # No readings are more or less certain than those of every simulation.
        observed = np.clip(spread.at(point), own.min(axis=0), own.max(axis=0))
        return mean.at(point) + np.exp(0.5 * (observed - own)) * mean.left_out


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

    def __init__(self, summaries: Summaries) -> None:
        self._readings, self._step_pt = summaries.simulated, summaries.step_pt
        self._own = np.array(
            [
                _strangeness(np.delete(self._readings, number, axis=0), self._step_pt, one)
                for number, one in enumerate(self._readings)
            ]
        )

    def p_value(self, observed: Floats) -> float:
        """Return the share of such simulations that are as strange by chance."""
        strangeness = _strangeness(self._readings, self._step_pt, observed)
        return float(1 + (self._own >= strangeness).sum()) / (1 + len(self._own))


def _strangeness(simulated: Floats, step_pt: Floats, one: Floats) -> float:
    scale = np.maximum(simulated.std(axis=0), step_pt)
    apart = (simulated - one) / scale
    # Rounding counts once more, so that there is a distance also where all of them are equal.
    rounding = np.diag((step_pt / scale) ** 2 / 12.0)
    precision = np.linalg.inv(np.atleast_2d(np.cov(apart, rowvar=False)) + rounding)
    distances = cdist(apart, np.zeros((1, len(one))), "mahalanobis", VI=precision)[:, 0]
    return float(np.sort(distances)[:_NEAREST].mean())
