"""The step: what a group of queues does next, one event after the other.

A message is *taken* by a connection, *connects* if that has to be made, *asks* the limits, *starts*
an attempt, which *ends* with an answer; after a soft bounce it backs off and is *due* again; while
it waits it may *expire*. What falls on one moment happens in this order: messages become due,
connections are established and attempts end (in the order in which they began), the first in line
starts, a message becomes active, a limit lets one more connection be used, a message is taken,
messages expire. Before the first in line, rules look at the attempts of a period. See
`sendcap.model.kernel.turns` for queues that share limits.
"""

from __future__ import annotations

from typing import Any, Final

from sendcap.model.kernel.active import admit, leave_active, look_at_incoming
from sendcap.model.kernel.ahead import look_ahead, next_turn
from sendcap.model.kernel.arrivals import catch_up
from sendcap.model.kernel.backoff import next_due_s, take_due
from sendcap.model.kernel.busy import SOONEST, begin_work, end_work, next_busy_s
from sendcap.model.kernel.chance import draw
from sendcap.model.kernel.compiled import compiled, inlined, separate
from sendcap.model.kernel.connecting import count_answer, established
from sendcap.model.kernel.connections import hand_back, may_take
from sendcap.model.kernel.disturbances import given_up_s
from sendcap.model.kernel.ends import (
    SIZE,
    drop_void,
    next_end_s,
)
from sendcap.model.kernel.expiry import expire_next, queue_of_next_end
from sendcap.model.kernel.fields import (
    NONE,
    STARTS,
    TRANSACTION,
)
from sendcap.model.kernel.limits import at_once, charge
from sendcap.model.kernel.line import ask, called, first_in_line, line_goes_on
from sendcap.model.kernel.outcome import decide
from sendcap.model.kernel.runs import PLACES
from sendcap.model.kernel.shared import nobody_waits, release_connection
from sendcap.model.kernel.shared_turns import grow, look_at_shared
from sendcap.model.kernel.state import Group, Numbers, Records
from sendcap.model.kernel.suspension import sweep_or_send_back
from sendcap.model.kernel.taking import take, takes_at_once
from sendcap.model.kernel.tally import MOST_COUNTS, USED, begin
from sendcap.model.kernel.telling import tell_start
from sendcap.model.kernel.turns import ADMIT, GROW, TAKE, next_turn_s, set_turn
from sendcap.model.kernel.waiting import (
    arrive,
    go_on_to_next_address,
    next_address,
    retry_arrives,
)

DONE: Final = 0
"""Nothing more happens before the end."""
FULL: Final = 1
"""The reports or starts have to be taken first."""
NO_DRAWS: Final = 2
"""A stream of draws is used up, or disturbances are not foreseen so far."""
NO_ROOM: Final = 3
"""There is no room for another message, for what expires, or for more counts."""
ENOUGH: Final = 4
"""So many messages are final."""


@separate
def advance(group: Group, until_s: float, until_final: int) -> int:
    """Let happen what happens before a moment, or until so many messages are final; return why."""
    counts, queues, connections = group.counts[0], group.queues, group.connections
    while True:
        next_s = next_turn_s(group.turns)
        busy_s = next_busy_s(group.busy)
        due_s, end_s = next_due_s(group.backoff), next_end_s(group.ends)
        now_s = min(min(next_s, busy_s), min(due_s, end_s))
        if now_s >= until_s:
            return DONE
        if _is_full(group):
            return FULL
        if _lacks_room(group):
            return NO_ROOM
        changed = _whose_turn(group, now_s, due_s, busy_s, next_s)
        limit = changed - len(queues)
        if limit >= 0:
            changed = group.turns.queue[changed]
        queue = queues[changed]
        if queue.without_draws or now_s >= queue.foreseen_until_s:
            return NO_DRAWS

        counts.now_s = now_s
        begin(group.counters, now_s)
        asks, works = NONE, NONE
        if due_s == now_s:
            number = take_due(group.backoff, group.messages)
            group.messages[number].queue = changed
            go_on_to_next_address(queues, queue)
            retry_arrives(group, queue, number)
        elif busy_s == now_s:
            number = end_work(group.busy, connections)
            if connections[number].being_made:
                asks = established(group, queue, number, now_s)
            else:
                _end_attempt(group, queue, number, now_s)
        elif next_s == now_s:
            asks, works = _has_turn(group, changed, limit, now_s)
        elif expire_next(group, now_s):
            counts.late_turns += 1
        else:
            return NO_ROOM
        _goes_on(group, changed, asks, works, now_s, until_final)
        if queue.shared > 0:
            look_at_shared(group, queue, now_s)
        if counts.most_active > 0:
            look_at_incoming(group, now_s)
        if counts.final >= until_final:
            return ENOUGH


@inlined
def _goes_on(
    group: Group, number: int, asks: int, works: int, now_s: float, until_final: int
) -> None:
    """Let a message ask the limits or start, and the queue take others if nothing else is next."""
    queue, counts = group.queues[number], group.counts[0]
    while True:
        if asks != NONE:
            works = _asked(group, number, asks, now_s)
        if works != NONE:
            _start(group, queue, works, now_s)
        next_s, phase, rank, ready_s = next_turn(group, number, now_s)
        takes = next_s <= now_s and phase == TAKE and nobody_waits(group.shared, queue)
        goes_on = takes and counts.final < until_final and not _needs_room(group, queue)
        if not goes_on or not _is_alone(group, now_s):
            set_turn(group.turns, number, next_s, phase, rank, ready_s, number)
            return
        group.counts[0].late_turns += 1
        asks, works = take(group, number, rank, ready_s, now_s), NONE


