"""What a shared limit does next: it calls who is parked, or lets one more connection be used.

A limit that lets connections in use one by one does so at the multiples of a time, while messages
of its lanes wait. As soon as nobody waits, no more may be used than are.
"""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import CONNECTIONS, NEVER, STARTS
from sendcap.model.kernel.limits import one_earliest_s
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.turns import GROW, set_turn
from sendcap.model.kernel.waiting import drop_expired, first_ready_s


@compiled
def look_at_shared(group: Group, queue: Any, now_s: float) -> None:
    """Find when the shared limits of a queue call the next one that is parked."""
    shared = group.shared
    for place in range(queue.first_shared, queue.first_shared + queue.shared):
        number = shared.of_queue[place]
        limit = shared.limits[number]
        next_s, phase, rank, ready_s, first = NEVER, limit.phase, 0, 0.0, 0
        grows_s = NEVER
        if limit.every_s > 0.0:
            grows_s = _grows_s(group, limit, now_s)
        if limit.parked > 0:
            rank, ready_s = shared.rank[limit.first], shared.ready_s[limit.first]
            first = shared.parked[limit.first]
            if limit.kind != STARTS:
                first = group.lanes[first].queue
            if limit.kind != CONNECTIONS:
                next_s = one_earliest_s(group.limits, limit.rate, now_s)
            elif limit.used < limit.open:
                next_s = now_s
        if grows_s <= next_s and grows_s < NEVER:
            next_s, phase, rank, ready_s = grows_s, GROW, 0, 0.0
            first = group.lanes[shared.lanes[limit.first_lane]].queue
        set_turn(group.turns, len(group.queues) + number, next_s, phase, rank, ready_s, first)


@compiled
def grow(group: Group, limit: Any, now_s: float) -> None:
    """Let one more connection be used, if anybody waits."""
    if _waits_from_s(group, limit) <= now_s:
        limit.open += 1
        limit.last_run = round(now_s / limit.every_s)


@compiled
def _grows_s(group: Group, limit: Any, now_s: float) -> float:
    """Return when one more connection may be used; take back those that nobody waits for."""
    waits_s = _waits_from_s(group, limit)
    if waits_s > now_s:
        if limit.shrunk_s < now_s or limit.shrunk_turn != group.counts[0].late_turns:
            limit.open_before = limit.open
            limit.shrunk_s, limit.shrunk_turn = now_s, group.counts[0].late_turns
        limit.open = limit.used
    elif limit.shrunk_s == now_s and limit.shrunk_turn == group.counts[0].late_turns:
        # At this very moment somebody has come, for whom the relay had waited for room, and before
        # this limit could have let one more connection be used.
        limit.open = max(limit.open, limit.open_before)
    if waits_s == NEVER or limit.open >= limit.connections:
        return NEVER
    earliest_s = max(waits_s, now_s)
    run = round(earliest_s / limit.every_s)
    if run * limit.every_s < earliest_s:
        run += 1
    return max(run, limit.last_run + 1) * limit.every_s


@compiled
def _waits_from_s(group: Group, limit: Any) -> float:
    """Return from when on a message of the limit's lanes waits; infinite without one."""
    since_s = NEVER
    for place in range(limit.first_lane, limit.first_lane + limit.lanes):
        lane = group.lanes[group.shared.lanes[place]]
        drop_expired(group, lane)
        since_s = min(since_s, first_ready_s(lane))
    return since_s
