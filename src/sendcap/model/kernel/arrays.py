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

    New messages and retries are each in order of ready time; of equal times, new messages go first.
    """

    held_batch: Numbers  # relay batch of the messages that a connection holds from the call before
    new_ready_s: Floats
    new_batch: Numbers
    next_new_s: float  # ready time of the first new message beyond this call; infinite without one
    retry_ready_s: Floats
    retry_batch: Numbers
    expiry_s: Floats  # of each relay batch


class Connections(NamedTuple):
    """A queue's connections, updated; arrays have an entry for each connection."""

    free_at_s: Floats  # heap of the connections without a message, by the time since when
    free: Ints
    connected_at_s: Floats  # heap of those being made, by the time when established
    connected: Ints
    sizes: Ints  # of the two heaps
    attempts_left: Ints  # until the connection must be made anew
    message_of: Ints
    idle_timeout_s: float  # a connection that was idle longer is made anew
    attempts_per_connection: int


class Throttle(NamedTuple):
    """A throttle; ``passed`` is updated. See `sendcap.model.kernel.throttle`.

    ``limits`` — GCRA: seconds per attempt, attempts at once. Fixed window: attempts in a window,
    length in seconds. Gap: pause in seconds. ``passed`` — GCRA: theoretical arrival time. Fixed
    window: number of the window, attempts in it. Gap: next start. Schedule: theoretical arrival, in
    attempts. The last entry of ``passed`` is the answer to the last question.
    """

    kind: int
    limits: Floats  # shape (2,)
    # Schedule, shape (steps, 4): start, attempts per second, attempts allowed by the rate until
    # then, attempts at once.
    steps: Floats
    passed: Floats  # shape (3,)


class Drawn(NamedTuple):
    """Draws, used in order: one for each new connection, one for each attempt."""

    connect_s: Floats
    transaction_s: Floats


class Done(NamedTuple):
    """The kernel's output: attempts in order of start, expired messages, new connections."""

    message: Ints
    start_s: Floats
    finish_s: Floats
    expired: Ints
    connect_at_s: Floats


class Reactions(NamedTuple):
    """The further state of a queue that reacts to the end of attempts; updated.

    Without another shape, an array has an entry for each connection.
    """

    finish_s: Floats  # heap of the connections with an attempt under way, by finish
    finishing: Ints
    # Ring of the connections whose message waits for the throttle, in order; the start of each as
    # things stand; the throttle's ``passed`` and ``hold[1]`` before the question, 4 columns.
    line: Ints
    line_start_s: Floats
    line_before: Floats
    closed: Ints  # stack of the connections that are not open, with connection scaling only
    # Shape (5,): size of the heap, first entry and size of the ring, size of the stack, next entry
    # of ``throttled_s``.
    counts: Ints
    began_s: Floats  # start of the attempt; in line, since when the connection was not used
    transaction_s: Floats
    # Waiting messages needed for one more connection, by the open ones; empty without scaling.
    waiting_for: Ints
    # Shape (3,), the provider's GCRA: seconds per attempt (0 for none), attempts at once,
    # theoretical arrival time.
    tolerance: Floats
    outages_s: Floats  # shape (outages, 2): from, until
    # Shape (4,), the suspension: period, length, seconds per attempt meanwhile (0 for closed),
    # attempts at once meanwhile.
    rule: Floats
    throttled_s: Floats  # ring of the last throttled answers, as many as start a suspension
    # Shape (3,): end of the suspension, theoretical arrival time meanwhile, time of the last event.
    hold: Floats


class Reacted(NamedTuple):
    """The kernel's output in a queue that reacts; attempts in order of start, and of finish."""

    started: Ints
    start_s: Floats
    finished: Ints
    finish_s: Floats
    throttled: npt.NDArray[np.bool_]
    expired: Ints
    connect_at_s: Floats
