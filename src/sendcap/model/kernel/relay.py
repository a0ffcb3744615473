"""The relay and the ingress: batches are handed over, and messages sorted by provider.

A worker that is free takes the next batch, when the rate and the MTA's spool allow. At the end of
the batch its messages are distributed to the queues, or fail. One server takes the batch's messages
in, one after the other.
"""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.audience import distribute
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER, NONE
from sendcap.model.kernel.limits import by_schedule_s, charge_schedule
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.state import Counters
from sendcap.model.kernel.tally import count_any, of_event, pair_of, series_of


@compiled
def next_start_s(state: Relay) -> float:
    """Return when the next batch can start, as things stand."""
    at_s = next_change_s(state, -NEVER)
    if state.relay[0].idle == 0 or at_s == NEVER:
        return NEVER
    at_s = max(at_s, state.relay[0].now_s)
    while True:
        number = next_batch(state, at_s)
        start_s = NEVER if number == NONE else _earliest_s(state, number, at_s)
        # Meanwhile it may be held, and a batch of another line may become ready and go before it.
        changes_s = next_change_s(state, at_s)
        if start_s < changes_s or changes_s == NEVER:
            return start_s
        at_s = changes_s


@compiled
def next_change_s(state: Relay, after_s: float) -> float:
    """Return when other batches may start, after a moment: one is ready, held or let go."""
    next_s = NEVER
    for line in range(len(state.next_in_line)):
        if state.next_in_line[line] == state.end_of_line[line]:
            continue
        ready_s = state.batches.ready_s[state.in_line[state.next_in_line[line]]]
        if ready_s > after_s:
            next_s = min(next_s, ready_s)
        for row in range(state.first_held[line], state.first_held[line + 1]):
            for side in range(2):
                if state.held_s[row, side] > after_s:
                    next_s = min(next_s, state.held_s[row, side])
    return next_s


@compiled
def next_batch(state: Relay, at_s: float) -> int:
    """Return the batch whose turn it is of those that are ready at a moment, NONE without one."""
    line = _line_in_turn(state, at_s)
    return NONE if line == NONE else state.in_line[state.next_in_line[line]]


@compiled
def _line_in_turn(state: Relay, at_s: float) -> int:
    lines, chosen, first = len(state.next_in_line), NONE, (0, NEVER, NONE)
    for offset in range(lines):
        line = (state.relay[0].turn + offset) % lines
        if state.next_in_line[line] == state.end_of_line[line]:
            continue
        number = state.in_line[state.next_in_line[line]]
        ready_s = state.batches.ready_s[number]
        if ready_s > at_s or _is_held(state, line, at_s):
            continue
        if state.relay[0].fair:
            return line
        turn = (state.rank[line], ready_s, number)
        if chosen == NONE or turn < first:
            chosen, first = line, turn
    return chosen


@compiled
def _is_held(state: Relay, line: int, at_s: float) -> bool:
    for row in range(state.first_held[line], state.first_held[line + 1]):
        if state.held_s[row, 0] <= at_s < state.held_s[row, 1]:
            return True
    return False


@compiled
def _earliest_s(state: Relay, number: int, start_s: float) -> float:
    """Return when a batch can start that is ready, as things stand."""
    relay = state.relay[0]
    if relay.room < state.size[number]:
        return NEVER
    if relay.interval_s > 0.0:
        # A batch larger than the burst goes once the burst is full.
        slack = max(relay.burst - state.size[number], 0.0)
        start_s = max(start_s, relay.arrival_s - relay.interval_s * slack)
    elif relay.scheduled:
        schedule = state.limits.limits[0]
        start_s = by_schedule_s(state.limits, schedule, start_s, float(state.size[number]))
    return start_s


@compiled
def next_hand_over_s(state: Relay) -> float:
    """Return when the next batch ends."""
    workers = len(state.ends_s) - state.relay[0].idle
    return state.ends_s[0] if workers > 0 else NEVER


@compiled
def start_batch(state: Relay, now_s: float) -> None:
    """Let a worker take the next batch."""
    relay, batches = state.relay[0], state.batches
    line = _line_in_turn(state, now_s)
    number = state.in_line[state.next_in_line[line]]
    size = state.size[number]
    state.next_in_line[line] += 1
    if relay.fair:
        relay.turn = line + 1
    place = relay.started
    state.started[place] = number
    relay.started += 1
    relay.now_s = now_s
    relay.room -= size
    if relay.interval_s > 0.0:
        relay.arrival_s = max(relay.arrival_s, now_s) + relay.interval_s * size
    elif relay.scheduled:
        charge_schedule(state.limits, state.limits.limits[0], now_s, float(size))
    end_s = now_s + state.batch_time_s[number]
    delivery = batches.delivery[number]
    batches.relayed_s[number] = end_s
    batches.expiry_s[number] = min(end_s + state.validity_s[delivery], state.deadline_s[delivery])
    hole = len(state.ends_s) - relay.idle
    relay.idle -= 1
    ends_s, under_way = state.ends_s, state.under_way
    while hole > 0:
        parent = (hole - 1) >> 1
        if _before(state, parent, end_s, place):
            break
        ends_s[hole], under_way[hole] = ends_s[parent], under_way[parent]
        hole = parent
    ends_s[hole], under_way[hole] = end_s, place


