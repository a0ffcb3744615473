"""Messages that wait, in lanes: first in, first out, by ready time; new ones go first of equals.

New messages come in runs and get a record when they are taken. Retries are a list of records.
Whoever expires while it waits is left in its place until that is reached.
"""

from __future__ import annotations

from typing import Any, Final

from sendcap.model.kernel.active import retry_is_first
from sendcap.model.kernel.arrivals import catch_up, find_arrival, look_at_next, next_arrival
from sendcap.model.kernel.chance import succeeds, uniform
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.ends import message_expires, run_expires_at
from sendcap.model.kernel.fields import (
    EXPIRED_IN_PLACE,
    NEVER,
    NONE,
    NOT_ATTEMPTED,
    WAITING,
)
from sendcap.model.kernel.person import DEAD
from sendcap.model.kernel.runs import EVER, PLACES, free_run, ready_s, run_of
from sendcap.model.kernel.state import Addresses, Batches, Group, Records, Runs
from sendcap.model.kernel.tally import pair_of

# In which lanes messages wait, see `Group.lane_of`.
NEW: Final = 0
RETRIED: Final = 1


@inlined
def first_ready_s(lane: Any) -> float:
    """Return when the first message is ready; infinite without one."""
    return min(lane.new_ready_s, lane.retry_ready_s)


@compiled
def arrive(group: Group, handed: Any) -> None:
    """Add a run of new messages; their places in the batch are in ``places`` already."""
    runs, batches = group.runs, group.batches
    batch, count = handed.batch, handed.count
    queue, number = group.queues[handed.queue], runs.numbers[EVER]
    runs.numbers[EVER] += 1
    run = run_of(runs, number)
    run.batch, run.queue, run.left, run.relayed = batch, handed.queue, count, handed.relayed
    run.lane = group.lane_of[NEW, batches.delivery[batch], handed.queue]
    run.place = runs.numbers[PLACES]
    run.next, run.active = NONE, 0
    if len(runs.places) > 0:
        runs.numbers[PLACES] += count
    expiry_s, relayed_s = batches.expiry_s[batch], batches.relayed_s[batch]
    run_expires_at(group.ends, number, handed.relayed + count - 1, max(expiry_s, relayed_s))
    if relayed_s > expiry_s:
        return  # it waits for nothing
    lane = group.lanes[run.lane]
    if lane.run_first == NONE:
        lane.run_first = number
        lane.new_ready_s = ready_s(runs, batches, run, 0)
    else:
        run_of(runs, lane.run_last).next = number
    lane.run_last = number
    if lane.incoming_run == NONE:
        lane.incoming_run = number
    if queue.scaled != NONE and lane.arriving_run == NONE:
        next_arrival(lane, runs, batches, number)
        queue.arrival_s = min(queue.arrival_s, lane.arrival_s)


@compiled
def run_expires(group: Group, number: int, now_s: float) -> None:
    """Take the next message out of a run of new ones, since it has expired in its place."""
    runs, batches = group.runs, group.batches
    run = run_of(runs, number)
    queue, lane = group.queues[run.queue], group.lanes[run.lane]
    too_late = batches.relayed_s[run.batch] > batches.expiry_s[run.batch]
    if queue.scaled != NONE and not too_late:
        catch_up(group, queue, now_s)
        if ready_s(runs, batches, run, 0) <= now_s:
            queue.waiting -= 1
        elif lane.arriving_run == number and not look_at_next(lane, runs, batches, run):
            next_arrival(lane, runs, batches, run.next)
        find_arrival(group, queue)
    _go_on(run)
    if run.left == 0 and too_late:
        free_run(runs, run)


@inlined
def _go_on(run: Any) -> None:
    """Go on to the next message of a run."""
    run.left -= 1
    run.relayed += 1
    run.place += 1
    if run.active > 0:
        run.active -= 1


@inlined
def next_address(group: Group, number: int) -> int:
    """Return the queue of the address whose turn it is, for a message of one of them."""
    first = group.queues[number].first_address
    return first + group.rounds[group.queues[first].first_in_round + group.queues[first].turn]


@inlined
def go_on_to_next_address(queues: Records, queue: Any) -> None:
    """Let the next message take the next address."""
    first = queues[queue.first_address]
    first.turn = first.turn + 1 if first.turn + 1 < first.round else 0


@compiled
def retry_arrives(group: Group, queue: Any, number: int) -> None:
    """Add a message that is due."""
    message, messages, batches = group.messages[number], group.messages, group.batches
    message.next, message.place, message.active = NONE, WAITING, 0
    message.lane = group.lane_of[RETRIED, batches.delivery[message.batch], message.queue]
    lane = group.lanes[message.lane]
    if lane.retry_first == NONE:
        lane.retry_first = number
        lane.retry_ready_s = message.ready_s
    else:
        messages[lane.retry_last].next = number
    lane.retry_last = number
    if lane.incoming_retry == NONE:
        lane.incoming_retry = number
    queue.waiting += 1
    message_expires(group.ends, messages, number, batches.expiry_s[message.batch])


