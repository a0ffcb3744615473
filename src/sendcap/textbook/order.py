"""Whose turn it is, in the textbook model: of deliveries, and of the addresses of a pool."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sendcap.scenario import Delivery, Scenario
from sendcap.scenario.delivery import PRIORITIES

Each = TypeVar("Each")


class Order:
    """The order of deliveries in a queue, or at the relay."""

    def __init__(self, scenario: Scenario, lines: Iterable[str] = ()) -> None:
        self.rule = scenario.mta.order
        self.turns = deque(lines or (delivery.name for delivery in scenario.deliveries))

    def place(self, delivery: Delivery, line: str = "") -> int:
        """Return a number: the lowest goes first, of equals who has waited the longest."""
        if self.rule == "fair":
            return self.turns.index(line or delivery.name)
        return self.rank(delivery)

    def rank(self, delivery: Delivery) -> int:
        """Return a number that is lower for a higher priority, if that counts."""
        return PRIORITIES.index(delivery.priority) if self.rule == "priority" else 0

    def went(self, line: str) -> None:
        """Let the delivery, or line, after this one have the next turn."""
        self.turns.rotate(-1 - self.turns.index(line))


def in_turn(everyone: Sequence[Each], weights: Sequence[int]) -> Iterator[Each]:
    """Yield each in turn, in a round as often as the weight says (weighted round robin).

    Who has a greater weight begins; the others join in as the bar is lowered.
    """
    step, bar = math.gcd(*weights), 0
    while True:
        bar = bar - step if bar > step else max(weights)
        for each, weight in zip(everyone, weights, strict=True):
            if weight >= bar:
                yield each
