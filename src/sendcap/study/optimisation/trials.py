"""Trials: settings that have been simulated, and what came of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sendcap.errors import ScenarioError, SendcapError
from sendcap.study.sweeps.plan import planned
from sendcap.study.sweeps.sweep import Progress, complete

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.scenario import Scenario
    from sendcap.study.optimisation.neighbours import Settings
    from sendcap.study.optimisation.priced import Priced
    from sendcap.study.optimisation.target import Target
    from sendcap.study.replication.estimates import Estimate
    from sendcap.study.replication.measures import Measure
    from sendcap.study.replication.workers import Workers
    from sendcap.study.sweeps.store import Store


@dataclass
class Trial:
    """Settings that have been simulated.

    Attributes
    ----------
    number
        In the order in which they were tried.
    settings
        By path, as a scenario file has them.
    cost
        What they cost.
    mean
        Of the measure over the replications of the search; NaN where one has no value.
    error
        Why they could not be simulated; empty otherwise.
    confirmed
        Mean over the replications of the confirmation, if they have been confirmed or refuted.
    bound
        One-sided, of these replications.
    met
        Whether the bound meets the target; None if that has not been asked.
    """

    number: int
    settings: Mapping[str, Any]
    cost: float
    mean: float
    error: str = ""
    confirmed: Estimate | None = None
    bound: float = math.nan
    met: bool | None = None


class Trials:
    """Simulates settings, each once, and remembers what came of them.

    Parameters
    ----------
    scenario, levers, target
        Of the search.
    measures
        To keep of each run; the target's among them.
    replications
        Of each trial, for the search.
    workers, store, progress
        As for `sendcap.study.sweeps.sweep.complete`.
    expected
        Runs that there will be at least, for the progress.

    Attributes
    ----------
    found
        The trials, by their settings as numbers.
    """

    def __init__(
        self,
        scenario: Scenario,
        levers: Mapping[str, Priced],
        target: Target,
        measures: Sequence[Measure],
        replications: int,
        workers: Workers,
        store: Store | None,
        progress: Callable[[Progress], None] | None,
        expected: int,
    ) -> None:
        self.scenario, self.levers, self.target = scenario, levers, target
        self.measures, self._replications = measures, replications
        self._workers, self._store, self._progress = workers, store, progress
        self._expected = expected
        self.found: dict[Settings, Trial] = {}
        self._tables: list[pd.DataFrame] = []
        self._before = self._latest = Progress(0, 0, 0, 0)

    def simulate(self, asked: Iterable[Settings]) -> list[Trial]:
        """Return the trials of settings; what has not been tried is simulated, all together."""
        asked = list(asked)
        new = [its for its in dict.fromkeys(asked) if its not in self.found]
        values = [self._values(its) for its in new]
        trials = [
            Trial(len(self.found) + place, its, self._cost(its), math.nan)
            for place, its in enumerate(values)
        ]
        if new:
            for trial, rows in zip(trials, self._runs(trials, 0, self._replications), strict=True):
                self._learn(trial, rows)
            self.found |= zip(new, trials, strict=True)
        return [self.found[its] for its in asked]

    def confirmation(self, trial: Trial, replications: int) -> list[float]:
        """Return the measure in replications that had no part in the search; none if one fails.

        The search has chosen settings whose own replications happened to be good.
        """
        (rows,) = self._runs([trial], self._replications, replications)
        if rows["error"].any():
            return []
        values = [float(its) for its in rows[self.target.column]]
        return [] if any(map(math.isnan, values)) else values

    def runs(self) -> pd.DataFrame:
        """Return all runs, as `sendcap.sweep` does; a point is the number of a trial."""
        import pandas as pd

        table = pd.concat(self._tables, ignore_index=True)
        return table.sort_values(["point", "replication"], kind="stable", ignore_index=True)

    def _values(self, settings: Settings) -> dict[str, Any]:
        pairs = zip(self.levers.items(), settings, strict=True)
        return {path: its.range.written(number) for (path, its), number in pairs}

    def _cost(self, values: Mapping[str, Any]) -> float:
        return math.fsum(its.cost_of(values[path]) for path, its in self.levers.items())

    def _runs(
        self, trials: Sequence[Trial], first: int, replications: int
    ) -> Iterable[pd.DataFrame]:
        """Simulate settings, and yield the rows of each."""
        import pandas as pd

        points = [dict(trial.settings) for trial in trials]
        try:
            plan = planned(
                self.scenario,
                points,
                replications,
                self.measures,
                first=first,
                keyed=self._store is not None,
            )
        except ScenarioError as error:  # not one of them is a scenario
            reason = str(error).replace("\n", "; ")
            return [pd.DataFrame({"error": [reason]}) for _ in trials]
        table = plan.table(complete(plan, self._workers, self._store, self._tell))
        self._before = self._latest
        numbers = table["point"].map(dict(enumerate(trial.number for trial in trials)))
        self._tables.append(table.assign(point=numbers))
        return [rows for _, rows in table.groupby("point", sort=True)]

    def _learn(self, trial: Trial, rows: pd.DataFrame) -> None:
        failed = rows["error"][rows["error"] != ""]
        if len(failed):
            trial.error = str(failed.iloc[0])
            return
        self.target.require_column(rows.columns)
        values = rows[self.target.column].tolist()
        if any(isinstance(its, bool | str) or its is None for its in values):
            raise SendcapError(f"target: measure: {self.target.column} is no number")
        trial.mean = math.fsum(values) / len(values)

    def _tell(self, its: Progress) -> None:
        before = self._before
        done = before.done + its.done
        runs = max(self._expected, before.done + its.runs)
        self._latest = Progress(runs, done, before.failed + its.failed, before.kept + its.kept)
        if self._progress is not None:
            self._progress(self._latest)
