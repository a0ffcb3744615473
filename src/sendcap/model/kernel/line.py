"""The line of a queue: messages that have a connection and wait for the limits."""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.connections import leave_line, stand_in_line
from sendcap.model.kernel.fields import IN_LINE, NONE, STARTS
from sendcap.model.kernel.limits import earliest_s
from sendcap.model.kernel.shared import call_first, park, refusing
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.waiting import drop_expired, first_ready_s, may_expire


@inlined
def line_goes_on(queue: Any, now_s: float) -> bool:
    """Return whether the first in line may ask again."""
    return queue.line_first != NONE and queue.line_at == NONE and queue.line_start_s <= now_s


@compiled
def called(group: Group, limit: int, queue_number: int) -> bool:
    """Let a queue or a lane go on that has been parked at a shared limit.

    Return whether its first message is the one that it was parked with. Others may go before
    another one.
    """
    shared = group.shared
    if shared.limits[limit].kind != STARTS:
        return _lanes_called(group, limit, queue_number)
    since_s = shared.ready_s[shared.limits[limit].first]
    call_first(shared, limit)
    queue = group.queues[queue_number]
    queue.line_at, queue.line_start_s = NONE, group.counts[0].now_s
    if queue.line_first == NONE:
        return False
    return group.messages[group.connections[queue.line_first].message].ready_s == since_s


@compiled
def _lanes_called(group: Group, limit: int, queue_number: int) -> bool:
    """Let a lane go on, and with it those of its queue that have been ready for as long."""
    shared = group.shared
    place = shared.limits[limit].first
    rank, since_s, fresh = shared.rank[place], shared.ready_s[place], True
    while (
        shared.limits[limit].parked > 0
        and shared.rank[place] == rank
        and shared.ready_s[place] == since_s
        and group.lanes[shared.parked[place]].queue == queue_number
    ):
        lane = group.lanes[call_first(shared, limit)]
        lane.parked_at = NONE
        drop_expired(group, lane)
        fresh = fresh and first_ready_s(lane) == since_s
    return fresh


@compiled
def park_line(group: Group, queue_number: int, now_s: float) -> bool:
    """Park a queue whose first in line has to wait for a shared rate; return whether it does."""
    queue = group.queues[queue_number]
    shared = group.shared
    queue.line_at = refusing(
        shared, group.limits, shared.of_queue, queue.first_shared, queue.shared_rates, now_s
    )
    if queue.line_at == NONE:
        return False
    message = group.messages[group.connections[queue.line_first].message]
    rank = group.lanes[message.lane].rank
    park(shared, queue.line_at, queue_number, rank, message.ready_s)
    return True


@compiled
def ask(group: Group, queue_number: int, number: int, now_s: float) -> int:
    """Return a connection if its message may start now; else let it wait in line.

    Where others may want the same, the one that has been ready the longest has to be found first.
    """
    queue = group.queues[queue_number]
    if queue.line_first == NONE:
        queue.line_start_s = now_s
        if queue.shared_rates == 0 and now_s >= queue.sent_back_until_s:
            queue.line_start_s = earliest_s(group.limits, queue, now_s)
            if queue.line_start_s == now_s:
                return number
    stand_in_line(queue, group.connections, number)
    message = group.messages[group.connections[number].message]
    may_expire(group, group.connections[number].message)
    message.place = IN_LINE
    return NONE


@compiled
def first_in_line(group: Group, queue_number: int, now_s: float) -> int:
    """Return the first in line if it may start now, else NONE."""
    queue = group.queues[queue_number]
    # Another queue may have used what the limits allowed.
    queue.line_start_s = earliest_s(group.limits, queue, now_s)
    if queue.line_start_s <= now_s:
        return leave_line(queue, group.connections)
    if queue.shared_rates > 0:
        park_line(group, queue_number, now_s)
    return NONE
