"""Forecast: the final Delivered percentage, from the readings of the dashboard so far.

Method: approximate Bayesian computation with regression adjustment. Some values of the scenario are
known as ranges only.

1. The scenario is simulated at points that fill the ranges evenly (a Sobol' sequence), each with
   other draws (`sendcap.study.forecasts.reference`).
2. Of each simulation the same readings are taken as from the dashboard: at the same times and with
   the same decimals, up to six of each curve.
3. The ends of these simulations (Delivered % at every later moment and in the end, the settling
   times, the values in the ranges) are smooth functions of these readings
   (`sendcap.study.forecasts.adjustment`, as for the next steps).
4. Each simulation is moved to the observed readings, with the residual of a prediction from the
   others. These are draws of the future, and their quantiles the intervals.
5. Readings that are further from those of all simulations than nearly any simulation is from the
   others come from a delivery that is not like them, and a warning says so.

The promise: over deliveries with values from anywhere in the ranges, each as likely as the next, an
interval contains the truth as often as it says (``experiments/forecast_coverage.py`` measures it).
It is no promise about a delivery with other ranges or another model, and not one for every corner
of the ranges by itself.

Simulations are used and not the mean-field curves of `sendcap.analysis`, because their chance and
the errors of the latter would have to be known all the same.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.readings.convergence import TOLERANCES_PT
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode, one_of
from sendcap.scenario import Range, Scenario, UncertainScenario, load_uncertain
from sendcap.scenario.clock import moment_s
from sendcap.scenario.uncertain import Ends
from sendcap.study.convergence.converge import tolerances_of
from sendcap.study.forecasts.adjustment import Adjustment, Novelty, smoothers
from sendcap.study.forecasts.outlook import Forecast, require_draws, unreachable
from sendcap.study.forecasts.readings import READ, Readings, last_reading_s, read_readings
from sendcap.study.forecasts.reference import (
    ReferenceTable,
    Summaries,
    simulate_table,
    simulations_of,
)
from sendcap.study.replication.estimates import require_confidence
from sendcap.study.replication.workers import Workers
from sendcap.text.quantities import elapsed

_MOST: Final = 200
"""Readings of each mode to choose from; the simulations are read at their times, too."""

CONFIDENCE: Final = 0.9
_JUDGED: Final = 32
"""Moments to come of a curve that decide the smoothing."""


def forecast(
    scenario: Scenario | UncertainScenario | str | os.PathLike[str],
    observed: str | os.PathLike[str] | pd.DataFrame,
    at: float | str | None = None,
    *,
    ranges: Mapping[str, Ends | Range] | None = None,
    modes: Sequence[Mode] | None = None,
    delivery: str = ALL_DELIVERIES,
    tolerances: Sequence[float | str] = TOLERANCES_PT,
    confidence: float = CONFIDENCE,
    simulations: int | None = None,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
    table: ReferenceTable | None = None,
) -> Forecast:
    """Forecast the final Delivered % from what the dashboard has shown so far.

    Parameters
    ----------
    scenario
        A scenario file with ranges, such as ``share = { low = 0.002, high = 0.02 }``; or any
        scenario, with ``ranges``.
    observed
        A CSV file with the columns of ``kpis.csv``, or a table as `Run.kpis` returns it.
    at
        Take the readings up to this moment: seconds, ``"3h"`` or ``"17:00"``; all by default.
    ranges
        More ranges, by path: ``{"providers.gmail.transient": (0.002, 0.02)}``.
    modes, delivery
        Readings to take (default: all modes in the file, all deliveries together).
    tolerances
        Tolerances of Delivered % in points, such as 0.1 or ``"0.1pt"``.
    simulations
        A power of two, at least 64 (the default).
    confidence, workers, progress
        As for `sendcap.replicate`.
    table
        Earlier simulations, which are then not repeated.

    Raises
    ------
    SendcapError
        If an argument is invalid, or no value is a range.
    """
    require_confidence(confidence)
    points = tolerances_of(tolerances)
    uncertain = load_uncertain(scenario, ranges) if table is None else table.uncertain
    readings = _readings(observed, at, uncertain.scenario, modes, delivery)
    _require_reached(uncertain.scenario, readings, delivery)
    require_draws(confidence, table.n if table else simulations_of(simulations))
    few = {mode: each.thinned(_MOST) for mode, each in readings.items()}
    if table is None:
        also_s = np.concatenate([each.time_s for each in few.values()])
        table = simulate_table(
            uncertain, tuple(readings), simulations, also_s, workers=workers, progress=progress
        )
    outlook = Forecaster(table, few, delivery).forecast(readings, confidence, points)
    if not outlook.reachable:
        warnings.warn(unreachable(outlook), SendcapWarning, stacklevel=2)
    return outlook


def _readings(
    observed: str | os.PathLike[str] | pd.DataFrame,
    at: float | str | None,
    scenario: Scenario,
    modes: Sequence[Mode] | None,
    delivery: str,
) -> dict[Mode, Readings]:
    requested = None if modes is None else [one_of("mode", mode, MODES) for mode in modes]
    readings = read_readings(observed, requested, delivery)
    if at is None:
        return readings
    at_s = moment_s(at, scenario.start, "at")
    return {mode: each.until(at_s) for mode, each in readings.items()}


def _require_reached(scenario: Scenario, readings: Mapping[Mode, Readings], delivery: str) -> None:
    """Refuse readings of an unknown delivery, or after the end of the simulations."""
    names = [*scenario.parents(), *(sent.name for sent in scenario.deliveries)]
    if delivery != ALL_DELIVERIES and delivery not in names:
        raise SendcapError(
            f"delivery: no {delivery!r} in the scenario; there is {', '.join(names)}"
        )
    last_s, horizon_s = last_reading_s(readings), scenario.time.horizon
    if horizon_s is not None and last_s > horizon_s:
        raise SendcapError(
            f"observed: a row at {elapsed(last_s)} is after the scenario's time.horizon, "
            f"{elapsed(horizon_s)}; leave out the horizon, or take only earlier rows (at)"
        )


class Forecaster:
    """Forecasts from readings at the same times: the future of simulations, fitted to these."""

    def __init__(
        self,
        table: ReferenceTable,
        readings: Mapping[Mode, Readings],
        delivery: str = ALL_DELIVERIES,
    ) -> None:
        self._table, self._delivery = table, delivery
        self._summaries = summaries = Summaries.of(table, readings, delivery)
        self._centre = summaries.simulated.mean(axis=0)
        # A difference below the rounding says little.
        self._scale = np.maximum(summaries.simulated.std(axis=0), summaries.step_pt)
        candidates = smoothers((summaries.simulated - self._centre) / self._scale)
        # A delivery may last a little longer than the simulated ones.
        at_s = min(last_reading_s(readings), float(table.moments_s[-1]))
        self._curves = {}  # by mode, with the moments that have a value
        for mode in readings:
            drawn = table.curves[mode, delivery, READ[0]]
            known = np.flatnonzero(~np.isnan(drawn).any(axis=0))
            ahead = np.flatnonzero(table.moments_s[known] >= at_s)
            # Adjacent moments are alike.
            judged = ahead[np.linspace(0, len(ahead) - 1, _JUDGED).round().astype(int)]
            self._curves[mode] = Adjustment(candidates, drawn[:, known], judged), known
        self._novelty = Novelty(summaries)
        # As normal deviates.
        self._values = Adjustment(candidates, norm.ppf(table.places))

    def forecast(
        self,
        readings: Mapping[Mode, Readings],
        confidence: float = CONFIDENCE,
        tolerances_pt: tuple[float, ...] = TOLERANCES_PT,
    ) -> Forecast:
        """Forecast from readings; see `sendcap.forecast`."""
        table = self._table
        observed = self._summaries.observed(readings)
        point = (observed - self._centre) / self._scale
        curves = {}
        for mode, (adjustment, known) in self._curves.items():
            curves[mode] = np.full((table.n, len(table.moments_s)), np.nan)
            curves[mode][:, known] = np.clip(adjustment.draws(point), 0.0, 100.0)
        return Forecast(
            uncertain=table.uncertain,
            delivery=self._delivery,
            readings=readings,
            at_s=last_reading_s(readings),
            confidence=confidence,
            tolerances_pt=tolerances_pt,
            simulations=table.n,
            places=norm.cdf(self._values.draws(point)),
            moments_s=table.moments_s,
            curves=curves,
            p_value=self._novelty.p_value(observed),
        )
