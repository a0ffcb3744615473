"""Counting events into bins: series of seven bins at a time, where something happens.

The seven bins are found in a hash table by the number of the series and their place in it. With
their key they are 64 bytes, which a processor takes from memory at once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sendcap.ledger.delays import SHIFT
from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NO_REASON
from sendcap.model.kernel.state import Counters, Floats, Ints, Records

BINS = np.dtype(
    [
        ("bin_s", "f8"),
        ("horizon_s", "f8"),
        # The bin of the present moment: its end, the place of seven bins, and that among them.
        ("ends_s", "f8"),
        ("place", "i8"),
        ("number", "i8"),
    ]
)
"""How long bins are, up to when events are counted, and which bin it is now."""
TOGETHER: Final = 7
USED: Final = 2
EVENTS: Final = 16
"""Numbers of events, of which not all are used."""
DELAY: Final = 14
"""Of these, the number by which delays are counted: in place of bins they have codes."""
MOST_COUNTS: Final = 16
"""More entries than an event adds at most."""
PLACE_BITS: Final = 29
"""Bits of a key that hold the place of seven bins in their series: of 2^31 bins at most."""
MOST_SERIES: Final = 1 << (63 - PLACE_BITS)
OF_A_REASON: Final = 2 * EVENTS
"""Series of a reason: an event has two clocks."""
FIRST_KEY: Final = 1
"""The key of a slot that is free is 0."""
NEXT_EVENT: Final = 2
"""From a series to that of the next event, of the same reason and clock."""
_MASK: Final = (1 << PLACE_BITS) - 1
_JUST_BEFORE: Final = 1.0 - 2.0**-50
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_HALF: Final = np.uint64(32)


@inlined
def pair_of(counters: Counters, delivery: int, provider: int) -> int:
    """Return the number of a delivery and a provider together."""
    return delivery * counters.numbers[0] + provider


@inlined
def series_of(counters: Counters, pair: int) -> int:
    """Return the number of the first series of a delivery and a provider."""
    return pair * counters.numbers[1] * OF_A_REASON


@inlined
def of_event(event: int, reason: int) -> int:
    """Return which of these it is, of the clock *happened*; that of *known* is the next."""
    return reason * OF_A_REASON + 2 * event


@inlined
def begin(counters: Counters, now_s: float) -> None:
    """Let it be a moment; all that is counted then happens no earlier."""
    if now_s >= counters.bins[0].ends_s:
        _begin_bin(counters.bins[0], now_s)


@compiled
def _begin_bin(bins: Any, now_s: float) -> None:
    number = int(now_s / bins.bin_s)
    bins.place, bins.number = number // TOGETHER, number % TOGETHER
    # Just before the next bin the quotient may be rounded to the number of that.
    bins.ends_s = min((number + 1) * bins.bin_s * _JUST_BEFORE, bins.horizon_s)


@inlined
def count(counters: Counters, series: int, which: int, time_s: float) -> None:
    """Count an event from now on, unless it is beyond the horizon."""
    bins = counters.bins[0]
    place, number = bins.place, bins.number
    if time_s >= bins.ends_s:
        if time_s >= bins.horizon_s:
            return
        number = int(time_s / bins.bin_s)
        place = number // TOGETHER
        number -= place * TOGETHER
    _add(counters, series, which, place, number, 1)


@inlined
def count_any(counters: Counters, series: int, which: int, time_s: float, weight: int) -> None:
    """Count events of any time, unless they are beyond the horizon."""
    bins = counters.bins[0]
    if time_s < bins.horizon_s:
        number = int(time_s / bins.bin_s)
        _add(counters, series, which, number // TOGETHER, number % TOGETHER, weight)


@inlined
def count_delay(counters: Counters, series: int, delay_s: float) -> None:
    """Count a message by the code of its delay; see `sendcap.ledger.delays`."""
    code = int(np.float64(delay_s).view(np.int64)) >> SHIFT
    which = of_event(DELAY, NO_REASON)
    _add(counters, series, which, code // TOGETHER, code % TOGETHER, 1)


@inlined
def _add(counters: Counters, series: int, which: int, place: int, number: int, weight: int) -> None:
    table = counters.table
    key = FIRST_KEY + ((series + which) << PLACE_BITS) + place
    slot = _slot(table, series, which, place)
    if table[slot, 0] != key:
        slot = _find(counters, key, slot)
    table[slot, 1 + number] += weight


@inlined
def _slot(table: Ints, series: int, which: int, place: int) -> int:
    """Return where seven bins are looked for; what is counted at a time is close together."""
    spread = np.uint64((series << PLACE_BITS) + place) * _SPREAD
    return (int(spread >> _HALF) + which) & (len(table) - 1)


@compiled
def _find(counters: Counters, key: int, slot: int) -> int:
    """Return where seven bins are, at a slot or after it; a free one is theirs if they are new."""
    table = counters.table
    while table[slot, 0] != key:
        if table[slot, 0] == 0:
            table[slot, 0] = key
            counters.numbers[USED] += 1
            break
        slot = (slot + 1) & (len(table) - 1)
    return slot


@compiled
def add_table(counters: Counters, table: Ints) -> None:
    """Add the counts of another table; there is room for them."""
    of_pair = series_of(counters, 1)
    for number in range(len(table)):
        key = table[number, 0]
        if key != 0:
            series, place = (key - FIRST_KEY) >> PLACE_BITS, (key - FIRST_KEY) & _MASK
            which = series % of_pair
            slot = _slot(counters.table, series - which, which, place)
            slot = _find(counters, key, slot)
            for place in range(1, 1 + TOGETHER):
                counters.table[slot, place] += table[number, place]


@compiled
def count_times(
    counters: Counters, series: int, which: int, times_s: Floats, weights: Ints
) -> None:
    """Count events of one series; each time stands for as many as the weight says, or for one."""
    for number in range(len(times_s)):
        weight = weights[number] if len(weights) else 1
        count_any(counters, series, which, times_s[number], weight)


@compiled
def count_delays(counters: Counters, delivery: int, provider: int, delays_s: Floats) -> None:
    """Count messages by the codes of their delays."""
    series = series_of(counters, pair_of(counters, delivery, provider))
    for delay_s in delays_s:
        count_delay(counters, series, delay_s)


@compiled
def count_known(counters: Counters, reports: Records, known_s: Floats) -> None:
    """Count reports as they are known, and once more what counts for the next event, too."""
    for number in range(len(reports)):
        row = reports[number]
        series = series_of(counters, pair_of(counters, row.delivery, row.provider))
        which = 1 + of_event(row.event, row.reason)
        count_any(counters, series, which, known_s[number], 1)
        if row.again:
            count_any(counters, series, which + NEXT_EVENT, known_s[number], 1)
