"""Counting events into bins while a simulation runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sendcap.ledger import Clock, Counts, Event, Ledger, Series
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
        self._counts: dict[tuple[int, int, Event, str, Clock], Counts] = {}

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
        fresh = np.bincount(bins - first, weights)
        last = first + len(fresh)
        key = (delivery, provider, event, reason, clock)
        counts = self._counts.get(key)
        if counts is None or len(counts) < last:
            # Doubling keeps the cost of growing proportional to the final length.
            grown = np.zeros(max(last, 256, 2 * (0 if counts is None else len(counts))), np.int64)
            if counts is not None:
                grown[: len(counts)] = counts
            self._counts[key] = counts = grown
        counts[first:last] += fresh.astype(np.int64, copy=False)

    @property
    def last_bin(self) -> int:
        """The last bin with an event; -1 without any."""
        filled = (np.flatnonzero(counts) for counts in self._counts.values())
        return max((int(bins[-1]) for bins in filled if len(bins)), default=-1)

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
        counts: dict[Series, Counts] = {}
        for (delivery, provider, event, reason, clock), series in self._counts.items():
            filled = np.flatnonzero(series[:bins])
            if len(filled):
                key = Series(names[delivery], queues[provider], event, reason, clock)
                counts[key] = series[: filled[-1] + 1].copy()
                if event in KNOWN_AT_ONCE:
                    counts[key._replace(clock="known")] = counts[key]
        for key, outcomes in list(counts.items()):
            if key.clock == "known" and key.event in ("accepted", "hard", "soft"):
                attempted = key._replace(event="attempted", reason="")
                so_far = counts.get(attempted, np.zeros(0, np.int64))
                total = np.zeros(max(len(outcomes), len(so_far)), np.int64)
                total[: len(outcomes)] += outcomes
                total[: len(so_far)] += so_far
                counts[attempted] = total
        return Ledger(self.bin_s, bins, dict(to_deliver), counts)


def ledger_of(tally: Tally, scenario: Scenario, providers: Iterable[str]) -> Ledger:
    """Return a simulation's counts, to the last event or to the horizon."""
    bins = tally.last_bin + 1
    if scenario.time.horizon is not None:
        bins = min(bins, math.ceil(scenario.time.horizon / scenario.time.bin))
    names = [delivery.name for delivery in scenario.deliveries]
    return tally.ledger(names, providers, scenario.to_deliver(), bins)
