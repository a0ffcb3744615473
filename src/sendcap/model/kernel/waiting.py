"""Messages that wait in a queue: first in, first out, by ready time; new ones go first of equals.

New messages come in runs and get a record when they are taken. Retries are a list of records.
Whoever expires while it waits is left in its place until that is reached.
"""

from __future__ import annotations

from typing import Any, Final

from sendcap.model.kernel.chance import succeeds, uniform
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.ends import SIZE, message_expires, run_expires_at
from sendcap.model.kernel.fields import EXPIRED_IN_PLACE, NEVER, NONE, NOT_ATTEMPTED, WAITING
from sendcap.model.kernel.state import Addresses, Batches, Ends, Group, Records, Runs

EVER: Final = 0
OLDEST: Final = 1
PLACES: Final = 2


@inlined
def run_of(runs: Runs, number: int) -> Any:
    """Return the record of a run."""
    return runs.runs[number & (len(runs.runs) - 1)]


@inlined
def first_ready_s(queue: Any) -> float:
    """Return when the first message is ready; infinite without one."""
    return min(queue.new_ready_s, queue.retry_ready_s)


@inlined
def ready_s(runs: Runs, batches: Batches, run: Any) -> float:
    """Return when the next message of a run leaves the ingress; of an empty one, a time before."""
    if batches.service_s[0] == 0.0 or run.left == 0:
        return batches.relayed_s[run.batch]
    place = runs.places[run.place & (len(runs.places) - 1)]
    return batches.leaves_s[run.batch] + (place + 1) * batches.service_s[0]


@compiled
def has_room_for_runs(group: Group, runs: int, messages: int) -> bool:
    """Return whether there is room for so many runs with so many messages."""
    ring, numbers = group.runs.runs, group.runs.numbers
    oldest = numbers[OLDEST]
    if numbers[EVER] - oldest + runs > len(ring):
        return False
    if group.ends.numbers[SIZE] + runs + 8 > len(group.ends.at_s):
        return False
    if len(group.runs.places) == 0:
        return True
    first = numbers[PLACES]
    if oldest < numbers[EVER]:
        first = run_of(group.runs, oldest).place
    return numbers[PLACES] - first + messages <= len(group.runs.places)


@compiled
def arrive(
    queues: Records,
    runs: Runs,
    batches: Batches,
    ends: Ends,
    handed: Any,
) -> None:
    """Add a run of new messages; their places in the batch are in ``places`` already."""
    batch, count = handed.batch, handed.count
    queue, number = queues[handed.queue], runs.numbers[EVER]
    runs.numbers[EVER] += 1
    run = run_of(runs, number)
    run.batch, run.queue, run.left, run.relayed = batch, handed.queue, count, handed.relayed
    run.place = runs.numbers[PLACES]
    run.next = NONE
    if len(runs.places) > 0:
        runs.numbers[PLACES] += count
    expiry_s, relayed_s = batches.expiry_s[batch], batches.relayed_s[batch]
    run_expires_at(ends, number, handed.relayed + count - 1, max(expiry_s, relayed_s))
    if relayed_s > expiry_s:
        return  # it waits for nothing
    if queue.run_first == NONE:
        queue.run_first = number
        queue.new_ready_s = ready_s(runs, batches, run)
    else:
        run_of(runs, queue.run_last).next = number
    queue.run_last = number
    if queue.scaled != NONE and queue.arriving_run == NONE:
        _next_arrival(queue, runs, batches, number)


@compiled
def _next_arrival(queue: Any, runs: Runs, batches: Batches, number: int) -> None:
    """Look at a run, of which nothing has become ready, or at the next that has not expired."""
    while number != NONE and run_of(runs, number).left == 0:
        number = run_of(runs, number).next
    queue.arriving_run, queue.arrival_s = number, NEVER
    if number != NONE:
        run = run_of(runs, number)
        queue.arriving_place = run.place
        queue.arrival_s = ready_s(runs, batches, run)


@compiled
def count_arrival(queue: Any, runs: Runs, batches: Batches) -> None:
    """Count new messages that are ready now, where the queue's length matters."""
    run = run_of(runs, queue.arriving_run)
    if batches.service_s[0] == 0.0:
        queue.waiting += run.left
    else:
        queue.waiting += 1
        if _look_at_next(queue, runs, batches, run):
            return
    _next_arrival(queue, runs, batches, run.next)


@compiled
def _look_at_next(queue: Any, runs: Runs, batches: Batches, run: Any) -> bool:
    """Look at the next message of a run that becomes ready; return False at the run's end."""
    queue.arriving_place += 1
    if queue.arriving_place == run.place + run.left:
        return False
    place = runs.places[queue.arriving_place & (len(runs.places) - 1)]
    queue.arrival_s = batches.leaves_s[run.batch] + (place + 1) * batches.service_s[0]
    return True


