"""New messages become ready: counted where connections are opened by the queue's length.

They are counted when somebody asks how many wait, and before any of them is taken.
"""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER, NONE
from sendcap.model.kernel.runs import ready_s, run_of
from sendcap.model.kernel.state import Batches, Group, Runs


@compiled
def next_arrival(lane: Any, runs: Runs, batches: Batches, number: int) -> None:
    """Look at a run, of which nothing has become ready, or at the next that has not expired."""
    while number != NONE and run_of(runs, number).left == 0:
        number = run_of(runs, number).next
    lane.arriving_run, lane.arrival_s = number, NEVER
    if number != NONE:
        run = run_of(runs, number)
        lane.arriving_place = run.place
        lane.arrival_s = ready_s(runs, batches, run, 0)


@compiled
def look_at_next(lane: Any, runs: Runs, batches: Batches, run: Any) -> bool:
    """Look at the next message of a run that becomes ready; return False at the run's end."""
    lane.arriving_place += 1
    if lane.arriving_place == run.place + run.left:
        return False
    lane.arrival_s = ready_s(runs, batches, run, lane.arriving_place - run.place)
    return True


@inlined
def catch_up(group: Group, queue: Any, now_s: float) -> None:
    """Count the new messages of a queue that have become ready."""
    if queue.arrival_s <= now_s:
        _count_arrivals(group, queue, now_s)


@compiled
def _count_arrivals(group: Group, queue: Any, now_s: float) -> None:
    while queue.arrival_s <= now_s:
        _count_arrival(group, queue, queue.arrival_s)
        find_arrival(group, queue)


@compiled
def find_arrival(group: Group, queue: Any) -> None:
    """Find when new messages of a queue become ready next."""
    queue.arrival_s = NEVER
    for number in range(queue.first_lane, queue.first_lane + queue.lanes):
        queue.arrival_s = min(queue.arrival_s, group.lanes[number].arrival_s)


@compiled
def _count_arrival(group: Group, queue: Any, now_s: float) -> None:
    """Count new messages that are ready at a moment."""
    number = queue.first_lane
    while group.lanes[number].arrival_s != now_s:
        number += 1
    lane, runs = group.lanes[number], group.runs
    run = run_of(runs, lane.arriving_run)
    if group.batches.service_s[0] == 0.0:
        queue.waiting += run.left
    else:
        queue.waiting += 1
        if look_at_next(lane, runs, group.batches, run):
            return
    next_arrival(lane, runs, group.batches, run.next)
