"""Two scenarios compared with the same draws: what a change does, and how sure that is.

Each replication simulates both with the same seed (common random numbers). Streams of draws are
keyed by what they are for: delivery, provider and purpose. So the parts of the two scenarios that
are alike draw the same, from the same streams, and chance cancels to a good part out of their
difference. Within a stream, draws are consumed in the order of service; where a change alters
that order, messages swap draws, and less cancels. The differences of the replications are
independent and alike, so their t interval is right either way.

References
----------
A. M. Law, "Simulation Modeling and Analysis", 5th edition (2015), sections 10.2.1 (paired t) and
11.2 (common random numbers).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.errors import SendcapError
from sendcap.readings.convergence import TOLERANCES_PT
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.saved import LEDGER
from sendcap.study.convergence.converge import EXTREMES, SETTLING, convergence_plan, tolerances_of
from sendcap.study.replication.estimates import require_confidence, require_count
from sendcap.study.replication.recording import (
    ACCEPTED_TIMES,
    Plan,
    Quantity,
    Record,
    reading_moments_s,
    recorded,
)
from sendcap.study.replication.replicate import (
    DEFAULT_REPLICATIONS,
    modes_of,
)
from sendcap.study.replication.replications import Band, Records, Replications, spread
from sendcap.study.replication.seeds import replication_seed
from sendcap.study.replication.workers import Simulations, Workers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from sendcap.readings.modes import Mode
    from sendcap.run import Run
    from sendcap.scenario import Scenario

COMPARED: Final = (
    "delivered_pct",
    "bounces_errors_pct",
    *SETTLING,
    *EXTREMES,
    *ACCEPTED_TIMES,
)
"""The numbers that are compared."""


class Side(NamedTuple):
    """One of two things to compare: a scenario, and its run where that was saved."""

    name: str
    scenario: Scenario
    run: Run | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """What B does other than A, over replications in which both draw the same.

    Attributes
    ----------
    names
        What A and B are called.
    a, b
        What is kept of their replications: number r of A and number r of B have the same seed.
    tolerances_pt
        Points by which a reading may be off, the largest first.
    same_draws
        Whether they have; two saved runs may have different seeds.
    saved
        Whether either is a saved run. Then there is one replication, and no interval.
    """

    names: tuple[str, str]
    a: Replications
    b: Replications
    tolerances_pt: tuple[float, ...]
    same_draws: bool
    saved: bool

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The reporting modes that were compared."""
        return tuple(dict.fromkeys(key.mode for key in self.a.curves))  # type: ignore[misc]

    def differences(self) -> pd.DataFrame:
        """Return each number of A and B, and their difference with its paired t interval.

        Returns
        -------
        DataFrame
            Columns mode (empty for times of acceptance), name, tolerance_pt (0 for none), n (the
            replications in which both have a value), a and b (their means), difference (B − A),
            low and high (ends of the interval; NaN with one replication).
        """
        import pandas as pd

        rows = []
        for name in COMPARED:
            for about, its_a in self.a.numbers.items():
                if about.name != name or not _of_all(about):
                    continue
                both = its_a + self.b.numbers[about]
                there = both == both
                difference = spread(self.b.numbers[about] - its_a, self.a.confidence)
                rows.append(
                    {
                        "mode": about.mode,
                        "name": name,
                        "tolerance_pt": about.at,
                        "n": difference["n"],
                        "a": spread(its_a[there], self.a.confidence)["mean"],
                        "b": spread(self.b.numbers[about][there], self.a.confidence)["mean"],
                        "difference": difference["mean"],
                        "low": difference["mean_low"],
                        "high": difference["mean_high"],
                    }
                )
        return pd.DataFrame(rows)

    def curves(self) -> pd.DataFrame:
        """Return the KPIs of A and B over time, and their difference.

        Returns
        -------
        DataFrame
            Columns mode, name, which (``"a"``, ``"b"`` or ``"difference"``), time_s, mean, median,
            low, high.
        """
        import pandas as pd

        tables = []
        for about in self.a.curves:
            if about.name in ("delivered_pct", "bounces_errors_pct") and _of_all(about):
                for which, band in (
                    ("a", self.a.band(about)),
                    ("b", self.b.band(about)),
                    ("difference", self.difference(about)),
                ):
                    names = {"mode": about.mode, "name": about.name, "which": which}
                    tables.append(pd.DataFrame({**names, **band.columns()}))
        return pd.concat(tables, ignore_index=True)

    def difference(self, about: Quantity) -> Band:
        """Return the band of B − A of a curve."""
        curves = self.b.curves[about].astype("float64") - self.a.curves[about]
        return Band.of(self.a.moments_s, curves, self.a.confidence)


