"""An emulator: what simulations at some points tell about the points in between.

Radial basis functions with smoothing (`scipy.interpolate.RBFInterpolator`), that is kriging with a
polynomial trend. The prediction is linear in the simulations, so a single set of weights serves
every moment of a curve, and the error of leaving one simulation out follows without fitting again:
residual / (1 - h), where h is the weight that a simulation has at its own point (Craven and Wahba,
"Smoothing noisy data with spline functions", Numerische Mathematik 31, 1979).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_Key = TypeVar("_Key")
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


def chosen(candidates: list[Smoother], curves: Mapping[_Key, Floats]) -> dict[_Key, Smoother]:
    """Return for each curve the smoother with the least error of leaving one out.

    Errors are compared as geometric means over the moments, so that the moments at which a curve
    differs most between simulations do not decide alone.
    """
    import numpy as np

    def error(its: Smoother, values: Floats) -> float:
        squares = (its.left_out(values) ** 2).mean(axis=0)
        return float(np.log(squares + 1e-20).mean())

    found = {}
    for key, curve in curves.items():
        varies = np.ptp(curve, axis=0) > 0.0
        values = curve[:, varies & ~np.isnan(curve).any(axis=0)]
        if not values.size:
            found[key] = candidates[0]
            continue
        found[key] = min(candidates, key=lambda its, values=values: error(its, values))  # type: ignore[misc]
    return found
