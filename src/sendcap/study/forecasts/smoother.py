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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial.distance import pdist

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_WIDTHS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Of the kernel, as multiples of the median distance between the points."""
_FLAT: Final = 1e-4
"""Errors that are less than this are as good as none."""
_SMOOTHING: Final = tuple(10.0**power for power in range(-6, 3))


@dataclass(frozen=True, eq=False)
class Smoother:
    """Weights of the simulations at any point, for one width and one smoothing.

    Attributes
    ----------
    interpolator
        Interpolator of the columns of the identity matrix, whose values are the weights.
    own : ndarray, shape (n, n)
        The weights at the simulations' own points.
    """

    interpolator: Any = field(repr=False)
    own: Floats = field(repr=False)

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
    """Numbers, by the smoothers that predict them best.

    Attributes
    ----------
    values : ndarray, shape (n, k)
        Values of the simulations.
    left_out : ndarray, shape (n, k)
        Difference of each simulation from the prediction without it.
    chosen
        The smoothers, and the columns that each of them predicts.
    """

    values: Floats = field(repr=False)
    left_out: Floats = field(repr=False)
    chosen: Sequence[tuple[Smoother, npt.NDArray[np.intp]]] = field(repr=False)

    @classmethod
    def of(
        cls,
        candidates: Sequence[Smoother],
        values: Floats,
        judged: npt.NDArray[np.intp] | None = None,
    ) -> Smoothed:
        """Choose for each column the smoother with the least mean square of errors left out.

        Parameters
        ----------
        candidates
            To choose from.
        values : ndarray, shape (n, k)
            Values of the simulations.
        judged
            Columns that decide for all others, by the geometric mean of these. With one smoother a
            curve stays a curve: where those of all simulations are flat, so is what is predicted.
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
