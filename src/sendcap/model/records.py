"""Arrays of records from rows of named fields, and arrays that grow."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from sendcap.model.kernel.chance import draw_gap
from sendcap.model.kernel.fields import TRIALS, UNLIMITED
from sendcap.model.kernel.state import Records

_RAREST: Final = 1e-15
"""Rarer things do not happen: not once in a million runs of a billion messages."""


def records(dtype: np.dtype[Any], rows: Sequence[Mapping[str, Any]]) -> Records:
    """Return records of such fields; those that are not named are 0."""
    table = np.zeros(len(rows), dtype)
    for number, row in enumerate(rows):
        for name, value in row.items():
            table[name][number] = value
    return table


def trials(keys: Sequence[int], probabilities: Sequence[float]) -> Records:
    """Return trials with these probabilities, before the first."""
    table = np.zeros(len(keys), TRIALS)
    for number, (key, probability) in enumerate(zip(keys, probabilities, strict=True)):
        table["key"][number] = key
        if probability < _RAREST:
            table["until_next"][number] = UNLIMITED
            continue
        table["log"][number] = math.log1p(-probability) if probability < 1.0 else -np.inf
        draw_gap(table[number])
    return table


def power_of_two(count: int) -> int:
    """Return the next power of two."""
    return 1 << math.ceil(math.log2(max(count, 1)))


def longer(array: Any, length: int) -> Any:
    """Return an array of this length that begins with the old one."""
    grown = np.zeros(length, array.dtype)
    grown[: len(array)] = array
    return grown


def larger_ring(ring: Any, first: int, last: int, more: int) -> Any:
    """Return a ring with room for more entries than those from the first to before the last."""
    larger = np.zeros(power_of_two(2 * (last - first + more)), ring.dtype)
    while first < last:
        old, new = first & (len(ring) - 1), first & (len(larger) - 1)
        count = min(last - first, len(ring) - old, len(larger) - new)
        larger[new : new + count] = ring[old : old + count]
        first += count
    return larger
