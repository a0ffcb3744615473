"""Messages that the MTA holds at t = 0: they back off until they are due."""

from __future__ import annotations

from typing import Final

import numpy as np

from sendcap.model.kernel.backoff import back_off
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.ends import message_expires
from sendcap.model.kernel.fields import ENDING, NEVER, NONE, WAITING
from sendcap.model.kernel.state import Group, Records
from sendcap.model.kernel.tally import pair_of
from sendcap.model.kernel.waiting import RETRIED

HELD: Final = np.dtype(
    [
        ("batch", "i8"),
        ("queue", "i4"),
        ("number", "i4"),  # within its delivery
        ("kind", "i4"),
        ("reason", "i4"),
        ("failures", "i4"),
        ("due_s", "f8"),
        ("first_failed_s", "f8"),
        ("previous_delay_s", "f8"),
    ],
    align=True,
)
"""A message, and what has become of it before t = 0."""
_EARLIER: Final = 1 << 40


@compiled
def hold(group: Group, held: Records) -> None:
    """Take in messages; there is room for them."""
    counts, messages, batches = group.counts[0], group.messages, group.batches
    for place in range(len(held)):
        row = held[place]
        counts.free_messages -= 1
        number = group.free_messages[counts.free_messages]
        message = messages[number]
        message.place, message.stamp, message.active = WAITING, 0, 0
        message.batch, message.queue = row.batch, row.queue
        message.lane = group.lane_of[RETRIED, batches.delivery[row.batch], row.queue]
        provider = group.queues[row.queue].provider
        message.pair = pair_of(group.counters, batches.delivery[row.batch], provider)
        # All of them came before those that are relayed.
        message.relayed, message.number = row.number - _EARLIER, row.number
        message.kind, message.reason, message.failures = row.kind, row.reason, row.failures
        message.first_failed_s = row.first_failed_s
        message.previous_delay_s = row.previous_delay_s
        message.clears_at_s, message.reported_s, message.person = 0.0, -NEVER, NONE
        expiry_s = max(batches.expiry_s[row.batch], 0.0)
        if row.due_s <= expiry_s:
            message.ready_s = row.due_s
            back_off(group.backoff, messages, number)
        else:
            message.place = ENDING
            message_expires(group.ends, messages, number, expiry_s)