def _of_all(about: Quantity) -> bool:
    return (about.delivery, about.provider) == (ALL_DELIVERIES, ALL_PROVIDERS)


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
        Each a scenario, the path of a scenario file, the name of a preset, a run, or the directory
        of a saved one. B takes A's seeds, not its own; only runs that are there keep theirs.
    n
        Pairs of replications; 20 by default. With a run there is one, and no interval.
    names
        What they are called.
    tolerances
        Points of Delivered % for the settling times.
    modes
        Of reporting; those of A by default.
    workers, confidence, progress
        As for `sendcap.replicate`; progress is told the number of simulations.

    Raises
    ------
    SendcapError
        If there is no such scenario or run, or what is asked makes no sense.
    """
    require_confidence(confidence)
    points = tolerances_of(tolerances)
    sides = (side(names[0], a), side(names[1], b))
    saved = any(its.run is not None for its in sides)
    if saved and n is not None and n != 1:
        raise SendcapError(
            f"replications: a saved run is one replication, so there cannot be {n}; compare "
            f"scenarios"
        )
    count = require_count(DEFAULT_REPLICATIONS if n is None else n) if not saved else 1
    read_in = modes_of(sides[0].scenario, modes)
    moments_s = _common_moments_s(sides)
    plans = tuple(convergence_plan(its.scenario, points, read_in, moments_s) for its in sides)
    kept = (Records(), Records())
    with Workers.of(workers) as team:
        for number, folded in enumerate(_folds(sides, plans, count, team, progress)):
            kept[number % 2].add(folded)
    one, two = (
        its.replications(its_side.scenario, moments_s, confidence, precise=True)
        for its, its_side in zip(kept, sides, strict=True)
    )
    seeds = [its.run.scenario.seed for its in sides if its.run is not None]
    return Comparison(names, one, two, points, len(set(seeds)) <= 1, saved)


def side(name: str, source: Scenario | Run | str | os.PathLike[str]) -> Side:
    """Return a scenario or run to compare, given as such or by its name."""
    from sendcap.run import Run, open_run
    from sendcap.scenario.files import scenario_of

    if isinstance(source, Run):
        return Side(name, source.scenario, source)
    if isinstance(source, str | os.PathLike) and (Path(source) / LEDGER).is_file():
        run = open_run(source)
        return Side(name, run.scenario, run)
    return Side(name, scenario_of(source), None)


def _common_moments_s(sides: Sequence[Side]) -> npt.NDArray[np.float64]:
    import numpy as np

    return np.union1d(*(reading_moments_s(its.scenario) for its in sides))


class _Asked(NamedTuple):
    """A simulation that is asked for, or a run that is there."""

    plan: Plan
    scenario: Scenario
    run: Run | None


def _folds(
    sides: Sequence[Side],
    plans: Sequence[Plan],
    count: int,
    team: Workers,
    progress: Callable[[int], None] | None,
) -> Iterator[Record]:
    """Yield what is kept of A and B in turn, for one replication after the other."""
    there = [its.run for its in sides if its.run is not None]
    base = (there[0] if there else sides[0]).scenario.seed

    def asked() -> Iterator[_Asked]:
        for number in range(count):
            seed = replication_seed(base, number)
            for plan, its in zip(plans, sides, strict=True):
                yield _Asked(plan, its.scenario.with_seed(seed), its.run)

    return Simulations(team, progress).map(_folded, asked())


def _folded(asked: _Asked) -> Record:
    if asked.run is not None:
        return asked.plan.record(asked.run)
    return recorded(asked.plan, asked.scenario)
