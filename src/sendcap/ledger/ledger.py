"""The ledger itself: the counts of all series, and how they are read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, Self, Unpack, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from sendcap.files.parquet import ROWS
from sendcap.ledger.delays import Delays
from sendcap.ledger.people import People
from sendcap.ledger.series import CLOCKS, EVENTS, Clock, Event, Names, Selection, Series
from sendcap.ledger.sparse import Counts, Edges, SparseCounts, summed
from sendcap.ledger.table import series_of, tables


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
    delays
        Delays from ready to accepted; None where nobody has counted them: of expected counts, and
        of a run that an older sendcap has saved.
    parents
        Deliveries that were sent in parts or again and again: the names of these, in order. A
        parent may be named wherever a delivery may.
    people
        What has become of the population; None without one.
    """

    bin_s: float
    bins: int
    to_deliver: Mapping[tuple[str, str], int]
    # Series without events are left out.
    _counts: Mapping[Series, SparseCounts] = field(repr=False)
    delays: Delays | None = field(default=None, repr=False)
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    people: People | None = field(default=None, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out what is worked out again in another process."""
        known = (self.bin_s, self.bins, self.to_deliver, self._counts)
        return Ledger, (*known, self.delays, self.parents, self.people)

    @cached_property
    def deliveries(self) -> tuple[str, ...]:
        """Names of the deliveries, in the order of the scenario."""
        return tuple(dict.fromkeys(delivery for delivery, _ in self.to_deliver))

    @cached_property
    def written(self) -> tuple[str, ...]:
        """Names of the deliveries as a scenario file has them: the parent's for each child."""
        names = (self._parent_of.get(name, name) for name in self.deliveries)
        return tuple(dict.fromkeys(names))

    @property
    def names(self) -> tuple[str, ...]:
        """All names of deliveries: the parents', and those of single ones."""
        return (*self.parents, *self.deliveries)

    @cached_property
    def _parent_of(self) -> dict[str, str]:
        return {child: parent for parent, children in self.parents.items() for child in children}

    def _of(self, delivery: str) -> Iterator[str | None]:
        """Yield whose counts a delivery's are: its own, its parent's, and those of all."""
        yield delivery
        if delivery in self._parent_of:
            yield self._parent_of[delivery]
        yield None

    @cached_property
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
        return self._messages[delivery, provider]

    @cached_property
    def _messages(self) -> Counter[tuple[str | None, str | None]]:
        messages: Counter[tuple[str | None, str | None]] = Counter()
        for (delivery, provider), count in self.to_deliver.items():
            for key in product(self._of(delivery), (provider, None)):
                messages[key] += count
        return messages

    @cached_property
    def _index(self) -> dict[tuple[str, str, str | None, str | None], list[Series]]:
        """The series of an event and clock, by delivery and provider; None stands for all."""
        index: dict[tuple[str, str, str | None, str | None], list[Series]] = {}
        for series in self._counts:
            for names in product(self._of(series.delivery), (series.provider, None)):
                index.setdefault((series.event, series.clock, *names), []).append(series)
        return index

    def series(
        self,
        event: Event,
        *,
        clock: Clock = "known",
        delivery: str | None = None,
        provider: str | None = None,
        reason: str | None = None,
    ) -> list[Series]:
        """Return the series of an event that match; see `counts`."""
        matching = self._index.get((event, clock, delivery, provider), [])
        return [series for series in matching if reason in (None, series.reason)]

    def sparse(self, event: Event, **selection: Unpack[Selection]) -> SparseCounts:
        """Return the bins with events, and the events in each; see `counts`."""
        return summed([self._counts[series] for series in self.series(event, **selection)])

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
        bins, counts = self.sparse(event, **selection)
        total = np.zeros(self.bins, counts.dtype)
        total[bins] = counts
        return total

    def cumulative(
        self, event: Event, *, edges: Edges | None = None, **selection: Unpack[Selection]
    ) -> Counts:
        """Return the events up to each edge of `edges_s`, shape (bins + 1,); see `counts`.

        Parameters
        ----------
        event, clock, delivery, provider, reason
            As for `counts`.
        edges
            Numbers of the edges to return (default: all).
        """
        if edges is not None:
            return self.sparse(event, **selection).up_to(edges)
        return np.concatenate(([0], np.cumsum(self.counts(event, **selection))))

    def changes(
        self,
        events: Iterable[Event] = EVENTS,
        clocks: Iterable[Clock] = CLOCKS,
        **names: Unpack[Names],
    ) -> Edges:
        """Return the numbers of the edges with events in the bin before them.

        From each to the next, and before the first, no cumulative count of these events changes.

        Parameters
        ----------
        events, clocks
            The events and the clocks at which they count (default: all).
        delivery, provider
            As for `counts`.
        """
        changed = np.zeros(self.bins + 1, np.bool_)
        for event, clock in product(events, clocks):
            for series in self.series(event, clock=clock, **names):
                changed[1:][self._counts[series].bins] = True
        return np.flatnonzero(changed)

    def with_ends(self, edges: Edges) -> Edges:
        """Return edges with the first and the last one of the run."""
        return np.unique(np.append(edges, [0, self.bins]))

    def total(self, event: Event, **selection: Unpack[Selection]) -> float:
        """Return all events of the run: an int, or a float of expected ones; see `counts`."""
        total: float = sum(
            self._counts[series].counts.sum().item() for series in self.series(event, **selection)
        )
        return total

    def delays_of(self, delivery: str | None, provider: str | None) -> SparseCounts:
        """Return the codes of delays with messages, and the messages of each; None is all."""
        assert self.delays is not None
        names = self.parents.get(delivery or "", (delivery,))
        return summed([self.delays.of(name, provider) for name in names])

    def reasons(self, event: Event, *, provider: str | None = None) -> dict[str, float]:
        """Return the number of events per reason, most frequent first."""
        totals: Counter[str] = Counter()
        for series in self.series(event, clock="happened", provider=provider):
            totals[series.reason] += self._counts[series].counts.sum().item()
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    def arrow(self) -> pa.Table:
        """Return the non-zero counts as a table, one row per series and bin, sorted.

        Columns: delivery, provider, event, reason, clock, bin_start_s, count.
        """
        return pa.concat_tables(self.tables())

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows of `arrow` in one or more tables of about a million rows."""
        return tables(self._counts, self.bin_s, ROWS)

    def frame(self) -> pd.DataFrame:
        """Return the non-zero counts as a tidy table; the columns are those of `arrow`."""
        return cast(pd.DataFrame, self.arrow().to_pandas())

    @classmethod
    def from_arrow(
        cls, table: pa.Table, *, bin_s: float, bins: int, to_deliver: Mapping[tuple[str, str], int]
    ) -> Self:
        """Return the ledger that `arrow` wrote.

        Raises
        ------
        ValueError
            If the table's columns or values cannot have come from a ledger.
        """
        return cls.from_tables([table], bin_s=bin_s, bins=bins, to_deliver=to_deliver)

    @classmethod
    def from_tables(
        cls,
        tables: Iterable[pa.Table],
        *,
        bin_s: float,
        bins: int,
        to_deliver: Mapping[tuple[str, str], int],
    ) -> Self:
        """Return the ledger of some tables, each read in its turn; see `from_arrow`."""
        counts = series_of(tables, bin_s, bins, to_deliver)
        return cls(bin_s, bins, dict(to_deliver), counts)

    def __eq__(self, other: object) -> bool:
        """Tell whether both hold the same counts in the same bins."""
        if not isinstance(other, Ledger):
            return NotImplemented
        if (self.bin_s, self.bins) != (other.bin_s, other.bins):
            return False
        ours, theirs = self._counts, other._counts
        return (
            dict(self.to_deliver) == dict(other.to_deliver)
            and self.delays == other.delays
            and ours.keys() == theirs.keys()
            and all(ours[series].equals(theirs[series]) for series in ours)
        )

    __hash__ = None  # type: ignore[assignment]
