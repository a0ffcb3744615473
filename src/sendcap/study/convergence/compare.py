"""The effect of a change: two scenarios compared with the same draws.

Each replication simulates both with the same seed (common random numbers). Streams of draws are
keyed by delivery, provider and purpose: equal parts of the two scenarios draw the same, and most of
the chance cancels out of the difference. Where a change alters the order of service, messages swap
draws, and less cancels; the paired t interval is right either way. Source: A. M. Law, "Simulation
Modeling and Analysis", 5th edition (2015), sections 10.2.1 and 11.2.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.files.directory import Contents
from sendcap.readings.convergence import TOLERANCES_PT, Floats
from sendcap.readings.modes import ALL_DELIVERIES, Mode, modes_of
from sendcap.run import Run, open_run
from sendcap.saved import LEDGER
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.study.convergence.converge import (
    EXTREMES,
    REPLICATIONS,
    SETTLING,
    convergence_plan,
    tolerances_of,
)
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import (
    enough_for_a_median,
    require_confidence,
    require_count,
)
from sendcap.study.replication.recording import (
    MTA_TIMES,
    Plan,
    Quantity,
    Record,
    reading_moments_s,
    recorded,
)
from sendcap.study.replication.replicate import DEFAULT_REPLICATIONS
from sendcap.study.replication.replications import (
    Band,
    Replications,
    gathered,
    is_moment,
    spread,
)
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.text.clock import counted_from
from sendcap.text.quantities import elapsed, listed
from sendcap.text.shares import share_text

COMPARED: Final = (
    "delivered_pct",
    "bounces_errors_pct",
    *SETTLING,
    *EXTREMES,
    *MTA_TIMES,
)
"""The numbers that are compared."""
_COLUMNS: Final = (
    *("delivery", "mode", "name", "tolerance_pt", "n", "a", "b"),
    *("difference", "low", "high"),
)
_A, _B, _DIFFERENCES, _CURVES = "a.toml", "b.toml", "differences.csv", "curves.csv"
_BY_DELIVERY: Final = "by-delivery.csv"
COMPARISON: Final = Contents(
    "a saved comparison",
    frozenset({_A, _B, _DIFFERENCES}),
    frozenset({_A, _B, _DIFFERENCES, _BY_DELIVERY, _CURVES, REPLICATIONS, "comparison.png"}),
)


class Side(NamedTuple):
    """One side of a comparison: a scenario, and the run of a saved one."""

    name: str
    scenario: Scenario
    run: Run | None


@dataclass(frozen=True, eq=False)
class Comparison(Drawable, tables={"Differences": "differences"}):
    """Differences between B and A over paired replications (common random numbers).

    Attributes
    ----------
    names
        Names of A and B.
    a, b
        The replications; number r of A and number r of B have the same seed.
    tolerances_pt
        Tolerances of a reading in points, the largest first.
    same_draws
        Whether the seeds are the same; two saved runs may have different ones.
    saved
        Whether either side is a saved run: one replication, and no interval.
    """

    names: tuple[str, str]
    a: Replications
    b: Replications
    tolerances_pt: tuple[float, ...]
    same_draws: bool
    saved: bool

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The reporting modes."""
        return tuple(dict.fromkeys(key.mode for key in self.a.curves))  # type: ignore[misc]

    def differences(self) -> pd.DataFrame:
        """Return each number of A and B, and the difference with a paired interval.

        Columns mode (empty for times of acceptance), name, tolerance_pt (0 for none), n
        (replications with a value on both sides), a and b (means; medians where the difference is
        one), difference, low and high (see `difference_of`; NaN with too few replications).
        """
        wanted = (about for about in self.a.numbers if about.of_all)
        return self._table(wanted).drop(columns="delivery")

    def by_delivery(self) -> pd.DataFrame:
        """Return the same for each delivery that A and B have, where they have several.

        The columns of `differences`, and delivery.
        """
        both = [
            about
            for about in self.a.numbers
            if about.delivery != ALL_DELIVERIES and about in self.b.numbers
        ]
        return self._table(both)

    def _table(self, quantities: Iterable[Quantity]) -> pd.DataFrame:
        wanted = [about for about in quantities if about.name in COMPARED]
        wanted.sort(key=lambda about: COMPARED.index(about.name))
        return pd.DataFrame(map(self._row, wanted), columns=list(_COLUMNS))

    def _row(self, about: Quantity) -> tuple[str | float, ...]:
        of_a, of_b = self.a.numbers[about], self.b.numbers[about]
        confidence, both = self.a.confidence, ~np.isnan(of_a + of_b)
        difference = difference_of(of_b - of_a, confidence, about.name)
        middle = _middle(of_b[both] - of_a[both], about.name)
        a, b = (spread(each[both], confidence)[middle] for each in (of_a, of_b))
        return about.delivery, about.mode, about.name, about.at, int(both.sum()), a, b, *difference

    def curves(self) -> pd.DataFrame:
        """Return the KPIs of A and B over time, and the difference.

        Columns mode, name, which (``"a"``, ``"b"`` or ``"difference"``), time_s, mean, median, low,
        high.
        """
        tables = []
        for about in self.a.curves:
            if about.name in ("delivered_pct", "bounces_errors_pct") and about.of_all:
                for which, band in (
                    ("a", self.a.band(about)),
                    ("b", self.b.band(about)),
                    ("difference", self.difference(about)),
                ):
                    names = {"mode": about.mode, "name": about.name, "which": which}
                    tables.append(pd.DataFrame({**names, **band._asdict()}))
        return pd.concat(tables, ignore_index=True)

    def difference(self, about: Quantity) -> Band:
        """Return the band of B − A of a curve."""
        curves = self.b.curves[about].astype("float64") - self.a.curves[about]
        return Band.of(self.a.moments_s, curves, self.a.confidence)

    @property
    def about_the_draws(self) -> str:
        """What the figures are means of, and what they can show."""
        if self.a.n > 1:
            return (
                f"Means over {self.a.n} pairs of simulations, both of a pair with the same draws."
            )
        draws = "the same draws" if self.same_draws else "different seeds and draws"
        return f"One run of each, with {draws}: a difference may be chance."

    def sentences(self) -> list[str]:
        """Return the answer in plain sentences."""
        starts = {each.scenario.start for each in (self.a, self.b)}
        start = f"{counted_from(starts.pop() if len(starts) == 1 else None)}."
        if self.a.n > 1:
            pairs = (
                f"{self.about_the_draws} In brackets: the {share_text(self.a.confidence)} interval "
                "of the difference (paired t); where it holds 0, a difference is not shown. Of "
                "settling times, peaks, longest delays, and where most pairs are the same: "
                "medians, and the median difference, with an interval from "
                f"{enough_for_a_median(self.a.confidence)} pairs on."
            )
        else:
            remedy = "Compare scenarios" if self.saved else "Ask for more replications"
            pairs = f"{self.about_the_draws} {remedy} for an interval."
        bins = listed(sorted({elapsed(each.scenario.time.bin) for each in (self.a, self.b)}))
        moments = (
            "% accepted: time until this share of all that is ever accepted was accepted. Moments "
            f"are the ends of bins of {bins} (time.bin): by then it has happened. Shorter bins "
            "show smaller differences."
        )
        return [pairs, moments, start]

    def write(self, folder: Path) -> None:
        """Write the scenarios, the tables and the chart into a directory that exists."""
        by_delivery, each = self.by_delivery(), {"a": self.a.each(), "b": self.b.each()}
        contents = {
            _A: self.a.scenario,
            _B: self.b.scenario,
            _DIFFERENCES: self.differences(),
            **({} if by_delivery.empty else {_BY_DELIVERY: by_delivery}),
            _CURVES: self.curves(),
            REPLICATIONS: pd.concat(each, names=["which", None]).reset_index("which"),
        }
        self._write(folder, contents)


