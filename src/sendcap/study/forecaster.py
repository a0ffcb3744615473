"""Forecasts from a reference table; `sendcap.study.forecast` tells the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sendcap.analysis.convergence import TOLERANCES_PT, settling_s
from sendcap.reporting.modes import ALL_DELIVERIES, Mode
from sendcap.study.adjustment import Adjustment
from sendcap.study.novelty import Novelty
from sendcap.study.outlook import Forecast
from sendcap.study.readings import READ, Readings
from sendcap.study.reference import ReferenceTable
from sendcap.study.smoother import smoothers
from sendcap.study.summaries import Summaries

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

CONFIDENCE: Final = 0.9


@dataclass(frozen=True, eq=False)
class Forecaster:
    """Forecasts from readings that were noted at the same times.

    Attributes
    ----------
    table
        The simulations.
    delivery
        Whose readings they are.
    tolerances_pt
        Points of Delivered % within which it is to stay, the largest first.
    summaries, centre, scale
        What is compared, and how it is standardised.
    novelty
        How strange readings are.
    values
        Of the ranges, as normal deviates.
    curves
        Delivered % by mode, and at which moments there is one.
    settling
        By mode, for each tolerance from when on it stays within.
    """

    table: ReferenceTable
    delivery: str
    tolerances_pt: tuple[float, ...]
    summaries: Summaries = field(repr=False)
    centre: Floats = field(repr=False)
    scale: Floats = field(repr=False)
    novelty: Novelty = field(repr=False)
    values: Adjustment = field(repr=False)
    curves: Mapping[Mode, tuple[Adjustment, npt.NDArray[np.bool_]]] = field(repr=False)
    settling: Mapping[Mode, Adjustment] = field(repr=False)

    @classmethod
    def of(
        cls,
        table: ReferenceTable,
        readings: Mapping[Mode, Readings],
        delivery: str = ALL_DELIVERIES,
        tolerances_pt: tuple[float, ...] = TOLERANCES_PT,
    ) -> Forecaster:
        """Fit what is to come to what such readings are in the simulations.

        Parameters
        ----------
        table
            Of the simulations.
        readings
            Only their times, columns and decimals matter.
        delivery
            Whose they are.
        tolerances_pt
            Points of Delivered % within which it is to stay.

        Raises
        ------
        SendcapError
            If such readings are the same in all simulations.
        """
        import numpy as np
        from scipy.stats import norm

        summaries = Summaries.of(table, readings, delivery)
        centre = summaries.simulated.mean(axis=0)
        # What differs by less than it is rounded to says little.
        scale = np.maximum(summaries.simulated.std(axis=0), summaries.step_pt)
        candidates = smoothers((summaries.simulated - centre) / scale)
        # A delivery may last a little longer than those that were simulated.
        at_s = min(_last_s(readings), float(table.moments_s[-1]))
        curves, settling = {}, {}
        for mode in readings:
            drawn = table.curves[mode, delivery, READ[0]]
            ahead = (table.moments_s >= at_s) & ~np.isnan(drawn).any(axis=0)
            curves[mode] = Adjustment.of(candidates, drawn[:, ahead]), ahead
            settled = [
                [settling_s(table.moments_s, curve, tolerance) for tolerance in tolerances_pt]
                for curve in drawn
            ]
            settling[mode] = Adjustment.of(candidates, np.array(settled))
        return cls(
            table,
            delivery,
            tolerances_pt,
            summaries,
            centre,
            scale,
            Novelty.of(summaries),
            Adjustment.of(candidates, norm.ppf(table.places)),
            curves,
            settling,
        )

    def forecast(
        self, readings: Mapping[Mode, Readings], confidence: float = CONFIDENCE
    ) -> Forecast:
        """Forecast what comes after readings; see `sendcap.forecast`."""
        import numpy as np
        from scipy.stats import norm

        table = self.table
        observed = self.summaries.observed(readings)
        point = (observed - self.centre) / self.scale
        curves = {}
        for mode, (adjustment, ahead) in self.curves.items():
            curves[mode] = np.full((table.n, len(table.moments_s)), np.nan)
            curves[mode][:, ahead] = np.clip(adjustment.draws(point), 0.0, 100.0)
        end_s = float(table.moments_s[-1])
        return Forecast(
            uncertain=table.uncertain,
            delivery=self.delivery,
            readings=readings,
            at_s=_last_s(readings),
            confidence=confidence,
            tolerances_pt=self.tolerances_pt,
            simulations=table.n,
            places=norm.cdf(self.values.draws(point)),
            moments_s=table.moments_s,
            curves=curves,
            settling_s={
                mode: np.clip(its.draws(point), 0.0, end_s) for mode, its in self.settling.items()
            },
            p_value=self.novelty.p_value(observed),
        )


def _last_s(readings: Mapping[Mode, Readings]) -> float:
    return max(float(its.time_s[-1]) for its in readings.values())
