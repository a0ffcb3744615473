"""The relay and a group of queues together, where the MTA's spool may hold the relay back."""

from __future__ import annotations

from typing import Final

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import NONE, UNLIMITED
from sendcap.model.kernel.relay import (
    hand_over,
    has_room,
    next_batch,
    next_change_s,
    next_hand_over_s,
    next_start_s,
    start_batch,
)
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.runs import has_room_for_runs
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.step import DONE, ENOUGH, advance, receive

HANDED: Final = 5
"""What has been handed over has to be taken first."""
NO_RUNS: Final = 6
"""There is no room for another batch's messages in the queues."""


@compiled
def advance_together(group: Group, state: Relay, until_s: float) -> int:
    """Let the relay and the queues do what they do before a moment; return why they stop."""
    relay, counts = state.relay[0], group.counts[0]
    while True:
        starts_s = next_start_s(state)
        next_s = min(starts_s, next_hand_over_s(state))
        if relay.idle > 0:
            # From then on another batch may be the one that waits for room.
            next_s = min(next_s, next_change_s(state, relay.now_s))
        status = advance(group, min(next_s, until_s), _enough(state, counts.final))
        relay.room += counts.final - relay.final
        relay.final = counts.final
        if status == ENOUGH:
            relay.now_s = max(relay.now_s, counts.now_s)
        elif status != DONE or next_s >= until_s:
            return status
        elif next_hand_over_s(state) > next_s:
            relay.now_s = next_s
            if starts_s == next_s:
                start_batch(state, next_s)
        elif not has_room(state):
            return HANDED
        elif not has_room_for_runs(group, len(state.per_queue), len(state.codes)):
            return NO_RUNS
        else:
            first = relay.handed
            hand_over(state)
            receive(group, state.handed[first : relay.handed], state.places[:], state.people[:])


@compiled
def _enough(state: Relay, final: int) -> int:
    """Return how many messages are final when there is room for the batch that waits for it."""
    relay = state.relay[0]
    number = next_batch(state, relay.now_s)
    if number == NONE or relay.idle == 0:
        return UNLIMITED
    missing = state.size[number] - relay.room
    return UNLIMITED if missing <= 0.0 else final + int(missing)
