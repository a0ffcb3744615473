"""The compiled kernel: first-in-first-out stations, one message after the other.

When a message starts depends on when every earlier one finished, so this recursion cannot be
written as operations on whole arrays. It is the one part of sendcap that is compiled (by Numba).
Nothing is drawn here: the caller passes the draws in, so each function is a recursion on its
arguments alone, and advances the state arrays that it is given.

All of it stands in one module because Numba's cache does not notice when a compiled function in
another module changes.

References
----------
J. Kiefer and J. Wolfowitz, "On the theory of queues with many servers", Transactions of the
American Mathematical Society 78 (1955): the recursion on the servers' free times.
The throttle is the generic cell rate algorithm (GCRA) as KumoMTA's `throttle` crate has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]

WINDOW_DONE: Final = 0
"""Nothing more can happen in the window."""
MORE_MESSAGES: Final = 1
"""The new messages given are used up; the caller has more of them for this window."""
MORE_DRAWS: Final = 2
"""The draws given are used up."""

NO_THROTTLE: Final = 0
GCRA: Final = 1
FIXED_WINDOW: Final = 2
GAP: Final = 3
SCHEDULE: Final = 4

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(function: _Function) -> _Function:
    try:
        return cast("_Function", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder can be written to: compile anew in each process
        return cast("_Function", numba.njit(nogil=True)(function))


@_compiled
def _push(times: Floats, members: Ints, size: int, time: float, member: int) -> None:
    """Add to a binary heap of ``size`` entries, ordered by time."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if times[parent] <= time:
            break
        times[hole] = times[parent]
        members[hole] = members[parent]
        hole = parent
    times[hole] = time
    members[hole] = member


@_compiled
def _replace(times: Floats, members: Ints, size: int, time: float, member: int) -> None:
    """Replace the earliest entry of a binary heap of ``size`` entries."""
    hole = 0
    child = 1
    while child < size:
        if child + 1 < size and times[child + 1] < times[child]:
            child += 1
        if times[child] >= time:
            break
        times[hole] = times[child]
        members[hole] = members[child]
        hole = child
        child = 2 * hole + 1
    times[hole] = time
    members[hole] = member


@_compiled
def _earliest_by_schedule(ask_s: float, steps: Floats, passed: Floats) -> float:
    """Return the same for a schedule; apart, so that the frequent cases stay short.

    A schedule is the GCRA on a clock of its own, which counts the attempts that its rate has
    brought so far: it runs as fast as the rate, and stands still while the queue is closed.
    """
    last = len(steps) - 1
    step = last
    while steps[step, 0] > ask_s:
        step -= 1
    while steps[step, 1] == 0.0:
        step += 1
        ask_s = steps[step, 0]
    brought = steps[step, 2] + (ask_s - steps[step, 0]) * steps[step, 1]
    needed = passed[0] - (steps[step, 3] - 1.0)
    passed[2] = max(brought, needed)
    if needed <= brought:
        return ask_s
    while step < last and steps[step + 1, 2] < needed:
        step += 1
    return max(ask_s, steps[step, 0] + (needed - steps[step, 2]) / steps[step, 1])


@_compiled
def _earliest(ask_s: float, throttle: int, limits: Floats, steps: Floats, passed: Floats) -> float:
    """Return when an attempt may start that asks at a time no earlier than any before it."""
    if throttle == GAP:
        return max(ask_s, passed[0])
    if throttle == FIXED_WINDOW:
        limit, length_s = limits[0], limits[1]
        window = max(np.floor(ask_s / length_s), passed[0])
        if window == passed[0] and passed[1] >= limit:
            window += 1.0
        passed[2] = window
        return max(ask_s, window * length_s)
    return _earliest_by_schedule(ask_s, steps, passed)


@_compiled
def _let_pass(finish_s: float, throttle: int, limits: Floats, passed: Floats) -> None:
    """Note the attempt that `_earliest` was asked for last."""
    if throttle == GAP:
        passed[0] = finish_s + limits[0]
    elif throttle == FIXED_WINDOW:
        if passed[2] > passed[0]:
            passed[0], passed[1] = passed[2], 0.0
        passed[1] += 1.0
    elif throttle == SCHEDULE:
        passed[0] = max(passed[0], passed[2]) + 1.0


