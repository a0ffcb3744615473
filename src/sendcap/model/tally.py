"""Counting events into bins while a simulation runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sendcap.ledger import Clock, Event, Ledger, Series, SparseCounts, summed
from sendcap.scenario import Scenario

KNOWN_AT_ONCE: frozenset[Event] = frozenset({"relayed", "relay_failed", "opened", "clicked"})
"""Events that Campaign knows as they happen: they are counted as happened only."""


class Tally:
    """Counts events into bins while a simulation runs, up to the horizon; `ledger` closes it.

    Deliveries and providers are numbers here, as in the engine; the ledger has their names.
    """

    def __init__(self, bin_s: float, horizon_s: float = np.inf) -> None:
        self.bin_s = bin_s
        self.horizon_s = horizon_s
        # Each in parts, the larger ones first; their sum counts.
        self._counts: dict[tuple[int, int, Event, str, Clock], list[SparseCounts]] = {}

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
        if not len(times_s):
            return
        if self.horizon_s < np.inf:
            inside = times_s < self.horizon_s
            times_s = times_s[inside]
            weights = None if weights is None else weights[inside]
            if not len(times_s):
                return
        bins = (times_s / self.bin_s).astype(np.int64)
        first = int(bins.min())
        fresh = np.bincount(bins - first, weights).astype(np.int64, copy=False)
        parts = self._counts.setdefault((delivery, provider, event, reason, clock), [])
        parts.append(SparseCounts.of(fresh, first))
        # Adding up parts of about the same size keeps them few and the cost of each event small.
        while len(parts) > 1 and len(parts[-2].bins) < 2 * len(parts[-1].bins):
            parts[-2:] = [summed(parts[-2:])]

    @property
    def last_bin(self) -> int:
        """The last bin with an event; -1 without any."""
        parts = (part for parts in self._counts.values() for part in parts)
        return max((int(part.bins[-1]) for part in parts if len(part.bins)), default=-1)

    def ledger(
        self,
        deliveries: Iterable[str],
        providers: Iterable[str],
        to_deliver: Mapping[tuple[str, str], int],
        bins: int,
    ) -> Ledger:
        """Return the counts of the first ``bins`` bins as a ledger with names.

        Campaign knows its own actions as they happen. An attempt is known when its
        outcome is, so what Campaign knows of attempts is added up here from the three outcomes.
        """
        names, queues = tuple(deliveries), tuple(providers)
        counts: dict[Series, SparseCounts] = {}
        for (delivery, provider, event, reason, clock), parts in self._counts.items():
            found = summed(parts).until(bins)
            if len(found.bins):
                key = Series(names[delivery], queues[provider], event, reason, clock)
                counts[key] = found
                if event in KNOWN_AT_ONCE:
                    counts[key._replace(clock="known")] = found
        return Ledger(self.bin_s, bins, dict(to_deliver), with_attempts_known(counts))


def with_attempts_known(counts: Mapping[Series, SparseCounts]) -> dict[Series, SparseCounts]:
    """Return the counts, with the attempts that Campaign knows of."""
    outcomes: dict[Series, list[SparseCounts]] = {}
    for series, found in counts.items():
        if series.clock == "known" and series.event in ("accepted", "hard", "soft"):
            attempted = series._replace(event="attempted", reason="")
            outcomes.setdefault(attempted, []).append(found)
    return {**counts, **{series: summed(parts) for series, parts in outcomes.items()}}


def ledger_of(tally: Tally, scenario: Scenario, providers: Iterable[str]) -> Ledger:
    """Return a simulation's counts, to the last event or to the horizon."""
    bins = tally.last_bin + 1
    if scenario.time.horizon is not None:
        bins = min(bins, math.ceil(scenario.time.horizon / scenario.time.bin))
    names = [delivery.name for delivery in scenario.deliveries]
    return tally.ledger(names, providers, scenario.to_deliver(), bins)
