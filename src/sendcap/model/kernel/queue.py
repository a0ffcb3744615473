"""A provider queue whose attempts do not depend on how earlier ones ended."""

from __future__ import annotations

from typing import Final

import numpy as np

from sendcap.model.kernel.arrays import Connections, Done, Drawn, Throttle, Waiting
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.heap import push, replace
from sendcap.model.kernel.throttle import GCRA, NO_THROTTLE, earliest, let_pass

WINDOW_DONE: Final = 0
"""Nothing more can happen in the window."""
MORE_MESSAGES: Final = 1
"""The new messages of this call are used up; the caller has more for this window."""
MORE_DRAWS: Final = 2
"""The draws of this call are used up."""


@compiled
def batch_of(message: int, waiting: Waiting) -> int:
    """Return the relay batch of a message by waiting number."""
    held, new = len(waiting.held_batch), len(waiting.new_batch)
    if message < held:
        return waiting.held_batch[message]
    if message < held + new:
        return waiting.new_batch[message - held]
    return waiting.retry_batch[message - held - new]


@compiled
def serve(
    until_s: float,
    waiting: Waiting,
    connections: Connections,
    throttle: Throttle,
    drawn: Drawn,
    done: Done,
) -> tuple[int, int, int, int, int, int]:
    """Advance a provider queue over the part of a window that the messages cover.

    Two things happen here, in the order of their times: the longest-free connection *takes* the
    next message, and a message whose connection is established *starts* an attempt as soon as
    the throttle allows. Nothing at or after ``until_s``, the end of the window, is done.

    Return the status and the counts of new messages used, retries used, attempts made, messages
    expired and connections made.
    """
    new_ready_s, new_batch = waiting.new_ready_s, waiting.new_batch
    retry_ready_s, retry_batch = waiting.retry_ready_s, waiting.retry_batch
    next_new_s, expiry_s = waiting.next_new_s, waiting.expiry_s
    free_at_s, free = connections.free_at_s, connections.free
    connected_at_s, connected = connections.connected_at_s, connections.connected
    sizes, attempts_left = connections.sizes, connections.attempts_left
    message_of = connections.message_of
    connect_s, transaction_s = drawn.connect_s, drawn.transaction_s
    kind, passed, interval_s = throttle.kind, throttle.passed, throttle.limits[0]
    slack_s = interval_s * (throttle.limits[1] - 1.0)
    new_count = len(new_ready_s)
    retry_count = len(retry_ready_s)
    first_new = len(waiting.held_batch)
    first_retry = first_new + new_count
    new_used = retries_used = attempts = expired = connects = 0
    while True:
        if new_used < new_count and not (
            retries_used < retry_count and retry_ready_s[retries_used] < new_ready_s[new_used]
        ):
            ready_s = new_ready_s[new_used]
            message = first_new + new_used
        elif retries_used < retry_count and not (
            new_used == new_count and next_new_s <= retry_ready_s[retries_used]
        ):
            ready_s = retry_ready_s[retries_used]
            message = first_retry + retries_used
        else:
            ready_s = next_new_s
            message = -1
        take_s = np.inf
        if sizes[0] > 0:
            take_s = max(ready_s, free_at_s[0])

        if sizes[1] > 0 and connected_at_s[0] <= take_s:
            ask_s = connected_at_s[0]
            if ask_s >= until_s:
                break
            if attempts == len(transaction_s):
                return MORE_DRAWS, new_used, retries_used, attempts, expired, connects
            connection = connected[0]
            message = message_of[connection]
            sizes[1] -= 1
            last = sizes[1]
            replace(connected_at_s, connected, last, connected_at_s[last], connected[last])
            batch = batch_of(message, waiting)
            was_free = False
        else:
            if take_s >= until_s:
                break
            if message < 0:
                return MORE_MESSAGES, new_used, retries_used, attempts, expired, connects
            if attempts == len(transaction_s) or connects == len(connect_s):
                return MORE_DRAWS, new_used, retries_used, attempts, expired, connects
            if message < first_retry:
                batch = new_batch[new_used]
                new_used += 1
            else:
                batch = retry_batch[retries_used]
                retries_used += 1
            if take_s > expiry_s[batch]:
                done.expired[expired] = message
                expired += 1
                continue
            connection = free[0]
            if attempts_left[connection] == 0 or take_s - free_at_s[0] > connections.idle_timeout_s:
                attempts_left[connection] = connections.attempts_per_connection
                message_of[connection] = message
                sizes[0] -= 1
                last = sizes[0]
                replace(free_at_s, free, last, free_at_s[last], free[last])
                established_s = take_s + connect_s[connects]
                push(connected_at_s, connected, sizes[1], established_s, connection)
                sizes[1] += 1
                done.connect_at_s[connects] = take_s
                connects += 1
                continue
            ask_s = take_s
            was_free = True

        # The two frequent cases stand here: a call would cost as much as all the rest.
        start_s = ask_s
        if kind == GCRA:
            start_s = max(ask_s, passed[0] - slack_s)
        elif kind != NO_THROTTLE:
            start_s = earliest(ask_s, throttle)
        if start_s > expiry_s[batch]:
            # It cannot start in time, so it takes no token and hands the connection back.
            done.expired[expired] = message
            expired += 1
            if was_free:
                continue
            free_s = ask_s
        else:
            free_s = start_s + transaction_s[attempts]
            if kind == GCRA:
                passed[0] = max(passed[0], start_s) + interval_s
            elif kind != NO_THROTTLE:
                let_pass(start_s, free_s, throttle)
            done.message[attempts] = message
            done.start_s[attempts] = start_s
            done.finish_s[attempts] = free_s
            attempts += 1
            attempts_left[connection] -= 1
        if was_free:
            replace(free_at_s, free, sizes[0], free_s, connection)
        else:
            push(free_at_s, free, sizes[0], free_s, connection)
            sizes[0] += 1
    return WINDOW_DONE, new_used, retries_used, attempts, expired, connects
