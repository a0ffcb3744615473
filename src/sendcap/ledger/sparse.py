"""Sparse counts: only the bins with events are stored.

A year in bins of a minute has 525,600 of them, and the events of one delivery to one provider lie
in a few hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[Any]
"""Whole numbers where a simulation has counted, floats where they are expected values."""

Edges = npt.NDArray[np.int64]
"""Numbers of edges of bins: bin k lies between the edges k and k + 1."""

_SCATTERED: Final = 32
"""From so many bins for each stored one on, sorting is faster than adding into an array of all."""


class SparseCounts(NamedTuple):
    """The bins with events, ascending, and the events in each."""

    bins: npt.NDArray[np.int32]
    counts: Counts

    @classmethod
    def of(cls, dense: Counts, first: int = 0) -> Self:
        """Return the counts of an array whose element 0 is the bin ``first``."""
        filled = np.flatnonzero(dense)
        return cls((filled + first).astype(np.int32), dense[filled])

    @classmethod
    def gathered(cls, bins: npt.NDArray[np.int32], counts: Counts) -> Self:
        """Return counts in any order, those of the same bin added up."""
        unique, places = np.unique(bins, return_inverse=True)
        total = np.zeros(len(unique), counts.dtype)
        np.add.at(total, places, counts)
        return cls(unique, total)

    def equals(self, other: SparseCounts) -> bool:
        """Return whether the same bins have the same counts."""
        return all(np.array_equal(*columns) for columns in zip(self, other, strict=True))

    def reached(self, wanted: float) -> tuple[int, float, float]:
        """Return the first bin by whose end so many events have come, and the counts around it.

        These are the events before the bin, and those up to its end. So many must come.
        """
        so_far = np.cumsum(self.counts)
        place = int(np.searchsorted(so_far, wanted))
        before = so_far[place - 1].item() if place else 0
        return int(self.bins[place]), before, so_far[place].item()

    def until(self, edge: int) -> SparseCounts:
        """Return the counts of the bins before an edge."""
        stored = int(np.searchsorted(self.bins, edge))
        return SparseCounts(self.bins[:stored], self.counts[:stored])

    def up_to(self, edges: Edges) -> Counts:
        """Return the events before each edge."""
        so_far = np.concatenate((np.zeros(1, self.counts.dtype), np.cumsum(self.counts)))
        return so_far[np.searchsorted(self.bins, edges)]


NO_COUNTS: Final = SparseCounts.of(np.zeros(0, np.int64))


def summed(parts: Sequence[SparseCounts]) -> SparseCounts:
    """Return the sum of counts, with the cost of what they store."""
    parts = [part for part in parts if len(part.bins)]
    if len(parts) <= 1:
        return parts[0] if parts else NO_COUNTS
    first = min(int(part.bins[0]) for part in parts)
    length = max(int(part.bins[-1]) for part in parts) - first + 1
    dtype = np.result_type(*{part.counts.dtype for part in parts})
    if length > _SCATTERED * sum(len(part.bins) for part in parts):
        bins, counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return SparseCounts.gathered(bins, counts)
    dense = np.zeros(length, dtype)
    for part in parts:
        dense[part.bins - first] += part.counts
    return SparseCounts.of(dense, first)
