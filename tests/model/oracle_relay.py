"""The relay: a line of batches, workers, a rate, and the room in the MTA's spool."""

from __future__ import annotations

import math

from oracle_limits import limit_of
from oracle_order import Order
from oracle_queue import Message

from sendcap.scenario import Delivery, Scenario


class Relay:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        # Batches of one moment go in the order of the deliveries.
        self.line = sorted(
            (batch for delivery in scenario.deliveries for batch in self.batches_of(delivery)),
            key=lambda batch: batch[0],
        )
        self.order = Order(scenario)
        rate = scenario.relay.rate
        self.rate = None if rate is None else limit_of(rate, 1)
        self.free_workers = scenario.relay.workers
        self.held = 0
        """Messages from the start of their batch until they are final."""

    def batches_of(self, delivery: Delivery) -> list[tuple[float, list[Message]]]:
        """Return a delivery's batches with the moments at which they become ready."""
        (provider,) = (name for name, count in delivery.counts().items() if count)
        size = self.scenario.relay.batch
        starts = range(0, delivery.messages, size)
        return [
            (
                delivery.at + delivery.spread * number / len(starts),
                [Message(delivery.name, provider) for _ in range(delivery.messages)[start:][:size]],
            )
            for number, start in enumerate(starts)
        ]

    def first(self, now: float) -> list[Message] | None:
        """Return the batch whose turn it is, of those that are ready."""
        ready = (messages for since, messages in self.line if since <= now)
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
        moments = [since for since, _ in self.line if since > now]
        messages = self.first(now)
        if messages is not None:
            moments.append(self.earliest(messages, now))
        return min(moments, default=math.inf)

    def start(self, now: float) -> list[Message] | None:
        """Start the batch whose turn it is if it can, and return its messages."""
        messages = self.first(now)
        if messages is None or not self.free_workers or self.earliest(messages, now) > now:
            return None
        self.line = [batch for batch in self.line if batch[1] is not messages]
        self.order.went(messages[0].delivery)
        for _ in messages:
            if self.rate is not None:
                self.rate.started(now)
        self.free_workers -= 1
        self.held += len(messages)
        return messages
