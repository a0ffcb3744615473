"""When the Delivered percentage can be trusted, over replications of a scenario."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sendcap.readings.convergence import MOMENTS_S, TOLERANCES_PT, require_tolerances
from sendcap.study.replication.estimates import MOST
from sendcap.study.replication.recording import PARTS, Plan, Quantity, reading_moments_s
from sendcap.study.replication.replicate import Precision, follow, modes_of
from sendcap.study.replication.replications import SPREAD, Records, Replications, spread
from sendcap.text.points import parse_points

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from sendcap.readings.modes import Mode
    from sendcap.run import Run
    from sendcap.scenario import Scenario
    from sendcap.study.replication.workers import Workers

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
AGAINST: Final = ("truth", "final")
"""What a reading's error is taken from: the truth, and its own value at the end."""

_WHOSE: Final = ("mode", "delivery", "provider")


@dataclass(frozen=True, eq=False)
class ConvergenceStudy:
    """How Delivered % converges, over replications.

    The tables have a row for each mode, delivery and provider, ``"*"`` being all of them together,
    and the columns of `spread`: mean with its interval, median, and the band
    within which the middle ``confidence`` of the replications is. Times are seconds from t = 0.
    What the numbers are is defined in `sendcap.readings.convergence`.

    Attributes
    ----------
    replications
        All that is kept of them.
    tolerances_pt
        Points by which a reading may be off, the largest first.
    """

    replications: Replications
    tolerances_pt: tuple[float, ...]

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The reporting modes that were followed."""
        return tuple(dict.fromkeys(key.mode for key in self.replications.curves))  # type: ignore[misc]

    def final(self) -> pd.DataFrame:
        """Return the final Delivered % and Bounces + errors %, and the truth.

        Columns mode, delivery, provider, name, and those of the spread, in percent.
        """
        return self.replications.table(FINAL).drop(columns="at")

    def settling(self) -> pd.DataFrame:
        """Return from when on Delivered % stays within each tolerance of its final value.

        Columns mode, delivery, provider, tolerance_pt, and those of the spread, in seconds.
        """
        table = self.replications.table(SETTLING).drop(columns="name")
        return table.rename(columns={"at": "tolerance_pt"})

    def extremes(self) -> pd.DataFrame:
        """Return the cliff at the end of validity and the overshoot of Bounces + errors %.

        Columns mode, delivery, provider, name, tolerance_pt (of ``overshoot_gone_s``, else 0), and
        those of the spread, in the unit that the name ends on.
        """
        return self.replications.table(EXTREMES).rename(columns={"at": "tolerance_pt"})

    @property
    def moments_s(self) -> tuple[float, ...]:
        """The moments that are told of unless others are asked for: up to the horizon."""
        horizon_s = self.replications.scenario.time.horizon or math.inf
        return tuple(moment for moment in MOMENTS_S if moment <= horizon_s)

    def errors(self, moments_s: Sequence[float] | None = None) -> pd.DataFrame:
        """Return how far Delivered % is off at some moments, of each delivery.

        Columns mode, delivery, provider, time_s, against (``"truth"`` or ``"final"``, its own
        final value), and those of the spread, in points: above zero where it is too high.
        """
        its = self.replications

        def rows(about: Quantity) -> Iterator[tuple[str, npt.NDArray[Any]]]:
            yield "truth", its.curves[about._replace(name="error_pt")]
            delivered = about._replace(name="delivered_pct")
            yield "final", its.curves[delivered] - its.numbers[delivered][:, None]

        return self._at(moments_s, "against", rows)

    def remaining(self, moments_s: Sequence[float] | None = None) -> pd.DataFrame:
        """Return what the error consists of at some moments, of each delivery.

        Columns mode, delivery, provider, time_s, part (see `sendcap.readings.remaining`), and those
        of the spread, in points. The means of the parts add up to the mean of the error.
        """

        def rows(about: Quantity) -> Iterator[tuple[str, npt.NDArray[Any]]]:
            for part in PARTS:
                yield part, self.replications.curves[about._replace(name=part)]

        return self._at(moments_s, "part", rows)

    def curves(self) -> pd.DataFrame:
        """Return the bands of all curves; see `Replications.bands`."""
        return self.replications.bands()

    def _at(
        self,
        moments_s: Sequence[float] | None,
        kind: str,
        rows: Callable[[Quantity], Iterator[tuple[str, npt.NDArray[Any]]]],
    ) -> pd.DataFrame:
        """Return the spread of some curves at some moments, a row for each."""
        import pandas as pd

        its = self.replications
        moments_s = self.moments_s if moments_s is None else moments_s
        places = self._places(moments_s)
        groups = dict.fromkeys(key._replace(name="") for key in its.curves)
        table = [
            {
                **dict(zip(_WHOSE, about, strict=False)),
                "time_s": moment,
                kind: label,
                **spread(curves[:, place].astype("float64"), its.confidence),
            }
            for about in groups
            for label, curves in rows(about)
            for moment, place in zip(moments_s, places, strict=True)
        ]
        return pd.DataFrame(table, columns=[*_WHOSE, "time_s", kind, *SPREAD])

    def _places(self, moments_s: Sequence[float]) -> list[int]:
        """Return where in the grid each moment is; it is read at the last one before it."""
        import numpy as np

        found: npt.NDArray[np.int64] = np.searchsorted(
            self.replications.moments_s, np.asarray(moments_s) * (1 + 1e-12), side="right"
        )
        return (found - 1).tolist()  # type: ignore[no-any-return]


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
    """Replicate a scenario, and tell when its Delivered percentage can be trusted.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    n, precision, most, workers, confidence, progress
        As for `sendcap.replicate`.
    tolerances
        Points of Delivered % by which a reading may be off, such as 0.1 or ``"0.1pt"``.
    modes
        Of reporting; the scenario's by default.

    Raises
    ------
    SendcapError
        If a tolerance is not above 0, or as for `sendcap.replicate`.
    """
    from sendcap.scenario.files import scenario_of

    scenario = scenario_of(scenario)
    points = tolerances_of(tolerances)
    plan = convergence_plan(
        scenario, points, modes_of(scenario, modes), reading_moments_s(scenario)
    )
    its = follow(plan, scenario, n, precision, workers, confidence, most, progress)
    return ConvergenceStudy(its, points)


def convergence_of(
    run: Run,
    *,
    tolerances: Sequence[float | str] = TOLERANCES_PT,
    modes: Sequence[Mode] | None = None,
) -> ConvergenceStudy:
    """Tell when the Delivered percentage of one run could be trusted: one replication, no bands.

    Parameters
    ----------
    tolerances, modes
        As for `converge`.

    Raises
    ------
    SendcapError
        If a tolerance is not above 0, or there is no such mode.
    """
    points = tolerances_of(tolerances)
    moments_s = reading_moments_s(run.scenario)
    plan = convergence_plan(run.scenario, points, modes_of(run.scenario, modes), moments_s)
    kept = Records()
    kept.add(plan.record(run))
    its = kept.replications(run.scenario, moments_s, 0.95, precise=True)
    return ConvergenceStudy(its, points)


def tolerances_of(tolerances: Sequence[float | str]) -> tuple[float, ...]:
    """Return tolerances in points, the largest first and each once."""
    points = {parse_points(its, "tolerance") for its in tolerances}
    require_tolerances(tuple(points))
    return tuple(sorted(points, reverse=True))


def convergence_plan(
    scenario: Scenario,
    tolerances_pt: tuple[float, ...],
    modes: tuple[Mode, ...],
    moments_s: npt.NDArray[np.float64],
) -> Plan:
    """Return what is kept of each replication to tell how Delivered % converges."""
    return Plan(
        modes=modes,
        denominator=scenario.reporting.denominator,
        moments_s=moments_s,
        curves_per=("delivery",),
        numbers_per=("delivery", "provider"),
        tolerances_pt=tolerances_pt,
    )
