"""The connections at work, by the time of their next event: a calendar queue.

A bucket holds the events of a moment, as the days of a calendar that is used year after year. Most
days have no event or one, and a bit for each day says which have: so adding and taking cost the
same whatever the number of connections, and a processor foresees what they do. Of one moment, what
was caused first comes first.

Source: K. B. Erickson, R. E. Ladner, A. LaMarca, "Optimizing static calendar queues", FOCS 1994.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER, NONE
from sendcap.model.kernel.state import Busy, Records

COUNT: Final = 0
SOONEST: Final = 1
FITTED: Final = 2
PER_S: Final = 0
SOONEST_S: Final = 1
FINER: Final = 4
"""Days for each event."""
WORD: Final = 64
"""Days for each word of bits."""
_LAST_DAY: Final = 2.0**62
"""What is later has the same bucket: there are no larger whole numbers."""
_MOST_PER_S: Final = 1e9
_zeros_below: Any = trailing_zeros
_FIRST_BIT, _ALL_BITS = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)


@inlined
def next_busy_s(busy: Busy) -> float:
    """Return when the next connection is established or free; infinite without one."""
    return busy.times_s[SOONEST_S]


@inlined
def begin_work(busy: Busy, connections: Records, number: int, now_s: float) -> None:
    """Add a connection, with the time of its event set."""
    busy.numbers[COUNT] += 1
    if busy.numbers[COUNT] > 2 * busy.numbers[FITTED] + 8:
        fit(busy, connections, now_s)
    _insert(busy, connections, number)
    event_s = connections[number].event_s
    if event_s < busy.times_s[SOONEST_S]:
        busy.numbers[SOONEST], busy.times_s[SOONEST_S] = number, event_s


@inlined
def end_work(busy: Busy, connections: Records) -> int:
    """Take the connection whose event is next."""
    taken = busy.numbers[SOONEST]
    day = _day(busy, busy.times_s[SOONEST_S])
    bucket = day & (len(busy.first) - 1)
    following = connections[taken].next
    busy.first[bucket] = following
    if following == NONE:
        busy.used[bucket >> 6] &= ~(_FIRST_BIT << np.uint64(bucket & 63))
    busy.numbers[COUNT] -= 1
    if 8 * busy.numbers[COUNT] + 64 < busy.numbers[FITTED]:
        fit(busy, connections, busy.times_s[SOONEST_S])
        day = _day(busy, busy.times_s[SOONEST_S])
    number = NONE
    if busy.numbers[COUNT] > 0:
        number = _soonest(busy, connections, day)
    busy.numbers[SOONEST] = number
    busy.times_s[SOONEST_S] = NEVER if number == NONE else connections[number].event_s
    return taken


@inlined
def _soonest(busy: Busy, connections: Records, day: int) -> int:
    """Return the connection with the next event, from a day on."""
    last = len(busy.used) - 1
    bits = busy.used[(day >> 6) & last] & (_ALL_BITS << np.uint64(day & 63))
    day &= ~63
    end = day + len(busy.first)
    while True:
        while bits != 0:
            later = day + _zeros_below(bits)
            first = busy.first[later & (len(busy.first) - 1)]
            if _day(busy, connections[first].event_s) <= later:
                return first
            bits &= bits - _FIRST_BIT
        if day == end:
            return _in_another_year(busy, connections)
        day += WORD
        bits = busy.used[(day >> 6) & last]


@inlined
def _day(busy: Busy, event_s: float) -> int:
    """Return the number of a moment's bucket, over all years."""
    return int(min(event_s * busy.times_s[PER_S], _LAST_DAY))


@inlined
def _insert(busy: Busy, connections: Records, number: int) -> None:
    event_s = connections[number].event_s
    bucket = _day(busy, event_s) & (len(busy.first) - 1)
    if busy.first[bucket] == NONE:
        connections[number].next = NONE
        busy.first[bucket] = busy.last[bucket] = number
        busy.used[bucket >> 6] |= _FIRST_BIT << np.uint64(bucket & 63)
        return
    before = busy.last[bucket]
    if event_s >= connections[before].event_s:
        busy.last[bucket] = number
    elif event_s < connections[busy.first[bucket]].event_s:
        before = NONE
    else:
        before = busy.first[bucket]
        while connections[connections[before].next].event_s <= event_s:
            before = connections[before].next
    if before == NONE:
        connections[number].next = busy.first[bucket]
        busy.first[bucket] = number
    else:
        connections[number].next = connections[before].next
        connections[before].next = number


@compiled
def _in_another_year(busy: Busy, connections: Records) -> int:
    """Return the connection with the next event, which is more than a year away."""
    soonest = NONE
    for bucket in range(len(busy.first)):
        first = busy.first[bucket]
        if first != NONE and (
            soonest == NONE or connections[first].event_s < connections[soonest].event_s
        ):
            soonest = first
    return soonest


@compiled
def fit(busy: Busy, connections: Records, now_s: float) -> None:
    """Make a bucket last a fraction of the time from one event to the next, as things stand."""
    chain, last, ahead_s, count = NONE, NONE, 0.0, 0
    for bucket in range(len(busy.first)):
        number = busy.first[bucket]
        if number == NONE:
            continue
        if chain == NONE:
            chain = number
        else:
            connections[last].next = number
        last = busy.last[bucket]
        busy.first[bucket] = NONE
        busy.used[bucket >> 6] = 0
        while number != NONE:
            ahead_s += connections[number].event_s - now_s
            count += 1
            number = connections[number].next
    busy.numbers[FITTED] = count
    if ahead_s > 0.0:
        busy.times_s[PER_S] = min(FINER * count * count / ahead_s, _MOST_PER_S)
    while chain != NONE:
        following = connections[chain].next
        _insert(busy, connections, chain)
        chain = following
