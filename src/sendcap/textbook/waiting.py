"""Messages that wait for a connection of a queue, in the textbook model."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from itertools import count

from sendcap.scenario import Scenario, SharedLimit
from sendcap.textbook.message import Message
from sendcap.textbook.order import Order


class Waiting:
    """They stand in a line for each delivery; the order says which line goes next.

    Retries stand in a line of their own where a limit tells them from new messages.
    """

    def __init__(self, scenario: Scenario, limits: Sequence[SharedLimit]) -> None:
        self.limits = [limit for limit in limits if limit.attempts == "retries"]
        lines = (
            line
            for delivery in scenario.deliveries
            for line in (self.line(delivery.name, False), self.line(delivery.name, True))
        )
        self.order = Order(scenario, dict.fromkeys(lines))
        self.numbers = count()
        self.lines: defaultdict[str, deque[tuple[int, Message]]] = defaultdict(deque)

    def __len__(self) -> int:
        return sum(map(len, self.lines.values()))

    def line(self, delivery: str, is_retry: bool) -> str:
        """Return the line of a delivery's messages."""
        apart = is_retry and any(limit.covers_delivery(delivery) for limit in self.limits)
        return f"retries of {delivery}" if apart else delivery

    def line_of(self, message: Message) -> str:
        """Return the line of a message."""
        return self.line(message.delivery.name, message.is_retry)

    def add(self, message: Message) -> None:
        """Let a message wait."""
        self.lines[self.line_of(message)].append((next(self.numbers), message))

    def remove(self, message: Message) -> None:
        """Let a message wait no longer, though it had no turn."""
        line = self.lines[self.line_of(message)]
        line.remove(next(entry for entry in line if entry[1] is message))

    def longest(self) -> Message:
        """Return the message that has waited the longest."""
        return min(line[0] for line in self.lines.values() if line)[1]

    def next(self, held_back: Callable[[Message], bool]) -> Message | None:
        """Return the message whose turn it is, of the lines that are not held back."""
        firsts = [
            (self.order.place(message.delivery, self.line_of(message)), number, message)
            for number, message in (line[0] for line in self.lines.values() if line)
            if not held_back(message)
        ]
        return min(firsts)[2] if firsts else None

    def take(self, message: Message) -> None:
        """Let a message have its turn."""
        self.remove(message)
        self.order.went(self.line_of(message))