@_compiled
def serve(
    until_s: float,
    new_ready_s: Floats,
    new_batch: Numbers,
    next_new_s: float,
    retry_ready_s: Floats,
    retry_batch: Numbers,
    carried_batch: Numbers,
    expiry_s: Floats,
    free_at_s: Floats,
    free_connection: Ints,
    attempts_left: Ints,
    connected_at_s: Floats,
    connected_connection: Ints,
    message_of: Ints,
    sizes: Ints,
    throttle: int,
    limits: Floats,
    steps: Floats,
    passed: Floats,
    connect_s: Floats,
    transaction_s: Floats,
    idle_timeout_s: float,
    attempts_per_connection: int,
    attempt_message: Ints,
    attempt_start_s: Floats,
    attempt_finish_s: Floats,
    expired_message: Ints,
) -> tuple[int, int, int, int, int, int]:
    """Advance a provider queue over the part of a window for which messages are given.

    Two things happen here, in the order of their times: the longest-free connection *takes* the
    next message, and a message whose connection is established *starts* its attempt as soon as
    the throttle lets it. Messages are numbered through: the new ones, the retries, then those
    carried over, which hold a connection that is being established.

    Parameters
    ----------
    until_s
        End of the window; only what happens before it is done.
    new_ready_s, new_batch : shape (n,)
        Ready time and relay batch of new messages, by ready time.
    next_new_s
        Ready time of the first new message that is not given, infinite if there is none.
    retry_ready_s, retry_batch : shape (r,)
        The same for retries. Of equal ready times, new messages go first.
    carried_batch : shape (h,)
        Relay batch of the messages carried over.
    expiry_s : shape (batches,)
        When the messages of each relay batch expire.
    free_at_s, free_connection : shape (connections,)
        Heap of the connections without a message, by the time since when; updated.
    attempts_left : shape (connections,)
        Attempts until the connection must be made anew; updated.
    connected_at_s, connected_connection, message_of : shape (connections,)
        Heap of the connections that hold a message to be started, by the time at which they are
        established, and that message; updated.
    sizes : shape (2,)
        Sizes of the two heaps; updated.
    throttle, limits, steps, passed
        The throttle's kind, its settings, the steps of a schedule, what it has let pass; see
        `sendcap.model.throttle`. The last is updated.
    connect_s, transaction_s
        Draws, used in order: one when a connection is made, one when an attempt starts.
    idle_timeout_s, attempts_per_connection
        A connection is made anew when it was idle longer, or used as often.
    attempt_message, attempt_start_s, attempt_finish_s : shape of ``transaction_s``
        The attempts made, in the order of their starts; written.
    expired_message : shape (n + r + h,)
        Messages that expired before their attempt could start; written.

    Returns
    -------
    status, new used, retries used, attempts made, messages expired, connections made
    """
    new_count = len(new_ready_s)
    retry_count = len(retry_ready_s)
    first_carried = new_count + retry_count
    slack_s = limits[0] * (limits[1] - 1.0)
    new_used = retries_used = attempts = expired = connects = 0
    while True:
        if new_used < new_count and not (
            retries_used < retry_count and retry_ready_s[retries_used] < new_ready_s[new_used]
        ):
            ready_s = new_ready_s[new_used]
            message = new_used
        elif retries_used < retry_count and not (
            new_used == new_count and next_new_s <= retry_ready_s[retries_used]
        ):
            ready_s = retry_ready_s[retries_used]
            message = new_count + retries_used
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
            connection = connected_connection[0]
            message = message_of[connection]
            sizes[1] -= 1
            last = sizes[1]
            _replace(
                connected_at_s,
                connected_connection,
                last,
                connected_at_s[last],
                connected_connection[last],
            )
            if message < new_count:
                batch = new_batch[message]
            elif message < first_carried:
                batch = retry_batch[message - new_count]
            else:
                batch = carried_batch[message - first_carried]
            was_free = False
        else:
            if take_s >= until_s:
                break
            if message < 0:
                return MORE_MESSAGES, new_used, retries_used, attempts, expired, connects
            if attempts == len(transaction_s) or connects == len(connect_s):
                return MORE_DRAWS, new_used, retries_used, attempts, expired, connects
            if message < new_count:
                batch = new_batch[message]
                new_used += 1
            else:
                batch = retry_batch[message - new_count]
                retries_used += 1
            if take_s > expiry_s[batch]:
                expired_message[expired] = message
                expired += 1
                continue
            connection = free_connection[0]
            if attempts_left[connection] == 0 or take_s - free_at_s[0] > idle_timeout_s:
                attempts_left[connection] = attempts_per_connection
                message_of[connection] = message
                sizes[0] -= 1
                last = sizes[0]
                _replace(free_at_s, free_connection, last, free_at_s[last], free_connection[last])
                _push(
                    connected_at_s,
                    connected_connection,
                    sizes[1],
                    take_s + connect_s[connects],
                    connection,
                )
                sizes[1] += 1
                connects += 1
                continue
            ask_s = take_s
            was_free = True

        # The two frequent cases stand here: a call would cost as much as all the rest.
        start_s = ask_s
        if throttle == GCRA:
            start_s = max(ask_s, passed[0] - slack_s)
        elif throttle != NO_THROTTLE:
            start_s = _earliest(ask_s, throttle, limits, steps, passed)
        if start_s > expiry_s[batch]:
            # It cannot start in time, so it takes no token and hands the connection back.
            expired_message[expired] = message
            expired += 1
            if was_free:
                continue
            free_s = ask_s
        else:
            free_s = start_s + transaction_s[attempts]
            if throttle == GCRA:
                passed[0] = max(passed[0], start_s) + limits[0]
            elif throttle != NO_THROTTLE:
                _let_pass(free_s, throttle, limits, passed)
            attempt_message[attempts] = message
            attempt_start_s[attempts] = start_s
            attempt_finish_s[attempts] = free_s
            attempts += 1
            attempts_left[connection] -= 1
        if was_free:
            _replace(free_at_s, free_connection, sizes[0], free_s, connection)
        else:
            _push(free_at_s, free_connection, sizes[0], free_s, connection)
            sizes[0] += 1
    return WINDOW_DONE, new_used, retries_used, attempts, expired, connects


