"""Counting events into bins: series of eight bins at a time, where something happens.

The eight bins are found in a hash table by the number of the series and their place in it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sendcap.ledger.delays import SHIFT
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NO_REASON, NONE
from sendcap.model.kernel.state import Counters, Floats, Ints, Numbers, Records

TOGETHER: Final = 8
USED: Final = 2
EVENTS: Final = 16
"""Numbers of events, of which not all are used."""
DELAY: Final = 14
"""Of these, the number by which delays are counted: in place of bins they have codes."""
MOST_COUNTS: Final = 16
"""More entries than an event adds at most."""
PLACE_BITS: Final = 32
"""Bits of a key that hold the place of eight bins in their series."""
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_HALF: Final = np.uint64(32)


@inlined
def series_of(counters: Counters, delivery: int, provider: int, event: int, reason: int) -> int:
    """Return the number of a series, of the clock *happened*; that of *known* is the next."""
    pair = delivery * counters.numbers[0] + provider
    return ((pair * EVENTS + event) * counters.numbers[1] + reason) * 2


@inlined
def next_event(counters: Counters, series: int) -> int:
    """Return the number of the series of the next event, of the same reason and clock."""
    return series + 2 * counters.numbers[1]


@inlined
def count(counters: Counters, series: int, time_s: float, weight: int) -> None:
    """Count events, unless they are beyond the horizon."""
    if time_s < counters.horizon_s[0]:
        _add(counters, series, int(time_s / counters.bin_s[0]), weight)


@inlined
def count_delay(counters: Counters, delivery: int, provider: int, delay_s: float) -> None:
    """Count a message by the code of its delay; see `sendcap.ledger.delays`."""
    code = int(np.float64(delay_s).view(np.int64)) >> SHIFT
    _add(counters, series_of(counters, delivery, provider, DELAY, NO_REASON), code, 1)


@inlined
def _add(counters: Counters, series: int, number: int, weight: int) -> None:
    key = (series << PLACE_BITS) + number // TOGETHER
    counters.counts[_place(counters, key), number % TOGETHER] += weight


@compiled
def _place(counters: Counters, key: int) -> int:
    """Return where eight bins are; make room for them if they are new."""
    mask = len(counters.keys) - 1
    place = int((np.uint64(key) * _SPREAD) >> _HALF) & mask
    while counters.keys[place] != key:
        if counters.keys[place] == NONE:
            counters.keys[place] = key
            counters.places[place] = counters.numbers[USED]
            counters.numbers[USED] += 1
            break
        place = (place + 1) & mask
    return counters.places[place]


@compiled
def rehash(keys: Ints, places: Numbers, counters: Counters) -> None:
    """Put the entries of an old table into the new one."""
    mask = len(counters.keys) - 1
    for old in range(len(keys)):
        if keys[old] == NONE:
            continue
        place = int((np.uint64(keys[old]) * _SPREAD) >> _HALF) & mask
        while counters.keys[place] != NONE:
            place = (place + 1) & mask
        counters.keys[place] = keys[old]
        counters.places[place] = places[old]


@compiled
def count_times(counters: Counters, series: int, times_s: Floats, weights: Ints) -> None:
    """Count events of one series; each time stands for as many as the weight says, or for one."""
    for number in range(len(times_s)):
        count(counters, series, times_s[number], weights[number] if len(weights) else 1)


@compiled
def count_delays(counters: Counters, delivery: int, provider: int, delays_s: Floats) -> None:
    """Count messages by the codes of their delays."""
    for delay_s in delays_s:
        count_delay(counters, delivery, provider, delay_s)


@compiled
def count_known(counters: Counters, reports: Records, known_s: Floats) -> None:
    """Count reports as they are known, and once more what counts for the next event, too."""
    for number in range(len(reports)):
        row = reports[number]
        series = 1 + series_of(counters, row.delivery, row.provider, row.event, row.reason)
        count(counters, series, known_s[number], 1)
        if row.again:
            count(counters, next_event(counters, series), known_s[number], 1)


@compiled
def count_counted(counters: Counters, others: Counters) -> None:
    """Add the counts of another table; there is room for them."""
    for slot in range(len(others.keys)):
        if others.keys[slot] != NONE:
            place = _place(counters, others.keys[slot])
            for number in range(TOGETHER):
                counters.counts[place, number] += others.counts[others.places[slot], number]
