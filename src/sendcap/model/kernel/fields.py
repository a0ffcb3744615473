"""The records of a group of queues: what compiled code knows of each queue, message and so on.

Numbers stand for things: a connection, a message, a run or a limit is the index of a record.
``NONE`` stands for no such thing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

NONE: Final = -1
NEVER: Final = np.inf
UNLIMITED: Final = 1 << 60

# Reasons that every provider has; see `sendcap.model.addresses`.
NO_REASON: Final = 0
NOT_ATTEMPTED: Final = 1
TRANSIENT: Final = 2
UNREACHABLE: Final = 3
THROTTLED: Final = 4
SUSPENDED: Final = 5
TOO_MANY_CONNECTIONS: Final = 6

# Answers that rules count, besides the reasons above: an address's hard bounce or fault.
HARD_ADDRESS: Final = 30
FAULTY_ADDRESS: Final = 31

# The streams of draws of a queue; those of faults follow.
CONNECT: Final = 0
TRANSACTION: Final = 1
LATENCY: Final = 2
EXPIRY_LATENCY: Final = 3
ASYNC_LATENCY: Final = 4
OPEN: Final = 5
CLICK: Final = 6
COMPLAINT: Final = 7
CLEARS: Final = 8

QUEUE = np.dtype(
    [
        # Connections that are free, the longest-free first; those in the limits' line; closed ones.
        ("free_first", "i4"),
        ("free_last", "i4"),
        ("line_first", "i4"),
        ("line_last", "i4"),
        ("closed_first", "i4"),
        ("open", "i4"),
        ("making", "i4"),  # connections that are being made for a message
        ("first_connection", "i4"),
        ("connections", "i4"),
        ("taken", "i4"),  # connections that have a message
        ("window", "i4"),  # of them at most; all, unless Postfix's feedback sets it
        # Messages that wait, in lanes.
        ("first_lane", "i4"),
        ("lanes", "i4"),
        ("only_lane", "i4"),  # where it has one, and messages wait for nothing but connections
        ("fair", "i4"),  # whether the lanes take turns
        ("lane_turn", "i4"),
        # Where connections are opened by the queue's length: that, and when it grows next.
        ("waiting", "i8"),
        ("arrival_s", "f8"),
        ("line_start_s", "f8"),  # when the first in line may start, as things stand
        ("line_at", "i4"),  # the shared limit that the first in line waits for, or NONE
        ("turn", "i4"),  # in the round of the addresses of a pool, where each has a queue
        ("first_in_round", "i4"),
        ("round", "i4"),
        # Settings.
        ("provider", "i4"),
        ("path", "i4"),  # the pool and the provider
        ("first_address", "i4"),  # the first queue of the same pool and provider
        ("first_shared", "i4"),  # in ``Shared.of_queue``
        ("shared", "i4"),
        ("shared_rates", "i4"),  # how many of them let attempts start: these come first
        ("idle_timeout_s", "f8"),
        ("attempts_per_connection", "i8"),
        ("first_limit", "i4"),  # in ``of_queue``
        ("limits", "i4"),
        ("connection_rate", "i4"),  # limit of opening connections, or NONE
        ("accepted", "i4"),  # connections that the provider accepts at a time, or NONE
        # Postfix's feedback: how, see `sendcap.model.kernel.concurrency`, and where it stands.
        ("positive", "i4"),  # 0 without feedback
        ("negative", "i4"),
        ("half_steps", "i4"),
        ("initial", "i4"),
        ("successes", "f8"),
        ("failures", "f8"),
        ("cohorts", "f8"),  # that fail until the site is dead
        ("failed_cohorts", "f8"),
        ("dies", "i4"),  # whether it may be dead: the rule for that follows the others
        ("scaled", "i4"),  # index of the first length in ``waiting_for``, or NONE
        ("first_disturbance", "i4"),  # in ``disturbances``, outages included
        ("disturbances", "i4"),
        ("gives_up", "i4"),  # whether attempts in an outage end at a time of their own
        ("foreseen_until_s", "f8"),  # until when all disturbances are drawn
        ("first_kind", "i4"),  # in ``kinds``: the good address
        ("kinds", "i4"),
        ("retry", "i4"),  # policy
        ("first_stream", "i4"),
        ("without_draws", "i4"),  # streams that are used up
        # Chance.
        ("transient", "i4"),  # trials
        ("async_bounce", "i4"),
        ("jitter", "i4"),
        ("opens", "i4"),  # the first, of the engagement classes
        ("clicks", "i4"),
        ("complaints", "i4"),  # NONE without a population
        # The provider's tolerance, and the rules that suspend the queue.
        ("tolerance", "i4"),  # limit, or NONE
        ("first_rule", "i4"),  # in ``rules``
        ("rules", "i4"),
        ("held_until_s", "f8"),  # by any rule
        ("closed_until_s", "f8"),  # by a rule that lets messages wait
        ("sent_back_until_s", "f8"),  # by a rule that sends messages back to their schedule
        ("sweep_s", "f8"),  # when a rule looks at a period's attempts next
    ],
    align=True,
)
LANE = np.dtype(
    [
        ("queue", "i4"),
        ("rank", "i4"),  # the lowest goes first
        ("run_first", "i8"),
        ("run_last", "i8"),
        ("retry_first", "i4"),
        ("retry_last", "i4"),
        ("new_ready_s", "f8"),  # of the first of each kind; infinite without one
        ("retry_ready_s", "f8"),
        # New messages that are not ready yet, where connections are opened by the queue's length.
        ("arrival_s", "f8"),
        ("arriving_run", "i8"),
        ("arriving_place", "i8"),
        # The first that is not active yet, where few messages are at a time.
        ("incoming_run", "i8"),
        ("incoming_retry", "i4"),
        ("parked_at", "i4"),  # the shared limit that it waits for, or NONE
        ("first_limit", "i4"),  # in ``Shared.of_lane``
        ("limits", "i4"),
    ],
    align=True,
)
"""Messages of a queue that wait, first in, first out: runs of new ones, and due retries."""
CONNECTION = np.dtype(
    [
        # When it is established, or when its attempt ends; else when it was used last.
        ("event_s", "f8"),
        ("attempts_left", "i8"),
        ("next", "i4"),  # in the list that it is in
        ("message", "i4"),  # NONE where it is free
        ("queue", "i4"),
        ("being_made", "i4"),
    ],
    align=True,
)
MESSAGE = np.dtype(
    [
        # What each attempt needs.
        ("ready_s", "f8"),
        ("reported_s", "f8"),  # when its last report arrives at Campaign
        ("relayed", "i8"),  # how many were relayed before it
        ("stamp", "i8"),  # of its entry among what expires, 0 without one
        ("batch", "i4"),
        ("queue", "i4"),
        ("lane", "i4"),
        ("pair", "i4"),  # of delivery and provider
        ("number", "i4"),  # within its delivery
        ("failures", "i4"),
        ("kind", "i2"),  # of its address
        ("reason", "i2"),  # of its last soft bounce
        ("place", "i2"),  # where it is, see below
        ("active", "i2"),  # whether it is, where few messages are at a time
        # From its first failure on, and what few have.
        ("first_failed_s", "f8"),
        ("previous_delay_s", "f8"),
        ("clears_at_s", "f8"),  # 0 until an attempt has reached the provider with a bad address
        ("order", "i8"),  # of its last failure among all
        ("next", "i4"),  # in the list that it is in
        ("person", "i4"),  # only with a population; NONE of one from before
    ],
    align=True,
)
"""A message from its first attempt on."""

# Where a message is that can expire.
WAITING: Final = 0
CONNECTING: Final = 1
IN_LINE: Final = 2
ENDING: Final = 3  # it will not be tried again
EXPIRED_IN_PLACE: Final = 4  # in its queue, or with a connection that is being made
RUN = np.dtype(
    [
        ("batch", "i4"),
        ("left", "i4"),  # messages that wait still
        ("queue", "i4"),  # NONE of a run that is done
        ("lane", "i4"),
        ("relayed", "i8"),  # messages relayed before those that are left
        ("place", "i8"),  # of the next in ``places``
        ("next", "i8"),
        ("active", "i8"),  # messages, where few are at a time
    ],
    align=True,
)
"""New messages of one relay batch in one queue: they take only this room until they are taken."""
LIMIT = np.dtype(
    [
        ("kind", "i8"),
        # GCRA: seconds for each attempt, attempts at once. Fixed window: attempts in a window,
        # seconds. Gap: pause in seconds.
        ("one", "f8"),
        ("two", "f8"),
        # GCRA and schedule: theoretical arrival. Fixed window: its number, attempts in it.
        ("state", "f8"),
        ("used", "f8"),
        ("first", "i8"),  # in ``steps`` or ``pauses_until_s``
        ("count", "i8"),
    ],
    align=True,
)
DISTURBANCE = np.dtype(
    [
        ("first", "i8"),  # in ``windows_s``: when it begins and ends, in order of time
        ("count", "i8"),
        ("at", "i8"),  # the next to end
        ("active", "i4"),
        ("unreachable", "i4"),
        ("transient", "i4"),  # trials, or NONE where it is no larger than the provider's own
        ("tolerance", "i4"),  # limit, or NONE
        ("refusal", "i4"),  # reason of hard bounces, or `NO_REASON`
        ("refused", "i4"),  # trials
        ("probability", "f8"),
        ("fails_after_s", "f8"),  # of attempts that start meanwhile; infinite if as any other
    ],
    align=True,
)
"""Bad times of a provider: its outages, or such as come at random."""
RULE = np.dtype(
    [
        ("counts", "i8"),  # a bit for each answer
        ("retries", "i4"),  # whether messages are sent back to their schedule meanwhile
        ("meanwhile", "i4"),  # limit during the suspension, or NONE where the queue is closed
        ("lasts_s", "f8"),
        ("until_s", "f8"),
        ("within_s", "f8"),
        # By count: answers, in a period or in a row; a ring of the last ones in ``answers_s``.
        ("after", "i8"),
        ("in_a_row", "i4"),
        ("answers", "i4"),  # place in the ring of the next, or number in a row
        ("first_answer", "i8"),
        # By share: of at least so many attempts of a period.
        ("share", "f8"),
        ("of", "f8"),
        ("slow_to", "f8"),  # share of the period's attempts, or 0
        ("attempts", "f8"),
        ("counted", "f8"),
        ("sweep_s", "f8"),  # the period's end; infinite without attempts
        ("swept_s", "f8"),
    ],
    align=True,
)
"""A rule by which the MTA suspends a queue."""
SHARED = np.dtype(
    [
        ("kind", "i4"),  # what it lets through, see below
        ("phase", "i4"),  # of a moment, in which it calls
        ("rate", "i4"),  # limit, or NONE where connections are limited
        ("connections", "i8"),
        ("used", "i8"),  # connections in use
        ("open", "i8"),  # connections that may be in use now
        ("every_s", "f8"),  # one more may be at each multiple of this; 0 if all may at once
        ("last_run", "i8"),  # the last multiple at which one more could be used
        ("open_before", "i8"),  # as many as might be until nobody waited any more,
        ("shrunk_s", "f8"),  # since when, and after how many late turns
        ("shrunk_turn", "i8"),
        ("first_lane", "i4"),  # in ``Shared.lanes``
        ("lanes", "i4"),
        ("first", "i4"),  # in ``Shared.parked``
        ("parked", "i4"),  # queues, or lanes
    ],
    align=True,
)
"""A limit over several queues, or over deliveries."""

# What a shared limit lets through.
STARTS: Final = 0
TAKES: Final = 1
CONNECTIONS: Final = 2
STREAM = np.dtype([("at", "i8"), ("end", "i8")])
TRIALS = np.dtype([("key", "u8"), ("drawn", "u8"), ("until_next", "i8"), ("log", "f8")])
"""Trials with one probability: ``until_next`` counts down to the next success."""
KIND = np.dtype(
    [("share_until", "f8"), ("hard", "i4"), ("fault", "i4"), ("never", "i4"), ("reason", "i4")]
)
"""A kind of address: the sum of the shares until it, what is wrong with it."""
COUNTS = np.dtype(
    [
        ("now_s", "f8"),
        ("free_messages", "i8"),  # records that no message has
        ("final", "i8"),  # messages that are final
        # Messages that are active, and may be at most, or 0; the lane of the next one.
        ("active", "i8"),
        ("most_active", "i8"),
        ("incoming_lane", "i8"),
        ("told", "i8"),  # reports ever
        ("late_turns", "i8"),  # turns ever in which more connections are used, or after these
        ("reports", "i8"),  # entries in the buffers of what has happened
        ("starts", "i8"),
        ("connects", "i8"),
        ("full", "i8"),  # whether one of these may have no room for what an event adds
    ]
)
