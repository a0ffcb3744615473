"""Messages that wait for a connection of a queue, in the textbook model."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from itertools import count

from sendcap.scenario import Delivery, Scenario
from sendcap.textbook.message import Message
from sendcap.textbook.order import Order


class Waiting:
    """They stand in a line for each delivery; the order says which line goes next."""

    def __init__(self, scenario: Scenario) -> None:
        self.order = Order(scenario)
        self.numbers = count()
        self.lines: defaultdict[str, deque[tuple[int, Message]]] = defaultdict(deque)

    def __len__(self) -> int:
        return sum(map(len, self.lines.values()))

    def add(self, message: Message) -> None:
        """Let a message wait."""
        self.lines[message.delivery.name].append((next(self.numbers), message))

    def remove(self, message: Message) -> None:
        """Let a message wait no longer, though it had no turn."""
        line = self.lines[message.delivery.name]
        line.remove(next(entry for entry in line if entry[1] is message))

    def longest(self) -> Message:
        """Return the message that has waited the longest."""
        return min(line[0] for line in self.lines.values() if line)[1]

    def next(self, held_back: Callable[[Delivery], bool]) -> Message | None:
        """Return the message whose turn it is, of the deliveries that are not held back."""
        firsts = [
            (self.order.place(message.delivery), number, message)
            for number, message in (line[0] for line in self.lines.values() if line)
            if not held_back(message.delivery)
        ]
        return min(firsts)[2] if firsts else None

    def take(self, message: Message) -> None:
        """Let a message have its turn."""
        self.remove(message)
        self.order.went(message.delivery)
