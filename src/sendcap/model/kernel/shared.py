"""Limits over several queues or over deliveries: who waits for them, and who goes on first.

A queue whose first in line has to wait for a shared rate is *parked* at it, and so is a lane whose
first message has to wait for one or for a connection: in a heap, by rank and by the time since when
that message is ready. When the limit has room, the first of the heap is called.
"""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import CONNECTIONS, NONE
from sendcap.model.kernel.limits import charge_one, one_earliest_s
from sendcap.model.kernel.state import Limits, Numbers, Shared


@inlined
def nobody_waits(shared: Shared, queue: Any) -> bool:
    """Return whether the shared limits of a queue have nobody to call, whatever it does."""
    for place in range(queue.first_shared, queue.first_shared + queue.shared):
        limit = shared.limits[shared.of_queue[place]]
        if limit.parked > 0 or limit.every_s > 0.0:
            return False
    return True


@compiled
def refusing(
    shared: Shared, limits: Limits, numbers: Numbers, first: int, count: int, now_s: float
) -> int:
    """Return which of some shared limits lets a message go on the latest, NONE if all do now."""
    latest, latest_s = NONE, now_s
    for place in range(first, first + count):
        limit = shared.limits[numbers[place]]
        if limit.kind != CONNECTIONS:
            start_s = one_earliest_s(limits, limit.rate, now_s)
            if start_s > latest_s:
                latest, latest_s = numbers[place], start_s
        elif limit.used >= limit.open:
            return numbers[place]
    return latest


@compiled
def charge_take(shared: Shared, limits: Limits, lane: Any, now_s: float) -> None:
    """Let a lane's message take a connection."""
    for place in range(lane.first_limit, lane.first_limit + lane.limits):
        limit = shared.limits[shared.of_lane[place]]
        if limit.kind == CONNECTIONS:
            limit.used += 1
        else:
            charge_one(limits, limit.rate, now_s, now_s)


@compiled
def release_connection(shared: Shared, lane: Any) -> None:
    """Note that a message of a lane does not use a connection any more."""
    for place in range(lane.first_limit, lane.first_limit + lane.limits):
        limit = shared.limits[shared.of_lane[place]]
        if limit.kind == CONNECTIONS:
            limit.used -= 1


@compiled
def park(shared: Shared, number: int, who: int, rank: int, ready_s: float) -> None:
    """Let a queue or a lane wait for a shared limit."""
    limit = shared.limits[number]
    hole = limit.parked
    limit.parked += 1
    while hole > 0:
        parent = (hole - 1) >> 1
        if not _goes_before(shared, rank, ready_s, who, limit.first + parent):
            break
        _move(shared, limit.first + parent, limit.first + hole)
        hole = parent
    _put(shared, limit.first + hole, rank, ready_s, who)


@compiled
def call_first(shared: Shared, number: int) -> int:
    """Let the first of those that are parked at a limit go; return it."""
    limit = shared.limits[number]
    first = limit.first
    called = shared.parked[first]
    limit.parked -= 1
    size = limit.parked
    rank, ready_s = shared.rank[first + size], shared.ready_s[first + size]
    who = shared.parked[first + size]
    hole, child = 0, 1
    while child < size:
        if child + 1 < size and _goes_before(
            shared,
            shared.rank[first + child + 1],
            shared.ready_s[first + child + 1],
            shared.parked[first + child + 1],
            first + child,
        ):
            child += 1
        if _goes_before(shared, rank, ready_s, who, first + child):
            break
        _move(shared, first + child, first + hole)
        hole, child = child, 2 * child + 1
    _put(shared, first + hole, rank, ready_s, who)
    return called


@compiled
def leave(shared: Shared, number: int, who: int) -> None:
    """Let a queue wait no longer for a shared limit: its first in line has gone."""
    first, place = shared.limits[number].first, 0
    while shared.parked[first + place] != who:
        place += 1
    while place > 0:
        parent = (place - 1) >> 1
        _move(shared, first + parent, first + place)
        place = parent
    call_first(shared, number)


@compiled
def _move(shared: Shared, place: int, hole: int) -> None:
    _put(shared, hole, shared.rank[place], shared.ready_s[place], shared.parked[place])


@compiled
def _put(shared: Shared, place: int, rank: int, ready_s: float, who: int) -> None:
    shared.rank[place], shared.ready_s[place], shared.parked[place] = rank, ready_s, who


@compiled
def _goes_before(shared: Shared, rank: int, ready_s: float, who: int, place: int) -> bool:
    if rank != shared.rank[place]:
        return rank < shared.rank[place]
    if ready_s != shared.ready_s[place]:
        return ready_s < shared.ready_s[place]
    return who < shared.parked[place]
