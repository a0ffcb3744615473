"""What a queue does next, as things stand: a start, a take, or a reaction of its rules."""

from __future__ import annotations

from sendcap.model.kernel.arrivals import catch_up
from sendcap.model.kernel.compiled import inlined
from sendcap.model.kernel.connections import may_take
from sendcap.model.kernel.fields import NEVER, NONE
from sendcap.model.kernel.lanes import lane_to_take, oldest_lane
from sendcap.model.kernel.line import park_line
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.turns import REACT, START, TAKE, set_turn
from sendcap.model.kernel.waiting import first_ready_s


@inlined
def _line_is_parked(group: Group, number: int, now_s: float) -> bool:
    """Return whether the first in line waits for a shared rate: it needs no turn to find out."""
    queue = group.queues[number]
    if queue.line_at != NONE:
        return True
    asks = queue.shared_rates > 0 and queue.line_start_s <= now_s
    return asks and park_line(group, number, now_s)


@inlined
def look_ahead(group: Group, number: int, now_s: float) -> None:
    """Find when a queue's next start or take is, and note it."""
    set_turn(group.turns, number, *next_turn(group, number, now_s), number)


@inlined
def next_turn(group: Group, number: int, now_s: float) -> tuple[float, int, int, float]:
    """Return when a queue's next start or take is, its phase, and its message's rank and time."""
    queue = group.queues[number]
    next_s, phase, rank, ready_s = NEVER, START, 0, 0.0
    emptied = now_s < queue.sent_back_until_s
    if queue.line_first != NONE and emptied:
        next_s, phase = now_s, REACT
    elif queue.line_first != NONE and not _line_is_parked(group, number, now_s):
        message = group.messages[group.connections[queue.line_first].message]
        next_s = max(queue.line_start_s, now_s)
        rank, ready_s = group.lanes[message.lane].rank, message.ready_s
    if queue.scaled != NONE:
        catch_up(group, queue, now_s)
    lane = oldest_lane(group, queue) if emptied else lane_to_take(group, queue, now_s)
    if lane != NONE:
        first_s = first_ready_s(group.lanes[lane])
        take_s = max(first_s, now_s)
        sent_back = take_s < queue.sent_back_until_s
        if take_s < queue.closed_until_s and not sent_back:
            take_s = queue.closed_until_s
        if take_s < next_s and sent_back:
            next_s, phase, rank, ready_s = take_s, REACT, 0, 0.0
        elif take_s < next_s:
            if may_take(group, queue, now_s, take_s):
                next_s, phase = take_s, TAKE
                rank, ready_s = group.lanes[lane].rank, first_s
            elif queue.scaled != NONE and queue.closed_first != NONE:
                # One more that waits may open a connection.
                next_s = min(next_s, queue.arrival_s)
    if queue.sweep_s <= next_s:
        next_s, phase, rank, ready_s = queue.sweep_s, REACT, 0, 0.0
    return next_s, phase, rank, ready_s
