"""An emulator: what simulations at some points tell about the points in between.

Radial basis functions with smoothing (`scipy.interpolate.RBFInterpolator`), that is kriging with a
polynomial trend. The prediction is linear in the simulations, so a single set of weights serves
every moment of a curve, and the error of leaving one simulation out follows without fitting again:
residual / (1 - h), where h is the weight that a simulation has at its own point (Craven and Wahba,
"Smoothing noisy data with spline functions", Numerische Mathematik 31, 1979).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from sendcap.study.noise import Scale, scale_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_Kernel = Literal["thin_plate_spline", "quintic"]

_SMOOTHING: Final = tuple(10.0**power for power in (-5, -3, -2, -1, 0, 1, 2, 4))
_RATIO: Final = 3
"""Simulations that there must be for each coefficient of the polynomial."""


@dataclass(frozen=True, eq=False)
class Smoother:
    """Weights of the simulations at any point, for one kernel and smoothing.

    Attributes
    ----------
    interpolator
        Of the columns of the identity matrix.
    at_points : ndarray, shape (n, n)
        The weights at the simulations' own points.
    """

    interpolator: Any = field(repr=False)
    at_points: Floats = field(repr=False)

    def weights(self, points: Floats) -> Floats:
        """Return the weights of the simulations at points: shape (points, n)."""
        found: Floats = self.interpolator(points)
        return found

    def left_out(self, values: Floats) -> Floats:
        """Return what each simulation differs by from the prediction without it."""
        import numpy as np

        own = np.diag(self.at_points)[:, None]
        errors: Floats = (values - self.at_points @ values) / (1.0 - own)
        return errors

    @property
    def own_widening(self) -> Floats:
        """By how much chance in the others widens the errors of `left_out`: shape (n,)."""
        import numpy as np

        own = np.diag(self.at_points)
        others = (self.at_points**2).sum(axis=1) - own**2
        found: Floats = np.sqrt(1.0 + others / (1.0 - own) ** 2)
        return found


def widening(weights: Floats) -> Floats:
    """Return by how much chance in the simulations widens the error at each point.

    Far from the simulations' middle a prediction rests on few of them.
    """
    import numpy as np

    found: Floats = np.sqrt(1.0 + (weights**2).sum(axis=1))
    return found


def smoothers(points: Floats) -> list[Smoother]:
    """Return smoothers to choose from: linear and quadratic trend, from stiff to supple."""
    import numpy as np
    from scipy.interpolate import RBFInterpolator

    n, d = points.shape
    found = []
    for kernel, degree, smoothing in _kinds(n, d):
        its = RBFInterpolator(
            points, np.eye(len(points)), kernel=kernel, degree=degree, smoothing=smoothing
        )
        at_points = its(points)
        if np.diag(at_points).max() < 1.0 - 1e-6:
            found.append(Smoother(its, at_points))
    return found


def _kinds(n: int, d: int) -> Iterator[tuple[_Kernel, int, float]]:
    for smoothing in _SMOOTHING:
        yield "thin_plate_spline", 1, smoothing
        if n >= _RATIO * (d + 1) * (d + 2) // 2:
            yield "quintic", 2, smoothing


def best(candidates: Sequence[Smoother], values: Floats) -> Smoother:
    """Return the smoother with the least errors of leaving one out.

    Errors are compared as geometric means over the columns of ``values``, so that those in which
    the simulations differ most do not decide alone. Columns with NaN do not count.
    """
    import numpy as np

    told = values[:, np.ptp(values, axis=0) > 0.0]
    if not told.size:
        return candidates[0]

    def error(its: Smoother) -> float:
        squares = (its.left_out(told) ** 2).mean(axis=0)
        return float(np.log(squares + 1e-20).mean())

    return min(candidates, key=error)


@dataclass(frozen=True, eq=False)
class Means:
    """Numbers as functions of a point.

    Attributes
    ----------
    smoother
        That predicts them.
    values : ndarray, shape (n, k)
        Of the simulations.
    single : ndarray, shape (n, k)
        Errors of each simulation, predicted from the others, without what chance in those adds.
    """

    smoother: Smoother = field(repr=False)
    values: Floats = field(repr=False)
    single: Floats = field(repr=False)

    @classmethod
    def of(cls, smoother: Smoother, values: Floats) -> Means:
        """Emulate numbers of the simulations."""
        return cls(smoother, values, smoother.left_out(values) / smoother.own_widening[:, None])

    def at(self, points: Floats) -> tuple[Floats, Floats]:
        """Return means at points, and by how much chance in the simulations widens their errors.

        Arrays of shape (points, k) and (points, 1).
        """
        weights = self.smoother.weights(points)
        return weights @ self.values, widening(weights)[:, None]


@dataclass(frozen=True, eq=False)
class Emulated:
    """Numbers as functions of a point: their means, their deviations, and the errors left.

    Attributes
    ----------
    means
        Of the numbers.
    scale
        Standard deviations of a single simulation, over the cube.
    errors : ndarray, shape (n, k)
        Of each simulation, predicted from the others, over its deviation.
    """

    means: Means = field(repr=False)
    scale: Scale = field(repr=False)
    errors: Floats = field(repr=False)

    @classmethod
    def of(cls, smoother: Smoother, points: Floats, values: Floats, floor: float) -> Emulated:
        """Emulate numbers of simulations at points; no deviation is less than the floor."""
        means = Means.of(smoother, values)
        scale = scale_of(points, means.single, floor)
        return cls(means, scale, means.single / scale.at(points))

    def at(self, points: Floats) -> tuple[Floats, Floats]:
        """Return means and deviations at points, two arrays of shape (points, k)."""
        mean, wider = self.means.at(points)
        return mean, self.scale.at(points) * wider
