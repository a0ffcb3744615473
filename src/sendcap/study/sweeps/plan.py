"""The plan of a sweep: all runs with their keys, and the table of their outcomes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pandas as pd

from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.scenario import Scenario
from sendcap.scenario.edits import Edits
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import require_count
from sendcap.study.replication.measures import Measure, measures_of
from sendcap.study.sweeps.identity import measure_identity, run_key, scenario_digest
from sendcap.study.sweeps.outcomes import Outcome, Task, one_line
from sendcap.study.sweeps.points import Over, Points, cell, points_of

NO_SCENARIO: Final = ""
"""The key of runs at a point that is no valid scenario."""
_MOST_RUNS: Final = 10_000_000
_PROBLEMS: Final = 10
"""Lines of an error message at most."""


class PlannedRun(NamedTuple):
    """A row of the table: a replication of a point."""

    point: int  # from 0
    replication: int  # from 0
    seed: int  # the same at all points, so that they differ by their values alone
    key: str  # in a store; `NO_SCENARIO` if the point is not a valid scenario


@dataclass(frozen=True, eq=False)
class Plan:
    """All runs of a sweep, in the order of the table."""

    points: Points
    scenarios: tuple[Scenario | str, ...]  # for each point, or the problem with it
    measures: tuple[Measure, ...]
    runs: tuple[PlannedRun, ...]  # all replications of the first point, of the second, …

    def tasks(self) -> dict[str, Task]:
        """Return the tasks by key. Points with equal scenarios are done once."""
        tasks: dict[str, Task] = {}
        for run in self.runs:
            scenario = self.scenarios[run.point]
            if not isinstance(scenario, str):
                # Not a copy of the scenario for each: there may be very many.
                tasks[run.key] = Task(run.key, scenario, run.seed, self.measures)
        return tasks

    def outcome(self, run: PlannedRun, outcomes: Mapping[str, Outcome]) -> Outcome | None:
        """Return the outcome of a run, None if it is not done."""
        scenario = self.scenarios[run.point]
        if isinstance(scenario, str):
            return Outcome.failure(run.key, scenario)
        return outcomes.get(run.key)

    def table(self, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
        """Return a tidy table of the runs that are done; see `sendcap.sweep`.

        A seed is text, since it has up to 39 digits.
        """
        rows: list[dict[str, Any]] = []
        measured: dict[str, None] = {}
        for run in self.runs:
            outcome = self.outcome(run, outcomes)
            if outcome is None:
                continue
            columns = outcome.columns()
            measured |= dict.fromkeys(columns)
            values = self.points.changes[run.point]
            rows.append(
                {
                    "point": run.point,
                    "replication": run.replication,
                    "seed": str(run.seed),
                    **{path: cell(values.get(path)) for path in self.points.paths},
                    **columns,
                    "error": outcome.error,
                    "wall_s": outcome.wall_s,
                    "cpu_s": outcome.cpu_s,
                }
            )
        first = ("point", "replication", "seed", *self.points.paths)
        return pd.DataFrame(rows, columns=[*first, *measured, "error", "wall_s", "cpu_s"])


def planned(
    scenario: Scenario,
    over: Over | None,
    replications: int,
    measure: Any,
    *,
    first: int = 0,
    keyed: bool = True,
) -> Plan:
    """Plan a sweep; nothing is simulated.

    ``first`` is the number of the first replication. Without a store (``keyed``) measures may be
    any functions.
    """
    points = points_of({} if over is None else over)
    measures = measures_of(measure)
    for each in measures:
        if each.name in points.paths:
            raise SendcapError(f"measure: {each.name}: is a path that is swept over; rename it")
    count = require_count(replications) * len(points.changes)
    if count > _MOST_RUNS:
        raise SendcapError(
            f"replications: {replications:,} of {len(points.changes):,} points are {count:,} "
            f"runs; at most {_MOST_RUNS:,}"
        )
    scenarios = _resolved(scenario, points)
    identities = [measure_identity(each) if keyed else each.name for each in measures]
    runs: list[PlannedRun] = []
    for number, resolved in enumerate(scenarios):
        digest = "" if isinstance(resolved, str) else scenario_digest(resolved)
        for replication in range(first, first + replications):
            seed = replication_seed(scenario.seed, replication)
            key = run_key(digest, seed, identities) if digest else NO_SCENARIO
            runs.append(PlannedRun(number, replication, seed, key))
    return Plan(points, tuple(scenarios), measures, tuple(runs))


def _resolved(scenario: Scenario, points: Points) -> list[Scenario | str]:
    """Return each point's scenario, or the problem with it."""
    edits = Edits(scenario)
    scenarios: list[Scenario | str] = []
    problems: dict[str, None] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SendcapWarning)
        for values in points.changes:
            try:
                scenarios.append(edits.updated(values) if values else scenario)
            except ScenarioError as error:
                scenarios.append(one_line(error).replace("<updated>: ", ""))
                problems |= dict.fromkeys(str(error).replace("<updated>: ", "").split("\n"))
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        warnings.warn(text, SendcapWarning, stacklevel=4)
    if len(problems) and all(isinstance(each, str) for each in scenarios):
        raise ScenarioError("\n".join(list(problems)[:_PROBLEMS]))
    return scenarios
