"""Rows of the sending log: kept as they come, put in order, and written into columns."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.state import Floats, Ints, Numbers, Records

ROW = np.dtype(
    [
        ("happened_s", "f8"),
        ("message", "i4"),
        ("attempt", "i4"),
        ("delivery", "i2"),
        ("provider", "i2"),
        ("reason", "i2"),
        ("event", "i1"),
    ],
    align=True,
)
DIGITS: Final = 2048
"""Rows are sorted by eleven bits of their time after the other."""
_DIGIT_BITS: Final = 11
_FEW_MOVES: Final = 8
"""Moves for each row that take less time than to sort by all bits."""


class Kept(NamedTuple):
    """Rows that are not written yet: reports, or what the relay did."""

    known_s: Floats
    bits: Ints  # of known_s: the same memory
    rows: Records


class Sorting(NamedTuple):
    """Room to sort rows."""

    # Two of each, to sort from one into the other: times, and the numbers of their reports.
    keys: Ints
    other_keys: Ints
    order: Numbers
    other_order: Numbers
    times_s: Floats  # of ``keys``: the same memory
    digits: Numbers
    merged: Numbers  # numbers of reports, or -1 - number of what the relay did
    known_s: Floats  # of these


class Columns(NamedTuple):
    """Columns of the file."""

    delivery: npt.NDArray[np.int16]
    provider: npt.NDArray[np.int16]
    message: Ints
    event: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int16]
    attempt: Numbers
    happened_s: Floats
    known_s: Floats


@compiled
def keep_reports(kept: Kept, at: int, reports: Records, known_s: Floats) -> None:
    """Keep reports, from a place on."""
    for number in range(len(reports)):
        report, row = reports[number], kept.rows[at + number]
        kept.known_s[at + number] = known_s[number]
        row.happened_s = report.happened_s
        row.message, row.attempt = report.message, report.attempt
        row.delivery, row.provider = report.delivery, report.provider
        row.reason, row.event = report.reason, report.event


@compiled
def keep_handed(kept: Kept, at: int, state: Relay, relayed: int, failed: int) -> None:
    """Keep what the relay did, from a place on: batch by batch, and these by number.

    A batch's messages that failed have its last numbers.
    """
    entries, begin = state.relay[0].handed, 0
    while begin < entries:
        batch, end, handed = state.handed[begin].batch, begin, 0
        while end < entries and state.handed[end].batch == batch:
            handed += state.handed[end].count
            end += 1
        size = handed
        for entry in range(begin, end):
            one = state.handed[entry]
            for number in range(one.count):
                place = state.places[one.first_place + number]
                _keep_one(kept, at, state, batch, one.provider, place, relayed)
            for _ in range(one.failed):
                _keep_one(kept, at, state, batch, one.provider, size, failed)
                size += 1
        at, begin = at + size, end


@inlined
def _keep_one(
    kept: Kept, at: int, state: Relay, batch: int, provider: int, place: int, event: int
) -> None:
    """Keep a message of a batch."""
    row, relayed_s = kept.rows[at + place], state.batches.relayed_s[batch]
    kept.known_s[at + place] = row.happened_s = relayed_s
    row.delivery, row.provider = state.batches.delivery[batch], provider
    row.message = state.batches.first_number[batch] + place
    row.reason, row.attempt, row.event = 0, 0, event


@compiled
def sort_before(reports: Kept, sorting: Sorting, count: int, until_s: float) -> int:
    """Sort the reports that are known before a moment by time; return how many there are.

    Those of one time keep their order.
    """
    ready, least, most = 0, np.int64(0), np.int64(0)
    for number in range(count):
        if reports.known_s[number] < until_s:
            key = max(reports.bits[number], 0)  # the lowest bits are those of -0.0
            least = key if ready == 0 else min(least, key)
            most = key if ready == 0 else max(most, key)
            sorting.keys[ready], sorting.order[ready] = key, number
            ready += 1
    bits, width = 0, most - least
    while width > 0:
        bits, width = bits + 1, width >> 1
    # The highest bits bring nearly all in order.
    _sort_by_two(sorting, ready, least, max(bits - 2 * _DIGIT_BITS, 0))
    if not _settle(sorting, ready):
        for shift in range(0, bits, 2 * _DIGIT_BITS):
            _sort_by_two(sorting, ready, least, shift)
    return ready


@compiled
def _sort_by_two(sorting: Sorting, ready: int, least: np.int64, shift: int) -> None:
    """Sort by two digits above so many bits: from one into the other and back."""
    one, other = (sorting.keys, sorting.order), (sorting.other_keys, sorting.other_order)
    _sort_by(one, other, sorting.digits, ready, least, shift)
    _sort_by(other, one, sorting.digits, ready, least, shift + _DIGIT_BITS)


@compiled
def _settle(sorting: Sorting, ready: int) -> bool:
    """Bring in order what nearly is; return False if that takes too many moves."""
    keys, order, moves = sorting.keys, sorting.order, 0
    for number in range(1, ready):
        key, report, place = keys[number], order[number], number
        while place > 0 and keys[place - 1] > key:
            keys[place], order[place] = keys[place - 1], order[place - 1]
            place -= 1
        keys[place], order[place] = key, report
        moves += number - place
        if moves > _FEW_MOVES * ready:
            return False
    return True


@inlined
def _sort_by(
    one: tuple[Ints, Numbers],
    other: tuple[Ints, Numbers],
    digits: Numbers,
    ready: int,
    least: np.int64,
    shift: int,
) -> None:
    """Sort from one into the other by the digit above so many bits."""
    keys, order = one
    sorted_keys, sorted_order = other
    for digit in range(DIGITS):
        digits[digit] = 0
    for number in range(ready):
        digits[((keys[number] - least) >> shift) & (DIGITS - 1)] += 1
    before = 0
    for digit in range(DIGITS):
        digits[digit], before = before, before + digits[digit]
    for number in range(ready):
        digit = ((keys[number] - least) >> shift) & (DIGITS - 1)
        place = digits[digit]
        digits[digit] = place + 1
        sorted_keys[place], sorted_order[place] = keys[number], order[number]


@compiled
def merge(
    reports: Kept, sorting: Sorting, ready: int, relayed: Kept, count: int, until_s: float
) -> tuple[int, bool]:
    """Merge the sorted reports and what the relay did before a moment, which is in order of time.

    Return how many rows there are, and whether rows of one time are in order, too: by delivery and
    message, as things happened.
    """
    merged, in_order = 0, True
    report = handed = 0
    known_s, row = -np.inf, reports.rows[0]
    while True:
        handed_s = relayed.known_s[handed] if handed < count else np.inf
        handed_s = handed_s if handed_s < until_s else np.inf
        reported_s = sorting.times_s[report] if report < ready else np.inf
        before_s, before = known_s, row
        if handed_s < reported_s or (
            handed_s == reported_s < np.inf
            and not _goes_before(reports.rows[sorting.order[report]], relayed.rows[handed])
        ):
            known_s, row = handed_s, relayed.rows[handed]
            sorting.merged[merged] = -1 - handed
            handed += 1
        elif reported_s < np.inf:
            known_s, row = reported_s, reports.rows[sorting.order[report]]
            sorting.merged[merged] = sorting.order[report]
            report += 1
        else:
            return merged, in_order
        if known_s == before_s and _goes_before(row, before):
            in_order = False
        sorting.known_s[merged] = known_s
        merged += 1


@inlined
def _goes_before(one: Any, two: Any) -> bool:
    """Return whether a row goes before another that is known at the same time."""
    if one.delivery != two.delivery:
        return one.delivery < two.delivery
    if one.message != two.message:
        return one.message < two.message
    if one.happened_s != two.happened_s:
        return one.happened_s < two.happened_s
    return one.event < two.event


@compiled
def write_columns(
    reports: Kept,
    relayed: Kept,
    sorting: Sorting,
    first: int,
    columns: Columns,
    at: int,
    count: int,
) -> None:
    """Write so many of the merged rows, from a first one on, into columns from a place on."""
    for number in range(count):
        source, place = sorting.merged[first + number], at + number
        # No branch: which of the two it is, a processor cannot foresee.
        row = relayed.rows[-1 - source] if source < 0 else reports.rows[source]
        columns.delivery[place], columns.provider[place] = row.delivery, row.provider
        columns.message[place], columns.event[place] = row.message, row.event
        columns.reason[place], columns.attempt[place] = row.reason, row.attempt
        columns.happened_s[place] = row.happened_s
        columns.known_s[place] = sorting.known_s[first + number]


@compiled
def keep_later(kept: Kept, count: int, until_s: float) -> int:
    """Keep only the rows that are not known before a moment; return how many there are."""
    left = 0
    for number in range(count):
        if not kept.known_s[number] < until_s:
            kept.known_s[left] = kept.known_s[number]
            one, two = kept.rows[left], kept.rows[number]
            one.happened_s, one.message, one.attempt = two.happened_s, two.message, two.attempt
            one.delivery, one.provider = two.delivery, two.provider
            one.reason, one.event = two.reason, two.event
            left += 1
    return left
