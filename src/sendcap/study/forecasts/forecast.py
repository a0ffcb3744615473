"""Forecast: the final Delivered percentage, from the readings of the dashboard so far.

Method: approximate Bayesian computation with regression adjustment. Some values of the scenario are
known as ranges only: those that the user gave, and what nobody knows
(`sendcap.study.forecasts.unknowns`).

1. The scenario is simulated at points that fill the ranges evenly (a Sobol' sequence), each with
   other draws (`sendcap.study.forecasts.reference`); of a large delivery, a slice
   (`sendcap.study.forecasts.reference`), as its chance is small beside what nobody knows.
2. Of each simulation the same readings are taken as from the dashboard: at the same times and with
   the same decimals, up to six of each curve.
3. How far readings are from what any values in the ranges would give is the model's misfit
   (`sendcap.study.forecasts.misfit`). The simulations' readings get errors of that size.
4. The ends of these simulations (Delivered % at every later moment and in the end, the settling
   times, the values in the ranges) are smooth functions of these readings
   (`sendcap.study.forecasts.adjustment`, as for the next step).
5. Each simulation is moved to the observed readings, with the residual of a prediction from the
   others. These are draws of the future, and their quantiles the intervals.
6. Readings that are further from those of all simulations than nearly any simulation is from the
   others, or with a misfit as large as all that the ranges do, come from a delivery that is not
   like them, and a warning says so.

The promise: over deliveries with values from anywhere in the ranges, each as likely as the next, an
interval contains the truth as often as it says. Of deliveries that are a little unlike the scenario
it holds as many, or the warning comes (``experiments/forecast_coverage.py`` measures both).

Not the mean-field curves of `sendcap.analysis`: their errors and chance had to be known, too.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.readings.convergence import TOLERANCES_PT, Floats
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode, one_of
from sendcap.scenario import Range, Scenario, UncertainScenario, load_uncertain
from sendcap.scenario.clock import moment_s
from sendcap.scenario.uncertain import Ends
from sendcap.study.convergence.converge import tolerances_of
from sendcap.study.forecasts.adjustment import Adjustment, Novelty, smoothers
from sendcap.study.forecasts.misfit import NOTICED, Discrepancy
from sendcap.study.forecasts.outlook import Forecast, require_draws
from sendcap.study.forecasts.readings import (
    READ,
    Readings,
    last_reading_s,
    read_readings,
    typed_readings,
)
from sendcap.study.forecasts.reference import (
    ReferenceTable,
    Summaries,
    UninformativeError,
    simulate_table,
    simulations_of,
)
from sendcap.study.forecasts.sentences import unreachable
from sendcap.study.forecasts.unknowns import widened
from sendcap.study.replication.estimates import require_confidence
from sendcap.study.replication.workers import Workers
from sendcap.text.quantities import elapsed

Observed = str | os.PathLike[str] | pd.DataFrame | Mapping[float | str, float | str]
"""A file, a table of KPIs, or Delivered % by moment."""

_MOST: Final = 200
"""Readings of each mode to choose from; the simulations are read at their times, too."""

CONFIDENCE: Final = 0.9
_JUDGED: Final = 32
"""Moments to come of a curve that decide the smoothing."""
_MISFIT: Final = int.from_bytes(b"misf", "little")
"""Separates the draws of the model's errors from those of simulations."""


