"""What of the dashboard's readings is compared with the simulations: a few numbers of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.errors import SendcapError
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.study.forecasts.readings import thinned
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sendcap.readings.modes import Mode
    from sendcap.study.forecasts.readings import Readings
    from sendcap.study.forecasts.reference import ReferenceTable

    Floats = npt.NDArray[np.float64]

MOMENTS: Final = 6
"""Readings that are used of each curve, at most. With twelve, intervals from both modes were at
times too narrow: more of what was fitted was chance (``experiments/forecast_coverage.py``)."""
_MOST_DECIMALS: Final = 4
"""The simulations' curves are kept as single-precision numbers."""


class Compared(NamedTuple):
    """Which readings of a curve are compared."""

    mode: Mode
    column: str
    time_s: Floats


@dataclass(frozen=True, eq=False)
class Summaries:
    """The simulations' readings, at times and with decimals as the dashboard's were noted.

    Attributes
    ----------
    compared
        The curves, with the times of the readings that are taken.
    simulated : ndarray, shape (n, k)
        Theirs, one curve after the other.
    step_pt : ndarray, shape (k,)
        To what each of them is rounded.
    """

    compared: tuple[Compared, ...] = field(repr=False)
    simulated: Floats = field(repr=False)
    step_pt: Floats = field(repr=False)

    @classmethod
    def of(
        cls,
        table: ReferenceTable,
        readings: Mapping[Mode, Readings],
        delivery: str = ALL_DELIVERIES,
    ) -> Summaries:
        """Choose what to compare of such readings.

        Parameters
        ----------
        table
            Of the simulations.
        readings
            Only their times, columns and decimals matter.
        delivery
            Whose they are.

        Raises
        ------
        SendcapError
            If the simulations all read the same.
        """
        import numpy as np

        compared, simulated, steps = [], [], []
        for its, column in _curves(readings):
            decimals = min(its.decimals, _MOST_DECIMALS)
            step_pt = 10.0**-decimals
            time_s = its.time_s[~np.isnan(its.percent[column])]
            # As the dashboard rounds them, so that rounding is part of the errors.
            values = np.round(table.read(its.mode, delivery, column, time_s), decimals)
            known = ~np.isnan(values).any(axis=0)
            time_s, values = time_s[known], values[:, known]
            if not len(time_s):
                continue
            varies = np.ptp(values, axis=0) > step_pt
            places = thinned(time_s, MOMENTS, int(np.argmax(varies)))
            compared.append(Compared(its.mode, column, time_s[places]))
            simulated.append(values[:, places])
            steps.append(np.full(len(places), step_pt))
        if all(np.ptp(values, axis=0).max() <= 0.0 for values in simulated):
            last_s = max(float(its.time_s[-1]) for its in readings.values())
            raise SendcapError(
                f"observed: up to {elapsed(last_s)} all values in the ranges give the same "
                "readings; wait for later ones"
            )
        return cls(tuple(compared), np.concatenate(simulated, axis=1), np.concatenate(steps))

    def observed(self, readings: Mapping[Mode, Readings]) -> Floats:
        """Return the same numbers of readings that were noted at the same times: shape (k,)."""
        import numpy as np

        found = []
        for mode, column, time_s in self.compared:
            its = readings[mode]
            found.append(its.percent[column][np.searchsorted(its.time_s, time_s)])
        return np.concatenate(found)


def _curves(readings: Mapping[Mode, Readings]) -> Iterator[tuple[Readings, str]]:
    for its in readings.values():
        for column in its.percent:
            yield its, column
