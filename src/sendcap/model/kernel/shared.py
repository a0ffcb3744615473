"""Limits over several queues: who waits for them, and who goes on first.

A queue whose first message has to wait for a shared limit is *parked* at it: in a heap, by the time
since when that message is ready. When the limit has room, the first queue of the heap is called.
"""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import NEVER, NONE
from sendcap.model.kernel.limits import one_earliest_s
from sendcap.model.kernel.state import Group, Limits, Shared
from sendcap.model.kernel.turns import START, TAKE, set_turn


@compiled
def refusing_rate(shared: Shared, limits: Limits, queue: Any, now_s: float) -> int:
    """Return the shared rate that lets a queue start the latest, NONE if all do now."""
    refusing, latest_s = NONE, now_s
    for place in range(queue.first_shared, queue.first_shared + queue.shared):
        number = shared.of_queue[place]
        rate = shared.limits[number].rate
        if rate != NONE:
            start_s = one_earliest_s(limits, rate, now_s)
            if start_s > latest_s:
                refusing, latest_s = number, start_s
    return refusing


@compiled
def without_connection(shared: Shared, queue: Any) -> int:
    """Return the first shared limit that has no connection left, or NONE."""
    for place in range(queue.first_shared, queue.first_shared + queue.shared):
        limit = shared.limits[shared.of_queue[place]]
        if limit.rate == NONE and limit.used >= limit.connections:
            return shared.of_queue[place]
    return NONE


@compiled
def use_connection(shared: Shared, queue: Any, more: int) -> None:
    """Count a connection that a queue begins to use (1), or does not use any more (-1)."""
    for place in range(queue.first_shared, queue.first_shared + queue.shared):
        limit = shared.limits[shared.of_queue[place]]
        if limit.rate == NONE:
            limit.used += more


@compiled
def park(shared: Shared, number: int, queue: int, ready_s: float) -> None:
    """Let a queue wait for a shared limit."""
    limit = shared.limits[number]
    parked, keys_s, first = shared.parked, shared.ready_s, limit.first
    hole = limit.parked
    limit.parked += 1
    while hole > 0:
        parent = (hole - 1) >> 1
        if not _goes_before(shared, ready_s, queue, first + parent):
            break
        parked[first + hole], keys_s[first + hole] = parked[first + parent], keys_s[first + parent]
        hole = parent
    parked[first + hole], keys_s[first + hole] = queue, ready_s


@compiled
def call_first(shared: Shared, number: int) -> None:
    """Let the first queue that is parked at a limit go."""
    limit = shared.limits[number]
    parked, keys_s, first = shared.parked, shared.ready_s, limit.first
    limit.parked -= 1
    size = limit.parked
    queue, ready_s = parked[first + size], keys_s[first + size]
    hole, child = 0, 1
    while child < size:
        if child + 1 < size and _goes_before(
            shared, keys_s[first + child + 1], parked[first + child + 1], first + child
        ):
            child += 1
        if _goes_before(shared, ready_s, queue, first + child):
            break
        parked[first + hole], keys_s[first + hole] = parked[first + child], keys_s[first + child]
        hole, child = child, 2 * child + 1
    parked[first + hole], keys_s[first + hole] = queue, ready_s


@compiled
def _goes_before(shared: Shared, ready_s: float, queue: int, place: int) -> bool:
    if ready_s != shared.ready_s[place]:
        return ready_s < shared.ready_s[place]
    return queue < shared.parked[place]


@compiled
def look_at_shared(group: Group, queue: Any, now_s: float) -> None:
    """Find when the shared limits of a queue call the next one that is parked."""
    shared = group.shared
    for place in range(queue.first_shared, queue.first_shared + queue.shared):
        number = shared.of_queue[place]
        limit = shared.limits[number]
        next_s, phase, ready_s, first = NEVER, START, 0.0, 0
        if limit.parked > 0:
            ready_s, first = shared.ready_s[limit.first], shared.parked[limit.first]
            if limit.rate != NONE:
                next_s = one_earliest_s(group.limits, limit.rate, now_s)
            else:
                phase = TAKE
                if limit.used < limit.connections:
                    next_s = now_s
        set_turn(group.turns, len(group.queues) + number, next_s, phase, ready_s, first)
