"""Whose turn it is: the queue or the shared limit with the next start or take.

Of one moment, rules that suspend come before starts, and starts before takes; then the message with
the lowest rank goes first, of these the one that has been ready the longest, and of equals that of
the lower queue. A limit that calls a queue comes before a turn of that queue itself.
"""

from __future__ import annotations

from typing import Final

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.state import Turns

REACT: Final = 0
"""The MTA's rules look at a queue, or send its messages back."""
START: Final = 1
ADMIT: Final = 2
"""A message becomes active."""
GROW: Final = 3
"""A shared limit lets one more connection be used."""
CALL: Final = 4
"""Limits call lanes that take turns, before any message is taken."""
TAKE: Final = 5


@inlined
def next_turn_s(turns: Turns) -> float:
    """Return when the next start or take is."""
    return turns.next_s[turns.winners[0]]


@inlined
def set_turn(
    turns: Turns, number: int, next_s: float, phase: int, rank: int, ready_s: float, queue: int
) -> None:
    """Note what a queue, a shared limit or the incoming line does next."""
    # Most often nothing has changed: a queue waits for a limit, and goes on doing so.
    several = len(turns.winners) > 1
    if (
        several
        and turns.next_s[number] == next_s
        and turns.ready_s[number] == ready_s
        and turns.phase[number] == phase
        and turns.rank[number] == rank
        and turns.queue[number] == queue
    ):
        return
    turns.next_s[number], turns.ready_s[number] = next_s, ready_s
    turns.phase[number], turns.rank[number], turns.queue[number] = phase, rank, queue
    if several:
        _play(turns, number)


@compiled
def _play(turns: Turns, number: int) -> None:
    """Find whose turn it is, after one of them has changed."""
    winners = turns.winners
    leaves = len(winners)
    place = (leaves + number) >> 1
    while place > 0:
        one, two = 2 * place, 2 * place + 1
        one = winners[one] if one < leaves else one - leaves
        two = winners[two] if two < leaves else two - leaves
        if two < len(turns.next_s) and _before(turns, two, one):
            one = two
        if one == winners[place] and one != number:
            return  # whoever has changed loses here, as it did before or against the same
        winners[place] = one
        place >>= 1
    winners[0] = winners[1]


@inlined
def _before(turns: Turns, two: int, one: int) -> bool:
    if turns.next_s[two] != turns.next_s[one]:
        return turns.next_s[two] < turns.next_s[one]
    if turns.phase[two] != turns.phase[one]:
        return turns.phase[two] < turns.phase[one]
    if turns.rank[two] != turns.rank[one]:
        return turns.rank[two] < turns.rank[one]
    if turns.ready_s[two] != turns.ready_s[one]:
        return turns.ready_s[two] < turns.ready_s[one]
    if turns.queue[two] != turns.queue[one]:
        return turns.queue[two] < turns.queue[one]
    return two > one
