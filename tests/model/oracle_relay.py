"""The relay: a line of batches, workers, a rate, and the room in the MTA's spool."""

from __future__ import annotations

import math

from oracle_limits import limit_of
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

    def next_start(self, now: float) -> float:
        """Return when the first batch could start, as things are now."""
        spool = self.scenario.mta.spool
        if not self.line or not self.free_workers:
            return math.inf
        ready, messages = self.line[0]
        if spool is not None and spool - self.held < len(messages):
            return math.inf
        earliest = max(ready, now)
        if self.rate is None:
            return earliest
        return self.rate.earliest(earliest, len(messages))

    def start(self, now: float) -> list[Message] | None:
        """Start the first batch if it can, and return its messages."""
        if self.next_start(now) > now:
            return None
        _, messages = self.line.pop(0)
        for _ in messages:
            if self.rate is not None:
                self.rate.started(now)
        self.free_workers -= 1
        self.held += len(messages)
        return messages