@compiled
def run_expires(queue: Any, runs: Runs, batches: Batches, number: int, now_s: float) -> None:
    """Take the next message out of a run of new ones, since it has expired in its place."""
    run = run_of(runs, number)
    too_late = batches.relayed_s[run.batch] > batches.expiry_s[run.batch]
    if queue.scaled != NONE and not too_late:
        if ready_s(runs, batches, run) <= now_s:
            queue.waiting -= 1
        elif queue.arriving_run == number and not _look_at_next(queue, runs, batches, run):
            _next_arrival(queue, runs, batches, run.next)
    run.left -= 1
    run.relayed += 1
    run.place += 1
    if run.left == 0 and too_late:
        _free(runs, run)


@inlined
def next_address(queues: Records, number: int) -> int:
    """Return the queue of the address whose turn it is, for a message of one of them."""
    first = queues[number].first_address
    return first + queues[first].turn


@inlined
def go_on_to_next_address(queues: Records, queue: Any) -> None:
    """Let the next message take the next address."""
    first = queues[queue.first_address]
    first.turn = first.turn + 1 if first.turn + 1 < first.addresses else 0


@compiled
def retry_arrives(queue: Any, messages: Records, batches: Batches, ends: Ends, number: int) -> None:
    """Add a message that is due."""
    message = messages[number]
    message.next, message.place = NONE, WAITING
    if queue.retry_first == NONE:
        queue.retry_first = number
        queue.retry_ready_s = message.ready_s
    else:
        messages[queue.retry_last].next = number
    queue.retry_last = number
    queue.waiting += 1
    message_expires(ends, messages, number, batches.expiry_s[message.batch])


@inlined
def take_first(group: Group, queue_number: int) -> int:
    """Take the first message; NONE if it has expired in its place."""
    queue, runs = group.queues[queue_number], group.runs
    if queue.new_ready_s > queue.retry_ready_s:
        number = _take_retry(queue, group.messages)
        if group.messages[number].place == EXPIRED_IN_PLACE:
            release(group, number)
            return NONE
        queue.waiting -= 1
        return number
    run = run_of(runs, queue.run_first)
    number = NONE
    if run.left > 0:
        number = new_message(group, queue_number, run, queue.new_ready_s)
        run.left -= 1
        run.relayed += 1
        run.place += 1
        if queue.scaled != NONE:
            queue.waiting -= 1
    if run.left == 0:
        _leave_run(queue, runs, group.batches)
    elif len(runs.places) > 0:
        queue.new_ready_s = ready_s(runs, group.batches, run)
    return number


@compiled
def _take_retry(queue: Any, messages: Records) -> int:
    number = queue.retry_first
    following = messages[number].next
    queue.retry_first = following
    queue.retry_ready_s = NEVER if following == NONE else messages[following].ready_s
    return number


@inlined
def new_message(group: Group, queue_number: int, run: Any, since_s: float) -> int:
    """Give the next message of a run a record."""
    counts, queue, runs = group.counts[0], group.queues[queue_number], group.runs
    counts.free_messages -= 1
    number = group.free_messages[counts.free_messages]
    message = group.messages[number]
    message.place, message.stamp = WAITING, 0
    message.batch, message.queue = run.batch, queue_number
    message.relayed = run.relayed
    if len(runs.places) > 0:
        place = runs.places[run.place & (len(runs.places) - 1)]
        message.number = group.batches.first_number[run.batch] + place
    message.ready_s = message.first_ready_s = since_s
    message.clears_at_s = message.previous_delay_s = 0.0
    message.reported_s = -NEVER
    message.failures = message.kind = 0
    message.reason = NOT_ATTEMPTED
    delivery = group.batches.delivery[run.batch]
    trials = group.chance.trials[group.addresses.trials[delivery, queue_number]]
    if succeeds(trials):
        message.kind = _bad_kind(queue, group.addresses, trials)
    return number


@compiled
def _bad_kind(queue: Any, addresses: Addresses, trials: Any) -> int:
    """Draw what is wrong with an address."""
    kind, last = 1, queue.kinds - 1
    where = uniform(trials) * addresses.kinds[queue.first_kind + last].share_until
    while kind < last and addresses.kinds[queue.first_kind + kind].share_until <= where:
        kind += 1
    return kind


@compiled
def _leave_run(queue: Any, runs: Runs, batches: Batches) -> None:
    """Go on to the next run."""
    run = run_of(runs, queue.run_first)
    queue.run_first = run.next
    queue.new_ready_s = NEVER
    if run.next != NONE:
        queue.new_ready_s = ready_s(runs, batches, run_of(runs, run.next))
    _free(runs, run)


@compiled
def _free(runs: Runs, run: Any) -> None:
    """Give a run's room free, as far as the oldest are."""
    run.queue = NONE
    numbers = runs.numbers
    while numbers[OLDEST] < numbers[EVER] and run_of(runs, numbers[OLDEST]).queue == NONE:
        numbers[OLDEST] += 1


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
