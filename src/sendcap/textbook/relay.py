"""The relay's line of batches in the textbook model: which one starts, and when."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from sendcap.scenario import Delivery, Scenario
from sendcap.scenario.operators import held
from sendcap.textbook.order import Order
from sendcap.textbook.pattern import ready_s
from sendcap.textbook.person import Person
from sendcap.textbook.throttles import scheduled


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Messages of a delivery, by the people who get them, and when they may go."""

    ready_s: float
    delivery: Delivery
    people: Sequence[Person]


class Relay:
    """Batches start in order, each as soon as the rate and the MTA's spool allow."""

    def __init__(self, env: simpy.Environment, scenario: Scenario) -> None:
        self.env = env
        self.scenario = scenario
        self.order = Order(scenario)
        # One for each delivery, the batch first that is ready first.
        self.lines: dict[str, deque[Batch]] = {
            delivery.name: deque() for delivery in scenario.deliveries
        }
        self.to_come = len(self.lines)  # deliveries that are not prepared yet
        # Operators hold a delivery from a moment on, until another one.
        self.holds = {delivery.name: list(held(delivery)) for delivery in scenario.deliveries}
        rate = scenario.relay.rate
        self.throttle = None if rate is None else scheduled(rate, 1)
        self.spool = scenario.mta.spool or math.inf
        self.held = 0
        self.changes = env.event()  # to what may start
        self.turn = simpy.Resource(env, 1)

    def add(self, delivery: Delivery, people: Sequence[Person]) -> None:
        """Let a delivery to some people stand in line, in batches."""
        self.lines[delivery.name].extend(self.batches(delivery, people))
        self.to_come -= 1
        self.change()

    def batches(self, delivery: Delivery, people: Sequence[Person]) -> Iterator[Batch]:
        """Yield the batches of a delivery, none if nobody has confirmed it."""
        if delivery.at == math.inf:
            return
        size = delivery.batch or self.scenario.relay.batch
        firsts = range(0, len(people), size)
        moments_s = ready_s(delivery, self.scenario.start, len(firsts))
        for moment_s, first in zip(moments_s, firsts, strict=True):
            yield Batch(moment_s, delivery, people[first : first + size])

    @property
    def is_done(self) -> bool:
        """Whether all deliveries have been prepared and handed over."""
        return self.to_come == 0 and not any(self.lines.values())

    def next_batch(self) -> Generator[simpy.Event, Any, Batch | None]:
        """Wait until a batch may start, and return it; return None after the last one."""
        with self.turn.request() as turn:
            yield turn
            while not self.is_done:
                batch = self.first()
                start_s = math.inf if batch is None else self.start_s(batch)
                if batch is not None and start_s <= self.env.now:
                    self.start(batch)
                    return batch
                # One that becomes ready meanwhile, or is resumed, may go before it.
                later_s = [line[0].ready_s for line in self.lines.values() if line]
                later_s += [
                    edge for holds in self.holds.values() for hold in holds for edge in hold
                ]
                until_s = min(each for each in (start_s, *later_s) if each > self.env.now)
                if until_s == math.inf:
                    yield self.changes
                else:
                    yield self.env.timeout(until_s - self.env.now) | self.changes
        return None

    def first(self) -> Batch | None:
        """Return the batch whose turn it is, of those that are ready and not held."""
        firsts = (line[0] for line in self.lines.values() if line)
        return min(
            (
                batch
                for batch in firsts
                if batch.ready_s <= self.env.now and not self.holds_back(batch)
            ),
            key=lambda batch: (self.order.place(batch.delivery), batch.ready_s),
            default=None,
        )

    def holds_back(self, batch: Batch) -> bool:
        """Tell whether operators hold a batch now."""
        holds = self.holds[batch.delivery.name]
        return any(from_s <= self.env.now < until_s for from_s, until_s in holds)

    def start_s(self, batch: Batch) -> float:
        """Return when a batch may start, as things stand."""
        if self.held + len(batch.people) > self.spool:
            return math.inf
        if self.throttle is None:
            return self.env.now
        return self.throttle.start_s(self.env.now, len(batch.people))

    def start(self, batch: Batch) -> None:
        """Let a batch start now."""
        self.lines[batch.delivery.name].popleft()
        self.order.went(batch.delivery.name)
        self.held += len(batch.people)
        if self.throttle is not None:
            self.throttle.charge(self.env.now, self.env.now, len(batch.people))

    def make_room(self) -> None:
        """Let another message have the place of one that is final."""
        self.held -= 1
        if self.spool < math.inf:
            self.change()

    def change(self) -> None:
        """Let who waits look anew at what may start."""
        self.changes.succeed()
        self.changes = self.env.event()