def compare(
    a: Scenario | Run | str | os.PathLike[str],
    b: Scenario | Run | str | os.PathLike[str],
    n: int | None = None,
    *,
    names: tuple[str, str] = ("A", "B"),
    tolerances: Sequence[float | str] = TOLERANCES_PT,
    modes: Sequence[Mode] | None = None,
    workers: int | Workers | None = None,
    confidence: float = 0.95,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Compare two scenarios, with the same draws in both.

    Parameters
    ----------
    a, b
        A scenario, the path of a scenario file, the name of a preset, a run, or the directory
        of a saved one. B is simulated with A's seeds; runs retain their own.
    n
        Pairs of replications (default: 20; with a run one pair, and no interval).
    tolerances, modes
        As for `sendcap.converge`, for the settling times (default: the modes of A).
    names, workers, confidence, progress
        Names of A and B, and as for `sendcap.replicate`; progress counts simulations.

    Raises
    ------
    SendcapError
        If a scenario or run does not exist, or an argument is invalid.
    """
    require_confidence(confidence)
    points = tolerances_of(tolerances)
    sides = (side(names[0], a), side(names[1], b))
    runs = [one.run for one in sides if one.run is not None]
    if runs and n not in (None, 1):
        raise SendcapError(
            f"replications: a saved run is one replication, so there cannot be {n}; compare "
            f"scenarios"
        )
    count = 1 if runs else require_count(DEFAULT_REPLICATIONS if n is None else n)
    read_in = modes_of(sides[0].scenario, modes)
    moments_s = np.union1d(*(reading_moments_s(one.scenario) for one in sides))
    plans = [convergence_plan(one.scenario, points, read_in, moments_s) for one in sides]
    base = (runs[0] if runs else sides[0]).scenario.seed
    tasks = (
        (plan, one._replace(scenario=one.scenario.with_seed(replication_seed(base, number))))
        for number in range(count)
        for plan, one in zip(plans, sides, strict=True)
    )
    with Workers.of(workers) as team:
        records = list(Simulations(team, progress).map(_record, tasks))
    of_a, of_b = (
        gathered(records[number::2], one.scenario, moments_s, confidence)
        for number, one in enumerate(sides)
    )
    same_draws = len({run.scenario.seed for run in runs}) <= 1
    return Comparison(names, of_a, of_b, points, same_draws, bool(runs))


def difference_of(apart: Floats, confidence: float, name: str) -> tuple[float, float, float]:
    """Return the difference of a number, of those of the pairs, and the ends of its interval.

    That of the mean by Student's t. Of times that are one of few moments, and where most pairs do
    not differ at all, no such interval holds: it is the median's.
    """
    known = apart[~np.isnan(apart)]
    if len(known) > 1 and not known.any():
        # The same in every pair: there is nothing to estimate.
        return 0.0, 0.0, 0.0
    middle = _middle(known, name)
    row = spread(known, confidence)
    return row[middle], row[f"{middle}_low"], row[f"{middle}_high"]


def _middle(apart: Floats, name: str) -> str:
    """Return which middle is compared: of both sides and of the difference it is the same."""
    mostly_same = 0 < 2 * np.count_nonzero(apart) < len(apart)
    return "median" if is_moment(name) or mostly_same else "mean"


def side(name: str, source: Scenario | Run | str | os.PathLike[str]) -> Side:
    """Return a scenario or run to compare, from an object, a path or a name."""
    if isinstance(source, Run):
        return Side(name, source.scenario, source)
    if isinstance(source, str | os.PathLike) and (Path(source) / LEDGER).is_file():
        return side(name, open_run(source))
    return Side(name, scenario_of(source), None)


def _record(task: tuple[Plan, Side]) -> Record:
    plan, one = task
    return recorded(plan, one.scenario) if one.run is None else plan.record(one.run)
