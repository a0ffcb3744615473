"""Whether readings are like those of the simulations: a conformal test.

The measure of strangeness is the distance to the nearest simulations, in units of how much the
readings vary in each direction (Mahalanobis distance). Each simulation is measured in the same way
against the others. Were the readings those of one more such simulation, they would be the
strangest of all in one of n + 1 cases (V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in
a Random World", 2005; R. Laxhammar, G. Falkman, "Conformal prediction for distribution-independent
anomaly detection in streaming vessel data", 2010).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sendcap.study.forecasts.summaries import Summaries

    Floats = npt.NDArray[np.float64]

_NEAREST: Final = 5


@dataclass(frozen=True, eq=False)
class Novelty:
    """How strange each simulation's readings are among the others'.

    Attributes
    ----------
    summaries
        The readings.
    own : ndarray, shape (n,)
        How strange each of them is.
    """

    summaries: Summaries = field(repr=False)
    own: Floats = field(repr=False)

    @classmethod
    def of(cls, summaries: Summaries) -> Novelty:
        """Measure each simulation against the others."""
        import numpy as np

        its, step_pt = summaries.simulated, summaries.step_pt
        rest = (np.delete(its, number, axis=0) for number in range(len(its)))
        found = [_strangeness(others, step_pt, one) for others, one in zip(rest, its, strict=True)]
        return cls(summaries, np.array(found))

    def p_value(self, observed: Floats) -> float:
        """Return in what share of cases such a simulation would be as strange by chance."""
        its = self.summaries
        strangeness = _strangeness(its.simulated, its.step_pt, observed)
        return float(1 + (self.own >= strangeness).sum()) / (1 + len(self.own))


def _strangeness(simulated: Floats, step_pt: Floats, one: Floats) -> float:
    """Return the mean distance to the nearest simulations."""
    import numpy as np
    from scipy.spatial.distance import cdist

    scale = np.maximum(simulated.std(axis=0), step_pt)
    apart = (simulated - one) / scale
    # Rounding counts once more, so that there is a distance also where all of them are equal.
    rounding = np.diag((step_pt / scale) ** 2 / 12.0)
    precision = np.linalg.inv(np.atleast_2d(np.cov(apart, rowvar=False)) + rounding)
    distances = cdist(apart, np.zeros((1, len(one))), "mahalanobis", VI=precision)[:, 0]
    return float(np.sort(distances)[:_NEAREST].mean())
