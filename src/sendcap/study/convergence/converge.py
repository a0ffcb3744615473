"""The convergence of the Delivered percentage, over replications of a scenario."""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.charts.listed import CHARTS
from sendcap.files.directory import Contents
from sendcap.readings.convergence import MOMENTS_S, TOLERANCES_PT, require_tolerances
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Mode, modes_of
from sendcap.run import Run
from sendcap.scenario import Scenario
from sendcap.scenario.files import SCENARIO, scenario_of
from sendcap.study.convergence.sentences import convergence_sentences
from sendcap.study.replication.estimates import MOST
from sendcap.study.replication.recording import PARTS, Plan, Quantity, reading_moments_s
from sendcap.study.replication.replicate import Precision, follow
from sendcap.study.replication.replications import SPREAD, Replications, gathered, spread
from sendcap.study.replication.workers import Workers
from sendcap.text.shares import parse_points

FINAL: Final = ("delivered_pct", "truth_pct", "bounces_errors_pct")
SETTLING: Final = ("settling_s",)
EXTREMES: Final = (
    "cliff_height_pt",
    "cliff_begins_s",
    "cliff_width_s",
    "peak_pct",
    "peak_s",
    "overshoot_pt",
    "overshoot_gone_s",
)
_WHOSE: Final = ("mode", "delivery", "provider")

_TABLES: Final = ("final", "settling", "errors", "remaining", "extremes", "curves")
REPLICATIONS: Final = "replications.csv"
CONVERGENCE: Final = Contents(
    "a saved convergence",
    frozenset({SCENARIO, "settling.csv", REPLICATIONS}),
    frozenset({SCENARIO, REPLICATIONS})
    | {f"{name}.csv" for name in _TABLES}
    | {f"{chart.name}.png" for chart in CHARTS["ConvergenceStudy"]},
)


