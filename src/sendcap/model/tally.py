"""Counting events into bins while a simulation runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.ledger import (
    CLOCKS,
    EVENTS,
    Clock,
    Delays,
    Event,
    Ledger,
    Series,
    SparseCounts,
    summed,
)
from sendcap.model.addresses import WITHOUT_ATTEMPT
from sendcap.model.kernel import tally as kernel
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.relay import count_handed
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.state import Counters, Records
from sendcap.model.records import power_of_two
from sendcap.scenario import Scenario

KNOWN_AT_ONCE: frozenset[Event] = frozenset({"relayed", "relay_failed", "opened", "clicked"})
"""Events that Campaign knows as they happen: they are counted as happened only."""
_FIRST_ROOM: Final = 1 << 9
_LINE_BYTES: Final = 64
_PIECE: Final = 1 << 14
"""Rows that are counted at a time: there is room for as many new bins."""
_NO_WEIGHTS: Final = np.zeros(0, np.int64)


class Tally:
    """Counts events into bins while a simulation runs, up to the horizon; `ledger` closes it.

    Deliveries, providers and reasons are numbers here, as in the engine; the ledger has names.
    """

    def __init__(
        self, bin_s: float, horizon_s: float, providers: Sequence[str], reasons: Sequence[str]
    ) -> None:
        self.bin_s = bin_s
        self.horizon_s = horizon_s
        self._providers = tuple(providers)
        self._reasons = tuple(reasons)
        self.counters = Counters(
            np.array([(bin_s, horizon_s, 0.0, 0, 0)], kernel.BINS),
            np.array([len(providers), len(reasons), 0]),
            _empty_table(_FIRST_ROOM),
        )

    def another(self) -> Tally:
        """Return one for a part of the same simulation."""
        return Tally(self.bin_s, self.horizon_s, self._providers, self._reasons)

    def add(
        self,
        clock: Clock,
        event: Event,
        delivery: int,
        provider: int,
        times_s: npt.NDArray[np.float64],
        reason: str = "",
        weights: npt.NDArray[Any] | None = None,
    ) -> None:
        """Count events of one series; with weights, each time stands for a number of events."""
        counters = by_pointer(self.counters)
        series = kernel.series_of(counters, kernel.pair_of(counters, delivery, provider))
        which = kernel.of_event(EVENTS.index(event), self._reasons.index(reason))
        which += CLOCKS.index(clock)
        whole = _NO_WEIGHTS if weights is None else weights.astype(np.int64)
        for first in range(0, len(times_s), _PIECE):
            piece = slice(first, first + _PIECE)
            self.make_room(_PIECE)
            kernel.count_times(
                by_pointer(self.counters), series, which, times_s[piece], whole[piece]
            )

    def delayed(self, delivery: int, provider: int, delays_s: npt.NDArray[np.float64]) -> None:
        """Count accepted messages by their delays."""
        for first in range(0, len(delays_s), _PIECE):
            self.make_room(_PIECE)
            piece = delays_s[first : first + _PIECE]
            kernel.count_delays(by_pointer(self.counters), delivery, provider, piece)

    def known(self, reports: Records, known_s: npt.NDArray[np.float64]) -> None:
        """Count reports that Campaign takes in."""
        for first in range(0, len(reports), _PIECE):
            piece = slice(first, first + _PIECE)
            self.make_room(2 * len(known_s[piece]))
            kernel.count_known(by_pointer(self.counters), reports[piece], known_s[piece])

    def handed_over(self, state: Relay) -> None:
        """Count the messages that the relay has handed over, and those that failed before."""
        self.make_room(2 * int(state.relay["handed"][0]))
        relayed, failed = EVENTS.index("relayed"), EVENTS.index("relay_failed")
        count_handed(by_pointer(self.counters), state, relayed, failed)

    def counted(self, other: Tally) -> None:
        """Add what another one has counted."""
        self.make_room(int(other.counters.numbers[kernel.USED]))
        kernel.add_table(by_pointer(self.counters), other.counters.table)

    def make_room(self, more: int) -> None:
        """Make room for more bins."""
        old = self.counters
        used = int(old.numbers[kernel.USED])
        if 2 * (used + more) <= len(old.table):
            return
        old.numbers[kernel.USED] = 0
        self.counters = old._replace(table=_empty_table(power_of_two(4 * used + 2 * more)))
        kernel.add_table(by_pointer(self.counters), old.table)

    def ledger(
        self,
        deliveries: Sequence[str],
        to_deliver: Mapping[tuple[str, str], int],
        bins: int | None = None,
    ) -> Ledger:
        """Return the counts as a ledger with names, of as many bins, or to the last with counts.

        Campaign knows its own actions as they happen. An attempt is known when its
        outcome is, so what Campaign knows of attempts is added up here from the three outcomes.
        """
        counts: dict[Series, SparseCounts] = {}
        delays: dict[tuple[str, str], SparseCounts] = {}
        parts = [(self._parts(number), found) for number, found in self._found()]
        for (pair, event, reason, clock), found in sorted(parts, key=itemgetter(0)):
            delivery, provider = divmod(pair, len(self._providers))
            names = deliveries[delivery], self._providers[provider]
            if event == kernel.DELAY:
                delays[names] = found
                continue
            series = Series(*names, EVENTS[event], self._reasons[reason], CLOCKS[clock])
            counts[series] = found if bins is None else found.until(bins)
            if series.event in KNOWN_AT_ONCE:
                counts[series._replace(clock="known")] = counts[series]
        counts = {series: found for series, found in counts.items() if len(found.bins)}
        if bins is None:
            bins = 1 + max((int(found.bins[-1]) for found in counts.values()), default=-1)
        counted = delays or not any(series.event == "accepted" for series in counts)
        return Ledger(
            self.bin_s,
            bins,
            dict(to_deliver),
            with_attempts_known(counts),
            Delays(delays) if counted else None,
        )

    def _found(self) -> Iterator[tuple[int, SparseCounts]]:
        """Yield the number of each series, and the counts."""
        table = self.counters.table
        table = table[table[:, 0] != 0]
        table = table[np.argsort(table[:, 0])]
        keys, counts = table[:, 0] - kernel.FIRST_KEY, table[:, 1:]
        rows, columns = np.nonzero(counts)
        first_bin = (keys & ((1 << kernel.PLACE_BITS) - 1)) * kernel.TOGETHER
        bins = (first_bin[rows] + columns).astype(np.int32)
        numbers, begins = np.unique(keys[rows] >> kernel.PLACE_BITS, return_index=True)
        found = counts[rows, columns]
        edges = [*begins.tolist(), len(bins)]
        for number, (begin, end) in zip(numbers.tolist(), pairwise(edges), strict=True):
            yield number, SparseCounts(bins[begin:end], found[begin:end])

    def _parts(self, number: int) -> tuple[int, int, int, int]:
        """Return the pair of delivery and provider, event, reason and clock of a series."""
        number, clock = divmod(number, 2)
        number, event = divmod(number, kernel.EVENTS)
        pair, reason = divmod(number, len(self._reasons))
        return pair, event, reason, clock


def _empty_table(slots: int) -> npt.NDArray[np.int64]:
    """Return a table that counts nothing: each row is in one line of the processor's cache."""
    room = np.zeros((slots + 1) * _LINE_BYTES, np.uint8)
    first = -room.ctypes.data % _LINE_BYTES
    table: npt.NDArray[np.int64] = room[first : first + slots * _LINE_BYTES].view(np.int64)
    return table.reshape(slots, kernel.TOGETHER + 1)


def with_attempts_known(counts: Mapping[Series, SparseCounts]) -> dict[Series, SparseCounts]:
    """Return the counts, with the attempts that Campaign knows of."""
    outcomes: dict[Series, list[SparseCounts]] = {}
    for series, found in counts.items():
        is_outcome = series.event in ("accepted", "hard", "soft")
        if series.clock == "known" and is_outcome and series.reason not in WITHOUT_ATTEMPT:
            attempted = series._replace(event="attempted", reason="")
            outcomes.setdefault(attempted, []).append(found)
    return {**counts, **{series: summed(parts) for series, parts in outcomes.items()}}


def ledger_of(
    tally: Tally, scenario: Scenario, to_deliver: Mapping[tuple[str, str], int] | None = None
) -> Ledger:
    """Return a simulation's counts, to the last event or to the horizon."""
    names = [delivery.name for delivery in scenario.deliveries]
    if to_deliver is None:
        to_deliver = scenario.to_deliver()
    return replace(tally.ledger(names, to_deliver), parents=scenario.parents())
