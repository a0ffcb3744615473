"""What a group of queues is made of: arrays under names, for compiled code.

A group holds the queues that share something; a queue that shares nothing is a group of its own.
The records are those of `sendcap.model.kernel.fields`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]
Records = npt.NDArray[np.void]


class Busy(NamedTuple):
    """Connections that are being made or have an attempt under way, in a calendar queue."""

    first: Numbers  # of each bucket
    last: Numbers
    used: Words  # a bit for each bucket that is not empty
    times_s: Floats  # buckets per second; when the next event is
    # How many there are; the one whose event is next; how many the buckets are fitted to.
    numbers: Ints


class Backoff(NamedTuple):
    """Messages that back off: heap by due time and order of failure; lists by the day."""

    at_s: Floats  # the first is infinite without any
    order: Ints
    message: Numbers
    first: Numbers  # of each day
    day_s: Floats  # shape (1,): length of a day
    # Messages in the heap; all of them; the last day in the heap; failures ever.
    numbers: Ints


class Ends(NamedTuple):
    """What expires: a message, or a run as -1 - run; void if the stamp is an older one.

    What expires soon is in a heap. Later messages are looked for when the first of them may expire:
    few wait so long.
    """

    at_s: Floats  # the first is infinite without any
    order: Ints
    what: Ints
    stamp: Ints
    # From when on messages are not in the heap; when the first of these may expire, at the
    # earliest; how far ahead is looked.
    later_s: Floats
    # Entries; stamps ever; messages left out since the last look; entries that there is to be room
    # for.
    numbers: Ints


class Runs(NamedTuple):
    """Rings of the runs of new messages, and of the places of these in their batches."""

    runs: Records
    places: Numbers  # empty where nobody asks for them
    people: Numbers  # whom the messages are for; empty without a population
    # Runs ever; the oldest that is kept; places ever.
    numbers: Ints


class Limits(NamedTuple):
    """Limits, which of them each queue has, and the rules that suspend queues."""

    limits: Records
    of_queue: Numbers
    steps: Floats  # of schedules, shape (steps, 4): start, per second, brought until then, burst
    pauses_until_s: Floats  # of gaps, for each source address
    rules: Records  # by which queues are suspended
    answers_s: Floats  # rings of the answers that rules count


class Turns(NamedTuple):
    """Tournament of the queues, of the shared limits and of the incoming line behind them.

    It is by what they do next.
    """

    winners: Numbers
    # Of each: when; the phase of the moment; rank of the message, and since when it is ready; the
    # queue.
    next_s: Floats
    phase: Numbers
    rank: Numbers
    ready_s: Floats
    queue: Numbers


class Shared(NamedTuple):
    """Limits over several queues, or over deliveries, and who waits for them."""

    limits: Records
    of_queue: Numbers
    of_lane: Numbers  # those that are asked for a connection
    lanes: Numbers  # that those cover which let connections in use one by one
    # A heap for each limit: queues or lanes, rank and ready time of their first messages.
    parked: Numbers
    rank: Numbers
    ready_s: Floats


class Chance(NamedTuple):
    """Trials, and draws in blocks."""

    trials: Records
    streams: Records
    draws: Floats  # shape (streams, block)


class Addresses(NamedTuple):
    """What may be wrong with an address, and how often it is."""

    kinds: Records
    trials: Numbers  # shape (deliveries, queues): trials of bad addresses


class Out(NamedTuple):
    """What has happened, until it is taken."""

    reports: Records
    starts: Records
    connects: Records


class Retry(NamedTuple):
    """Retry policies in numbers; see `sendcap.model.kernel.retry`."""

    policies: Records
    delays_s: Floats  # shape (n, 4): those of all policies


class Batches(NamedTuple):
    """The relay's batches: what the messages handed over together share."""

    delivery: Numbers
    ready_s: Floats
    relayed_s: Floats
    expiry_s: Floats
    leaves_s: Floats  # when the ingress begins with it; a message leaves after its service
    first_number: Numbers  # of its messages, within their delivery
    service_s: Floats  # shape (1,): of the ingress


class Counters(NamedTuple):
    """Counts by series and bin; see `sendcap.model.kernel.tally`."""

    bins: Records  # one `BINS`
    # Providers, reasons, and the slots in use.
    numbers: Ints
    table: Ints  # shape (slots, 8): a key, and seven counts


class Group(NamedTuple):
    """Queues that are served in the order of their events."""

    counts: Records  # one `COUNTS`
    queues: Records
    lanes: Records
    lane_of: Numbers  # of new messages, and of retries: shape (2, deliveries, queues)
    rounds: Numbers  # of addresses: those of each pool in the order of their turns
    turns: Turns
    connections: Records
    messages: Records
    free_messages: Numbers  # stack
    busy: Busy
    backoff: Backoff
    ends: Ends
    runs: Runs
    limits: Limits
    shared: Shared
    chance: Chance
    addresses: Addresses
    people: Records  # empty without a population
    waiting_for: Ints
    disturbances: Records
    windows_s: Floats  # of disturbances, shape (windows, 2)
    retry: Retry
    batches: Batches
    followed_until_s: Floats  # by delivery: opens and clicks
    counters: Counters
    wanted: Records  # one `WANTED`
    out: Out