@inlined
def take_first(group: Group, queue: Any, lane_number: int) -> int:
    """Take the first message of a lane; NONE if it has expired in its place."""
    lane, runs = group.lanes[lane_number], group.runs
    if retry_is_first(group, lane):
        number = _take_retry(lane, group.messages)
        if group.messages[number].place == EXPIRED_IN_PLACE:
            release(group, number)
            return NONE
        queue.waiting -= 1
        return number
    run = run_of(runs, lane.run_first)
    number = NONE
    if run.left > 0:
        number = new_message(group, run, lane.new_ready_s)
        _go_on(run)
        if queue.scaled != NONE:
            queue.waiting -= 1
    if run.left == 0:
        _leave_run(lane, runs, group.batches)
    elif len(runs.places) > 0:
        lane.new_ready_s = ready_s(runs, group.batches, run, 0)
    return number


@compiled
def drop_expired(group: Group, lane: Any) -> None:
    """Remove those at the front of a lane that have expired in their places."""
    while True:
        if lane.new_ready_s > lane.retry_ready_s:
            if group.messages[lane.retry_first].place != EXPIRED_IN_PLACE:
                return
            release(group, _take_retry(lane, group.messages))
        elif lane.new_ready_s < NEVER and run_of(group.runs, lane.run_first).left == 0:
            _leave_run(lane, group.runs, group.batches)
        else:
            return


@compiled
def _take_retry(lane: Any, messages: Records) -> int:
    number = lane.retry_first
    following = messages[number].next
    lane.retry_first = following
    lane.retry_ready_s = NEVER if following == NONE else messages[following].ready_s
    if lane.incoming_retry == number:
        lane.incoming_retry = following
    return number


@inlined
def new_message(group: Group, run: Any, since_s: float) -> int:
    """Give the next message of a run a record."""
    counts, queue, runs = group.counts[0], group.queues[run.queue], group.runs
    counts.free_messages -= 1
    number = group.free_messages[counts.free_messages]
    message = group.messages[number]
    message.place, message.stamp = WAITING, 0
    message.batch, message.queue, message.lane = run.batch, run.queue, run.lane
    message.relayed, message.active = run.relayed, run.active > 0
    if len(runs.places) > 0:
        place = runs.places[run.place & (len(runs.places) - 1)]
        message.number = group.batches.first_number[run.batch] + place
    message.ready_s = since_s
    message.reported_s = -NEVER
    message.failures = message.kind = 0
    message.reason = NOT_ATTEMPTED
    delivery = group.batches.delivery[run.batch]
    message.pair = pair_of(group.counters, delivery, queue.provider)
    if len(runs.people) > 0:
        message.person = runs.people[run.place & (len(runs.people) - 1)]
        message.kind = _kind_of_person(group, queue, message.person, run.batch)
    if message.kind == 0:
        trials = group.chance.trials[group.addresses.trials[delivery, run.queue]]
        if succeeds(trials):
            message.kind = _bad_kind(queue, group.addresses, trials)
    if message.kind > 0:
        message.clears_at_s = 0.0
    return number


@inlined
def _kind_of_person(group: Group, queue: Any, number: int, batch: int) -> int:
    """Return what is wrong with the address of a person when the message is handed over."""
    person = group.people[number]
    is_hard = group.addresses.kinds[queue.first_kind + person.kind].hard != 0
    if person.dies_s <= group.batches.relayed_s[batch] and not is_hard:
        return DEAD
    return int(person.kind)


@compiled
def _bad_kind(queue: Any, addresses: Addresses, trials: Any) -> int:
    """Draw what is wrong with an address."""
    kind, last = 1, queue.kinds - 1
    where = uniform(trials) * addresses.kinds[queue.first_kind + last].share_until
    while kind < last and addresses.kinds[queue.first_kind + kind].share_until <= where:
        kind += 1
    return kind


@compiled
def _leave_run(lane: Any, runs: Runs, batches: Batches) -> None:
    """Go on to the next run."""
    number = lane.run_first
    run = run_of(runs, number)
    lane.run_first = run.next
    lane.new_ready_s = NEVER
    if run.next != NONE:
        lane.new_ready_s = ready_s(runs, batches, run_of(runs, run.next), 0)
    if lane.incoming_run == number:
        lane.incoming_run = run.next
    free_run(runs, run)


@inlined
def release(group: Group, number: int) -> None:
    """Give a message's record free."""
    counts = group.counts[0]
    group.messages[number].stamp = 0
    group.free_messages[counts.free_messages] = number
    counts.free_messages += 1


@compiled
def may_expire(group: Group, number: int) -> None:
    """See that a message expires in time: a new one has no entry of its own yet."""
    message = group.messages[number]
    if message.stamp == 0:
        message_expires(group.ends, group.messages, number, group.batches.expiry_s[message.batch])
