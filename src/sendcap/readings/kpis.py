"""KPIs: the figures of the Deployment dashboard at every edge of the ledger's bins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.ledger import Counts, Edges, Ledger
from sendcap.readings.modes import (
    ALL_DELIVERIES,
    ALL_PROVIDERS,
    KNOWN_EVENTS,
    Denominator,
    Known,
    Mode,
    denominator_counts,
    known,
    names_of,
    statuses,
)

Percentages = npt.NDArray[np.float64]

_Arrays = TypeVar("_Arrays", bound=tuple[Any, ...])
_CACHED_BYTES: Final = 64 * 2**20


class Figures(NamedTuple):
    """The columns of a table of KPIs: arrays of shape (bins + 1,).

    ``time_s`` is the edge of a bin, and the other columns count what Campaign knew before it.
    Percentages are of 100, and NaN where they are a share of nothing.
    """

    time_s: npt.NDArray[np.float64]
    to_deliver: Counts
    relayed: Counts
    sent: Counts
    failed: Counts
    pending: Counts
    delivered_pct: Percentages
    bounces_errors_pct: Percentages
    open_rate_pct: Percentages
    click_through_pct: Percentages


def percentage(part: Counts, total: Counts) -> Percentages:
    """Return 100 · part / total, and NaN where the total is 0."""
    share = np.full(len(part), np.nan)
    np.divide(100.0 * part, total, out=share, where=total != 0)
    return share


class Readings:
    """The figures of one ledger, each computed once.

    Tables, dashboards, charts and saved files of a run read the same figures. Counts and figures
    are cached up to 64 MiB; what is beyond is computed again, so that a long run of many
    deliveries does not take many times the memory of its ledger. Without ``engagement``, opens and
    clicks were not simulated, and their rates are NaN: a 0 would read like a prediction.
    """

    def __init__(self, ledger: Ledger, *, engagement: bool = True) -> None:
        self.ledger = ledger
        self.engagement = engagement
        self._cached: dict[tuple[str, ...], Any] = {}
        self._free_bytes = _CACHED_BYTES

    def __reduce__(self) -> tuple[Callable[..., Readings], tuple[Ledger]]:
        """Leave the cache out where a run goes to another process."""
        return partial(Readings, engagement=self.engagement), (self.ledger,)

    def known(self, delivery: str = ALL_DELIVERIES, provider: str = ALL_PROVIDERS) -> Known:
        """Return the counts that Campaign knew; see `sendcap.readings.modes.known`."""
        return self.once((delivery, provider), lambda: known(self.ledger, delivery, provider))

    def figures(
        self,
        mode: Mode,
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator = "default",
        provider: str = ALL_PROVIDERS,
    ) -> Figures:
        """Return the KPIs as arrays, at each edge."""

        def computed() -> Figures:
            counts = self.known(delivery, provider)
            return self._figures(self.ledger.edges_s, counts, mode, denominator)

        return self.once((mode, delivery, denominator, provider), computed)

    def kpis(
        self,
        mode: Mode,
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator = "default",
        provider: str = ALL_PROVIDERS,
    ) -> pd.DataFrame:
        """Return the KPIs over time as a table; see `sendcap.Run.kpis`."""
        names = {"mode": mode, "delivery": delivery}
        if provider != ALL_PROVIDERS:
            names["provider"] = provider
        return pd.DataFrame(names | self.figures(mode, delivery, denominator, provider)._asdict())

    def figures_at(
        self,
        edges: Edges,
        modes: Iterable[Mode],
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator = "default",
    ) -> dict[Mode, Figures]:
        """Return the KPIs of each mode at edges of the bins, with the cost of these edges only."""
        counts = known(self.ledger, delivery, edges=edges)
        time_s = edges.astype(np.float64) * self.ledger.bin_s
        return {mode: self._figures(time_s, counts, mode, denominator) for mode in modes}

    def final(
        self,
        modes: Iterable[Mode],
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator = "default",
    ) -> dict[Mode, Figures]:
        """Return the KPIs of each mode at the end of the run, by the totals."""
        ledger, names = self.ledger, names_of(delivery)
        totals = (np.array([ledger.total(event, **names)]) for event in KNOWN_EVENTS)
        counts = Known(ledger.messages(**names), *totals)
        time_s = np.array([ledger.end_s])
        return {mode: self._figures(time_s, counts, mode, denominator) for mode in modes}

    def changes(self, delivery: str = ALL_DELIVERIES) -> Edges:
        """Return the edges by which a figure of a delivery may have changed."""
        return self.ledger.changes(KNOWN_EVENTS, ("known",), **names_of(delivery))

    def _figures(
        self,
        time_s: npt.NDArray[np.float64],
        counts: Known,
        mode: Mode,
        denominator: Denominator,
    ) -> Figures:
        columns = figures_of(time_s, counts, mode, denominator)
        if self.engagement:
            return columns
        unknown = np.full(len(columns.time_s), np.nan)
        return columns._replace(open_rate_pct=unknown, click_through_pct=unknown)

    def once(self, key: tuple[str, ...], compute: Callable[[], _Arrays]) -> _Arrays:
        """Return what is computed from the ledger, arrays in named tuples, by a name of it."""
        if key in self._cached:
            value: _Arrays = self._cached[key]
            return value
        value = compute()
        columns = list(_columns(value))
        for column in columns:
            # Several readers share it.
            column.setflags(write=False)
        size = sum(column.nbytes for column in columns)
        if size <= self._free_bytes:
            self._free_bytes -= size
            self._cached[key] = value
        return value


def _columns(value: tuple[Any, ...]) -> Iterator[npt.NDArray[Any]]:
    for part in value:
        if isinstance(part, tuple):
            yield from _columns(part)
        elif isinstance(part, np.ndarray):
            yield part


def figures_of(
    time_s: npt.NDArray[np.float64],
    counts: Known,
    mode: Mode,
    denominator: Denominator = "default",
) -> Figures:
    """Return the KPIs of a mode, by the counts that Campaign knew at some times."""
    status = statuses(counts, mode)
    total = denominator_counts(counts, status, mode, denominator)
    # Half an expected message is shown as none, and there is no share of it.
    sent = status.sent * (status.sent > 0.5)
    return Figures(
        time_s=time_s,
        to_deliver=0 * counts.relayed + counts.to_deliver,
        relayed=counts.relayed,
        sent=status.sent,
        failed=status.failed,
        pending=status.pending,
        delivered_pct=percentage(status.sent, total),
        bounces_errors_pct=percentage(status.failed, total),
        # Adobe divides opens and clicks by the messages delivered: in each mode those Sent.
        open_rate_pct=percentage(counts.opened, sent),
        click_through_pct=percentage(counts.clicked, sent),
    )


def deliveries_and_all(ledger: Ledger) -> tuple[str, ...]:
    """Return ``"*"``, parents of parts or repetitions, and every delivery: the order of tables."""
    return (ALL_DELIVERIES, *ledger.names)
