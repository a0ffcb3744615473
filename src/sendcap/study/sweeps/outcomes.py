"""Runs of a sweep and their outcomes: computed in other processes, saved in stores."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sendcap.errors import SendcapError
from sendcap.study.replication.measures import measured
from sendcap.study.replication.processes import compiled
from sendcap.version import MODEL_VERSION

if TYPE_CHECKING:
    from sendcap.scenario import Scenario
    from sendcap.study.replication.measures import Measure


class Task(NamedTuple):
    """A run to compute.

    Attributes
    ----------
    key
        Key of the run, see `sendcap.study.sweeps.identity.run_key`.
    scenario
        Resolved scenario.
    seed
        Seed of the replication.
    measures
        Measures to take.
    model
        Version of the model that is to compute it.
    """

    key: str
    scenario: Scenario
    seed: int
    measures: tuple[Measure, ...]
    model: int


class Outcome(NamedTuple):
    """The outcome of a run: plain text and numbers, as in a store.

    Attributes
    ----------
    key
        Key of the run.
    values
        Measures by column, as JSON; empty after a failure.
    error
        Reason of a failure, on one line; empty otherwise.
    wall_s, cpu_s
        Duration of the run, and the processor's time.
    """

    key: str
    values: str
    error: str
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
    def failure(cls, key: str, reason: str) -> Outcome:
        """Return the outcome of a failed run."""
        return cls(key, "", reason, 0.0, 0.0)


def evaluate(task: Task) -> Outcome:
    """Simulate a run and measure it. An exception becomes the run's error."""
    if task.model != MODEL_VERSION:
        return Outcome.failure(
            task.key,
            f"the worker has another version of sendcap: model {MODEL_VERSION}, not {task.model}",
        )
    _warm_up()
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


@cache
def _warm_up() -> None:
    """Compile once: that is no part of a run's duration."""
    compiled()
