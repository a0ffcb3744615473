"""What expires: messages that wait, and runs of new ones, by the time when they do.

Of one moment, what was relayed first goes first; of a batch, one queue after the other. An entry is
void once its message has started; entries that are void leave when they are found. A message that
expires later than it is looked ahead has no entry: most start long before.
"""

from __future__ import annotations

from typing import Any, Final

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER
from sendcap.model.kernel.state import Batches, Ends, Records, Runs

SIZE: Final = 0
STAMPS: Final = 1
LEFT_OUT: Final = 2
NEEDED: Final = 3
_FROM: Final = 0
_NEXT: Final = 1
_AHEAD: Final = 2


@inlined
def next_end_s(ends: Ends) -> float:
    """Return when the next entry expires, void or not, or messages without one are looked for."""
    return min(ends.at_s[0], ends.later_s[_NEXT])


@inlined
def is_to_look(ends: Ends) -> bool:
    """Return whether messages without an entry are looked for before the next entry."""
    return ends.later_s[_NEXT] <= ends.at_s[0]


@compiled
def look_further(ends: Ends, messages: Records, batches: Batches) -> bool:
    """Give messages that expire in the near future their entries; return False without the room."""
    from_s, next_s = ends.later_s[_FROM], NEVER
    until_s = ends.later_s[_NEXT] + ends.later_s[_AHEAD]
    soon = 0
    for number in range(len(messages)):
        at_s = _waits_until_s(messages[number], batches)
        if at_s >= until_s:
            next_s = min(next_s, at_s)
        elif at_s >= from_s:
            soon += 1
    ends.numbers[NEEDED] = ends.numbers[SIZE] + soon
    if ends.numbers[NEEDED] > len(ends.at_s):
        return False
    ends.later_s[_FROM], ends.later_s[_NEXT] = until_s, next_s
    for number in range(len(messages)):
        at_s = _waits_until_s(messages[number], batches)
        if from_s <= at_s < until_s:
            _add(ends, at_s, messages[number].relayed, number, messages[number].stamp)
    # So a look costs no more than the entries that it has saved.
    if ends.numbers[LEFT_OUT] < len(messages):
        ends.later_s[_AHEAD] *= 2.0
    ends.numbers[LEFT_OUT] = 0
    return True


@compiled
def is_void(messages: Records, runs: Runs, what: int, stamp: int) -> bool:
    """Return whether an entry is of something that waits no longer."""
    if what >= 0:
        return messages[what].stamp != stamp
    run = -1 - what
    return run < runs.numbers[1] or runs.runs[run & (len(runs.runs) - 1)].left == 0


@inlined
def _waits_until_s(message: Any, batches: Batches) -> float:
    """Return when a message expires that waits; long ago for others."""
    return batches.expiry_s[message.batch] if message.stamp != 0 else -NEVER


@compiled
def message_expires(ends: Ends, messages: Records, number: int, at_s: float) -> None:
    """Let a message expire that begins to wait."""
    message = messages[number]
    ends.numbers[STAMPS] += 1
    message.stamp = ends.numbers[STAMPS]
    if at_s >= ends.later_s[_FROM]:
        ends.later_s[_NEXT] = min(ends.later_s[_NEXT], at_s)
        ends.numbers[LEFT_OUT] += 1
        return
    _add(ends, at_s, message.relayed, number, message.stamp)


@compiled
def run_expires_at(ends: Ends, number: int, last: int, at_s: float) -> None:
    """Add an entry for a run of new messages, by its last: those that are taken come before."""
    _add(ends, at_s, last, -1 - number, 0)


@compiled
def _add(ends: Ends, at_s: float, order: int, what: int, stamp: int) -> None:
    hole = ends.numbers[SIZE]
    ends.numbers[SIZE] += 1
    while hole > 0:
        parent = (hole - 1) >> 1
        if _before(ends, parent, at_s, order):
            break
        _move(ends, parent, hole)
        hole = parent
    ends.at_s[hole], ends.order[hole] = at_s, order
    ends.what[hole], ends.stamp[hole] = what, stamp


@compiled
def drop_next(ends: Ends) -> None:
    """Remove the next entry."""
    ends.numbers[SIZE] -= 1
    if ends.numbers[SIZE] == 0:
        ends.at_s[0] = NEVER
    else:
        _sink(ends, 0, ends.numbers[SIZE])


@compiled
def drop_void(ends: Ends, messages: Records, runs: Runs) -> None:
    """Remove all entries that are void."""
    kept = 0
    for place in range(ends.numbers[SIZE]):
        if not is_void(messages, runs, ends.what[place], ends.stamp[place]):
            _move(ends, place, kept)
            kept += 1
    ends.numbers[SIZE] = kept
    if kept == 0:
        ends.at_s[0] = NEVER
    for place in range(kept // 2 - 1, -1, -1):
        _sink(ends, place, place)


@compiled
def _sink(ends: Ends, hole: int, entry: int) -> None:
    """Move an entry from where it is to the hole, or to a place below it."""
    size = ends.numbers[SIZE]
    at_s, order, what, stamp = (
        ends.at_s[entry],
        ends.order[entry],
        ends.what[entry],
        ends.stamp[entry],
    )
    child = 2 * hole + 1
    while child < size:
        if child + 1 < size and _before(ends, child + 1, ends.at_s[child], ends.order[child]):
            child += 1
        if not _before(ends, child, at_s, order):
            break
        _move(ends, child, hole)
        hole = child
        child = 2 * hole + 1
    ends.at_s[hole], ends.order[hole] = at_s, order
    ends.what[hole], ends.stamp[hole] = what, stamp


@inlined
def _move(ends: Ends, entry: int, hole: int) -> None:
    ends.at_s[hole], ends.order[hole] = ends.at_s[entry], ends.order[entry]
    ends.what[hole], ends.stamp[hole] = ends.what[entry], ends.stamp[entry]


@inlined
def _before(ends: Ends, place: int, at_s: float, order: int) -> bool:
    return ends.at_s[place] < at_s or (ends.at_s[place] == at_s and ends.order[place] < order)