@dataclass(frozen=True, eq=False)
class ConvergenceStudy(Drawable, tables={"In the end": "final"}):
    """The convergence of Delivered %, over replications.

    The tables have a row for each mode, delivery and provider, with ``"*"`` for all together, and
    the columns of `spread`: mean with interval, median, and the band of the middle ``confidence``
    of the replications. Times are seconds from t = 0. `sendcap.readings.convergence` defines the
    numbers.

    Attributes
    ----------
    replications
        The replications.
    tolerances_pt
        Tolerances of a reading in points, the largest first.
    """

    replications: Replications
    tolerances_pt: tuple[float, ...]
    _at_moments: dict[str, pd.DataFrame] = field(default_factory=dict, init=False, repr=False)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The reporting modes."""
        return tuple(dict.fromkeys(key.mode for key in self.replications.curves))  # type: ignore[misc]

    def number(self, mode: str, name: str, at: float = 0.0) -> Mapping[str, float]:
        """Return the spread of a number of all messages, a row of the tables.

        Parameters
        ----------
        mode
            Reporting mode.
        name
            Such as ``"settling_s"``.
        at
            Tolerance in points; 0 for numbers without one.
        """
        return self.replications.spreads[Quantity(mode, ALL_DELIVERIES, ALL_PROVIDERS, name, at)]

    def final(self) -> pd.DataFrame:
        """Return the final Delivered % and Bounces + errors %, and the truth.

        Columns mode, delivery, provider, name, and those of the spread, in percent.
        """
        return self.replications.table(FINAL).drop(columns="at")

    def settling(self) -> pd.DataFrame:
        """Return the times after which Delivered % stays within each tolerance of its final value.

        Columns mode, delivery, provider, tolerance_pt, and those of the spread, in seconds.
        """
        table = self.replications.table(SETTLING).drop(columns="name")
        return table.rename(columns={"at": "tolerance_pt"})

    def extremes(self) -> pd.DataFrame:
        """Return the cliff at the end of validity and the overshoot of Bounces + errors %.

        Columns mode, delivery, provider, name, tolerance_pt (of ``overshoot_gone_s``, else 0), and
        those of the spread, in the unit at the end of the name.
        """
        return self.replications.table(EXTREMES).rename(columns={"at": "tolerance_pt"})

    @property
    def moments_s(self) -> tuple[float, ...]:
        """The default moments of tables: those up to the horizon."""
        horizon_s = self.replications.scenario.time.horizon or math.inf
        return tuple(moment for moment in MOMENTS_S if moment <= horizon_s)

    def errors(self, moments_s: Sequence[float] | None = None) -> pd.DataFrame:
        """Return the error of Delivered % at some moments, of each delivery.

        Columns mode, delivery, provider, time_s, against (``"truth"`` or ``"final"``, the final
        value), and those of the spread, in points: above zero for readings too high.
        """
        return self._at(moments_s, "against", self._error)

    def remaining(self, moments_s: Sequence[float] | None = None) -> pd.DataFrame:
        """Return the parts of the error at some moments, of each delivery.

        Columns mode, delivery, provider, time_s, part (see `sendcap.readings.remaining`), and those
        of the spread, in points. The means of the parts add up to the mean of the error.
        """
        return self._at(moments_s, "part", self._parts)

    def curves(self) -> pd.DataFrame:
        """Return the bands of all curves; see `Replications.bands`."""
        return self.replications.bands()

    def sentences(self) -> list[str]:
        """Return the answer in plain sentences."""
        return list(convergence_sentences(self))

    def write(self, folder: Path) -> None:
        """Write the scenario, the tables and the charts into a directory that exists."""
        tables = {f"{name}.csv": getattr(self, name)() for name in _TABLES}
        replications = self.replications
        contents = {SCENARIO: replications.scenario, REPLICATIONS: replications.each()}
        self._write(folder, contents | tables)

    def _error(self, about: Quantity) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        curves, numbers = self.replications.curves, self.replications.numbers
        yield "truth", curves[about._replace(name="error_pt")]
        delivered = about._replace(name="delivered_pct")
        yield "final", curves[delivered] - numbers[delivered][:, None]

    def _parts(self, about: Quantity) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for part in PARTS:
            yield part, self.replications.curves[about._replace(name=part)]

    def _at(
        self,
        moments_s: Sequence[float] | None,
        kind: str,
        labelled: Callable[[Quantity], Iterator[tuple[str, npt.NDArray[Any]]]],
    ) -> pd.DataFrame:
        """Return the spread of some curves at some moments, read at the last moment before each.

        The table of the default moments is computed once.
        """
        if moments_s is None:
            if kind not in self._at_moments:
                self._at_moments[kind] = self._at(self.moments_s, kind, labelled)
            return self._at_moments[kind]
        edges = self.replications.moments_s
        indices = np.searchsorted(edges, np.asarray(moments_s) * (1 + 1e-12), side="right") - 1
        groups = dict.fromkeys(key._replace(name="") for key in self.replications.curves)
        rows = [
            {
                **dict(zip(_WHOSE, about, strict=False)),
                "time_s": moment,
                kind: label,
                **spread(curves[:, index].astype("float64"), self.replications.confidence),
            }
            for about in groups
            for label, curves in labelled(about)
            for moment, index in zip(moments_s, indices.tolist(), strict=True)
        ]
        return pd.DataFrame(rows, columns=[*_WHOSE, "time_s", kind, *SPREAD])


def converge(
    scenario: Scenario | str | os.PathLike[str],
    n: int | None = None,
    *,
    precision: Precision | None = None,
    tolerances: Sequence[float | str] = TOLERANCES_PT,
    modes: Sequence[Mode] | None = None,
    workers: int | Workers | None = None,
    confidence: float = 0.95,
    most: int = MOST,
    progress: Callable[[int], None] | None = None,
) -> ConvergenceStudy:
    """Replicate a scenario, and find when Delivered % becomes reliable.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    n, precision, most, workers, confidence, progress
        As for `sendcap.replicate`.
    tolerances
        Tolerances of Delivered % in points, such as 0.1 or ``"0.1pt"``.
    modes
        Reporting modes (default: the scenario's).

    Raises
    ------
    SendcapError
        If a tolerance is not above 0, or as for `sendcap.replicate`.
    """
    scenario = scenario_of(scenario)
    points = tolerances_of(tolerances)
    plan = convergence_plan(
        scenario, points, modes_of(scenario, modes), reading_moments_s(scenario)
    )
    replications = follow(plan, scenario, n, precision, workers, confidence, most, progress)
    return ConvergenceStudy(replications, points)


def convergence_of(
    run: Run,
    *,
    tolerances: Sequence[float | str] = TOLERANCES_PT,
    modes: Sequence[Mode] | None = None,
) -> ConvergenceStudy:
    """Return the convergence of one run: a single replication, without bands; see `converge`."""
    points = tolerances_of(tolerances)
    moments_s = reading_moments_s(run.scenario)
    read_in = modes_of(run.scenario, modes)
    plan = convergence_plan(run.scenario, points, read_in, moments_s)
    replications = gathered([plan.record(run)], run.scenario, moments_s, 0.95)
    return ConvergenceStudy(replications, points)


def tolerances_of(tolerances: Sequence[float | str]) -> tuple[float, ...]:
    """Return tolerances in points, the largest first and each once."""
    points = {parse_points(tolerance, "tolerance") for tolerance in tolerances}
    require_tolerances(tuple(points))
    return tuple(sorted(points, reverse=True))


def convergence_plan(
    scenario: Scenario,
    tolerances_pt: tuple[float, ...],
    modes: tuple[Mode, ...],
    moments_s: npt.NDArray[np.float64],
) -> Plan:
    """Return the records of a study of convergence."""
    return Plan(
        modes=modes,
        denominator=scenario.reporting.denominator,
        moments_s=moments_s,
        curves_per=("delivery",),
        numbers_per=("delivery", "provider"),
        tolerances_pt=tolerances_pt,
    )
