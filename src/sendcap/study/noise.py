"""What an emulator leaves unexplained: how large it is where, and how its parts go together.

It is the simulations' own chance and the emulator's error, taken together, as they come when each
simulation is predicted from the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_ROUNDS: Final = 30
_FEWEST_DEGREES: Final = 3.0
_RIDGE: Final = 2.0
"""That the variance differs by a factor of e across half a range is a priori one sigma."""


@dataclass(frozen=True, eq=False)
class Scale:
    """Standard deviations that differ over the ranges: log-linear variances.

    Attributes
    ----------
    coefficients : ndarray, shape (1 + d, k)
        Of the log variance, in the cube from -1 to 1.
    floor : ndarray, shape (k,)
        Least standard deviation.
    """

    coefficients: Floats = field(repr=False)
    floor: Floats = field(repr=False)

    def at(self, points: Floats) -> Floats:
        """Return standard deviations at points: shape (points, k)."""
        import numpy as np

        found: Floats = np.exp(0.5 * _with_one(points) @ self.coefficients)
        return np.maximum(found, self.floor)


def scale_of(points: Floats, errors: Floats, floor: float) -> Scale:
    """Fit standard deviations to errors, by maximum likelihood with a weak pull to equal ones.

    Parameters
    ----------
    points : ndarray, shape (n, d)
        In the cube from -1 to 1.
    errors : ndarray, shape (n, k)
        With a mean of about 0.
    floor
        Least standard deviation.

    References
    ----------
    A. C. Harvey, "Estimating regression models with multiplicative heteroscedasticity",
    Econometrica 44 (1976): Fisher scoring with regressors of the log variance.
    """
    import numpy as np

    design = _with_one(points)
    squares = np.maximum(errors**2, floor**2 * 1e-2)
    ridge = np.diag([1e-9] + [_RIDGE] * points.shape[1])
    information = design.T @ design + ridge
    coefficients = np.zeros((design.shape[1], errors.shape[1]))
    coefficients[0] = np.log(np.maximum(squares.mean(axis=0), floor**2))
    for _ in range(_ROUNDS):
        relative = squares / np.exp(design @ coefficients)
        score = design.T @ (relative - 1.0) - ridge @ coefficients
        score[0] += 1e-9 * coefficients[0]
        # No step so long that it overshoots where a few errors are far larger than the rest.
        coefficients += np.clip(np.linalg.solve(information, score), -1.0, 1.0)
    return Scale(coefficients, np.full(errors.shape[1], floor))


def correlation_of(scaled: Floats) -> Floats:
    """Return the correlation of errors of about unit variance, shrunk towards none.

    Parameters
    ----------
    scaled : ndarray, shape (n, k)
        Errors over their standard deviations.

    References
    ----------
    J. Schäfer, K. Strimmer, "A shrinkage approach to large-scale covariance matrix estimation and
    implications for functional genomics", Statistical Applications in Genetics and Molecular
    Biology 4 (2005), target "diagonal, unit variance" of correlations.
    """
    import numpy as np

    n, k = scaled.shape
    unit = scaled / np.sqrt((scaled**2).mean(axis=0))
    raw: Floats = unit.T @ unit / n
    if k < 2:
        return raw
    variance = ((unit**2).T @ (unit**2) / n - raw**2) / (n - 1)
    off = ~np.eye(k, dtype=bool)
    shrink = float(
        np.clip(variance[off].sum() / max(float((raw[off] ** 2).sum()), 1e-12), 0.0, 1.0)
    )
    shrink = max(shrink, 1e-3)
    correlation: Floats = (1.0 - shrink) * raw
    np.fill_diagonal(correlation, 1.0)
    return correlation


class Tails(NamedTuple):
    """How much further out errors are than normal ones: degrees of freedom, and a squared scale."""

    degrees: float
    scale: float


def tails_of(scaled: Floats, precision: Floats) -> Tails:
    """Fit a multivariate t distribution to errors, each judged by the covariance of the others.

    Parameters
    ----------
    scaled : ndarray, shape (n, k)
        Errors over their standard deviations.
    precision : ndarray, shape (k, k)
        Inverse of their correlation.
    """
    import numpy as np
    from scipy import optimize, special

    n, k = scaled.shape
    own = np.einsum("ij,jk,ik->i", scaled, precision, scaled)
    # Without an error itself in the covariance it is measured by (Sherman and Morrison).
    distance = own * (n - 1) / n / np.maximum(1.0 - own / n, 0.1)

    def surprise(logs: Floats) -> float:
        degrees, scale = np.exp(logs)
        each = (
            special.gammaln((degrees + k) / 2)
            - special.gammaln(degrees / 2)
            - 0.5 * k * np.log(degrees * scale)
            - 0.5 * (degrees + k) * np.log1p(distance / (degrees * scale))
        )
        return -float(each.sum())

    bounds = [(np.log(_FEWEST_DEGREES), np.log(n)), (np.log(0.1), np.log(10.0))]
    start = np.array([np.log(min(20.0, 0.5 * n)), 0.0])
    found = optimize.minimize(surprise, start, bounds=bounds, method="L-BFGS-B")
    degrees, scale = np.exp(found.x).tolist()
    return Tails(degrees, scale)


def _with_one(points: Floats) -> Floats:
    import numpy as np

    return np.column_stack([np.ones(len(points)), points])
