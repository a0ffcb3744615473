"""The relay: a line of batches, workers, a rate, operators, and the room in the MTA's spool."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import takewhile

from oracle_limits import limit_of
from oracle_order import Order
from oracle_pattern import ready_moments
from oracle_queue import Message

from sendcap.scenario import Delivery, Scenario


class Relay:
    def __init__(self, scenario: Scenario, starts: dict[str, float]) -> None:
        self.scenario, self.starts = scenario, starts
        # In the order in which they become ready; of one moment in that of the deliveries.
        self.line = sorted(
            (batch for delivery in scenario.deliveries for batch in self.batches_of(delivery)),
            key=lambda batch: batch[0],
        )
        self.holds = {each.name: list(holds_of(each)) for each in scenario.deliveries}
        self.order = Order(scenario)
        rate = scenario.relay.rate
        self.rate = None if rate is None else limit_of(rate, 1)
        self.free_workers = scenario.relay.workers
        self.held = 0
        """Messages from the start of their batch until they are final."""

    def batches_of(self, delivery: Delivery) -> list[tuple[float, list[Message]]]:
        """Return a delivery's batches with the moments at which they become ready."""
        begins = self.starts[delivery.name]
        if begins == math.inf:
            return []
        (provider,) = (name for name, count in delivery.counts().items() if count)
        size = delivery.batch or self.scenario.relay.batch
        starts = range(0, delivery.messages, size)
        moments = ready_moments(delivery, begins, self.scenario.start, len(starts))
        return [
            (
                moment,
                [
                    Message(delivery.name, provider, triggered=moment)
                    for _ in range(delivery.messages)[at:][:size]
                ],
            )
            for moment, at in zip(moments, starts, strict=True)
        ]

    def held_at(self, now: float) -> set[str]:
        """Return the deliveries that operators have paused or stopped."""
        return {
            delivery
            for delivery, holds in self.holds.items()
            if any(since <= now < until for since, until in holds)
        }

    def first(self, now: float) -> list[Message] | None:
        """Return the batch whose turn it is, of those that are ready and not held."""
        if not self.line or self.line[0][0] > now:
            return None
        held = self.held_at(now)
        ready = (
            messages
            for _, messages in takewhile(lambda batch: batch[0] <= now, self.line)
            if messages[0].delivery not in held
        )
        return self.order.first(ready, lambda messages: messages[0].delivery)

    def earliest(self, messages: list[Message], now: float) -> float:
        """Return when a batch that is ready could start, as things are now."""
        spool = self.scenario.mta.spool
        if spool is not None and spool - self.held < len(messages):
            return math.inf
        return now if self.rate is None else self.rate.earliest(now, len(messages))

    def next_start(self, now: float) -> float:
        """Return when a batch could start next; another one may become ready first."""
        if not self.free_workers:
            return math.inf
        moments = [next((since for since, _ in self.line if since > now), math.inf)]
        if self.line:
            edges = (edge for holds in self.holds.values() for hold in holds for edge in hold)
            moments += [edge for edge in edges if edge > now]
        messages = self.first(now)
        if messages is not None:
            moments.append(self.earliest(messages, now))
        return min(moments)

    def start(self, now: float) -> list[Message] | None:
        """Start the batch whose turn it is if it can, and return its messages."""
        messages = self.first(now) if self.free_workers else None
        if messages is None or self.earliest(messages, now) > now:
            return None
        self.line = [batch for batch in self.line if batch[1] is not messages]
        self.order.went(messages[0].delivery)
        for _ in messages:
            if self.rate is not None:
                self.rate.started(now)
        self.free_workers -= 1
        self.held += len(messages)
        return messages


def holds_of(delivery: Delivery) -> Iterator[tuple[float, float]]:
    """Yield from when and until when nothing of a delivery is started."""
    resumes = [*(delivery.resume or ()), math.inf]
    for pause in delivery.pause or ():
        yield pause, min(moment for moment in resumes if moment > pause)
    if delivery.stop is not None:
        yield delivery.stop, math.inf
