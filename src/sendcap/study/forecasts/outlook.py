"""A forecast: final Delivered %, settling times, values, and the fan of curves until then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.files.directory import Contents
from sendcap.readings.convergence import Floats, settling_s
from sendcap.readings.modes import Mode
from sendcap.scenario import Scenario, UncertainScenario
from sendcap.scenario.files import SCENARIO
from sendcap.study.forecasts.misfit import LARGE, Misfit
from sendcap.study.forecasts.readings import READ, Readings
from sendcap.study.forecasts.sentences import forecast_sentences
from sendcap.study.forecasts.unknowns import Unknown, unknowns
from sendcap.study.replication.estimates import held, holding
from sendcap.study.sweeps.designs import points_at
from sendcap.text.shares import share_text

_TABLES: Final = ("final", "settling", "parameters", "bands", "observed")
FORECAST: Final = Contents(
    "a saved forecast",
    frozenset({SCENARIO, "bands.csv", "parameters.csv"}),
    frozenset({SCENARIO, "forecast.png", *(f"{name}.csv" for name in _TABLES)}),
)
STRANGE: Final = 0.01
"""Readings as strange as those of this share of the simulations put the model in doubt."""


@dataclass(frozen=True, eq=False)
class Forecast(Drawable, tables={"In the end": "final"}):
    """A forecast from readings.

    Attributes
    ----------
    uncertain
        The scenario and the ranges.
    delivery
        Delivery of the readings; ``"*"`` is all deliveries together.
    readings
        Readings by mode.
    at_s
        Time of the last reading, in seconds from t = 0.
    confidence
        Confidence level of the intervals.
    tolerances_pt
        Points within which Delivered % is to stay, the largest first.
    simulations
        Number of simulations.
    places : ndarray, shape (s, d)
        Draws of the place of each value in the range, from 0 to 1.
    moments_s : ndarray, shape (m,)
        Moments of the curves, in seconds.
    curves
        By mode, draws of Delivered %: shape (s, m); NaN where some simulation has none.
    p_value
        Share of such deliveries whose readings are as strange by chance, 0 to 1.
    misfit
        How far the readings are from what the scenario and the ranges can give.
    others
        Forecasts in the other modes that readings without a mode may be of; None with a mode.
    """

    uncertain: UncertainScenario
    delivery: str
    readings: Mapping[Mode, Readings] = field(repr=False)
    at_s: float
    confidence: float
    tolerances_pt: tuple[float, ...]
    simulations: int
    places: Floats = field(repr=False)
    moments_s: Floats = field(repr=False)
    curves: Mapping[Mode, Floats] = field(repr=False)
    p_value: float
    misfit: Misfit
    others: tuple[Forecast, ...] | None = None

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Reporting modes of the readings."""
        return tuple(self.readings)

    @property
    def reachable(self) -> bool:
        """Whether the scenario and the ranges explain the readings."""
        strange = self.p_value <= max(STRANGE, 1.0 / (self.simulations + 1))
        return not strange and self.misfit.largest < LARGE

    @property
    def possible(self) -> tuple[Forecast, ...]:
        """The forecast itself, or that of each mode where none was given and none fits."""
        return (self,) if self.reachable else (self, *(self.others or ()))

    @property
    def assumed(self) -> list[Unknown]:
        """Values that were taken for unknown, though nobody gave a range for them."""
        ranges = self.uncertain.ranges
        found = unknowns(self.uncertain.scenario)
        return [each for each in found if ranges.get(each.path) == each.span]

    @property
    def later(self) -> npt.NDArray[np.bool_]:
        """Mask of the moments to come: the end, at least."""
        return self.moments_s >= min(self.at_s, float(self.moments_s[-1]))

    def sentences(self) -> list[str]:
        """Return the forecast in plain sentences."""
        return list(forecast_sentences(self))

    def final(self) -> pd.DataFrame:
        """Return the final Delivered %: columns mode, median, low, high."""
        return pd.DataFrame(
            [{"mode": mode, **self._middle(curves[:, -1])} for mode, curves in self.curves.items()]
        )

    def settling(self) -> pd.DataFrame:
        """Return when Delivered % settles within each tolerance of the final value.

        Columns mode, tolerance_pt, median, low, high, in seconds from t = 0.
        """
        rows = []
        for mode, curves in self.curves.items():
            for tolerance in self.tolerances_pt:
                times = [settling_s(self.moments_s, curve, tolerance) for curve in curves]
                rows.append(
                    {"mode": mode, "tolerance_pt": tolerance, **self._middle(np.array(times))}
                )
        return pd.DataFrame(rows)

    def parameters(self) -> pd.DataFrame:
        """Return the values that the readings suggest for each range.

        Columns path, range_low, range_high, median, low, high (durations in seconds, rates per
        period), narrowed: the share by which the interval is narrower than that of the range
        alone; 0 if the readings say nothing; and assumed: whether nobody gave the range.
        """
        assumed = {each.path for each in self.assumed}
        rows: list[dict[str, Any]] = []
        for (path, values), places in zip(
            self.uncertain.ranges.items(), self.places.T, strict=True
        ):
            middle = self._middle(places)
            narrowed = 1.0 - (middle["high"] - middle["low"]) / self.confidence
            rows.append(
                {
                    "path": path,
                    "range_low": values.number_at(0.0),
                    "range_high": values.number_at(1.0),
                    **{name: values.number_at(place) for name, place in middle.items()},
                    "narrowed": max(narrowed, 0.0),
                    "assumed": path in assumed,
                }
            )
        return pd.DataFrame(rows)

    def likeliest(self) -> Scenario:
        """Return the scenario with the median of each value."""
        medians = np.median(self.places, axis=0).tolist()
        (point,) = points_at(self.uncertain.ranges, [medians])
        return self.uncertain.at(point)

    def bands(self) -> pd.DataFrame:
        """Return Delivered % to come: columns mode, time_s, median, low, high."""
        later = self.later
        tables = []
        for mode, curves in self.curves.items():
            low, median, high = holding(curves[:, later], self.confidence)
            columns = {"median": median, "low": low, "high": high}
            tables.append(pd.DataFrame({"mode": mode, "time_s": self.moments_s[later], **columns}))
        return pd.concat(tables, ignore_index=True)

    def observed(self) -> pd.DataFrame:
        """Return the readings: columns mode, time_s and percentages, NaN where none was read."""
        unread = dict.fromkeys(READ, np.nan)
        tables = [
            pd.DataFrame({"mode": mode, "time_s": noted.time_s, **unread, **noted.percent})
            for mode, noted in self.readings.items()
        ]
        return pd.concat(tables, ignore_index=True)

    def write(self, folder: Path) -> None:
        """Write the tables, the chart and a scenario to go on with into a directory that exists.

        The scenario has the medians of the ranges, so that ``sendcap run`` shows how it may go on.
        """
        contents: dict[str, Any] = {SCENARIO: self.likeliest()}
        for name in _TABLES:
            # What the readings say about values is one table, whatever mode they are of.
            of = self.possible if name != "parameters" else (self,)
            tables = [getattr(each, name)() for each in of]
            contents[f"{name}.csv"] = pd.concat(tables, ignore_index=True)
        self._write(folder, contents)

    def _middle(self, draws: Floats) -> dict[str, float]:
        low, median, high = holding(draws, self.confidence).tolist()
        return {"median": median, "low": low, "high": high}


def require_draws(confidence: float, simulations: int) -> None:
    """Refuse a confidence level that the number of simulations cannot support."""
    most = held(simulations, 1.0)
    if confidence > most:
        raise SendcapError(
            f"confidence: {simulations} simulations support intervals of up to "
            f"{share_text(math.floor(1000.0 * most) / 1000.0)}, not {share_text(confidence)}; "
            "take more simulations, or less confidence"
        )
