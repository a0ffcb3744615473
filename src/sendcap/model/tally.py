"""Counting events into bins while a simulation runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sendcap.ledger import EVENTS, Clock, Counts, Event, Ledger, Series
from sendcap.scenario import Scenario

KNOWN_AT_ONCE: frozenset[Event] = frozenset({"relayed", "relay_failed", "opened", "clicked"})
"""Events that Campaign knows as they happen: they are counted as happened only."""


class Tally:
    """Counts events into bins while a simulation runs; `ledger` closes it.

    Deliveries and providers are numbers here, as in the engine; the ledger has their names.

    Parameters
    ----------
    bin_s
        Width of a bin in seconds.
    horizon_s
        Events at or after it are left out. Infinite by default.
    """

    def __init__(self, bin_s: float, horizon_s: float = np.inf) -> None:
        self.bin_s = bin_s
        self.horizon_s = horizon_s
        self._counts: dict[tuple[int, int, Event, str, Clock], Counts] = {}

    def bins_of(self, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return the bin of each time."""
        return (times_s / self.bin_s).astype(np.int64)

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
        """Count events of one series.

        Parameters
        ----------
        times_s : ndarray, shape (n,)
            When they took place, in seconds, in any order.
        weights : ndarray of int, shape (n,), optional
            How many events each time stands for; one by default.
        """
        if not len(times_s):
            return
        if self.horizon_s < np.inf:
            inside = times_s < self.horizon_s
            times_s = times_s[inside]
            weights = None if weights is None else weights[inside]
            if not len(times_s):
                return
        bins = self.bins_of(times_s)
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

    def last_bin(self, events: Iterable[Event] = EVENTS) -> int:
        """Return the last bin in which one of the events was counted, -1 if none was."""
        wanted = set(events)
        last = -1
        for key, counts in self._counts.items():
            if key[2] in wanted:
                filled = np.flatnonzero(counts)
                last = max(last, int(filled[-1]) if len(filled) else -1)
        return last

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
    """Return a simulation's counts, to its last event or to the horizon.

    Parameters
    ----------
    tally
        The counts.
    scenario
        What was simulated.
    providers
        Names of the providers, by their numbers.
    """
    bins = tally.last_bin() + 1
    if scenario.time.horizon is not None:
        bins = min(bins, math.ceil(scenario.time.horizon / scenario.time.bin))
    names = [delivery.name for delivery in scenario.deliveries]
    return tally.ledger(names, providers, scenario.to_deliver(), bins)
