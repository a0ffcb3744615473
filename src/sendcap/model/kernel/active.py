"""The active queue: few messages at a time are offered to connections, the others come in turn.

Those that are ready and not active yet are the incoming line, over all queues: first in, first
out. In each lane those that are active are ahead of those that are not.

Source: Postfix, ``qmgr_message_active_limit``.
"""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import EXPIRED_IN_PLACE, NEVER, NONE
from sendcap.model.kernel.runs import ready_s, run_of
from sendcap.model.kernel.state import Group, Records
from sendcap.model.kernel.turns import ADMIT, set_turn


@inlined
def retry_is_first(group: Group, lane: Any) -> bool:
    """Return whether the first message of a lane is a retry.

    New ones go first of equals, but those that are not active, which the relay has handed over at
    the very moment.
    """
    if lane.new_ready_s != lane.retry_ready_s or group.counts[0].most_active == 0:
        return lane.new_ready_s > lane.retry_ready_s
    return _only_retry_is_active(group, lane)


@compiled
def _only_retry_is_active(group: Group, lane: Any) -> bool:
    if lane.retry_first == NONE or run_of(group.runs, lane.run_first).active > 0:
        return False
    return group.messages[lane.retry_first].active != 0


@compiled
def first_is_active(group: Group, lane: Any) -> bool:
    """Return whether the first message of a lane is active."""
    if retry_is_first(group, lane):
        return group.messages[lane.retry_first].active != 0
    return run_of(group.runs, lane.run_first).active > 0


@inlined
def leave_active(group: Group, message: Any) -> None:
    """Note that a message is not active any more."""
    if message.active:
        message.active = 0
        group.counts[0].active -= 1


@compiled
def look_at_incoming(group: Group, now_s: float) -> None:
    """Find when the next message becomes active, and which."""
    counts, lanes = group.counts[0], group.lanes
    chosen, chosen_s = NONE, NEVER
    if counts.active < counts.most_active:
        for number in range(len(lanes)):
            lane_s = min(_new_s(group, lanes[number]), _retry_s(lanes[number], group.messages))
            if lane_s < chosen_s or (
                lane_s == chosen_s < NEVER
                and _goes_first(group, lanes[number], lanes[chosen], lane_s)
            ):
                chosen, chosen_s = number, lane_s
    counts.incoming_lane = chosen
    queue = 0 if chosen == NONE else lanes[chosen].queue
    at_s = max(chosen_s, now_s)
    set_turn(group.turns, len(group.turns.next_s) - 1, at_s, ADMIT, 0, chosen_s, queue)


@compiled
def _new_s(group: Group, lane: Any) -> float:
    """Return when the first new message of a lane that is not active is ready."""
    runs = group.runs
    while lane.incoming_run != NONE:
        run = run_of(runs, lane.incoming_run)
        if run.active < run.left:
            return ready_s(runs, group.batches, run, run.active)
        lane.incoming_run = run.next
    return NEVER


@compiled
def _retry_s(lane: Any, messages: Records) -> float:
    """Return when the first retry of a lane that is not active was due."""
    while lane.incoming_retry != NONE:
        message = messages[lane.incoming_retry]
        if message.place != EXPIRED_IN_PLACE:
            return message.ready_s
        lane.incoming_retry = message.next
    return NEVER


@compiled
def _goes_first(group: Group, one: Any, other: Any, at_s: float) -> bool:
    """Return which lane's message goes first of those that are ready at the same moment."""
    new = _new_s(group, one) == at_s
    if new != (_new_s(group, other) == at_s):
        return new
    if not new:
        return group.messages[one.incoming_retry].order < group.messages[other.incoming_retry].order
    run, rival = run_of(group.runs, one.incoming_run), run_of(group.runs, other.incoming_run)
    return run.relayed + run.active < rival.relayed + rival.active


@compiled
def admit(group: Group) -> None:
    """Let the next message become active."""
    counts = group.counts[0]
    lane = group.lanes[counts.incoming_lane]
    counts.active += 1
    if _new_s(group, lane) <= _retry_s(lane, group.messages):
        run_of(group.runs, lane.incoming_run).active += 1
        return
    message = group.messages[lane.incoming_retry]
    message.active = 1
    lane.incoming_retry = message.next
