"""The lanes of a queue: whose message a connection takes next."""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.active import first_is_active, retry_is_first
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER, NONE
from sendcap.model.kernel.runs import run_of
from sendcap.model.kernel.shared import park, refusing
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.waiting import drop_expired, first_ready_s


@inlined
def next_lane(group: Group, queue: Any, now_s: float) -> int:
    """Return the lane with the next message for a connection, NONE without one."""
    if queue.lanes == 1 and group.counts[0].most_active == 0:
        return queue.first_lane if group.lanes[queue.first_lane].parked_at == NONE else NONE
    return _next_of_several(group, queue, now_s)


@inlined
def lane_to_take(group: Group, queue: Any, now_s: float) -> int:
    """Return the same, but for lanes that have to wait for a shared limit: these are parked."""
    if queue.only_lane != NONE:
        return queue.only_lane
    number = next_lane(group, queue, now_s)
    if number == NONE or group.lanes[number].limits == 0:
        return number
    return _unparked(group, queue, number, now_s)


@compiled
def _unparked(group: Group, queue: Any, number: int, now_s: float) -> int:
    while number != NONE:
        lane = group.lanes[number]
        if first_ready_s(lane) > now_s:
            return number
        shared = group.shared
        lane.parked_at = refusing(
            shared, group.limits, shared.of_lane, lane.first_limit, lane.limits, now_s
        )
        if lane.parked_at == NONE:
            return number
        park(shared, lane.parked_at, number, lane.rank, first_ready_s(lane))
        number = next_lane(group, queue, now_s)
    return NONE


@compiled
def _next_of_several(group: Group, queue: Any, now_s: float) -> int:
    chosen, chosen_s = NONE, NEVER
    for offset in range(queue.lanes):
        number = queue.first_lane + (queue.lane_turn + offset) % queue.lanes
        if group.lanes[number].parked_at != NONE:
            continue
        lane_s = max(_waits_from_s(group, number), now_s)
        if lane_s < chosen_s or (
            lane_s == chosen_s < NEVER and not queue.fair and _goes_first(group, number, chosen)
        ):
            chosen, chosen_s = number, lane_s
    return chosen


@compiled
def _waits_from_s(group: Group, number: int) -> float:
    """Return from when on the first message of a lane waits for a connection."""
    lane = group.lanes[number]
    drop_expired(group, lane)
    since_s = first_ready_s(lane)
    if since_s < NEVER and group.counts[0].most_active > 0 and not first_is_active(group, lane):
        return NEVER
    return since_s


@compiled
def _goes_first(group: Group, number: int, other: int) -> bool:
    """Return whether a lane goes before another one: by rank, then first in, first out."""
    if group.lanes[number].rank != group.lanes[other].rank:
        return group.lanes[number].rank < group.lanes[other].rank
    return _came_first(group, number, other)


@compiled
def _came_first(group: Group, number: int, other: int) -> bool:
    """Return whether the first message of a lane has been ready for longer."""
    one, two = group.lanes[number], group.lanes[other]
    if first_ready_s(one) != first_ready_s(two):
        return first_ready_s(one) < first_ready_s(two)
    new = not retry_is_first(group, one)
    if new == retry_is_first(group, two):
        return new
    if not new:
        return group.messages[one.retry_first].order < group.messages[two.retry_first].order
    return run_of(group.runs, one.run_first).relayed < run_of(group.runs, two.run_first).relayed


@compiled
def oldest_lane(group: Group, queue: Any) -> int:
    """Return the lane whose first message has been ready the longest, NONE without messages."""
    chosen = NONE
    for number in range(queue.first_lane, queue.first_lane + queue.lanes):
        if _waits_from_s(group, number) < NEVER and (
            chosen == NONE or _came_first(group, number, chosen)
        ):
            chosen = number
    return chosen


@inlined
def give_turn(queue: Any, number: int) -> None:
    """Give the turn to the lane after this one."""
    if queue.fair:
        queue.lane_turn = (number - queue.first_lane + 1) % queue.lanes
