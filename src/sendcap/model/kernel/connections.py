"""The connections of a queue: which one a message takes, and what becomes of it afterwards."""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NONE
from sendcap.model.kernel.limits import charge_one, one_earliest_s
from sendcap.model.kernel.state import Group, Ints, Limits, Records


@inlined
def may_take(group: Group, queue: Any, now_s: float, take_s: float) -> bool:
    """Return whether a message gets a connection at a time, as things stand now.

    Where connections are opened as the queue grows, that is not known before.
    """
    if queue.scaled == NONE:
        return queue.taken < queue.window
    return take_s > now_s or _may_open(queue, group.connections, group.waiting_for, now_s)


@inlined
def _may_open(queue: Any, connections: Records, waiting_for: Ints, now_s: float) -> bool:
    """Return the same where connections are opened as the queue grows, as KumoMTA does."""
    _close_idle(queue, connections, now_s)
    if queue.free_first != NONE:
        return True
    if queue.closed_first == NONE:
        return False
    wanted_from = waiting_for[queue.scaled + queue.open]
    return queue.waiting + queue.making >= wanted_from


@inlined
def take_connection(queue: Any, connections: Records, now_s: float) -> int:
    """Take the open connection that has been free the longest, or open one.

    It has no attempts left if it has to be made.
    """
    queue.taken += 1
    _close_idle(queue, connections, now_s)
    if queue.free_first == NONE:
        number = queue.closed_first
        connection = connections[number]
        queue.closed_first = connection.next
        queue.open += 1
        connection.attempts_left = 0
        return number
    number = queue.free_first
    queue.free_first = connections[number].next
    return number


@inlined
def hand_back(queue: Any, connections: Records, number: int) -> None:
    """Let others have a connection."""
    connection = connections[number]
    queue.taken -= 1
    connection.message = NONE
    if connection.attempts_left == 0:
        _close(queue, connections, number)
        return
    connection.next = NONE
    if queue.free_first == NONE:
        queue.free_first = number
    else:
        connections[queue.free_last].next = number
    queue.free_last = number


@inlined
def _close_idle(queue: Any, connections: Records, now_s: float) -> None:
    """Close the free connections that have been idle for too long: the first ones."""
    while (
        queue.free_first != NONE
        and now_s - connections[queue.free_first].event_s > queue.idle_timeout_s
    ):
        closed = queue.free_first
        queue.free_first = connections[closed].next
        _close(queue, connections, closed)


@compiled
def _close(queue: Any, connections: Records, number: int) -> None:
    connections[number].next = queue.closed_first
    queue.closed_first = number
    queue.open -= 1


@compiled
def opens_s(queue: Any, limits: Limits, now_s: float) -> float:
    """Return when a connection may be opened that is asked for now: first in, first out."""
    if queue.connection_rate == NONE:
        return now_s
    start_s = one_earliest_s(limits, queue.connection_rate, now_s)
    charge_one(limits, queue.connection_rate, start_s, start_s)
    return start_s


@compiled
def is_accepted(queue: Any, connections: Records, number: int, now_s: float) -> bool:
    """Return whether the provider accepts a connection made now; one that it refuses is closed."""
    count = 0
    for other in range(queue.first_connection, queue.first_connection + queue.connections):
        connection = connections[other]
        if other == number or connection.being_made:
            continue
        idle = connection.attempts_left > 0 and now_s - connection.event_s <= queue.idle_timeout_s
        count += connection.message != NONE or idle
    if count < queue.accepted:
        return True
    connections[number].attempts_left = 0
    return False


@compiled
def stand_in_line(queue: Any, connections: Records, number: int) -> None:
    """Let a connection's message wait for the limits, behind those that do."""
    connections[number].next = NONE
    if queue.line_first == NONE:
        queue.line_first = number
    else:
        connections[queue.line_last].next = number
    queue.line_last = number


@inlined
def leave_line(queue: Any, connections: Records) -> int:
    """Take the first in line."""
    number = queue.line_first
    queue.line_first = connections[number].next
    return number


@compiled
def leave_line_of(queue: Any, connections: Records, message: int) -> int:
    """Take the connection out of the line that holds a message."""
    before, number = NONE, queue.line_first
    while connections[number].message != message:
        before, number = number, connections[number].next
    following = connections[number].next
    if before == NONE:
        queue.line_first = following
    else:
        connections[before].next = following
    if queue.line_last == number:
        queue.line_last = before
    return number
