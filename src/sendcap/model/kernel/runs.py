"""Runs of new messages: those of a batch in a queue, in a ring until they are done."""

from __future__ import annotations

from typing import Any, Final

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.ends import SIZE
from sendcap.model.kernel.fields import NONE
from sendcap.model.kernel.state import Batches, Group, Runs

EVER: Final = 0
OLDEST: Final = 1
PLACES: Final = 2


@inlined
def run_of(runs: Runs, number: int) -> Any:
    """Return the record of a run."""
    return runs.runs[number & (len(runs.runs) - 1)]


@inlined
def ready_s(runs: Runs, batches: Batches, run: Any, later: int) -> float:
    """Return when a message of a run leaves the ingress; of an empty run, a time before.

    It is the next message, or so many later.
    """
    if batches.service_s[0] == 0.0 or run.left == 0:
        return batches.relayed_s[run.batch]
    place = runs.places[(run.place + later) & (len(runs.places) - 1)]
    return batches.leaves_s[run.batch] + (place + 1) * batches.service_s[0]


@compiled
def has_room_for_runs(group: Group, runs: int, messages: int) -> bool:
    """Return whether there is room for so many runs with so many messages."""
    ring, numbers = group.runs.runs, group.runs.numbers
    oldest = numbers[OLDEST]
    if numbers[EVER] - oldest + runs > len(ring):
        return False
    if group.ends.numbers[SIZE] + runs + 8 > len(group.ends.at_s):
        return False
    if len(group.runs.places) == 0:
        return True
    first = numbers[PLACES]
    if oldest < numbers[EVER]:
        first = run_of(group.runs, oldest).place
    return numbers[PLACES] - first + messages <= len(group.runs.places)


@compiled
def free_run(runs: Runs, run: Any) -> None:
    """Give a run's room free, as far as the oldest are."""
    run.queue = NONE
    numbers = runs.numbers
    while numbers[OLDEST] < numbers[EVER] and run_of(runs, numbers[OLDEST]).queue == NONE:
        numbers[OLDEST] += 1
