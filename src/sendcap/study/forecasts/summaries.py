"""Summaries: the few readings of each curve that are compared with the simulations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.errors import SendcapError
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.study.forecasts.readings import Readings, last_reading_s, thinned
from sendcap.study.forecasts.reference import ReferenceTable
from sendcap.text.quantities import elapsed

Floats = npt.NDArray[np.float64]

MOMENTS: Final = 6
"""Readings that are used of each curve, at most. With twelve, intervals from both modes were at
times too narrow: more of what was fitted was chance (``experiments/forecast_coverage.py``)."""
_MOST_DECIMALS: Final = 4
"""The simulations' curves are kept as single-precision numbers."""


class Compared(NamedTuple):
    """The compared readings of a curve."""

    mode: Mode
    column: str
    time_s: Floats


@dataclass(frozen=True, eq=False)
class Summaries:
    """The readings of the simulations, at the times and with the decimals of the dashboard's."""

    compared: tuple[Compared, ...]
    simulated: Floats  # one curve after the other: shape (n, k)
    step_pt: Floats  # rounding step of each reading: shape (k,)

    @classmethod
    def of(
        cls,
        table: ReferenceTable,
        readings: Mapping[Mode, Readings],
        delivery: str = ALL_DELIVERIES,
    ) -> Summaries:
        """Choose the readings to compare; only their times, columns and decimals matter."""
        compared, simulated, steps = [], [], []
        curves = [(noted, column) for noted in readings.values() for column in noted.percent]
        for noted, column in curves:
            decimals = min(noted.decimals, _MOST_DECIMALS)
            step_pt = 10.0**-decimals
            time_s = noted.time_s[~np.isnan(noted.percent[column])]
            # As the dashboard rounds them, so that rounding is part of the errors.
            values = np.round(table.read(noted.mode, delivery, column, time_s), decimals)
            known = ~np.isnan(values).any(axis=0)
            time_s, values = time_s[known], values[:, known]
            if not len(time_s):
                continue
            varies = np.ptp(values, axis=0) > step_pt
            chosen = thinned(time_s, MOMENTS, int(np.argmax(varies)))
            compared.append(Compared(noted.mode, column, time_s[chosen]))
            simulated.append(values[:, chosen])
            steps.append(np.full(len(chosen), step_pt))
        if all(np.ptp(values, axis=0).max() <= 0.0 for values in simulated):
            last_s = last_reading_s(readings)
            raise SendcapError(
                f"observed: up to {elapsed(last_s)} all values in the ranges give the same "
                "readings; wait for later ones"
            )
        return cls(tuple(compared), np.concatenate(simulated, axis=1), np.concatenate(steps))

    def observed(self, readings: Mapping[Mode, Readings]) -> Floats:
        """Return the same readings of the dashboard: shape (k,)."""
        values = []
        for mode, column, time_s in self.compared:
            noted = readings[mode]
            values.append(noted.percent[column][np.searchsorted(noted.time_s, time_s)])
        return np.concatenate(values)
