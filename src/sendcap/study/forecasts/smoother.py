"""Smoothing: smooth functions of points, from noisy values of simulations.

`scipy.interpolate.RBFInterpolator` with a Gaussian kernel and smoothing: kernel ridge regression,
which is also the mean of a Gaussian process. A wide kernel makes it nearly linear or quadratic, a
narrow one follows every bend; the width and the smoothing are chosen by leaving each simulation
out. As the prediction is linear in the numbers, that takes no further fit: the
residual is that of the fit over 1 - h, where h is the weight of a simulation in the prediction at
the same point (G. Golub, M. Heath, G. Wahba, "Generalized cross-validation as a method for choosing
a good ridge parameter", Technometrics 21, 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import RBFInterpolator
from scipy.spatial.distance import pdist

Floats = npt.NDArray[np.float64]

_WIDTHS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Of the kernel, as multiples of the median distance between the points."""
_FLAT: Final = 1e-4
"""Errors that are less than this are as good as none."""
_SMOOTHING: Final = tuple(10.0**power for power in range(-6, 3))


@dataclass(frozen=True, eq=False)
class Smoother:
    """Weights of the simulations at any point, for one width and one smoothing."""

    interpolator: Any  # of the columns of the identity matrix: the values are the weights
    own: Floats  # weights at the simulations' own points: shape (n, n)

    def at(self, point: Floats, values: Floats) -> Floats:
        """Return numbers at a point, of shape (k,), from those of the simulations: (n, k)."""
        numbers: Floats = (self.interpolator(point[None]) @ values)[0]
        return numbers

    def left_out(self, values: Floats) -> Floats:
        """Return the difference of each simulation from the prediction without it: (n, k)."""
        errors: Floats = (values - self.own @ values) / (1.0 - np.diag(self.own)[:, None])
        return errors


def smoothers(points: Floats) -> list[Smoother]:
    """Return smoothers to choose from, for points of shape (n, d)."""
    width = float(np.median(pdist(points))) or 1.0
    candidates = []
    for multiple in _WIDTHS:
        for smoothing in _SMOOTHING:
            interpolator = RBFInterpolator(
                points,
                np.eye(len(points)),
                kernel="gaussian",
                epsilon=1.0 / (np.sqrt(2.0) * multiple * width),
                smoothing=smoothing,
                degree=0,
            )
            own = interpolator(points)
            # A simulation that alone decides about itself cannot be left out.
            if np.diag(own).max() < 1.0 - 1e-6:
                candidates.append(Smoother(interpolator, own))
    return candidates


@dataclass(frozen=True, eq=False)
class Smoothed:
    """Numbers of simulations, shape (n, k), by the smoothers that predict them best."""

    values: Floats
    left_out: Floats  # difference of each simulation from the prediction without it
    chosen: Sequence[tuple[Smoother, npt.NDArray[np.intp]]]  # with the columns that each predicts

    @classmethod
    def of(
        cls,
        candidates: Sequence[Smoother],
        values: Floats,
        judged: npt.NDArray[np.intp] | None = None,
    ) -> Smoothed:
        """Choose for each column the smoother with the least mean square of errors left out.

        Or columns are judged together, by their geometric mean, for all others. With one smoother a
        curve stays a curve: where those of all simulations are flat, so is the prediction.
        """
        some = values if judged is None else values[:, judged]
        squares = np.array([(smoother.left_out(some) ** 2).mean(axis=0) for smoother in candidates])
        if judged is None:
            best = np.argmin(squares, axis=0)
        else:
            logs = np.log(squares + _FLAT**2)
            best = np.full(values.shape[1], np.argmin(logs.mean(axis=1)))
        chosen = [
            (candidates[number], np.flatnonzero(best == number)) for number in np.unique(best)
        ]
        errors = np.empty_like(values)
        for smoother, columns in chosen:
            errors[:, columns] = smoother.left_out(values[:, columns])
        return cls(values, errors, chosen)

    def at(self, point: Floats) -> Floats:
        """Return the numbers at a point: shape (k,)."""
        numbers = np.empty(self.values.shape[1])
        for smoother, columns in self.chosen:
            numbers[columns] = smoother.at(point, self.values[:, columns])
        return numbers
