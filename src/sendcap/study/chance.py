"""How the errors to come follow from those seen so far, and what of them is left to chance.

The last readings tell most: where a curve stays as it is, its error stays as well. What is to come
is therefore first regressed on the errors of the last readings, and what is then left on those of
the increments before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sendcap.study.conditioning import Likelihood
from sendcap.study.noise import joint_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_MOST_OWN: Final = 0.9
_SAME: Final = 1e-8
"""Last readings whose errors differ by a smaller share tell the same."""


@dataclass(frozen=True, eq=False)
class Chance:
    """Draws of the errors to come, given those seen; all errors over their deviations.

    Attributes
    ----------
    last, before : ndarray, shape (n, …)
        Errors of the simulations: in the last readings, and in the increments as far as they do
        not follow from those.
    scatter_inverse
        Inverse of the sums of squares and products of the latter.
    last_seen, before_seen : ndarray, shape (s, …)
        The same of the real readings, if a point is the truth.
    which : ndarray, shape (s,)
        The simulation whose own chance each draw takes.
    size : ndarray, shape (s,)
        By how much it is larger or smaller, as a multivariate t has it.
    """

    last: Floats = field(repr=False)
    before: Floats = field(repr=False)
    scatter_inverse: Floats = field(repr=False)
    last_seen: Floats = field(repr=False)
    before_seen: Floats = field(repr=False)
    which: npt.NDArray[np.intp] = field(repr=False)
    size: Floats = field(repr=False)

    @classmethod
    def of(cls, likelihood: Likelihood, points: Floats, rng: np.random.Generator) -> Chance:
        """Draw for each point which simulation's chance it takes, and how large it is."""
        import numpy as np

        last, last_seen = _last(likelihood, points)
        seen, _ = likelihood.deviations(points)
        errors = likelihood.errors
        from_last = np.linalg.lstsq(last, errors, rcond=_SAME)[0]
        before = errors - last @ from_last
        # Of a single reading nothing is left.
        more = (before**2).mean(axis=0) > _SAME
        before, from_last = before[:, more], from_last[:, more]
        # In units of their own, or what is left of some would be too small to be told from nothing.
        inverse = 1.0 / np.sqrt((before**2).mean(axis=0))
        before = before * inverse
        joint = joint_of(before)
        degrees = likelihood.degrees + likelihood.size
        wider = (likelihood.degrees + likelihood.distance(seen)) / rng.chisquare(
            degrees, len(points)
        )
        return cls(
            last,
            before,
            joint.precision / joint.degrees,
            last_seen,
            (seen[:, more] - last_seen @ from_last) * inverse,
            rng.integers(len(errors), size=len(points)),
            np.sqrt(wider),
        )

    def drawn(self, errors: Floats) -> Floats:
        """Return a draw of errors to come for each point, given those of the simulations.

        Parameters
        ----------
        errors : ndarray, shape (n, m)
            Of the simulations, over their deviations.

        Returns
        -------
        ndarray, shape (s, m)
        """
        import numpy as np

        inverse = np.linalg.pinv(self.last, rcond=_SAME)
        from_last = inverse @ errors
        rest = errors - self.last @ from_last
        from_before = self.scatter_inverse @ self.before.T @ rest
        own = np.einsum("ij,ji->i", self.last, inverse)
        own += np.einsum("ij,jk,ik->i", self.before, self.scatter_inverse, self.before)
        # As it would be had the simulation itself not been used to find what follows from what.
        left = (rest - self.before @ from_before) / (1.0 - np.minimum(own, _MOST_OWN))[:, None]
        follows = self.last_seen @ from_last + self.before_seen @ from_before
        drawn: Floats = follows + self.size[:, None] * left[self.which]
        return drawn


def _last(likelihood: Likelihood, points: Floats) -> tuple[Floats, Floats]:
    """Return the errors of the last reading of each curve: of the simulations, and at points."""
    import numpy as np

    simulated, seen = [], []
    for its in likelihood.blocks:
        mean, deviation = its.last.at(points)
        simulated.append(its.last.errors)
        seen.append((its.last_observed - mean) / deviation)
    return np.concatenate(simulated, axis=1), np.concatenate(seen, axis=1)
