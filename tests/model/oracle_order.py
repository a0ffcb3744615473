"""Whose turn it is: of those that wait in a queue or at the relay, and of the addresses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from sendcap.scenario import Scenario

Each = TypeVar("Each")
PRIORITIES = ("high", "normal", "low")


class Order:
    """The order of one queue, or of the relay."""

    def __init__(self, scenario: Scenario, lines: Sequence[str] = ()) -> None:
        self.kind = scenario.mta.order
        self.lines = list(lines) or [delivery.name for delivery in scenario.deliveries]
        self.priorities = {delivery.name: delivery.priority for delivery in scenario.deliveries}
        self.pointer = 0

    def rank(self, delivery: str) -> int:
        """Return a number that is lower for a delivery that goes first everywhere."""
        return PRIORITIES.index(self.priorities[delivery]) if self.kind == "priority" else 0

    def first(
        self,
        those: Iterable[Each],
        delivery_of: Callable[[Each], str],
        line_of: Callable[[Each], str] | None = None,
    ) -> Each | None:
        """Return whose turn it is of those that could go; they come in the order of fifo."""
        line_of = line_of or delivery_of
        if self.kind == "fifo":
            return next(iter(those), None)
        if self.kind == "priority":
            return min(those, key=lambda each: self.rank(delivery_of(each)), default=None)
        return min(those, key=lambda each: self.turns_until(line_of(each)), default=None)

    def turns_until(self, line: str) -> int:
        """Return how many deliveries, or lines of them, stand between the pointer and this one."""
        return (self.lines.index(line) - self.pointer) % len(self.lines)

    def went(self, line: str) -> None:
        """Note that one had a turn."""
        self.pointer = self.lines.index(line) + 1


def weighted_round_robin(weights: Sequence[int]) -> Iterator[int]:
    """Yield whose turn it is, again and again: of all above a bar that is lowered step by step."""
    step = math.gcd(*weights)
    while True:
        for bar in range(max(weights), 0, -step):
            yield from (number for number, weight in enumerate(weights) if weight >= bar)
