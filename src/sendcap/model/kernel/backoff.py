"""Messages that back off, by due time: of one moment, the one that failed first comes first.

Those of the near future are in a heap, the others in buckets of about a minute: what is due in
days is not moved before.
"""

from __future__ import annotations

from typing import Final

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER, NONE
from sendcap.model.kernel.state import Backoff, Records

NEAR: Final = 0
ALL: Final = 1
DAY: Final = 2
FAILURES: Final = 3


@inlined
def next_due_s(backoff: Backoff) -> float:
    """Return when the next message is due; infinite without one."""
    return backoff.at_s[0]


@compiled
def back_off(backoff: Backoff, messages: Records, number: int) -> None:
    """Add a message, with its ready time set."""
    message, numbers = messages[number], backoff.numbers
    message.order = numbers[FAILURES]
    numbers[FAILURES] += 1
    numbers[ALL] += 1
    day = int(message.ready_s / backoff.day_s[0])
    if day <= numbers[DAY]:
        _push(backoff, message.ready_s, message.order, number)
        return
    place = day & (len(backoff.first) - 1)
    message.next = backoff.first[place]
    backoff.first[place] = number
    if numbers[NEAR] == 0:
        _open_days(backoff, messages)


@compiled
def take_due(backoff: Backoff, messages: Records) -> int:
    """Take the message that is due next."""
    at_s, order, message, numbers = backoff.at_s, backoff.order, backoff.message, backoff.numbers
    taken = message[0]
    numbers[NEAR] -= 1
    numbers[ALL] -= 1
    size = numbers[NEAR]
    last_s, last_order, last = at_s[size], order[size], message[size]
    hole, child = 0, 1
    while child < size:
        if child + 1 < size and _before(backoff, child + 1, at_s[child], order[child]):
            child += 1
        if not _before(backoff, child, last_s, last_order):
            break
        at_s[hole], order[hole], message[hole] = at_s[child], order[child], message[child]
        hole, child = child, 2 * child + 1
    at_s[hole], order[hole], message[hole] = last_s, last_order, last
    if size == 0:
        at_s[0] = NEVER
        if numbers[ALL] > 0:
            _open_days(backoff, messages)
    return taken


@compiled
def _open_days(backoff: Backoff, messages: Records) -> None:
    """Bring the messages of the next day with any into the heap."""
    numbers, mask = backoff.numbers, len(backoff.first) - 1
    while numbers[NEAR] == 0:
        numbers[DAY] += 1
        place = numbers[DAY] & mask
        number, backoff.first[place] = backoff.first[place], NONE
        while number != NONE:
            following, ready_s = messages[number].next, messages[number].ready_s
            if int(ready_s / backoff.day_s[0]) == numbers[DAY]:
                _push(backoff, ready_s, messages[number].order, number)
            else:  # of a later year
                messages[number].next = backoff.first[place]
                backoff.first[place] = number
            number = following


@compiled
def _push(backoff: Backoff, due_s: float, place_in_order: int, number: int) -> None:
    at_s, order, message = backoff.at_s, backoff.order, backoff.message
    hole = backoff.numbers[NEAR]
    backoff.numbers[NEAR] += 1
    while hole > 0:
        parent = (hole - 1) >> 1
        if _before(backoff, parent, due_s, place_in_order):
            break
        at_s[hole], order[hole], message[hole] = at_s[parent], order[parent], message[parent]
        hole = parent
    at_s[hole], order[hole], message[hole] = due_s, place_in_order, number


@inlined
def _before(backoff: Backoff, place: int, at_s: float, order: int) -> bool:
    return backoff.at_s[place] < at_s or (
        backoff.at_s[place] == at_s and backoff.order[place] < order
    )
