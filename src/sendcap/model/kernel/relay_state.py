"""What the relay is made of: records and arrays, for compiled code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sendcap.model.kernel.state import Batches, Floats, Ints, Limits, Numbers, Records

RELAY = np.dtype(
    [
        ("started", "i8"),  # batches
        ("turn", "i8"),  # of the lines of batches
        ("fair", "i8"),  # whether they take turns
        ("idle", "i8"),  # workers
        ("room", "f8"),  # messages that the spool can take
        ("interval_s", "f8"),  # of the rate, for each message; 0 without one
        ("scheduled", "i8"),  # whether the rate is a schedule, the first of ``limits``
        ("burst", "f8"),
        ("arrival_s", "f8"),  # theoretical arrival
        ("free_s", "f8"),  # the ingress
        ("now_s", "f8"),
        ("failed", "i8"),
        ("relayed", "i8"),
        ("final", "i8"),  # messages that had been final when the spool was last looked at
        ("handed", "i8"),  # entries in the buffers
        ("places", "i8"),
    ]
)
PATH = np.dtype(
    [
        ("provider", "i4"),
        ("first_queue", "i4"),
        ("first_in_round", "i4"),
        ("round", "i4"),
        ("turn", "i4"),  # in the round of the addresses
    ]
)
"""The way from a pool to a provider."""
HANDED = np.dtype(
    [
        ("batch", "i4"),
        ("provider", "i4"),
        ("path", "i4"),
        ("queue", "i4"),
        ("count", "i4"),  # messages handed over
        ("failed", "i4"),
        ("relayed", "i8"),  # messages relayed before these
        ("first_place", "i8"),
    ]
)
"""A batch's messages for one queue."""


class Relay(NamedTuple):
    """The relay and the ingress."""

    relay: Records  # one `RELAY`
    batches: Batches
    limits: Limits
    # Lines of batches, one for each priority or delivery where that matters.
    in_line: Ints  # batches
    next_in_line: Ints  # of each line
    end_of_line: Ints
    rank: Ints  # of each line: the lowest goes first
    held_s: Floats  # shape (times, 2): from, and until before, in order for each line
    first_held: Ints  # of each line, and the end of the last one
    started: Ints  # batches in the order in which they have started
    size: Ints  # of each batch
    batch_time_s: Floats  # draws, one for each batch
    validity_s: Floats  # of each delivery
    deadline_s: Floats  # the same, where the clock starts with the delivery; else infinite
    ends_s: Floats  # heap of the batches under way, by end and then by start
    under_way: Ints  # their places in ``started``
    tickets: Ints  # shape (deliveries, paths + 1): sums of the messages when last counted
    left: Ints  # shape (deliveries, paths): messages that have not been drawn
    numbers: Ints  # by delivery: messages handed over
    audience: Records  # trials by delivery: only the draws
    failures: Records  # trials by delivery
    roster: Numbers  # people, by delivery and path, in the order of their messages
    next_person: Ints  # shape (deliveries, paths): in ``roster``
    paths: Records
    rounds: Numbers  # of addresses: those of each path in the order of their turns
    path_of: Numbers  # by queue
    per_queue: Ints  # scratch: messages of a batch
    failed_per_queue: Ints
    per_path: Ints
    codes: Numbers  # scratch: the path and then the queue of each message, or NONE if it failed
    # Out: the messages handed over, and if anybody asks for them their places in their batches and
    # the people whom they are for.
    handed: Records
    places: Numbers
    people: Numbers
