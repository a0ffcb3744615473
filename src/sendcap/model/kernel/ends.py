"""What expires: messages that wait, and runs of new ones, by the time when they do.

Of one moment, what was relayed first goes first; of a batch, one queue after the other. An entry is
void once its message has started; entries that are void leave when they are found.
"""

from __future__ import annotations

from typing import Final

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER
from sendcap.model.kernel.state import Ends, Records, Runs

SIZE: Final = 0
STAMPS: Final = 1


@inlined
def next_end_s(ends: Ends) -> float:
    """Return when the next entry expires, void or not; infinite without one."""
    return ends.at_s[0] if ends.numbers[SIZE] > 0 else NEVER


@compiled
def is_void(messages: Records, runs: Runs, what: int, stamp: int) -> bool:
    """Return whether an entry is of something that waits no longer."""
    if what >= 0:
        return messages[what].stamp != stamp
    run = -1 - what
    return run < runs.numbers[1] or runs.runs[run & (len(runs.runs) - 1)].left == 0


@compiled
def message_expires(ends: Ends, messages: Records, number: int, at_s: float) -> None:
    """Add an entry for a message that begins to wait."""
    message = messages[number]
    ends.numbers[STAMPS] += 1
    message.stamp = ends.numbers[STAMPS]
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
