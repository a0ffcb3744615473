"""The oracle's ledger: counts per bin at both clocks."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sendcap.ledger import Ledger
from sendcap.scenario import Scenario

Counts = dict[tuple[str, ...], dict[int, int]]
"""Counts by bin, for each delivery, provider, event, reason and clock."""


@dataclass
class Reports:
    scenario: Scenario
    counts: dict[tuple[str, ...], Counter[int]] = field(default_factory=dict)
    reports: list[tuple[float, float, int, Any, list[tuple[str, str]]]] = field(
        default_factory=list
    )

    def count(self, message: Any, event: str, reason: str, clock: str, at: float) -> None:
        time = self.scenario.time
        if time.horizon is None or at < time.horizon:
            key = (message.delivery, message.provider, event, reason, clock)
            self.counts.setdefault(key, Counter())[math.floor(at / time.bin)] += 1

    def at_once(self, message: Any, event: str, at: float) -> None:
        """Count an event that Campaign sees itself."""
        for clock in ("happened", "known"):
            self.count(message, event, "", clock, at)

    def report(
        self,
        message: Any,
        at: float,
        events: list[tuple[str, str]],
        attempted: float | None = None,
        latency_s: float | None = None,
    ) -> None:
        """Count an event at the MTA, and keep the report for `finish`."""
        feedback = self.scenario.feedback
        if self.scenario.time.horizon is not None and at >= self.scenario.time.horizon:
            # The attempt may have begun before it.
            if attempted is not None:
                self.count(message, "attempted", "", "happened", attempted)
            return
        for event, reason in events:
            self.count(message, event, reason, "happened", at)
        if attempted is not None:
            self.count(message, "attempted", "", "happened", attempted)
            events = [*events, ("attempted", "")]
        arrival = at + (feedback.synchronous.mean_s if latency_s is None else latency_s)
        if feedback.polling is not None:
            arrival = math.ceil(arrival / feedback.polling) * feedback.polling
        self.reports.append((arrival, at, len(self.reports), message, events))

    def finish(self) -> Counts:
        """Count the reports when they are known, and return all counts."""
        rate, free = self.scenario.feedback.rate, -math.inf
        held = []
        for arrival, _, order, message, events in sorted(self.reports, key=lambda each: each[:3]):
            known = arrival
            if rate is not None:
                known = free = max(free, arrival) + rate.period_s / rate.limit
            held.append((order, known, message, events))
        last: dict[Any, float] = {}
        # A message's reports in the order of their events: none overtakes the one before it.
        for _, known, message, events in sorted(held, key=lambda each: each[0]):
            last[message] = max(known, last.get(message, -math.inf))
            for event, reason in events:
                self.count(message, event, reason, "known", last[message])
        return {key: dict(counter) for key, counter in self.counts.items()}


def counts_of(ledger: Ledger) -> Counts:
    """Return a ledger's counts in the oracle's form."""
    result = {
        (
            series.delivery,
            series.provider,
            series.event,
            series.reason,
            series.clock,
        ): dict(zip(counts.bins.tolist(), map(int, counts.counts), strict=True))
        for series, counts in ledger._counts.items()
    }
    return {key: counts for key, counts in result.items() if counts}
