"""Neighbours of settings: the same with one lever moved to where it is cheaper."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sendcap.study.optimisation.priced import Priced

_FINEST: Final = 8
"""Halvings of a continuous range: the smallest step is a 256th of it."""

Settings = tuple[float, ...]


def cheaper(levers: Mapping[str, Priced], at: Settings) -> list[Settings]:
    """Return the neighbours that cost less.

    Each lever is moved by one, two, four, … where it is of whole numbers, and by a half, a
    quarter, … of its range where it is not; on a logarithmic scale, by such factors.
    """
    found: dict[Settings, None] = {}
    for place, its in enumerate(levers.values()):
        here = its.cost_of(its.range.written(at[place]))
        for number in _steps(its, at[place]):
            if its.cost_of(its.range.written(number)) < here:
                found[(*at[:place], number, *at[place + 1 :])] = None
    return list(found)


def _steps(its: Priced, number: float) -> Iterator[float]:
    low, high = its.range.ends
    for sign in (-1, 1):
        if its.range.whole:
            step = 1.0
            while low <= number + sign * step <= high:
                yield number + sign * step
                step *= 2.0
            yield low if sign < 0 else high
        else:
            for halvings in range(1, _FINEST + 1):
                part = sign / 2.0**halvings
                moved = number * (high / low) ** part if its.log else number + part * (high - low)
                if low <= moved <= high:
                    yield its.rounded(moved)


def combinations(levers: Mapping[str, Priced], most: int) -> int | None:
    """Return how many settings there are, None if they are more than that or continuous."""
    count = 1
    for its in levers.values():
        if not its.range.whole:
            return None
        low, high = its.range.ends
        count *= math.floor(high - low) + 1
        if count > most:
            return None
    return count
