"""Forecasts from a reference table; `sendcap.study.forecasts.forecast` describes the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from sendcap.readings.convergence import TOLERANCES_PT
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.study.forecasts.adjustment import Adjustment, Novelty
from sendcap.study.forecasts.outlook import Forecast
from sendcap.study.forecasts.readings import READ, Readings, last_reading_s
from sendcap.study.forecasts.reference import ReferenceTable
from sendcap.study.forecasts.smoother import smoothers
from sendcap.study.forecasts.summaries import Summaries

Floats = npt.NDArray[np.float64]

CONFIDENCE: Final = 0.9
_JUDGED: Final = 32
"""Moments to come of a curve that decide the smoothing."""


@dataclass(frozen=True, eq=False)
class Forecaster:
    """Forecasts from readings at the same times."""

    table: ReferenceTable
    delivery: str
    summaries: Summaries
    centre: Floats  # of the summaries' standardisation
    scale: Floats
    novelty: Novelty
    values: Adjustment  # in the ranges, as normal deviates
    curves: Mapping[Mode, tuple[Adjustment, npt.NDArray[np.intp]]]  # and the moments with a value

    @classmethod
    def of(
        cls,
        table: ReferenceTable,
        readings: Mapping[Mode, Readings],
        delivery: str = ALL_DELIVERIES,
    ) -> Forecaster:
        """Fit the future of the simulations to readings; see `Summaries.of`."""
        summaries = Summaries.of(table, readings, delivery)
        centre = summaries.simulated.mean(axis=0)
        # A difference below the rounding says little.
        scale = np.maximum(summaries.simulated.std(axis=0), summaries.step_pt)
        candidates = smoothers((summaries.simulated - centre) / scale)
        # A delivery may last a little longer than the simulated ones.
        at_s = min(last_reading_s(readings), float(table.moments_s[-1]))
        curves = {}
        for mode in readings:
            drawn = table.curves[mode, delivery, READ[0]]
            known = np.flatnonzero(~np.isnan(drawn).any(axis=0))
            ahead = np.flatnonzero(table.moments_s[known] >= at_s)
            # Adjacent moments are alike.
            judged = ahead[np.linspace(0, len(ahead) - 1, _JUDGED).round().astype(int)]
            curves[mode] = Adjustment.of(candidates, drawn[:, known], judged), known
        return cls(
            table,
            delivery,
            summaries,
            centre,
            scale,
            Novelty.of(summaries),
            Adjustment.of(candidates, norm.ppf(table.places)),
            curves,
        )

    def forecast(
        self,
        readings: Mapping[Mode, Readings],
        confidence: float = CONFIDENCE,
        tolerances_pt: tuple[float, ...] = TOLERANCES_PT,
    ) -> Forecast:
        """Forecast from readings; see `sendcap.forecast`."""
        table = self.table
        observed = self.summaries.observed(readings)
        point = (observed - self.centre) / self.scale
        curves = {}
        for mode, (adjustment, known) in self.curves.items():
            curves[mode] = np.full((table.n, len(table.moments_s)), np.nan)
            curves[mode][:, known] = np.clip(adjustment.draws(point), 0.0, 100.0)
        return Forecast(
            uncertain=table.uncertain,
            delivery=self.delivery,
            readings=readings,
            at_s=last_reading_s(readings),
            confidence=confidence,
            tolerances_pt=tolerances_pt,
            simulations=table.n,
            places=norm.cdf(self.values.draws(point)),
            moments_s=table.moments_s,
            curves=curves,
            p_value=self.novelty.p_value(observed),
        )
