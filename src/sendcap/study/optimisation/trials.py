"""Trials: simulated settings with their results."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sendcap.errors import ScenarioError, SendcapError
from sendcap.scenario import Scenario
from sendcap.study.optimisation.priced import Priced
from sendcap.study.optimisation.proposals import Settings, combinations
from sendcap.study.optimisation.target import Target
from sendcap.study.replication.estimates import Estimate, require_count
from sendcap.study.replication.measures import Measure
from sendcap.study.replication.workers import Workers
from sendcap.study.sweeps.outcomes import one_line
from sendcap.study.sweeps.plan import planned
from sendcap.study.sweeps.store import Store
from sendcap.study.sweeps.sweep import Progress, complete


@dataclass(frozen=True)
class Effort:
    """The effort of a search."""

    trials: int = 100  # settings before those a step cheaper; if no more exist, all of them
    trial_replications: int = 2  # of each
    replications: int = 20  # of each test of whether settings meet the target
    seed: int = 0  # of the proposals

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("trial_replications", 1), ("replications", 2)):
            require_count(getattr(self, name), least, name=f"{name}:")


@dataclass
class Trial:
    """Simulated settings."""

    number: int  # in the order of the search
    settings: Mapping[str, Any]  # values by path, as in a scenario file
    cost: float
    mean: float  # of the measure over the search's replications; NaN if one has no value
    error: str = ""  # reason of a failure
    confirmed: Estimate | None = None  # over the replications of a test
    bound: float = math.nan  # one-sided, of these replications
    met: bool | None = None  # whether the bound meets the target


@dataclass(eq=False)
class Trials:
    """Simulates settings, each once, and remembers the results."""

    scenario: Scenario
    levers: Mapping[str, Priced]
    target: Target
    measures: Sequence[Measure]  # of each run, with that of the target
    effort: Effort
    workers: Workers
    store: Store | None
    progress: Callable[[Progress], None] | None
    found: dict[Settings, Trial] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._tables: list[pd.DataFrame] = []
        self._before = self._latest = Progress(0, 0, 0, 0)
        effort = self.effort
        settings = combinations(self.levers, effort.trials) or effort.trials
        # The smallest number of runs.
        self._expected = settings * effort.trial_replications + effort.replications

    def simulate(self, asked: Iterable[Settings]) -> None:
        """Find the trials of settings; new settings are simulated together."""
        new = [settings for settings in dict.fromkeys(asked) if settings not in self.found]
        values = [self._values(settings) for settings in new]
        trials = []
        for number, settings in enumerate(values, len(self.found)):
            costs = (lever.cost_of(settings[path]) for path, lever in self.levers.items())
            trials.append(Trial(number, settings, math.fsum(costs), math.nan))
        if new:
            runs = self._runs(trials, 0, self.effort.trial_replications)
            for trial, rows in zip(trials, runs, strict=True):
                self._learn(trial, rows)
            self.found |= zip(new, trials, strict=True)

    def confirmation(self, trial: Trial) -> list[float]:
        """Return the measure in replications that had no part in the search; none if one fails.

        The search has chosen settings whose own replications happened to be good.
        """
        (rows,) = self._runs([trial], self.effort.trial_replications, self.effort.replications)
        if rows["error"].any():
            return []
        values = [float(value) for value in rows[self.target.column]]
        return [] if any(map(math.isnan, values)) else values

    def runs(self) -> pd.DataFrame:
        """Return all runs, as `sendcap.sweep` does; a point is the number of a trial."""
        table = pd.concat(self._tables, ignore_index=True)
        return table.sort_values(["point", "replication"], kind="stable", ignore_index=True)

    def _values(self, settings: Settings) -> dict[str, Any]:
        pairs = zip(self.levers.items(), settings, strict=True)
        return {path: lever.range.written(number) for (path, lever), number in pairs}

    def _runs(
        self, trials: Sequence[Trial], first: int, replications: int
    ) -> Iterable[pd.DataFrame]:
        """Simulate settings, and yield the rows of each."""
        points = [dict(trial.settings) for trial in trials]
        try:
            plan = planned(
                self.scenario,
                points,
                replications,
                self.measures,
                first=first,
                keyed=self.store is not None,
            )
        except ScenarioError as error:  # not one of them is a scenario
            return [pd.DataFrame({"error": [one_line(error)]}) for _ in trials]
        table = plan.table(complete(plan, self.workers, self.store, self._tell))
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
        if any(isinstance(value, bool | str) or value is None for value in values):
            raise SendcapError(f"target: measure: {self.target.column} is not a number")
        trial.mean = math.fsum(values) / len(values)

    def _tell(self, now: Progress) -> None:
        before = self._before
        done = before.done + now.done
        runs = max(self._expected, before.done + now.runs)
        self._latest = Progress(runs, done, before.failed + now.failed, before.kept + now.kept)
        if self.progress is not None:
            self.progress(self._latest)
