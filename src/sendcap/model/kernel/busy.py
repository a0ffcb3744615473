"""The connections at work, by the time of their next event: a calendar queue.

A bucket holds the events of a moment, as the days of a calendar that is used year after year. With
about one event a bucket, adding and taking cost the same whatever the number of connections. Of
one moment, what was caused first comes first.

Source: K. B. Erickson, R. E. Ladner, A. LaMarca, "Optimizing static calendar queues", FOCS 1994.
"""

from __future__ import annotations

from typing import Final

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER, NONE
from sendcap.model.kernel.state import Busy, Records

COUNT: Final = 0
SOONEST: Final = 1
FITTED: Final = 2
SECOND: Final = 3
"""The one after the soonest, where it is known: an event that is caused now is often over at once,
and the next one may be many days ahead."""
_LAST_DAY: Final = 2.0**62
"""What is later has the same bucket: there are no larger whole numbers."""
_MOST_PER_S: Final = 1e9


@inlined
def next_busy_s(busy: Busy, connections: Records) -> float:
    """Return when the next connection is established or free; infinite without one."""
    soonest = busy.numbers[SOONEST]
    return NEVER if soonest == NONE else connections[soonest].event_s


@inlined
def begin_work(busy: Busy, connections: Records, number: int, now_s: float) -> None:
    """Add a connection, with the time of its event set."""
    busy.numbers[COUNT] += 1
    if busy.numbers[COUNT] > 2 * busy.numbers[FITTED] + 8:
        fit(busy, connections, now_s)
    _insert(busy, connections, number)
    soonest, second = busy.numbers[SOONEST], busy.numbers[SECOND]
    event_s = connections[number].event_s
    if soonest == NONE or event_s < connections[soonest].event_s:
        busy.numbers[SOONEST], busy.numbers[SECOND] = number, soonest
    elif second != NONE and event_s < connections[second].event_s:
        busy.numbers[SECOND] = number


@inlined
def end_work(busy: Busy, connections: Records) -> int:
    """Take the connection whose event is next."""
    taken = busy.numbers[SOONEST]
    mask = len(busy.first) - 1
    day = _day(busy, connections[taken].event_s)
    busy.first[day & mask] = connections[taken].next
    busy.numbers[COUNT] -= 1
    if 8 * busy.numbers[COUNT] + 64 < busy.numbers[FITTED]:
        fit(busy, connections, connections[taken].event_s)
        day = _day(busy, connections[taken].event_s)
    busy.numbers[SOONEST], busy.numbers[SECOND] = busy.numbers[SECOND], NONE
    if busy.numbers[SOONEST] == NONE and busy.numbers[COUNT] > 0:
        for later in range(day, day + len(busy.first)):
            first = busy.first[later & mask]
            if first != NONE and _day(busy, connections[first].event_s) <= later:
                busy.numbers[SOONEST] = first
                break
        if busy.numbers[SOONEST] == NONE:
            busy.numbers[SOONEST] = _in_another_year(busy, connections)
    return taken


@inlined
def _day(busy: Busy, event_s: float) -> int:
    """Return the number of a moment's bucket, over all years."""
    return int(min(event_s * busy.per_s[0], _LAST_DAY))


@inlined
def _insert(busy: Busy, connections: Records, number: int) -> None:
    event_s = connections[number].event_s
    bucket = _day(busy, event_s) & (len(busy.first) - 1)
    before = busy.last[bucket]
    if busy.first[bucket] == NONE:
        before = NONE
        busy.last[bucket] = number
    elif event_s >= connections[before].event_s:
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
    """Make a bucket last as long as it takes from one event to the next, as things stand."""
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
        while number != NONE:
            ahead_s += connections[number].event_s - now_s
            count += 1
            number = connections[number].next
    busy.numbers[FITTED] = count
    if ahead_s > 0.0:
        busy.per_s[0] = min(count * count / ahead_s, _MOST_PER_S)
    while chain != NONE:
        following = connections[chain].next
        _insert(busy, connections, chain)
        chain = following
