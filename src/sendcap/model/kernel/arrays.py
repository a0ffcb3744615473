"""The kernel's arguments: arrays under names."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]


class Waiting(NamedTuple):
    """The messages of a queue, numbered through: those held by connections, new ones, retries.

    Attributes
    ----------
    held_batch : shape (h,)
        Relay batch of the messages that a connection holds from the call before.
    new_ready_s, new_batch : shape (n,)
        Ready time and relay batch of new messages, by ready time.
    next_new_s
        Ready time of the first new message beyond this call, infinite without one.
    retry_ready_s, retry_batch : shape (r,)
        The same for retries. Of equal ready times, new messages go first.
    expiry_s : shape (batches,)
        When the messages of each relay batch expire.
    """

    held_batch: Numbers
    new_ready_s: Floats
    new_batch: Numbers
    next_new_s: float
    retry_ready_s: Floats
    retry_batch: Numbers
    expiry_s: Floats


class Connections(NamedTuple):
    """A queue's connections; updated.

    Attributes
    ----------
    free_at_s, free : shape (connections,)
        Heap of the connections without a message, by the time since when.
    connected_at_s, connected : shape (connections,)
        Heap of the connections that are being made, by the time at which they are established.
    sizes : shape (2,)
        Sizes of the two heaps.
    attempts_left : shape (connections,)
        Attempts until the connection must be made anew.
    message_of : shape (connections,)
        The message that a connection holds.
    idle_timeout_s, attempts_per_connection
        A connection is made anew when it was idle longer, or used as often.
    """

    free_at_s: Floats
    free: Ints
    connected_at_s: Floats
    connected: Ints
    sizes: Ints
    attempts_left: Ints
    message_of: Ints
    idle_timeout_s: float
    attempts_per_connection: int


class Throttle(NamedTuple):
    """A throttle's kind, its settings, the steps of a schedule, what it has let pass; updated.

    Attributes
    ----------
    kind
        One of `sendcap.model.kernel.throttle`.
    limits : shape (2,)
        GCRA: seconds per attempt, attempts that may go at once. Fixed window: attempts in each,
        its length in seconds. Gap: the pause in seconds.
    steps : shape (steps, 4)
        Schedule: when each step begins, its attempts per second, the attempts that the rate has
        brought until then, attempts that may go at once.
    passed : shape (3,)
        GCRA: the theoretical arrival time. Fixed window: the window's number, the attempts in it.
        Gap: when the next may start. Schedule: the theoretical arrival, in attempts. The last
        entry is what was asked for last.
    """

    kind: int
    limits: Floats
    steps: Floats
    passed: Floats


class Drawn(NamedTuple):
    """Draws, used in order.

    Attributes
    ----------
    connect_s
        One when a connection is made.
    transaction_s
        One when an attempt starts.
    """

    connect_s: Floats
    transaction_s: Floats


class Done(NamedTuple):
    """What the kernel has done; written.

    Attributes
    ----------
    message, start_s, finish_s : shape (transaction draws,)
        The attempts, in the order of their starts.
    expired : shape (messages,)
        Messages that expired before their attempt could start.
    connect_at_s : shape (connect draws,)
        When connections began to be made.
    """

    message: Ints
    start_s: Floats
    finish_s: Floats
    expired: Ints
    connect_at_s: Floats


class Reactions(NamedTuple):
    """What else a queue needs that reacts to how attempts end; updated.

    Attributes
    ----------
    finish_s, finishing : shape (connections,)
        Heap of the connections with an attempt under way, by its finish.
    line, line_start_s, line_before : shape (connections,), (connections,), (connections, 4)
        Ring of the connections whose message waits for the throttle, in order; when each may
        start as things stand; the throttle's ``passed`` and ``hold[1]`` before it was asked.
    closed : shape (connections,)
        Stack of the connections that are not open, with connection scaling only.
    counts : shape (5,)
        Sizes of the heap, the ring's first place, its size, the stack's size, the next place in
        ``throttled_s``.
    began_s, transaction_s : shape (connections,)
        Start of a connection's attempt, and how long it takes; of one in line, since when the
        connection was not used.
    waiting_for : shape (connections,), or (0,) without connection scaling
        How many messages must wait before one more connection is opened, by those that are open.
    tolerance : shape (3,)
        The provider's GCRA: seconds per attempt (0 for none), attempts that may come at once, the
        theoretical arrival time.
    outages_s : shape (outages, 2)
        When the provider is unreachable: from, until.
    rule : shape (4,)
        The suspension: period, length, seconds per attempt meanwhile (0 for none at all), attempts
        that may go at once meanwhile.
    throttled_s : shape (throttled answers that start a suspension,)
        Ring of the times of the last throttled answers; empty without a rule.
    hold : shape (3,)
        Until when the queue is suspended, the theoretical arrival time meanwhile; the time of the
        last thing that happened.
    """

    finish_s: Floats
    finishing: Ints
    line: Ints
    line_start_s: Floats
    line_before: Floats
    closed: Ints
    counts: Ints
    began_s: Floats
    transaction_s: Floats
    waiting_for: Ints
    tolerance: Floats
    outages_s: Floats
    rule: Floats
    throttled_s: Floats
    hold: Floats


class Reacted(NamedTuple):
    """What the kernel has done in a queue that reacts; written.

    Attributes
    ----------
    started, start_s : shape (transaction draws,)
        The attempts started, in that order.
    finished, began_s, finish_s, throttled : shape (transaction draws,)
        The attempts finished, in that order: the message, start and finish, whether the provider
        throttled it.
    expired : shape (messages,)
        Messages that expired before their attempt could start.
    connect_at_s : shape (connect draws,)
        When connections began to be made.
    """

    started: Ints
    start_s: Floats
    finished: Ints
    began_s: Floats
    finish_s: Floats
    throttled: npt.NDArray[np.bool_]
    expired: Ints
    connect_at_s: Floats
