"""Runs of a sweep and their outcomes: computed in other processes, saved in stores."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Self

import pandas as pd

from sendcap.errors import SendcapError
from sendcap.scenario import Scenario
from sendcap.study.replication.measures import Measure, measured
from sendcap.study.replication.processes import compiled
from sendcap.text.quantities import counted

_MOST_ERRORS: Final = 5


class Task(NamedTuple):
    """A run to compute."""

    key: str  # see `sendcap.study.sweeps.plan.run_key`
    scenario: Scenario
    seed: int
    measures: tuple[Measure, ...]


class Outcome(NamedTuple):
    """The outcome of a run: plain text and numbers, as in a store."""

    key: str
    values: str  # measures by column, as JSON; empty after a failure
    error: str  # reason of a failure, on one line
    wall_s: float
    cpu_s: float

    @property
    def failed(self) -> bool:
        """Whether the run has failed."""
        return bool(self.error)

    def columns(self) -> dict[str, Any]:
        """Return the measures by column."""
        return dict(json.loads(self.values)) if self.values else {}

    @classmethod
    def failure(cls, key: str, reason: str) -> Self:
        """Return the outcome of a failed run."""
        return cls(key, "", reason, 0.0, 0.0)


def evaluate(task: Task) -> Outcome:
    """Simulate a run and measure it. An exception becomes the run's error."""
    # That is no part of a run's duration.
    compiled()
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    values = error = ""
    try:
        values = json.dumps(
            measured(task.scenario.with_seed(task.seed), task.measures), ensure_ascii=False
        )
    except Exception as problem:
        # A function of the user's can raise anything, and the sweep is to go on.
        error = one_line(problem)
    return Outcome(
        task.key, values, error, time.perf_counter() - wall_s, time.thread_time() - cpu_s
    )


def one_line(problem: BaseException) -> str:
    """Return the message of an exception on one line."""
    message = "; ".join(str(problem).split("\n")).strip()
    if isinstance(problem, SendcapError):
        return message
    kind = "not enough memory" if isinstance(problem, MemoryError) else type(problem).__name__
    return f"{kind}: {message}" if message else kind


def sentences(results: pd.DataFrame) -> Iterator[str]:
    """Yield the number of runs in a table, and the most frequent errors of those that failed."""
    failed = results[results["error"] != ""]
    yield f"{counted(len(results), 'run')}, {len(failed):,} failed."
    errors = Counter(failed["error"])
    for error, count in errors.most_common(_MOST_ERRORS):
        yield f"  {counted(count, 'run')}: {error}"
    if len(errors) > _MOST_ERRORS:
        yield f"  and {len(errors) - _MOST_ERRORS:,} other errors, see results.csv"
