"""The plan of a sweep: all runs with their keys, and the table of their outcomes."""

import hashlib
import inspect
import json
import textwrap
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import pandas as pd

from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.scenario import Scenario, to_dict
from sendcap.scenario.edits import Edits
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import require_count
from sendcap.study.replication.measures import Measure, measures_of
from sendcap.study.sweeps.outcomes import Outcome, Task, one_line
from sendcap.study.sweeps.points import Over, Points, cell, points_of
from sendcap.version import MODEL_VERSION

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
                scenarios.append(one_line(error))
                problems |= dict.fromkeys(str(error).split("\n"))
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        warnings.warn(text, SendcapWarning, stacklevel=4)
    if len(problems) and all(isinstance(each, str) for each in scenarios):
        raise ScenarioError("\n".join(list(problems)[:_PROBLEMS]))
    return scenarios


def scenario_digest(scenario: Scenario) -> str:
    """Return a hash of a resolved scenario, all defaults filled in, without its seed."""
    data = to_dict(scenario)
    data.pop("seed", None)
    return _digest(data)


def run_key(scenario_digest: str, seed: int, measures: Iterable[str]) -> str:
    """Return the key of a run in a store; measures by `measure_identity`."""
    return _digest([MODEL_VERSION, scenario_digest, str(seed), list(measures)])


def _digest(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def measure_identity(measure: Measure) -> str:
    """Return the identity of a measure: the name, and the source of the user's function.

    The source is the function's own text, defaults and closure, without the functions that it
    calls.
    """
    if not measure.own:
        return measure.name
    try:
        return f"{measure.name}:{_digest(_function_identity(measure.of))}"
    except (TypeError, ValueError, OSError, RecursionError):
        raise SendcapError(
            f"measure: {measure.name}: cannot be cached: define it with def in a module, closing "
            f"over plain values only"
        ) from None


def _function_identity(function: Any) -> Any:
    if isinstance(function, partial):
        parts = _as_json(function.args), _as_json(function.keywords)
        return [_function_identity(function.func), *parts]
    if not inspect.isfunction(function):
        raise TypeError
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [
        function.__module__,
        function.__qualname__,
        textwrap.dedent(inspect.getsource(function)),
        _as_json([function.__defaults__, function.__kwdefaults__, cells]),
    ]


def _as_json(value: Any) -> Any:
    """Return a value as plain JSON, a function as its identity."""
    if inspect.isfunction(value) or isinstance(value, partial):
        return _function_identity(value)
    if isinstance(value, Mapping):
        return [[str(key), _as_json(each)] for key, each in value.items()]
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError
