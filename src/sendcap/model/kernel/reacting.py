"""A provider queue that reacts to how its attempts end, or to its own length.

The provider's tolerance counts attempts as they finish, a suspension begins with the answer to
one, and connection scaling opens connections as the queue grows. So attempts are started and
finished in the order of time here, and those under way at the end of a window are carried over.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sendcap.model.kernel.arrays import (
    Connections,
    Drawn,
    Floats,
    Ints,
    Reacted,
    Reactions,
    Throttle,
    Waiting,
)
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.heap import push, replace
from sendcap.model.kernel.queue import MORE_DRAWS, MORE_MESSAGES, WINDOW_DONE, batch_of
from sendcap.model.kernel.throttle import earliest, let_pass

_UNDER_WAY: Final = 0
_LINE_FIRST: Final = 1
_LINE: Final = 2
_CLOSED: Final = 3
_NEXT_THROTTLED: Final = 4
"""Places in `Reactions.counts`."""


@compiled
def _earliest(ask_s: float, throttle: Throttle, reactions: Reactions) -> float:
    """Return when an attempt may start that asks now, by the throttle and the suspension."""
    until_s = reactions.hold[0]
    if ask_s < until_s:
        interval_s = reactions.rule[2]
        if interval_s > 0.0:
            slack_s = interval_s * (reactions.rule[3] - 1.0)
            start_s = earliest(max(ask_s, reactions.hold[1] - slack_s), throttle)
            if start_s < until_s:
                return start_s
        ask_s = until_s
    return earliest(ask_s, throttle)


@compiled
def _stand_in_line(
    connection: int, start_s: float, throttle: Throttle, reactions: Reactions
) -> None:
    """Let a connection's message wait for the start that `_earliest` has returned last."""
    place = (reactions.counts[_LINE_FIRST] + reactions.counts[_LINE]) % len(reactions.line)
    reactions.line[place] = connection
    reactions.line_start_s[place] = start_s
    reactions.line_before[place, :3] = throttle.passed
    reactions.line_before[place, 3] = reactions.hold[1]
    reactions.counts[_LINE] += 1
    let_pass(start_s, start_s + reactions.transaction_s[connection], throttle)
    if start_s < reactions.hold[0] and reactions.rule[2] > 0.0:
        reactions.hold[1] = max(reactions.hold[1], start_s) + reactions.rule[2]


@compiled
def _is_throttled(finish_s: float, reactions: Reactions) -> bool:
    """Tell whether the provider throttles an attempt that finishes now."""
    interval_s, burst, arrival_s = (
        reactions.tolerance[0],
        reactions.tolerance[1],
        reactions.tolerance[2],
    )
    if interval_s == 0.0:
        return False
    for outage in range(len(reactions.outages_s)):
        if reactions.outages_s[outage, 0] <= finish_s < reactions.outages_s[outage, 1]:
            return False
    if finish_s < arrival_s - interval_s * (burst - 1.0):
        return True
    reactions.tolerance[2] = max(arrival_s, finish_s) + interval_s
    return False


@compiled
def _starts_suspension(now_s: float, reactions: Reactions) -> bool:
    """Note a throttled answer; return whether the period has as many as a suspension takes."""
    after = len(reactions.throttled_s)
    if after == 0:
        return False
    place = reactions.counts[_NEXT_THROTTLED]
    reactions.throttled_s[place] = now_s
    place = (place + 1) % after
    reactions.counts[_NEXT_THROTTLED] = place
    return reactions.throttled_s[place] >= now_s - reactions.rule[0]


@compiled
def _hand_back(connection: int, connections: Connections, reactions: Reactions) -> None:
    """Let a connection be free that was not used after all: since when it had been before."""
    since_s = reactions.began_s[connection]
    push(connections.free_at_s, connections.free, connections.sizes[0], since_s, connection)
    connections.sizes[0] += 1


@compiled
def _suspend(
    now_s: float,
    waiting: Waiting,
    connections: Connections,
    throttle: Throttle,
    reactions: Reactions,
    expired_messages: Ints,
    expired: int,
) -> int:
    """Suspend the queue from now on; ask anew for the messages in line. Return all expired."""
    begins = now_s >= reactions.hold[0]
    reactions.hold[0] = now_s + reactions.rule[1]
    if begins:
        reactions.hold[1] = -np.inf
    first, size = reactions.counts[_LINE_FIRST], reactions.counts[_LINE]
    reactions.counts[_LINE] = 0
    for number in range(size):
        place = (first + number) % len(reactions.line)
        connection = reactions.line[place]
        if number == 0:
            throttle.passed[:] = reactions.line_before[place, :3]
            if not begins:
                reactions.hold[1] = reactions.line_before[place, 3]
        message = connections.message_of[connection]
        start_s = _earliest(now_s, throttle, reactions)
        if start_s <= waiting.expiry_s[batch_of(message, waiting)]:
            _stand_in_line(connection, start_s, throttle, reactions)
        else:
            expired_messages[expired] = message
            expired += 1
            _hand_back(connection, connections, reactions)
    return expired


@compiled
def _nth_ready_s(number: int, one_s: Floats, one_used: int, two_s: Floats, two_used: int) -> float:
    """Return the n-th ready time of two sorted arrays together, infinite beyond their end."""
    ones, twos = len(one_s) - one_used, len(two_s) - two_used
    if number > ones + twos:
        return np.inf
    low, high = max(0, number - twos), min(number, ones)
    while low < high:
        middle = (low + high) >> 1
        if one_s[one_used + middle] < two_s[two_used + number - middle - 1]:
            low = middle + 1
        else:
            high = middle
    last_s = -np.inf
    if low > 0:
        last_s = one_s[one_used + low - 1]
    if number > low:
        last_s = max(last_s, two_s[two_used + number - low - 1])
    return last_s


@compiled
def _close_idle(at_s: float, connections: Connections, reactions: Reactions) -> None:
    """Close the connections that were idle for too long by then."""
    free_at_s, free, sizes = connections.free_at_s, connections.free, connections.sizes
    while sizes[0] > 0 and at_s - free_at_s[0] > connections.idle_timeout_s:
        reactions.closed[reactions.counts[_CLOSED]] = free[0]
        reactions.counts[_CLOSED] += 1
        sizes[0] -= 1
        replace(free_at_s, free, sizes[0], free_at_s[sizes[0]], free[sizes[0]])


@compiled
def serve_reacting(
    until_s: float,
    waiting: Waiting,
    connections: Connections,
    throttle: Throttle,
    reactions: Reactions,
    drawn: Drawn,
    done: Reacted,
) -> tuple[int, int, int, int, int, int, int, int]:
    """Advance a provider queue that reacts; otherwise as `sendcap.model.kernel.queue.serve`.

    Four things happen here, in the order of their times: a message in the throttle's line starts
    an attempt; an attempt finishes; an established connection asks the throttle; the next
    message takes a connection.

    Return the status and the counts of new messages used, retries used, attempts started,
    attempts finished, messages expired, connections made and transaction draws used.
    """
    free_at_s, free, sizes = connections.free_at_s, connections.free, connections.sizes
    connected_at_s, connected = connections.connected_at_s, connections.connected
    attempts_left, message_of = connections.attempts_left, connections.message_of
    expiry_s, counts, hold = waiting.expiry_s, reactions.counts, reactions.hold
    scaled = len(reactions.waiting_for) > 0
    new_count, retry_count = len(waiting.new_ready_s), len(waiting.retry_ready_s)
    first_new = len(waiting.held_batch)
    first_retry = first_new + new_count
    room = len(done.started)
    status = WINDOW_DONE
    new_used = retries_used = started = finished = expired = connects = transactions = 0
    while True:
        # As in `serve`.
        if new_used < new_count and not (
            retries_used < retry_count
            and waiting.retry_ready_s[retries_used] < waiting.new_ready_s[new_used]
        ):
            ready_s = waiting.new_ready_s[new_used]
            message = first_new + new_used
        elif retries_used < retry_count and not (
            new_used == new_count and waiting.next_new_s <= waiting.retry_ready_s[retries_used]
        ):
            ready_s = waiting.retry_ready_s[retries_used]
            message = first_retry + retries_used
        else:
            ready_s = waiting.next_new_s
            message = -1
        if ready_s < hold[0] and reactions.rule[2] == 0.0:
            ready_s = hold[0]

        take_s = np.inf
        if not scaled:
            if sizes[0] > 0:
                take_s = max(ready_s, free_at_s[0])
        elif ready_s < np.inf:
            take_s = max(ready_s, hold[2])
            _close_idle(take_s, connections, reactions)
            if sizes[0] == 0:
                open_ = len(free) - counts[_CLOSED]
                if counts[_CLOSED] == 0:
                    take_s = np.inf
                elif reactions.waiting_for[open_] - sizes[1] > 1:
                    number = reactions.waiting_for[open_] - sizes[1]
                    if new_count - new_used < number and waiting.next_new_s < np.inf:
                        status = MORE_MESSAGES
                        break
                    nth_s = _nth_ready_s(
                        number, waiting.new_ready_s, new_used, waiting.retry_ready_s, retries_used
                    )
                    take_s = max(take_s, nth_s)

        now_s = take_s
        if sizes[1] > 0:
            now_s = min(now_s, connected_at_s[0])
        if counts[_UNDER_WAY] > 0:
            now_s = min(now_s, reactions.finish_s[0])
        if counts[_LINE] > 0:
            now_s = min(now_s, reactions.line_start_s[counts[_LINE_FIRST]])
        if now_s >= until_s:
            break
        if max(started, finished, transactions, connects) == room:
            status = MORE_DRAWS
            break

        if counts[_LINE] > 0 and reactions.line_start_s[counts[_LINE_FIRST]] == now_s:
            connection = reactions.line[counts[_LINE_FIRST]]
            counts[_LINE_FIRST] = (counts[_LINE_FIRST] + 1) % len(reactions.line)
            counts[_LINE] -= 1
            attempts_left[connection] -= 1
            reactions.began_s[connection] = now_s
            finish_s = now_s + reactions.transaction_s[connection]
            push(reactions.finish_s, reactions.finishing, counts[_UNDER_WAY], finish_s, connection)
            counts[_UNDER_WAY] += 1
            done.started[started] = message_of[connection]
            done.start_s[started] = now_s
            started += 1
            hold[2] = now_s
            continue

        if counts[_UNDER_WAY] > 0 and reactions.finish_s[0] == now_s:
            connection = reactions.finishing[0]
            counts[_UNDER_WAY] -= 1
            last = counts[_UNDER_WAY]
            replace(
                reactions.finish_s,
                reactions.finishing,
                last,
                reactions.finish_s[last],
                reactions.finishing[last],
            )
            if scaled and attempts_left[connection] == 0:
                reactions.closed[counts[_CLOSED]] = connection
                counts[_CLOSED] += 1
            else:
                push(free_at_s, free, sizes[0], now_s, connection)
                sizes[0] += 1
            throttled = _is_throttled(now_s, reactions)
            done.finished[finished] = message_of[connection]
            done.finish_s[finished] = now_s
            done.throttled[finished] = throttled
            finished += 1
            if throttled and _starts_suspension(now_s, reactions):
                expired = _suspend(
                    now_s, waiting, connections, throttle, reactions, done.expired, expired
                )
            hold[2] = now_s
            continue

        if sizes[1] > 0 and connected_at_s[0] == now_s:
            connection = connected[0]
            message = message_of[connection]
            sizes[1] -= 1
            last = sizes[1]
            replace(connected_at_s, connected, last, connected_at_s[last], connected[last])
            reactions.began_s[connection] = now_s
            batch = batch_of(message, waiting)
        else:
            if message < 0:
                status = MORE_MESSAGES
                break
            batch = batch_of(message, waiting)
            if message < first_retry:
                new_used += 1
            else:
                retries_used += 1
            if now_s > expiry_s[batch]:
                done.expired[expired] = message
                expired += 1
                hold[2] = now_s
                continue
            if sizes[0] > 0:
                connection = free[0]
                reactions.began_s[connection] = free_at_s[0]
                sizes[0] -= 1
                last = sizes[0]
                replace(free_at_s, free, last, free_at_s[last], free[last])
            else:
                counts[_CLOSED] -= 1
                connection = reactions.closed[counts[_CLOSED]]
                attempts_left[connection] = 0
            message_of[connection] = message
            idle_s = now_s - reactions.began_s[connection]
            if attempts_left[connection] == 0 or idle_s > connections.idle_timeout_s:
                attempts_left[connection] = connections.attempts_per_connection
                established_s = now_s + drawn.connect_s[connects]
                push(connected_at_s, connected, sizes[1], established_s, connection)
                sizes[1] += 1
                done.connect_at_s[connects] = now_s
                connects += 1
                hold[2] = now_s
                continue

        start_s = _earliest(now_s, throttle, reactions)
        if start_s > expiry_s[batch]:
            # It cannot start in time, so it takes no token and hands the connection back.
            done.expired[expired] = message
            expired += 1
            _hand_back(connection, connections, reactions)
        else:
            reactions.transaction_s[connection] = drawn.transaction_s[transactions]
            transactions += 1
            _stand_in_line(connection, start_s, throttle, reactions)
        hold[2] = now_s
    return (
        status,
        new_used,
        retries_used,
        started,
        finished,
        expired,
        connects,
        transactions,
    )
