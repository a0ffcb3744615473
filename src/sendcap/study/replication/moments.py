"""The moments at which replications are read: one grid for all of them, whatever their draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sendcap.readings.convergence import MOMENTS_S

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sendcap.scenario import Scenario

_EARLY: Final = 30
"""The first bins of a delivery are all read: its curve is steep there."""
_LATE: Final = 400
"""Moments from there to the end, in equal ratios, shared among the deliveries."""
_MOST_STARTS: Final = 16
_AT_EXPIRY: Final = 24
"""Moments while the validity of a delivery ends: there, too, the curve is steep."""


def reading_moments_s(scenario: Scenario) -> npt.NDArray[np.float64]:
    """Return the moments at which the replications of a scenario are read, in seconds from t = 0.

    They are edges of the ledger's bins: a few hundred, close together when a delivery starts and
    when its validity ends, wider and wider in between; and `MOMENTS_S`.
    """
    import numpy as np

    from sendcap.model.feasibility import relaying_s, simulated_s

    bin_s = scenario.time.bin
    end_s = min(scenario.time.horizon or math.inf, simulated_s(scenario))
    starts_s = sorted({its.at for its in scenario.deliveries})
    starts_s = [starts_s[place] for place in _evenly(len(starts_s))]
    moments = [np.array([0.0, *MOMENTS_S, end_s])]
    for start_s in starts_s:
        steep_s = _EARLY * bin_s
        moments.append(start_s + np.arange(_EARLY) * bin_s)
        if start_s + steep_s < end_s:
            late = np.geomspace(steep_s, end_s - start_s, max(_LATE // len(starts_s), _EARLY))
            moments.append(start_s + late)
    relaying = relaying_s(scenario)
    for place in _evenly(len(scenario.deliveries)):
        its = scenario.deliveries[place]
        expires_s = its.at + its.honoured_validity
        moments.append(np.linspace(expires_s, expires_s + its.spread + 1.2 * relaying, _AT_EXPIRY))
    together = np.concatenate(moments)
    edges = np.floor(together[together <= end_s] / bin_s * (1 + 1e-12))
    return np.unique(edges) * bin_s


def _evenly(count: int) -> list[int]:
    """Return all places, or where there are too many of them, some from the first to the last."""
    if count <= _MOST_STARTS:
        return list(range(count))
    step = (count - 1) / (_MOST_STARTS - 1)
    return [round(number * step) for number in range(_MOST_STARTS)]
