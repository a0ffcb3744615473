"""Runs of a sweep, and what becomes of them: computed in other processes, kept in stores."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sendcap.errors import SendcapError
from sendcap.study.sweeps.identity import model_version

if TYPE_CHECKING:
    from sendcap.scenario import Scenario
    from sendcap.study.sweeps.measure import Measure


class Task(NamedTuple):
    """A run that is asked for.

    Attributes
    ----------
    key
        Of the run, see `sendcap.study.sweeps.identity.run_key`.
    scenario
        Resolved.
    seed
        Of the replication.
    measures
        What to keep.
    model
        The model that is to compute it; see `sendcap.study.sweeps.identity.model_version`.
    """

    key: str
    scenario: Scenario
    seed: int
    measures: tuple[Measure, ...]
    model: str


class Outcome(NamedTuple):
    """What became of a run: plain text and numbers, as a store keeps them.

    Attributes
    ----------
    key
        Of the run.
    values
        The measures by column, as JSON; empty if it failed.
    error
        Why it failed, on one line; empty if it did not.
    wall_s, cpu_s
        Time that it took, and of it the processor's.
    """

    key: str
    values: str
    error: str
    wall_s: float
    cpu_s: float

    @property
    def failed(self) -> bool:
        """Whether there is an error, and no values."""
        return bool(self.error)

    def columns(self) -> dict[str, Any]:
        """Return the measures by column."""
        return dict(json.loads(self.values)) if self.values else {}

    @classmethod
    def failure(cls, key: str, reason: str) -> Outcome:
        """Return the outcome of a run that has none."""
        return cls(key, "", reason, 0.0, 0.0)


def evaluate(task: Task) -> Outcome:
    """Simulate a run and measure it. Whatever goes wrong becomes its error."""
    from sendcap.study.sweeps.measures import measured

    if task.model != model_version():
        return Outcome.failure(
            task.key,
            f"the worker has another version of sendcap, {model_version()}, and not {task.model}",
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
    """Say on one line what went wrong."""
    told = "; ".join(str(problem).split("\n")).strip()
    if isinstance(problem, SendcapError):
        return told
    kind = "not enough memory" if isinstance(problem, MemoryError) else type(problem).__name__
    return f"{kind}: {told}" if told else kind


@cache
def _warm_up() -> None:
    """Import and compile once: it is no part of what a run takes."""
    from sendcap.study.replication.workers import compiled

    compiled()
