"""A limit over several queues in the textbook model."""

from __future__ import annotations

import math
from collections.abc import Generator
from itertools import chain
from typing import TYPE_CHECKING, Any

import simpy

from sendcap.scenario import SharedLimit
from sendcap.textbook.active import ActiveQueue
from sendcap.textbook.message import Message
from sendcap.textbook.throttles import throttle_of

if TYPE_CHECKING:
    from sendcap.textbook.queue import Queue


class Shared:
    """What several queues may do together: a throttle, and connections in use.

    One that lets others pass acts when a message takes a connection.
    """

    def __init__(self, env: simpy.Environment, limit: SharedLimit, active: ActiveQueue) -> None:
        self.env = env
        self.limit = limit
        self.active = active
        self.throttle = throttle_of(limit.throttles, 1)
        self.connections = limit.connections or math.inf
        self.every_s = limit.one_more_every
        self.open = self.connections if self.every_s is None else 0
        self.used = 0
        self.queues: list[Queue] = []
        self.last_run_s = -math.inf
        self.runs = False  # whether a run is to come that lets one more in use

    @property
    def is_full(self) -> bool:
        """Whether no more connections may be used."""
        return self.used >= self.open

    @property
    def somebody_waits(self) -> bool:
        """Whether any message waits that the limit covers."""
        # Those of a line are all covered, or none.
        in_queues = (
            line[0][1] for queue in self.queues for line in queue.waiting.lines.values() if line
        )
        incoming = (each for each in self.active.incoming if each.queue in self.queues)
        return any(self.covers(message) for message in chain(in_queues, incoming))

    def covers(self, message: Message) -> bool:
        """Tell whether a message counts."""
        return self.limit.covers_message(message.delivery.name, message.is_retry)

    def settle(self) -> None:
        """Take back what nobody waits for; where somebody does, let one more in use at a run."""
        if self.every_s is None:
            return
        if not self.somebody_waits:
            self.open = self.used
        elif self.open < self.connections and not self.runs:
            self.runs = True
            self.env.process(self.run(self.next_run_s(self.every_s)))

    def next_run_s(self, every_s: float) -> float:
        """Return when the next run is."""
        number = round(self.env.now / every_s)
        while number * every_s < self.env.now or number * every_s <= self.last_run_s:
            number += 1
        return number * every_s

    def run(self, at_s: float) -> Generator[simpy.Event, Any, None]:
        """Let one more connection in use, if anybody waits then."""
        yield self.env.timeout(at_s - self.env.now)
        # After all that falls due at that very moment.
        yield self.env.timeout(0.0)
        self.runs = False
        if self.somebody_waits:
            self.open += 1
            self.last_run_s = at_s
            for queue in self.queues:
                queue.serve()
        self.settle()