@compiled
def _before(state: Relay, place: int, end_s: float, started: int) -> bool:
    at_s = state.ends_s[place]
    return at_s < end_s or (at_s == end_s and state.under_way[place] < started)


@compiled
def hand_over(state: Relay) -> None:
    """End the batch that is due next, and sort its messages by queue."""
    relay, batches = state.relay[0], state.batches
    number = _finished(state)
    relay.now_s = batches.relayed_s[number]
    delivery, size = batches.delivery[number], state.size[number]
    batches.first_number[number] = state.numbers[delivery]
    state.numbers[delivery] += size
    batches.leaves_s[number] = max(relay.now_s, relay.free_s)
    failed = distribute(state, delivery, size)
    relay.failed += failed
    relay.room += failed
    relay.free_s = batches.leaves_s[number] + (size - failed) * batches.service_s[0]
    _sort(state, number, size)


@compiled
def _finished(state: Relay) -> int:
    """Take the batch that ends next."""
    relay, ends_s, under_way = state.relay[0], state.ends_s, state.under_way
    number = state.started[under_way[0]]
    relay.idle += 1
    size = len(ends_s) - relay.idle
    end_s, last = ends_s[size], under_way[size]
    hole, child = 0, 1
    while child < size:
        if child + 1 < size and _before(state, child + 1, ends_s[child], under_way[child]):
            child += 1
        if not _before(state, child, end_s, last):
            break
        ends_s[hole], under_way[hole] = ends_s[child], under_way[child]
        hole, child = child, 2 * child + 1
    ends_s[hole], under_way[hole] = end_s, last
    return number


@compiled
def _sort(state: Relay, number: int, size: int) -> None:
    """Write what each queue has of a batch; those that failed have no place in the ingress."""
    relay, per_queue = state.relay[0], state.per_queue
    wanted = len(state.places) > 0
    for queue in range(len(per_queue)):
        if per_queue[queue] + state.failed_per_queue[queue] == 0:
            continue
        row = state.handed[relay.handed]
        relay.handed += 1
        row.batch, row.queue, row.first_place = number, queue, relay.places
        row.path, row.relayed = state.path_of[queue], relay.relayed
        row.provider = state.paths[row.path].provider
        row.count, row.failed = per_queue[queue], state.failed_per_queue[queue]
        relay.relayed += row.count
        if len(state.people) > 0:
            _write_people(state, row, state.batches.delivery[number])
        if wanted:
            per_queue[queue], relay.places = relay.places, relay.places + per_queue[queue]
    if wanted:
        kept = 0
        for place in range(size):
            queue = state.codes[place]
            if queue != NONE:
                state.places[per_queue[queue]] = kept
                per_queue[queue] += 1
                kept += 1


@inlined
def _write_people(state: Relay, row: Any, delivery: int) -> None:
    """Write whom the messages of a row are for; the next ones are those of its failures."""
    first = state.next_person[delivery, row.path]
    for number in range(row.count):
        state.people[row.first_place + number] = state.roster[first + number]
    state.next_person[delivery, row.path] = first + row.count + row.failed


@compiled
def has_room(state: Relay) -> bool:
    """Return whether the buffers have room for another batch."""
    relay, largest = state.relay[0], len(state.codes)
    return relay.handed + min(len(state.per_queue), largest) <= len(
        state.handed
    ) and relay.places + largest <= max(len(state.places), largest)


@compiled
def hand_over_until(state: Relay, until_s: float) -> bool:
    """Start and end batches before a time; return False if the buffers are full before."""
    while True:
        starts_s, ends_s = next_start_s(state), next_hand_over_s(state)
        if min(starts_s, ends_s) >= until_s:
            return True
        if not has_room(state):
            return False
        if ends_s <= starts_s:
            hand_over(state)
        else:
            start_batch(state, starts_s)


@compiled
def count_handed(counters: Counters, state: Relay, relayed: int, failed: int) -> None:
    """Count what the relay has handed over, and what failed before."""
    batches = state.batches
    for number in range(state.relay[0].handed):
        row = state.handed[number]
        delivery, time_s = batches.delivery[row.batch], batches.relayed_s[row.batch]
        series = series_of(counters, pair_of(counters, delivery, row.provider))
        if row.count > 0:
            count_any(counters, series, of_event(relayed, 0), time_s, row.count)
        if row.failed > 0:
            count_any(counters, series, of_event(failed, 0), time_s, row.failed)
