"""A message is taken by a connection; other queues see what limits let them take then."""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.ahead import look_ahead
from sendcap.model.kernel.busy import begin_work
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.connecting import connect
from sendcap.model.kernel.connections import may_take, take_connection
from sendcap.model.kernel.fields import NONE
from sendcap.model.kernel.lanes import give_turn, lane_to_take
from sendcap.model.kernel.shared import charge_take, refusing
from sendcap.model.kernel.shared_turns import look_at_shared
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.turns import TAKE
from sendcap.model.kernel.waiting import first_ready_s, take_first


@inlined
def takes_at_once(group: Group, limit: int, queue: Any, now_s: float) -> bool:
    """Return whether a queue may take a message for its only lane that a limit has called."""
    if queue.lanes > 1 or group.shared.limits[limit].phase != TAKE or now_s < queue.held_until_s:
        return False
    return may_take(group, queue, now_s, now_s)


@inlined
def take(group: Group, queue_number: int, rank: int, ready_s: float, now_s: float) -> int:
    """Let a connection take the first message; return it if that may ask at once.

    The turn is that of a message of this rank, which has been ready since then.
    """
    queue, connections = group.queues[queue_number], group.connections
    lane_number = lane_to_take(group, queue, now_s)
    if lane_number == NONE or first_ready_s(group.lanes[lane_number]) > now_s:
        return NONE  # all have to wait for limits, or have expired
    lane = group.lanes[lane_number]
    if lane.rank != rank or first_ready_s(lane) != ready_s:
        return NONE  # another one has to wait for limits, and this one for a turn of its own
    number = take_first(group, queue, lane_number)
    if number == NONE:
        return NONE
    give_turn(queue, lane_number)
    if lane.limits > 0:
        charge_take(group.shared, group.limits, lane, now_s)
        if len(group.lanes) > len(group.queues):
            _let_others_look(group, queue_number, lane, now_s)
    taken = take_connection(queue, connections, now_s)
    connections[taken].message = number
    if connections[taken].attempts_left > 0:
        return taken
    connect(group, queue_number, taken, now_s)
    begin_work(group.busy, connections, taken, now_s)
    return NONE


@compiled
def _let_others_look(group: Group, queue_number: int, lane: Any, now_s: float) -> None:
    """Let other queues look again whom they take now, if a limit holds more messages back."""
    shared = group.shared
    full = refusing(shared, group.limits, shared.of_lane, lane.first_limit, lane.limits, now_s)
    if full == NONE:
        return
    for number in range(len(group.queues)):
        takes = group.turns.next_s[number] <= now_s and group.turns.phase[number] == TAKE
        if takes and number != queue_number and group.queues[number].lanes > 1:
            look_ahead(group, number, now_s)
            look_at_shared(group, group.queues[number], now_s)
