"""Delays from ready to accepted, counted on a logarithmic scale: 128 steps to each doubling.

A message is *ready* when the relay may hand it over, and the delay lasts to the end of the accepted
attempt, with all waits and retries. The *code* of a delay is the top 19 bits of the
float64. So counts add up whatever their order, and a code tells a delay to 0.8 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sendcap.files.parquet import whole_numbers
from sendcap.ledger.sparse import NO_COUNTS, SparseCounts, summed
from sendcap.ledger.table import Labels, rows_by

SHIFT: Final = 45
"""Bits of a float64 below the code: of the 52 of the mantissa 7 are left, 128 steps."""
RESOLUTION: Final = 2.0**-7
"""Width of the widest step, as a share of the delay."""

_Key = tuple[str | None, str | None]


def codes_of(delays_s: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Return the codes of delays."""
    return (np.asarray(delays_s, np.float64).view(np.int64) >> SHIFT).astype(np.int32)


def lowest_s(codes: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Return the shortest delay of each code; all of them are shorter than that of the next."""
    return (codes.astype(np.int64) << SHIFT).view(np.float64)


@dataclass(frozen=True, eq=False)
class Delays:
    """Delays from ready to accepted, by code, for each delivery and provider with any."""

    counts: Mapping[tuple[str, str], SparseCounts] = field(repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out what is worked out again in another process."""
        return Delays, (self.counts,)

    @cached_property
    def _index(self) -> dict[_Key, list[SparseCounts]]:
        index: dict[_Key, list[SparseCounts]] = {}
        for (delivery, provider), counts in self.counts.items():
            for key in product((delivery, None), (provider, None)):
                index.setdefault(key, []).append(counts)
        return index

    def of(self, delivery: str | None = None, provider: str | None = None) -> SparseCounts:
        """Return the codes with messages, and the messages of each; None stands for all."""
        return summed(self._index.get((delivery, provider), []))

    def total(self, delivery: str, provider: str) -> int:
        """Return the number of accepted messages of a delivery to a provider."""
        counts = self.counts.get((delivery, provider))
        return 0 if counts is None else int(counts.counts.sum())

    def arrow(self) -> pa.Table:
        """Return a row for each delivery, provider and code with messages, sorted.

        Columns: delivery, provider, delay_from_s, delay_to_s, count.
        """
        keys = sorted(self.counts)
        parts = [self.counts[key] for key in keys]
        lengths = np.array([len(part.bins) for part in parts], np.int64)
        codes, counts = (np.concatenate(columns) for columns in zip(NO_COUNTS, *parts, strict=True))
        names = zip(*keys, strict=True) if keys else ((), ())
        delivery, provider = (Labels(each).repeated(slice(None), lengths) for each in names)
        return pa.table(
            {
                "delivery": delivery,
                "provider": provider,
                "delay_from_s": lowest_s(codes),
                "delay_to_s": lowest_s(codes + 1),
                "count": counts,
            }
        )

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Self:
        """Return the delays that `arrow` wrote; a ValueError says why it cannot have."""
        codes = _codes(table)
        counts = whole_numbers(table.column("count"))
        filled = counts > 0
        parts = {}
        for (delivery, provider), rows in rows_by(table, ("delivery", "provider")):
            rows = rows[filled[rows]]
            if len(rows):
                parts[delivery, provider] = SparseCounts.gathered(codes[rows], counts[rows])
        return cls(parts)

    def __eq__(self, other: object) -> bool:
        """Tell whether both hold the same messages with the same delays."""
        if not isinstance(other, Delays):
            return NotImplemented
        return self.counts.keys() == other.counts.keys() and all(
            self.counts[key].equals(other.counts[key]) for key in self.counts
        )

    __hash__ = None  # type: ignore[assignment]


def _codes(table: pa.Table) -> npt.NDArray[np.int32]:
    """Return the codes of rows, whose bounds must be those of a code."""
    columns = [table.column(name) for name in ("delay_from_s", "delay_to_s")]
    if any(column.null_count for column in columns):
        raise ValueError("a delay is missing")
    from_s, to_s = (np.asarray(column, np.float64) for column in columns)
    if not (np.isfinite(to_s).all() and (from_s >= 0.0).all()):
        raise ValueError("a delay is not a time of 0 or more")
    codes = codes_of(from_s)
    if not ((lowest_s(codes) == from_s).all() and (lowest_s(codes + 1) == to_s).all()):
        raise ValueError("a row is not of one step of the scale of delays")
    return codes
