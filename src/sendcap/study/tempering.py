"""Draws from a posterior over a cube, by tempered sequential Monte Carlo.

A cloud of points starts evenly in the cube and is led to the posterior in steps: each raises the
power of the likelihood until the effective sample size is half, picks points by their weights, and
moves them by random-walk Metropolis steps. Unlike importance sampling from the ranges, it finds a
posterior that is a millionth of them, and unlike a single chain, several separate ones.

References
----------
P. Del Moral, A. Doucet, A. Jasra, "Sequential Monte Carlo samplers", Journal of the Royal
Statistical Society B 68 (2006); N. Chopin, O. Papaspiliopoulos, "An Introduction to Sequential
Monte Carlo" (2020), chapter 17.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_KEEP: Final = 0.5
"""Effective sample size after a step, as a share of the points."""
_ACCEPTED: Final = 3.0
"""Moves that a point makes on average after each step."""
_MOST_ROUNDS: Final = 30
_MOST_STEPS: Final = 200


def posterior(
    log_likelihood: Callable[[Floats], Floats],
    dimensions: int,
    size: int,
    rng: np.random.Generator,
) -> Floats:
    """Draw from a posterior whose prior is uniform in the cube from -1 to 1.

    Parameters
    ----------
    log_likelihood
        Of points of shape (n, dimensions): shape (n,).
    dimensions
        Of the cube.
    size
        How many points.

    Returns
    -------
    ndarray, shape (size, dimensions)
    """
    import numpy as np
    from scipy.stats import qmc

    sobol = qmc.Sobol(dimensions, seed=rng).random_base2((size - 1).bit_length())
    points: Floats = 2.0 * sobol[:size] - 1.0
    likelihood = log_likelihood(points)
    power = 0.0
    for _ in range(_MOST_STEPS):
        step = _step(likelihood, 1.0 - power)
        power += step
        weights = _weights(step * likelihood)
        mean = weights @ points
        spread = (points - mean) * np.sqrt(weights)[:, None]
        root = _root(spread.T @ spread)
        picked = _systematic(weights, rng)
        points, likelihood = _moved(
            points[picked], likelihood[picked], log_likelihood, power, root, rng
        )
        if power >= 1.0:
            break
    return points


def _step(likelihood: Floats, left: float) -> float:
    """Return by how much the power may rise."""
    from scipy.optimize import brentq

    wanted = _KEEP * len(likelihood)

    def surplus(step: float) -> float:
        return 1.0 / float((_weights(step * likelihood) ** 2).sum()) - wanted

    if surplus(left) >= 0.0:
        return left
    return float(brentq(surplus, 0.0, left, rtol=1e-6, xtol=1e-15))


def _weights(log_weights: Floats) -> Floats:
    import numpy as np

    weights: Floats = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    return weights


def _root(covariance: Floats) -> Floats:
    import numpy as np

    jitter = 1e-12 * max(float(np.trace(covariance)), 1e-12)
    return np.linalg.cholesky(covariance + jitter * np.eye(len(covariance))).astype(np.float64)


def _systematic(weights: Floats, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    import numpy as np

    places = (rng.random() + np.arange(len(weights))) / len(weights)
    ends = np.cumsum(weights)
    return np.searchsorted(ends / ends[-1], places)


def _moved(
    points: Floats,
    likelihood: Floats,
    log_likelihood: Callable[[Floats], Floats],
    power: float,
    root: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    import numpy as np

    n, dimensions = points.shape
    accepted, stride = 0.0, 2.38 / np.sqrt(dimensions)
    for _ in range(_MOST_ROUNDS):
        proposed = points + stride * rng.standard_normal((n, dimensions)) @ root.T
        inside = (np.abs(proposed) <= 1.0).all(axis=1)
        theirs = np.full(n, -np.inf)
        if inside.any():
            theirs[inside] = log_likelihood(proposed[inside])
        taken = np.log(rng.random(n)) < power * (theirs - likelihood)
        points = np.where(taken[:, None], proposed, points)
        likelihood = np.where(taken, theirs, likelihood)
        rate = float(taken.mean())
        accepted += rate
        # Towards the acceptance at which a random walk explores fastest.
        stride *= np.exp(rate - 0.3)
        if accepted >= _ACCEPTED:
            break
    return points, likelihood