@inlined
def _needs_room(group: Group, queue: Any) -> bool:
    """Return whether the step has to stop before another event of a queue."""
    return queue.without_draws != 0 or _is_full(group) or _lacks_room(group)


@inlined
def _is_alone(group: Group, now_s: float) -> bool:
    """Return whether nothing else happens now, of what is noted."""
    if group.counts[0].most_active > 0:
        return False
    next_s = min(next_turn_s(group.turns), next_due_s(group.backoff))
    return min(next_s, next_busy_s(group.busy)) > now_s


@inlined
def _whose_turn(group: Group, now_s: float, due_s: float, busy_s: float, next_s: float) -> int:
    """Return the queue that does something now; the numbers of shared limits follow theirs."""
    if due_s == now_s:
        return next_address(group, group.messages[group.backoff.message[0]].queue)
    if busy_s == now_s:
        return group.connections[group.busy.numbers[SOONEST]].queue
    return group.turns.winners[0] if next_s == now_s else queue_of_next_end(group)


@inlined
def _has_turn(group: Group, number: int, limit: int, now_s: float) -> tuple[int, int]:
    """Let a queue, a shared limit or the incoming line have its turn.

    Return the connection that asks the limits then, and the one that starts.
    """
    queue = group.queues[number]
    if queue.scaled != NONE:
        catch_up(group, queue, now_s)
    turns = group.turns
    player = turns.winners[0]
    phase, rank, ready_s = turns.phase[player], turns.rank[player], turns.ready_s[player]
    group.counts[0].late_turns += phase >= GROW
    if limit >= 0:
        if phase == ADMIT:
            admit(group)
        elif phase == GROW:
            grow(group, group.shared.limits[limit], now_s)
        elif called(group, limit, number):
            if group.shared.limits[limit].kind == STARTS:
                return NONE, first_in_line(group, number, now_s)
            if takes_at_once(group, limit, queue, now_s):
                return take(group, number, rank, ready_s, now_s), NONE
    elif queue.sweep_s <= now_s or queue.sent_back_until_s > now_s:
        sweep_or_send_back(group, number, now_s)
    elif line_goes_on(queue, now_s):
        return NONE, first_in_line(group, number, now_s)
    elif phase == TAKE and may_take(group, queue, now_s, now_s):
        return take(group, number, rank, ready_s, now_s), NONE
    return NONE, NONE


@inlined
def _asked(group: Group, number: int, asks: int, now_s: float) -> int:
    """Let a connection's message ask the limits; return the connection if it may start now."""
    queue = group.queues[number]
    # Others may want the same of a shared rate, and have been ready for longer.
    if (
        queue.line_first == NONE
        and at_once(group.limits, queue, now_s)
        and (queue.shared_rates == 0 or _is_alone(group, now_s))
    ):
        return asks
    return ask(group, number, asks, now_s)


@inlined
def _end_attempt(group: Group, queue: Any, number: int, now_s: float) -> None:
    """End the attempt on a connection; the rules count the answer."""
    message = group.connections[number].message
    hand_back(queue, group.connections, number)
    if queue.shared > 0:
        release_connection(group.shared, group.lanes[group.messages[message].lane])
    leave_active(group, group.messages[message])
    answer = decide(group, message, now_s)
    count_answer(group, queue, answer, now_s)


@inlined
def _is_full(group: Group) -> bool:
    """Return whether another event's reports or starts may find no room."""
    return group.counts[0].full != 0


@inlined
def _lacks_room(group: Group) -> bool:
    """Return whether an event could find no room."""
    counters, ends = group.counters, group.ends
    if 2 * (counters.numbers[USED] + MOST_COUNTS) > len(counters.table):
        return True
    if group.counts[0].free_messages > 0 and ends.numbers[SIZE] + 2 < len(ends.at_s):
        return False
    drop_void(ends, group.messages, group.runs)
    return group.counts[0].free_messages == 0 or 2 * ends.numbers[SIZE] >= len(ends.at_s)


@inlined
def _start(group: Group, queue: Any, number: int, now_s: float) -> None:
    """Start an attempt; the next in line asks when its turn comes."""
    connection = group.connections[number]
    message = group.messages[connection.message]
    message.stamp = 0
    connection.attempts_left -= 1
    finish_s = now_s + draw(group.chance, queue, TRANSACTION)
    if queue.gives_up:
        finish_s = given_up_s(queue, group.disturbances, group.windows_s, now_s, finish_s)
    connection.event_s = finish_s
    charge(group.limits, queue, now_s, connection.event_s)
    queue.line_start_s = now_s
    begin_work(group.busy, group.connections, number, now_s)
    tell_start(group, message, now_s, connection.event_s)


@compiled
def next_event_s(group: Group) -> float:
    """Return when something happens next, as things stand."""
    next_s = min(next_turn_s(group.turns), next_busy_s(group.busy))
    return min(next_s, min(next_due_s(group.backoff), next_end_s(group.ends)))


@separate
def receive(group: Group, handed: Records, places: Numbers, people: Numbers) -> None:
    """Take in messages from the relay, in order of time; there is room for them."""
    runs = group.runs
    mask = len(runs.places) - 1
    for row in handed:
        if row.count == 0:
            continue
        if len(runs.places) > 0:
            for number in range(row.count):
                place = (runs.numbers[PLACES] + number) & mask
                runs.places[place] = places[row.first_place + number]
                if len(runs.people) > 0:
                    runs.people[place] = people[row.first_place + number]
        arrive(group, row)
    now_s = group.counts[0].now_s
    for number in range(len(group.queues)):
        look_ahead(group, number, now_s)
        if group.queues[number].shared > 0:
            look_at_shared(group, group.queues[number], now_s)
    if group.counts[0].most_active > 0:
        look_at_incoming(group, now_s)
