"""Sweeps: a scenario with other values at many points, simulated somewhere, kept as it is done."""

from __future__ import annotations

import os
import pickle
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sendcap.errors import SendcapError
from sendcap.study.replication.measures import DEFAULT_MEASURES
from sendcap.study.sweeps.execution import Execution, execution
from sendcap.study.sweeps.local import Local
from sendcap.study.sweeps.outcomes import Outcome, Task, evaluate
from sendcap.study.sweeps.plan import NO_SCENARIO, Plan, planned
from sendcap.study.sweeps.store import Store
from sendcap.study.sweeps.store_files import StoreError

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.scenario import Scenario
    from sendcap.study.replication.measures import Measure
    from sendcap.study.sweeps.points import Over


class Progress(NamedTuple):
    """How far a sweep is, in runs: points times replications.

    Attributes
    ----------
    runs
        All of them.
    done
        Those that are done, the failed ones included.
    failed
        Those that have failed.
    kept
        Those that were done before, and found in the store.
    """

    runs: int
    done: int
    failed: int
    kept: int


def sweep(
    scenario: Scenario | str | os.PathLike[str],
    over: Over | None = None,
    *,
    replications: int = 1,
    measure: Any = DEFAULT_MEASURES,
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> pd.DataFrame:
    """Simulate a scenario with other values at many points, and measure each run.

    The result depends on the scenario and on what is asked alone, but for ``wall_s`` and
    ``cpu_s``: not on where it is computed, nor in which order, nor on how often it was interrupted.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    over
        What varies, by dotted path, written as in a scenario file. A mapping from paths to lists
        of values is a grid; a DataFrame, a list of mappings or the path of a CSV file is a table
        with a point in each row (an empty cell keeps the scenario's own value); a
        `sendcap.latin_hypercube` or `sendcap.sobol` spreads points over ranges.
    replications
        Runs of each point. Replication r has the same seed at all points, see
        `sendcap.study.replication.seeds.replication_seed`: so points differ by their values alone.
    measure
        Measures: names of `sendcap.study.replication.measures.MEASURES`, functions of a
        `Run` that return a number, text or several of these by name, or a mapping from names to
        functions. A function must be one of a module, so that other processes can import it.
    executor
        A `concurrent.futures.Executor` or a ``dask.distributed.Client``; by default processes of
        this machine, which are replaced when they die.
    store
        A directory that keeps what is done. What it has is not computed again; what has failed
        is tried again. Sweeps may share it at the same time.
    workers
        Processes on this machine; as many as there are processors by default.
    progress
        Called whenever runs are done.

    Returns
    -------
    DataFrame
        A row per point and replication: ``point``, ``replication``, ``seed``; a column for each
        path; the measures; ``error``, empty unless the run has failed; ``wall_s``, ``cpu_s``.

    Raises
    ------
    SendcapError
        If what is asked makes no sense, not one point is a valid scenario, the executor fails or
        the store cannot be written. What is done by then is kept.

    Examples
    --------
    >>> import sendcap
    >>> over = {"deliveries[0].messages": [1000, 2000]}
    >>> table = sendcap.sweep("quickstart", over, measure="accepted")
    >>> table[["deliveries[0].messages", "accepted"]].to_numpy().tolist()
    [[1000, 991], [2000, 1981]]
    """
    from sendcap.scenario.files import scenario_of

    plan = planned(scenario_of(scenario), over, replications, measure, keyed=store is not None)
    there = execution(executor, workers)
    require_picklable(plan.measures, there)
    outcomes = carried_out(plan, there, None if store is None else Store(store), progress)
    return plan.table(outcomes)


def carried_out(
    plan: Plan,
    there: Execution,
    store: Store | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Mapping[str, Outcome]:
    """Do what is not done of a plan, and return what became of every run, by key.

    Parameters
    ----------
    there
        Where; it is ended.
    store
        Where to find and keep what is done.

    Raises
    ------
    SendcapError
        If the executor fails or the store cannot be written. What is done by then is kept.
    """
    with there:
        outcomes = complete(plan, there, store, progress)
    if store is not None:
        store.compact()
    return outcomes


def complete(
    plan: Plan,
    there: Execution,
    store: Store | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Mapping[str, Outcome]:
    """Do what is not done of a plan where other plans are done, too.

    See `carried_out`, which also ends the execution and compacts the store.
    """
    its = _Course(plan, store, progress)
    if its.missing:
        if store is not None:
            store.open()
        for results in there.completed(evaluate, its.tasks()):
            its.add(
                [
                    result if isinstance(result, Outcome) else _lost(task, result.reason)
                    for task, result in results
                ]
            )
    return its.outcomes


class _Course:
    """What of a plan is done, and what is missing."""

    def __init__(
        self, plan: Plan, store: Store | None, progress: Callable[[Progress], None] | None
    ) -> None:
        self._store, self._progress = store, progress
        tasks = plan.tasks()
        self.outcomes: dict[str, Outcome] = {}
        self._so_far = SoFar(plan)
        kept = [its for its in map(self._stored, tasks) if its is not None]
        self._done(kept)
        self._so_far.kept = self._so_far.done - self._so_far.failed
        self.missing = [task for key, task in tasks.items() if key not in self.outcomes]
        # Not in order: the time left is told from the runs so far, and sweeps that share a store
        # are to do different ones.
        random.shuffle(self.missing)
        self._tell()

    def tasks(self) -> Iterator[Task]:
        """Yield what is missing, unless another sweep has done it meanwhile."""
        for task in self.missing:
            if self._store is not None:
                self._store.refresh()
            outcome = self._stored(task.key)
            if outcome is None:
                yield task
            else:
                self._done([outcome])
                self._tell()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Keep what has been done."""
        if self._store is not None:
            try:
                self._store.add(outcomes)
            except StoreError as error:
                its = self._so_far.progress()
                raise StoreError(
                    f"{error}; {its.done - its.failed:,} of {its.runs:,} runs are kept, and the "
                    f"same sweep goes on from there"
                ) from error
        self._done(outcomes)
        self._tell()

    def _stored(self, key: str) -> Outcome | None:
        return None if self._store is None else self._store.finished(key)

    def _done(self, outcomes: Sequence[Outcome]) -> None:
        for its in outcomes:
            self.outcomes[its.key] = its
            self._so_far.add(its)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._so_far.progress())


class SoFar:
    """Counts the rows of a plan's table that are done; those that are no scenarios are at once."""

    def __init__(self, plan: Plan) -> None:
        self._rows = Counter(run.key for run in plan.runs)
        self.done = self.failed = self._rows[NO_SCENARIO]
        self.kept = 0

    def add(self, outcome: Outcome) -> None:
        """Count a run."""
        rows = self._rows[outcome.key]
        self.done += rows
        self.failed += rows if outcome.failed else 0

    def progress(self) -> Progress:
        """Return how far it is."""
        return Progress(self._rows.total(), self.done, self.failed, self.kept)


def so_far(plan: Plan, store: Store) -> Progress:
    """Return how far a plan is, as a store knows: also which runs have failed."""
    counted = SoFar(plan)
    for key in plan.tasks():
        outcome = store.known(key)
        if outcome is not None:
            counted.add(outcome)
    counted.kept = counted.done - counted.failed
    return counted.progress()


def _lost(task: Task, reason: str) -> Outcome:
    return Outcome.failure(task.key, reason)


def require_picklable(measures: Iterable[Measure], there: Execution) -> None:
    """Refuse measures that another process of this machine cannot import."""
    if not isinstance(there, Local):
        return
    interactive = not hasattr(sys.modules["__main__"], "__file__")
    for its in measures:
        try:
            pickle.dumps(its.of)
        except (pickle.PicklingError, AttributeError, TypeError):
            importable = False
        else:
            module = getattr(its.of, "__module__", None)
            importable = not (interactive and module == "__main__")
        if not importable:
            raise SendcapError(
                f"measure: {its.name}: other processes cannot import this function; define it "
                f"with def at the top of a module"
            )
