"""The audience: which queue each message of a batch goes to.

Each message is drawn a provider without replacement, or fails. Of several queues, one for each
address, each has its turn.
"""

from __future__ import annotations

from typing import Any, Final

from sendcap.model.kernel.chance import draw_gap, uniform
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NONE
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.state import Numbers

_BITS: Final = 62
_OFFSET: Final = 1 << _BITS
"""Larger than any number of messages: with it, all above these bits is 1 or 0."""


@compiled
def distribute(state: Relay, delivery: int, size: int) -> int:
    """Count the messages of a batch that each queue has, and those that fail; return these.

    Which messages a queue has is found only if anybody wants their places.
    """
    per_path = state.per_path
    for queue in range(len(state.per_queue)):
        state.per_queue[queue] = state.failed_per_queue[queue] = 0
    for path in range(len(per_path)):
        per_path[path] = state.left[delivery, path]
    draw_paths(state, delivery, size)
    for path in range(len(per_path)):
        per_path[path] -= state.left[delivery, path]
    failed = _fail(state, delivery, size)
    if len(state.places) > 0:
        _find_queues(state, size)
        return failed
    for path in range(len(per_path)):
        if state.paths[path].round == 1:
            state.per_queue[_next_queue(state.paths[path], state.rounds)] = per_path[path]
            continue
        for _ in range(per_path[path]):
            state.per_queue[_next_queue(state.paths[path], state.rounds)] += 1
    return failed


@inlined
def _fail(state: Relay, delivery: int, size: int) -> int:
    """Let messages of a batch fail; return how many."""
    trials, failed, place = state.failures[delivery], 0, -1
    while trials.until_next <= size - 1 - place:
        place += trials.until_next
        draw_gap(trials)
        path = state.codes[place]
        state.codes[place] = NONE
        state.per_path[path] -= 1
        state.failed_per_queue[state.paths[path].first_queue] += 1
        failed += 1
    trials.until_next -= size - 1 - place
    return failed


@inlined
def _find_queues(state: Relay, size: int) -> None:
    """Find the queue of each message that has not failed."""
    for place in range(size):
        if state.codes[place] != NONE:
            queue = _next_queue(state.paths[state.codes[place]], state.rounds)
            state.codes[place] = queue
            state.per_queue[queue] += 1


@inlined
def _next_queue(path: Any, rounds: Numbers) -> int:
    """Return the queue of the address whose turn it is."""
    queue = path.first_queue + rounds[path.first_in_round + path.turn]
    path.turn = path.turn + 1 if path.turn + 1 < path.round else 0
    return queue


@compiled
def draw_paths(state: Relay, delivery: int, size: int) -> None:
    """Draw the path, which is a provider, of each message of a batch, without replacement.

    Each message has had a ticket since they were last counted; the tickets of those that have
    been drawn are at the end of each path's, and void. A processor cannot foresee which ticket is:
    so a void one is no branch, and its path is written over by the next.
    """
    tickets, left, paths = state.tickets, state.left, len(state.paths)
    audience, place = state.audience[delivery], 0
    while place < size:
        ticket = int(uniform(audience) * tickets[delivery, paths])
        # The last path whose first ticket is no later. The sum's sign in place of a comparison:
        # that would be compiled into a branch.
        drawn, several = 0, paths
        while several > 1:
            half = several >> 1
            drawn += half * ((ticket - tickets[delivery, drawn + half] + _OFFSET) >> _BITS)
            several -= half
        valid = int(ticket - tickets[delivery, drawn] < left[delivery, drawn])
        state.codes[place] = drawn
        left[delivery, drawn] -= valid
        place += valid
        audience.until_next -= 1 - valid
        if audience.until_next < 0:
            _count_tickets(state, delivery)


@compiled
def _count_tickets(state: Relay, delivery: int) -> None:
    """Give each message that has not been drawn a ticket anew."""
    tickets, paths, total = state.tickets, len(state.paths), 0
    for path in range(paths):
        tickets[delivery, path] = total
        total += state.left[delivery, path]
    tickets[delivery, paths] = total
    state.audience[delivery].until_next = total // 2
