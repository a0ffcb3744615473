"""The ledger: the events of a simulation, counted per time bin.

A simulation leaves nothing but counts. Each belongs to a delivery, a provider, an event and a
reason, and counts at two clocks: when the event *happened* at the MTA, and when Campaign *knew*.
Every reading, chart and analysis is arithmetic on these counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypedDict, Unpack, cast, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from sendcap.files.parquet import whole_numbers

Clock = Literal["happened", "known"]
CLOCKS: tuple[Clock, ...] = get_args(Clock)

Event = Literal[
    "relayed",
    "relay_failed",
    "attempted",
    "accepted",
    "recovered",
    "hard",
    "hard_after_soft",
    "soft",
    "soft_first",
    "expired",
    "expired_untried",
    "async_bounced",
    "opened",
    "clicked",
]
EVENTS: tuple[Event, ...] = get_args(Event)
"""Every event, in the order of a message's life.

``recovered`` (accepted after at least one soft bounce), ``hard_after_soft``, ``soft_first`` (a
message's first soft bounce) and ``expired_untried`` (expired with no soft bounce before) are
counted in ``accepted``, ``hard``, ``soft`` and ``expired`` too.
"""

Counts = npt.NDArray[Any]
"""Whole numbers where a simulation has counted, floats where they are expected values."""


class Series(NamedTuple):
    """The subject of a row of counts."""

    delivery: str
    provider: str
    event: Event
    reason: str
    clock: Clock


class Selection(TypedDict, total=False):
    """A selection of series: a clock, by default ``"known"``, and names; None matches all."""

    clock: Clock
    delivery: str | None
    provider: str | None
    reason: str | None


_ONCE: Final = frozenset({"relayed", "accepted", "hard", "expired"})
"""What happens to a message once at most."""


def _order(series: Series) -> tuple[str, str, int, str, str]:
    return (
        series.delivery,
        series.provider,
        EVENTS.index(series.event),
        series.reason,
        series.clock,
    )


@dataclass(frozen=True, eq=False)
class Ledger:
    """Counts of events per time bin.

    Attributes
    ----------
    bin_s
        Width of a bin in seconds. Bin k holds the events at k·bin_s ≤ t < (k + 1)·bin_s.
    bins
        Number of bins: the run's length divided by ``bin_s``.
    to_deliver
        Messages to deliver, for each delivery and provider.
    """

    bin_s: float
    bins: int
    to_deliver: Mapping[tuple[str, str], int]
    _counts: Mapping[Series, Counts] = field(repr=False)

    @property
    def deliveries(self) -> tuple[str, ...]:
        """Names of the deliveries, in the order of the scenario."""
        return tuple(dict.fromkeys(delivery for delivery, _ in self.to_deliver))

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the providers, in the order in which the deliveries name them."""
        return tuple(dict.fromkeys(provider for _, provider in self.to_deliver))

    @property
    def edges_s(self) -> npt.NDArray[np.float64]:
        """Bin edges in seconds, ``bins + 1`` of them, from 0 to the end of the run."""
        return np.arange(self.bins + 1, dtype=np.float64) * self.bin_s

    @property
    def end_s(self) -> float:
        """End of the last bin, in seconds."""
        return self.bins * self.bin_s

    def last_edges(self, times_s: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the number of the last edge at or before each time, the last one after the run.

        The rounding of a division is forgiven: 0.3 s is an edge of bins of 0.1 s.
        """
        periods = np.floor(np.asarray(times_s, np.float64) / self.bin_s * (1 + 1e-12))
        return np.minimum(periods, self.bins).astype(np.int64)

    def messages(self, *, delivery: str | None = None, provider: str | None = None) -> int:
        """Return the number of messages to deliver; None stands for all of them."""
        return sum(
            count
            for (to_delivery, to_provider), count in self.to_deliver.items()
            if delivery in (None, to_delivery) and provider in (None, to_provider)
        )

    def series(self, event: Event, **selection: Unpack[Selection]) -> list[Series]:
        """Return the series of an event that match; see `counts`."""
        wanted = {"event": event, "clock": "known", **selection}
        return [
            series
            for series in self._counts
            if all(name in (None, getattr(series, part)) for part, name in wanted.items())
        ]

    def counts(self, event: Event, **selection: Unpack[Selection]) -> Counts:
        """Return the events in each bin.

        Parameters
        ----------
        event
            One of `EVENTS`.
        clock
            ``"happened"`` at the MTA, or ``"known"`` to Campaign (default).
        delivery, provider, reason
            Restrict the count (default: None, all of them together).

        Returns
        -------
        ndarray, shape (bins,)
            Of int64 from a simulation, of float64 for expected counts.
        """
        matching = [self._counts[series] for series in self.series(event, **selection)]
        total = np.zeros(self.bins, np.result_type(np.int64, *matching))
        for counts in matching:
            total[: len(counts)] += counts
        return total

    def cumulative(self, event: Event, **selection: Unpack[Selection]) -> Counts:
        """Return the events up to each edge of `edges_s`, shape (bins + 1,); see `counts`."""
        return np.concatenate(([0], np.cumsum(self.counts(event, **selection))))

    def total(self, event: Event, **selection: Unpack[Selection]) -> float:
        """Return all events of the run: an int, or a float of expected ones; see `counts`."""
        total: float = sum(
            self._counts[series].sum().item() for series in self.series(event, **selection)
        )
        return total

    def reasons(self, event: Event, *, provider: str | None = None) -> dict[str, float]:
        """Return the number of events per reason, most frequent first."""
        totals: dict[str, float] = {}
        for series in self.series(event, clock="happened", provider=provider):
            count = self._counts[series].sum().item()
            totals[series.reason] = totals.get(series.reason, 0) + count
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    def arrow(self) -> pa.Table:
        """Return the non-zero counts as a table, one row per series and bin, sorted.

        Columns: delivery, provider, event, reason, clock, bin_start_s, count.
        """
        names: list[Series] = []
        bins: list[Counts] = []
        counts: list[Counts] = []
        for series in sorted(self._counts, key=_order):
            filled = np.flatnonzero(self._counts[series])
            if len(filled):
                names.append(series)
                bins.append(filled)
                counts.append(self._counts[series][filled])
        repeats = [len(filled) for filled in bins]

        def label(position: int) -> pa.Array:
            labels = [series[position] for series in names]
            unique = list(dict.fromkeys(labels))
            codes = np.repeat([unique.index(text) for text in labels], repeats).astype(np.int32)
            return pa.DictionaryArray.from_arrays(codes, pa.array(unique, pa.string()))

        columns = {name: label(position) for position, name in enumerate(Series._fields)}
        empty = [np.zeros(0, np.int64)]
        columns["bin_start_s"] = pa.array(np.concatenate(bins or empty) * self.bin_s)
        columns["count"] = pa.array(np.concatenate(counts or empty))
        return pa.table(columns)

    def frame(self) -> pd.DataFrame:
        """Return the non-zero counts as a tidy table; the columns are those of `arrow`."""
        return cast(pd.DataFrame, self.arrow().to_pandas())

    @classmethod
    def from_arrow(
        cls, table: pa.Table, *, bin_s: float, bins: int, to_deliver: Mapping[tuple[str, str], int]
    ) -> Ledger:
        """Return the ledger that `arrow` wrote.

        Raises
        ------
        ValueError
            If the table's columns or values cannot have come from a ledger.
        """
        rows = _rows(table.column("bin_start_s"), bin_s, bins)
        values = whole_numbers(table.column("count"))
        counts: dict[Series, Counts] = {}
        for series, positions in _rows_by_series(table):
            if series.event not in EVENTS or series.clock not in CLOCKS:
                raise ValueError(f"unknown event or clock: {series.event}, {series.clock}")
            messages = to_deliver.get((series.delivery, series.provider))
            if messages is None:
                raise ValueError(
                    f"counts of delivery {series.delivery!r} to {series.provider!r}, which has "
                    "nothing to deliver"
                )
            if series.event in _ONCE and float(values[positions].sum(dtype=float)) > messages:
                raise ValueError(f"more messages {series.event} than there are to deliver")
            counts[series] = np.bincount(rows[positions], values[positions]).astype(np.int64)
        return cls(bin_s, bins, dict(to_deliver), counts)

    def __eq__(self, other: object) -> bool:
        """Tell whether both hold the same counts in the same bins."""
        if not isinstance(other, Ledger):
            return NotImplemented
        return (
            (self.bin_s, self.bins) == (other.bin_s, other.bins)
            and dict(self.to_deliver) == dict(other.to_deliver)
            and self.arrow().equals(other.arrow())
        )

    __hash__ = None  # type: ignore[assignment]


def _rows(column: pa.ChunkedArray, bin_s: float, bins: int) -> npt.NDArray[np.int64]:
    """Return the numbers of bins, from a column of their starts."""
    starts_s = np.asarray(column, np.float64)
    if column.null_count or not np.isfinite(starts_s).all():
        raise ValueError("a bin has no start")
    numbers = starts_s / bin_s
    rows = np.rint(numbers)
    if len(rows) and not (rows.min() >= 0 and rows.max() < bins):
        raise ValueError(f"a bin lies outside the run's {bins} bins")
    if len(rows) and np.abs(numbers - rows).max() > 1e-3:
        raise ValueError(f"a bin does not start at a multiple of {bin_s:g} s")
    return rows.astype(np.int64)


def _rows_by_series(table: pa.Table) -> Iterator[tuple[Series, npt.NDArray[np.int64]]]:
    """Yield each series of a table with the numbers of the rows; labels are compared as numbers."""
    label = np.zeros(table.num_rows, np.int64)
    names: list[list[Any]] = []
    for name in Series._fields:
        column = table.column(name).combine_chunks()
        if not isinstance(column, pa.DictionaryArray):
            column = column.dictionary_encode()
        labels = column.dictionary.to_pylist()
        if column.null_count or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"a row has no {name}")
        names.append(labels)
        label = label * len(names[-1]) + np.asarray(column.indices, np.int64)
    order = np.argsort(label, kind="stable")
    unique, first = np.unique(label[order], return_index=True)
    for number, positions in zip(unique.tolist(), np.split(order, first[1:]), strict=False):
        parts = []
        for labels in reversed(names):
            number, position = divmod(number, len(labels))
            parts.append(labels[position])
        yield Series(*reversed(parts)), positions
