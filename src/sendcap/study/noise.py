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
_RIDGE_OF_SUMS: Final = 1e-4
"""No sum of errors varies less than this share of a single one's variance, so that all can be."""
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


class Joint(NamedTuple):
    """A multivariate t distribution of errors about zero.

    Attributes
    ----------
    precision : ndarray, shape (k, k)
        Inverse of its scale matrix.
    degrees
        Of freedom.
    """

    precision: Floats
    degrees: int


def joint_of(errors: Floats) -> Joint:
    """Return how errors over their deviations go together, not knowing their covariance.

    What another delivery's errors are, given n of them and no knowledge before: multivariate t
    with n - k + 1 degrees of freedom. Nothing is shrunk towards independence. That would make a
    sum that hardly varies seem to vary, and such sums tell most.

    Parameters
    ----------
    errors : ndarray, shape (n, k)
        With n well above k.

    References
    ----------
    A. Gelman et al., "Bayesian Data Analysis", 3rd edition (2013), section 3.6: the noninformative
    prior; the mean is known here.
    """
    import numpy as np

    n, k = errors.shape
    degrees = max(n - k + 1, 1)
    scatter = errors.T @ errors + n * _RIDGE_OF_SUMS * np.eye(k)
    return Joint(np.linalg.inv(scatter / degrees).astype(np.float64), degrees)


def innovations_of(errors: Floats, floor: float) -> Floats:
    """Return the matrix that takes from each error what follows from those before it.

    What is left, the innovations, can be of different size in different places without a sum of
    errors that is certain, such as that all is sent in the end, becoming uncertain.

    Parameters
    ----------
    errors : ndarray, shape (n, k)
        Not scaled.
    floor
        Least standard deviation.

    Returns
    -------
    ndarray, shape (k, k)
        Lower triangular, with ones on its diagonal.

    References
    ----------
    M. Pourahmadi, "Joint mean-covariance models with applications to longitudinal data",
    Biometrika 86 (1999): the modified Cholesky decomposition.
    """
    import numpy as np
    from scipy.linalg import solve_triangular

    n, k = errors.shape
    lower = np.linalg.cholesky(errors.T @ errors / n + floor**2 * 1e-2 * np.eye(k))
    lower = lower / np.diag(lower)
    found: Floats = solve_triangular(lower, np.eye(k), lower=True, unit_diagonal=True)
    return found


def _with_one(points: Floats) -> Floats:
    import numpy as np

    return np.column_stack([np.ones(len(points)), points])
