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
    reports: list[tuple[float, float, str, int, Any, list[tuple[str, str]]]] = field(
        default_factory=list
    )
    delays_s: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)  # arrival of a message's last report

    def count(self, message: Any, event: str, reason: str, clock: str, at: float) -> None:
        time = self.scenario.time
        if time.horizon is None or at < time.horizon:
            key = (message.delivery, message.provider, event, reason, clock)
            self.counts.setdefault(key, Counter())[math.floor(at / time.bin)] += 1

    def delay(self, message: Any, accepted: float) -> None:
        """Keep the time from when its batch may be handed over to the acceptance."""
        horizon = self.scenario.time.horizon
        if horizon is None or accepted < horizon:
            delays_s = self.delays_s.setdefault((message.delivery, message.provider), [])
            delays_s.append(accepted - message.triggered)

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
        # It overtakes none of its message's earlier ones.
        self.last[id(message)] = arrival = max(arrival, self.last.get(id(message), -math.inf))
        self.reports.append((arrival, at, message.provider, len(self.reports), message, events))

    def finish(self) -> Counts:
        """Count the reports when they are known, and return all counts."""
        feedback, free = self.scenario.feedback, -math.inf
        for arrival, _, _, _, message, events in sorted(self.reports, key=lambda each: each[:4]):
            known = arrival
            if feedback.polling is not None:
                known = math.ceil(known / feedback.polling) * feedback.polling
            if feedback.rate is not None:
                known = free = max(free, known) + feedback.rate.period_s / feedback.rate.limit
            for event, reason in events:
                self.count(message, event, reason, "known", known)
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