@_compiled
def hand_over(
    from_s: float,
    until_s: float,
    room: float,
    ready_s: Floats,
    messages: Ints,
    batch_time_s: Floats,
    free_at_s: Floats,
    worker: Ints,
    arrival_time_s: Floats,
    interval_s: float,
    burst: float,
    end_s: Floats,
) -> int:
    """Advance the relay: batches, in order, to the worker that has been free the longest.

    Parameters
    ----------
    from_s
        No batch starts before it.
    until_s
        Batches that would start at or after it are left for later.
    room
        Messages that there is room for; a batch that needs more is left for later, and so are
        all those after it.
    ready_s, messages, batch_time_s : shape (n,)
        When each batch may start, its number of messages, its draw of the batch time.
    free_at_s, worker : shape (workers,)
        Heap of the workers by the time since when they are free; updated.
    arrival_time_s : shape (1,)
        GCRA's theoretical arrival time; updated.
    interval_s, burst
        The throttle: seconds per message (0 for none), messages that may go at once.
    end_s : shape (n,)
        When each batch ends; written.

    Returns
    -------
    int
        Number of batches started.
    """
    workers = len(free_at_s)
    for batch in range(len(ready_s)):
        start_s = max(ready_s[batch], free_at_s[0], from_s)
        needed_s = interval_s * messages[batch]
        if interval_s > 0.0:
            # A batch larger than the burst goes when the whole burst is there.
            slack_s = max(interval_s * burst - needed_s, 0.0)
            start_s = max(start_s, arrival_time_s[0] - slack_s)
        if start_s >= until_s or messages[batch] > room:
            return batch
        room -= messages[batch]
        if interval_s > 0.0:
            arrival_time_s[0] = max(arrival_time_s[0], start_s) + needed_s
        end_s[batch] = start_s + batch_time_s[batch]
        _replace(free_at_s, worker, workers, end_s[batch], worker[0])
    return len(ready_s)


@_compiled
def pass_through(ready_s: Floats, service_s: float, free_at_s: Floats, leaves_s: Floats) -> None:
    """Advance one first-in-first-out server with a constant service time.

    Parameters
    ----------
    ready_s : shape (n,)
        When each message arrives, in order.
    service_s
        Seconds per message.
    free_at_s : shape (1,)
        Since when the server is free; updated.
    leaves_s : shape (n,)
        When each message leaves; written.
    """
    free_s = free_at_s[0]
    for message in range(len(ready_s)):
        free_s = max(ready_s[message], free_s) + service_s
        leaves_s[message] = free_s
    free_at_s[0] = free_s