def forecast(
    scenario: Scenario | UncertainScenario | str | os.PathLike[str],
    observed: Observed,
    at: float | str | None = None,
    *,
    ranges: Mapping[str, Ends | Range] | None = None,
    only_given: bool = False,
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
        A scenario, which may have ranges: ``share = { low = 0.002, high = 0.02 }``.
    observed
        A file like ``kpis.csv``, a table like `Run.kpis`, or Delivered %: ``{"3h": 98.7}``.
    at
        Take the readings up to this moment: seconds, ``"3h"`` or ``"17:00"``; all by default.
    ranges
        More ranges, by path: ``{"providers.gmail.transient": (0.002, 0.02)}``.
    only_given
        Whether to take all values without a range as written; see `Forecast.assumed`.
    modes, delivery
        Readings to take (default: all modes in the file, all deliveries together; for readings by
        moment, the first mode of the scenario that explains them).
    tolerances
        Tolerances of Delivered % in points, such as 0.1 or ``"0.1pt"``.
    simulations
        A power of two, at least 64 (the default).
    confidence, workers, progress
        As for `sendcap.replicate`.
    table
        Earlier simulations, which are not repeated.

    Raises
    ------
    SendcapError
        If an argument is invalid, or no value is to be a range.
    """
    points = tolerances_of(tolerances)
    uncertain = _uncertain(scenario, ranges, only_given) if table is None else table.uncertain
    asked = _asked(observed, at, uncertain.scenario, modes, delivery)
    require_confidence(confidence)
    require_draws(confidence, table.n if table else simulations_of(simulations))
    if table is None:
        means: dict[str, Any] = {"slices": not only_given, "workers": workers, "progress": progress}
        every = tuple(asked.readings)
        table = simulate_table(uncertain, every, simulations, asked.times_s, **means)
    outlook = _explained(table, asked, delivery, confidence, points)
    if not outlook.reachable:
        warnings.warn(unreachable(outlook), SendcapWarning, stacklevel=2)
    return outlook


def _uncertain(
    scenario: Scenario | UncertainScenario | str | os.PathLike[str],
    ranges: Mapping[str, Ends | Range] | None,
    only_given: bool,
) -> UncertainScenario:
    given = load_uncertain(scenario, ranges, needed=only_given)
    return given if only_given else widened(given)


def _explained(
    table: ReferenceTable,
    asked: _Asked,
    delivery: str,
    confidence: float,
    points: tuple[float, ...],
) -> Forecast:
    """Return the first forecast whose readings the scenario explains, with the others."""
    outlooks, silent = [], []
    for modes in asked.together:
        readings = {mode: asked.readings[mode] for mode in modes}
        try:
            forecaster = Forecaster(table, {mode: asked.few[mode] for mode in modes}, delivery)
        except UninformativeError as error:
            silent.append(error)
        else:
            outlooks.append(forecaster.forecast(readings, confidence, points))
    outlook = next((each for each in outlooks if each.reachable), next(iter(outlooks), None))
    if outlook is None or (not outlook.reachable and any(each.fits for each in silent)):
        raise silent[0]
    others = tuple(each for each in outlooks if each is not outlook)
    return outlook if len(asked.together) == 1 else replace(outlook, others=others)


class _Asked(NamedTuple):
    """Readings by mode, and the modes of which they are read together."""

    readings: dict[Mode, Readings]
    together: list[tuple[Mode, ...]]  # more than one: the readings are of one of these

    @property
    def times_s(self) -> Floats:
        """Times of the readings to choose from."""
        return np.concatenate([each.time_s for each in self.few.values()])

    @property
    def few(self) -> dict[Mode, Readings]:
        """Readings to choose from."""
        return {mode: each.thinned(_MOST) for mode, each in self.readings.items()}


def _asked(
    observed: Observed,
    at: float | str | None,
    scenario: Scenario,
    modes: Sequence[Mode] | None,
    delivery: str,
) -> _Asked:
    requested = None if modes is None else [one_of("mode", mode, MODES) for mode in modes]
    if isinstance(observed, Mapping):
        if requested is not None and len(requested) != 1:
            raise SendcapError(
                f"mode: a typed reading is of one mode, not of {' and '.join(requested)}; give "
                "readings of several modes as a file (observed)"
            )
        readings = typed_readings(
            {moment_s(time, scenario.start, "at"): pct for time, pct in observed.items()},
            requested or scenario.reporting.modes,
        )
        together: list[tuple[Mode, ...]] = [(mode,) for mode in readings]
    else:
        readings = read_readings(observed, requested, delivery)
        together = [tuple(readings)]
    if at is not None:
        at_s = moment_s(at, scenario.start, "at")
        readings = {mode: each.until(at_s) for mode, each in readings.items()}
    _require_reached(scenario, readings, delivery)
    return _Asked(readings, together)


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
        self._summaries = Summaries.of(table, readings, delivery)
        self._discrepancy = Discrepancy(self._summaries, table.places)
        self._at_s = last_reading_s(readings)
        self._modes = tuple(readings)
        self._novelty = Novelty(self._summaries)
        self._exact = self._fitted(self._discrepancy.points)

    def _fitted(self, points: Floats) -> _Fitted:
        """Fit the future of the simulations to their readings."""
        table, candidates = self._table, smoothers(points)
        # A delivery may last a little longer than the simulated ones.
        at_s = min(self._at_s, float(table.moments_s[-1]))
        curves = {}
        for mode in self._modes:
            drawn = table.curves[mode, self._delivery, READ[0]]
            known = np.flatnonzero(~np.isnan(drawn).any(axis=0))
            ahead = np.flatnonzero(table.moments_s[known] >= at_s)
            # Adjacent moments are alike.
            judged = ahead[np.linspace(0, len(ahead) - 1, _JUDGED).round().astype(int)]
            curves[mode] = Adjustment(candidates, drawn[:, known], judged), known
        # As normal deviates.
        ends = points.min(axis=0), points.max(axis=0)
        return _Fitted(curves, Adjustment(candidates, norm.ppf(table.places)), ends)

    def forecast(
        self,
        readings: Mapping[Mode, Readings],
        confidence: float = CONFIDENCE,
        tolerances_pt: tuple[float, ...] = TOLERANCES_PT,
    ) -> Forecast:
        """Forecast from readings; see `sendcap.forecast`."""
        table, fitted = self._table, self._exact
        observed = self._summaries.observed(readings)
        misfit = self._discrepancy.misfit(observed)
        if misfit.largest > NOTICED:
            seed = np.random.SeedSequence(table.uncertain.scenario.seed, spawn_key=(_MISFIT,))
            rng = np.random.default_rng(seed)
            fitted = self._fitted(self._discrepancy.disturbed(misfit, rng))
        # Beyond the simulations' readings the fit is worth nothing.
        point = np.clip(self._discrepancy.point(observed), *fitted.ends)
        curves = {}
        for mode, (adjustment, known) in fitted.curves.items():
            curves[mode] = np.full((table.n, len(table.moments_s)), np.nan)
            draws = adjustment.draws(point)
            # Whether a misfit is one of time only, or of what has failed for good, is unknown.
            draws[::2] += misfit.lasting_pt if mode == "without-efs" else 0.0
            curves[mode][:, known] = np.clip(draws, 0.0, 100.0)
        return Forecast(
            uncertain=table.uncertain,
            delivery=self._delivery,
            readings=readings,
            at_s=last_reading_s(readings),
            confidence=confidence,
            tolerances_pt=tolerances_pt,
            simulations=table.n,
            places=norm.cdf(fitted.places.draws(point)),
            moments_s=table.moments_s,
            curves=curves,
            p_value=self._novelty.p_value(observed),
            misfit=misfit,
        )


class _Fitted(NamedTuple):
    """What the simulations' readings say of their future."""

    curves: dict[Mode, tuple[Adjustment, npt.NDArray[np.intp]]]  # with the moments that are known
    places: Adjustment
    ends: tuple[Floats, Floats]  # of the readings
