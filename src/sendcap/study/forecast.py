"""Forecast: where the Delivered percentage will end, given what the dashboard has shown so far.

Method. Some values of the scenario are known as ranges only.

1. *Design*: the scenario is simulated at points that fill the ranges evenly (a Sobol sequence),
   each with draws of its own (`sendcap.study.design`).
2. *Emulator*: the readings at every moment as smooth functions of the values, fitted to these
   simulations (`sendcap.study.emulator`).
3. *Errors*: each simulation is predicted from the others. What is left is chance and the
   emulator's own error together; its size may differ over the ranges, and its parts go together as
   they do in the simulations (`sendcap.study.noise`, `sendcap.study.conditioning`).
4. *Posterior*: points of the ranges, equally likely before, weighed by how well they explain the
   readings (`sendcap.study.tempering`).
5. *What comes*: for each of these points the emulated curve, plus errors: of these, the part that
   goes with the errors seen so far is known, and the rest is drawn from the simulations' own.
6. *Honesty*: the same is done for each simulation of the design, from others of them. As its end
   is known, so is how much wider the intervals must be (`sendcap.study.calibration`).
7. *Check*: if even the points that explain the readings best are further from them than such a
   delivery would be by chance, the model or its ranges are wrong, and a warning says so.

Simulations are used and not the mean-field curves of `sendcap.analysis`, because the errors of the
latter would have to be estimated from simulations all the same.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sendcap.analysis.convergence import TOLERANCES_PT
from sendcap.errors import SendcapError, SendcapWarning
from sendcap.reporting.modes import ALL_DELIVERIES, MODES, Mode, one_of
from sendcap.study.calibration import stretch
from sendcap.study.converge import tolerances_of
from sendcap.study.design import Design, simulate_design
from sendcap.study.estimates import require_confidence
from sendcap.study.forecaster import CONFIDENCE, Forecaster
from sendcap.study.outlook import Forecast
from sendcap.study.readings import read_readings
from sendcap.study.workers import Workers

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.scenario import Scenario, UncertainScenario
    from sendcap.scenario.uncertain import Ends

FEW: Final = 50


def forecast(
    scenario: Scenario | UncertainScenario | str | os.PathLike[str],
    observed: str | os.PathLike[str] | pd.DataFrame,
    at: float | str | None = None,
    *,
    ranges: Mapping[str, Ends] | None = None,
    modes: Sequence[Mode] | None = None,
    delivery: str = ALL_DELIVERIES,
    tolerances: Sequence[float | str] = TOLERANCES_PT,
    confidence: float = CONFIDENCE,
    simulations: int | None = None,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
    design: Design | None = None,
    stretched: float | None = None,
) -> Forecast:
    """Forecast the final Delivered % from what the dashboard has shown so far.

    Parameters
    ----------
    scenario
        Path of a scenario file in which what is not known is a range, such as
        ``share = { low = 0.002, high = 0.02 }``; or any scenario, with ``ranges``.
    observed
        A CSV file with the columns of ``kpis.csv``, see `sendcap.study.readings`, or a table as
        `Run.kpis` returns it. Its times are those as of which the figures are.
    at
        Take the readings up to this moment: seconds or a duration such as ``"3h"``; all by default.
    ranges
        More ranges, by path: ``{"providers.gmail.transient": (0.002, 0.02)}``.
    modes, delivery
        Take these readings; by default those of all modes that are there, and of all deliveries
        together.
    tolerances
        Points of Delivered % within which it is to stay, such as 0.1 or ``"0.1pt"``.
    confidence
        Of the intervals.
    simulations, workers, progress
        As for `sendcap.study.design.simulate_design`.
    design
        Simulations made before, which are then not made again.
    stretched
        By how much to stretch the intervals, if that is known; see `sendcap.study.calibration`.

    Raises
    ------
    SendcapError
        If the readings cannot be read, there is no range, or what is asked makes no sense.
    """
    from sendcap.run import seconds
    from sendcap.scenario import load_uncertain

    require_confidence(confidence)
    points = tolerances_of(tolerances)
    at_s = None if at is None else seconds(at, "at")
    asked = None if modes is None else [one_of("mode", mode, MODES) for mode in modes]
    readings = read_readings(observed, asked, delivery)
    if at_s is not None:
        readings = {mode: its.until(at_s) for mode, its in readings.items()}
    uncertain = load_uncertain(scenario, ranges) if design is None else design.uncertain
    names = [its.name for its in uncertain.scenario.deliveries]
    if delivery != ALL_DELIVERIES and delivery not in names:
        raise SendcapError(
            f"delivery: no {delivery!r} in the scenario; there is {', '.join(names)}"
        )
    if design is None:
        design = simulate_design(
            uncertain, tuple(readings), simulations, workers=workers, progress=progress
        )
    forecaster = Forecaster.of(design)
    # What cannot be forecast is told before minutes are spent on how well.
    forecaster.forecast(readings, delivery, points, confidence, draws=FEW)
    if stretched is None:
        with Workers.of(workers) as team:
            stretched = stretch(design, readings, team, delivery, confidence)
    found = forecaster.forecast(readings, delivery, points, confidence, stretch=stretched)
    if not found.reachable:
        warnings.warn(unreachable(found), SendcapWarning, stacklevel=2)
    return found


def unreachable(its: Forecast) -> str:
    """Return why a forecast is not to be trusted."""
    return (
        "no values in the ranges explain these readings: such a delivery would be as far from "
        f"its prediction in {its.explained:.1%} of cases; widen the ranges or correct the "
        "scenario, and do not trust this forecast"
    )
