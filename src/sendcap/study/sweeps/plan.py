"""The plan of a sweep: all runs with their keys, and the table of their outcomes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pandas as pd

from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.scenario.edits import Edits
from sendcap.study.replication.measures import measures_of
from sendcap.study.replication.seeds import replication_seed
from sendcap.study.sweeps.identity import measure_identity, run_key, scenario_digest
from sendcap.study.sweeps.outcomes import Outcome, Task, one_line
from sendcap.study.sweeps.points import Points, cell, points_of
from sendcap.version import MODEL_VERSION

if TYPE_CHECKING:
    from sendcap.scenario import Scenario
    from sendcap.study.replication.measures import Measure
    from sendcap.study.sweeps.points import Over

NO_SCENARIO: Final = ""
"""The key of runs at a point that is no valid scenario."""
_MOST_RUNS: Final = 10_000_000
_PROBLEMS: Final = 10
"""Lines of an error message at most."""


class PlannedRun(NamedTuple):
    """A row of the table: a replication of a point.

    Attributes
    ----------
    point, replication
        Numbers, from 0.
    seed
        Of the replication: the same at all points, so that they differ by their values alone.
    key
        Key in a store; `NO_SCENARIO` if the point is not a valid scenario.
    """

    point: int
    replication: int
    seed: int
    key: str


@dataclass(frozen=True, eq=False)
class Plan:
    """All runs of a sweep, in the order of the table.

    Attributes
    ----------
    points
        Values that vary.
    scenarios
        For each point the scenario, or the problem with it.
    measures
        Measures of each run.
    runs
        Rows of the table: all replications of the first point, of the second, …
    """

    points: Points
    scenarios: tuple[Scenario | str, ...]
    measures: tuple[Measure, ...]
    runs: tuple[PlannedRun, ...]

    def tasks(self) -> dict[str, Task]:
        """Return the tasks by key. Points with equal scenarios are done once."""
        tasks: dict[str, Task] = {}
        for run in self.runs:
            scenario = self.scenarios[run.point]
            if not isinstance(scenario, str):
                # Not a copy of the scenario for each: there may be very many.
                task = Task(run.key, scenario, run.seed, self.measures, MODEL_VERSION)
                tasks[run.key] = task
        return tasks

    def outcome(self, run: PlannedRun, outcomes: Mapping[str, Outcome]) -> Outcome | None:
        """Return the outcome of a run, None if it is not done."""
        scenario = self.scenarios[run.point]
        if isinstance(scenario, str):
            return Outcome.failure(run.key, scenario)
        return outcomes.get(run.key)

    def table(self, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
        """Return a tidy table of the runs that are done.

        Returns
        -------
        DataFrame
            ``point`` and ``replication``, numbers from 0; ``seed``, as text, since it has up to
            39 digits; a column for each path that varies; the measures; ``error``, empty for
            success; ``wall_s`` and ``cpu_s``.
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

    Parameters
    ----------
    first
        Number of the first replication.
    keyed
        Whether the runs are for a store. Without one, measures may be any functions.

    Raises
    ------
    SendcapError
        If an argument is invalid, or no point is a valid scenario.
    """
    points = points_of({} if over is None else over)
    measures = measures_of(measure)
    _require_columns(points, measures)
    _require_replications(replications, len(points.changes))
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


def _require_columns(points: Points, measures: tuple[Measure, ...]) -> None:
    for measure in measures:
        if measure.name in points.paths:
            raise SendcapError(f"measure: {measure.name}: is a path that is swept over; rename it")


def _require_replications(replications: int, points: int) -> None:
    if isinstance(replications, bool) or not isinstance(replications, int) or replications < 1:
        raise SendcapError(f"replications: must be a whole number from 1, not {replications!r}")
    if replications * points > _MOST_RUNS:
        raise SendcapError(
            f"replications: {replications:,} of {points:,} points are {replications * points:,} "
            f"runs; at most {_MOST_RUNS:,}"
        )


def _resolved(scenario: Scenario, points: Points) -> list[Scenario | str]:
    """Return each point's scenario, or the problem with it."""
    edits = Edits(scenario)
    found: list[Scenario | str] = []
    problems: dict[str, None] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SendcapWarning)
        for values in points.changes:
            try:
                found.append(edits.updated(values) if values else scenario)
            except ScenarioError as error:
                found.append(one_line(error).replace("<updated>: ", ""))
                problems |= dict.fromkeys(str(error).replace("<updated>: ", "").split("\n"))
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        warnings.warn(text, SendcapWarning, stacklevel=4)
    if len(problems) and all(isinstance(each, str) for each in found):
        raise ScenarioError("\n".join(list(problems)[:_PROBLEMS]))
    return found
