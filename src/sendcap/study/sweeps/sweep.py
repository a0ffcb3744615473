"""Sweeps: a scenario at many points, simulated by workers and saved run by run."""

import os
import pickle
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from sendcap.errors import SendcapError
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.study.replication.measures import DEFAULT_MEASURES, Measure
from sendcap.study.replication.workers import Lost, Workers
from sendcap.study.sweeps.outcomes import Outcome, Task, evaluate
from sendcap.study.sweeps.plan import NO_SCENARIO, Plan, planned
from sendcap.study.sweeps.points import Over
from sendcap.study.sweeps.store import Store, StoreError
from sendcap.text.notebook_bar import notebook_bar


class Progress(NamedTuple):
    """The progress of a sweep, in runs: points times replications."""

    runs: int  # all of them
    done: int  # failures included
    failed: int
    kept: int  # in the store before

    def told(self) -> tuple[float, str]:
        """Return the share that is done, and words for a bar."""
        return self.done / max(self.runs, 1), f"{self.done:,} of {self.runs:,} runs"

    def sentence(self) -> str:
        """Return the progress as a sentence."""
        missing = self.runs - self.done
        return (
            f"{self.done - self.failed:,} of {self.runs:,} runs are done, "
            f"{self.failed:,} {'has' if self.failed == 1 else 'have'} failed, "
            f"{missing:,} {'is' if missing == 1 else 'are'} missing"
        )


def sweep(
    scenario: Scenario | str | os.PathLike[str],
    over: Over | None = None,
    *,
    replications: int = 1,
    measures: Any = DEFAULT_MEASURES,
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> pd.DataFrame:
    """Simulate a scenario at many points, and measure each run.

    The result depends on the scenario, points and measures alone, but for ``wall_s`` and ``cpu_s``.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    over
        Values by dotted path, written as in a scenario file. A mapping from paths to lists of
        values is a grid; a DataFrame, a list of mappings or the path of a CSV file is a table with
        a point in each row (an empty cell leaves the scenario's value); a `sendcap.latin_hypercube`
        or `sendcap.sobol` spreads points over ranges.
    replications
        Runs of each point. Replication r has the same seed at all points.
    measures
        Names of `sendcap.study.replication.measures.MEASURES`, importable functions of a `Run` that
        return a number, text or several of these by name, or a mapping from names to functions.
    executor
        A `concurrent.futures.Executor` or a ``dask.distributed.Client`` (default: processes of this
        machine, which are replaced when they die).
    store
        Directory for the outcomes of runs, which may be shared; no run succeeds twice.
    workers
        Processes on this machine (default: one per CPU).
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
        If an argument is invalid, the executor fails or the store cannot be written.

    Examples
    --------
    >>> import sendcap
    >>> over = {"deliveries[0].messages": [1000, 2000]}
    >>> sendcap.sweep("quickstart", over, measures="accepted")["accepted"].tolist()
    [993, 1988]
    """
    plan = planned(scenario_of(scenario), over, replications, measures, keyed=store is not None)
    outcomes = None if store is None else Store(store)
    return plan.table(carried_out(plan, Workers(workers, executor), outcomes, progress))


def carried_out(
    plan: Plan,
    workers: Workers,
    store: Store | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Mapping[str, Outcome]:
    """Do the missing runs of a plan, and return the outcomes of all runs by key.

    The workers are stopped, the store is compacted. After an error it has the runs done by then.
    """
    require_picklable(plan.measures, workers)
    with workers:
        outcomes = complete(plan, workers, store, progress)
    if store is not None:
        store.compact()
    return outcomes


def complete(
    plan: Plan,
    workers: Workers,
    store: Store | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Mapping[str, Outcome]:
    """Do the missing runs of a plan; workers and store remain for the next plan."""
    with notebook_bar(progress, Progress.told) as seen:
        course = _Course(plan, store, seen)
        if course.missing:
            if store is not None:
                store.open()
            for results in workers.completed(evaluate, course.tasks()):
                course.add(
                    [
                        Outcome.failure(task.key, result.reason)
                        if isinstance(result, Lost)
                        else result
                        for task, result in results
                    ]
                )
    return course.outcomes


class _Course:
    """The runs of a plan that are done, and those that are missing."""

    def __init__(
        self, plan: Plan, store: Store | None, progress: Callable[[Progress], None] | None
    ) -> None:
        self._store, self._progress = store, progress
        tasks = plan.tasks()
        self.outcomes: dict[str, Outcome] = {}
        self._count = _Count(plan)
        self._note([outcome for outcome in map(self._stored, tasks) if outcome is not None])
        self._count.kept = self._count.done - self._count.failed
        self.missing = [task for key, task in tasks.items() if key not in self.outcomes]
        # Not in order: the time left is estimated from the runs so far, and sweeps that share a
        # store are to do different ones.
        random.shuffle(self.missing)
        self._show()

    def tasks(self) -> Iterator[Task]:
        """Yield the missing tasks, unless another sweep has done them meanwhile."""
        for task in self.missing:
            if self._store is not None:
                self._store.refresh()
            outcome = self._stored(task.key)
            if outcome is None:
                yield task
            else:
                self._note([outcome])
                self._show()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Store outcomes."""
        if self._store is not None:
            try:
                self._store.add(outcomes)
            except StoreError as error:
                now = self._count.progress()
                raise StoreError(
                    f"{error}; {now.done - now.failed:,} of {now.runs:,} runs are saved; run the "
                    f"same sweep again to resume"
                ) from error
        self._note(outcomes)
        self._show()

    def _stored(self, key: str) -> Outcome | None:
        return None if self._store is None else self._store.finished(key)

    def _note(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self.outcomes[outcome.key] = outcome
            self._count.add(outcome)

    def _show(self) -> None:
        if self._progress is not None:
            self._progress(self._count.progress())


class _Count:
    """Counts the rows of a plan's table that are done; rows without a scenario are at once."""

    def __init__(self, plan: Plan) -> None:
        self._rows = Counter(run.key for run in plan.runs)
        self.done = self.failed = self._rows[NO_SCENARIO]
        self.kept = 0

    def add(self, outcome: Outcome) -> None:
        rows = self._rows[outcome.key]
        self.done += rows
        self.failed += rows if outcome.failed else 0

    def progress(self) -> Progress:
        return Progress(self._rows.total(), self.done, self.failed, self.kept)


def so_far(plan: Plan, store: Store) -> Progress:
    """Return the progress of a plan as a store knows it, failures included."""
    count = _Count(plan)
    for key in plan.tasks():
        outcome = store.known(key)
        if outcome is not None:
            count.add(outcome)
    count.kept = count.done - count.failed
    return count.progress()


def require_picklable(measures: Iterable[Measure], workers: Workers) -> None:
    """Refuse measures that another process of this machine cannot import."""
    if not workers.local:
        return
    interactive = not hasattr(sys.modules["__main__"], "__file__")
    for measure in measures:
        try:
            pickle.dumps(measure.of)
            importable = not interactive or getattr(measure.of, "__module__", None) != "__main__"
        except (pickle.PicklingError, AttributeError, TypeError):
            importable = False
        if not importable:
            raise SendcapError(
                f"measure: {measure.name}: other processes cannot import this function; define it "
                f"with def at the top of a module"
            )
