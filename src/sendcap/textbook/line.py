"""The line for the limits of attempts in the textbook model, first in, first out."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Final

import simpy

from sendcap.textbook.suspension import DeadSite, Suspension
from sendcap.textbook.throttles import Throttle

AN_INSTANT_S: Final = 1e-6
"""What waits this much longer comes after all that happens at a moment."""
Limit = Throttle | Suspension | DeadSite
Turn = tuple[int, float]
"""Of queues with a common limit, the lowest goes first: by priority, then who is ready longest."""


class Line:
    """The messages of a queue that have a connection; nobody who waits here is overtaken."""

    def __init__(
        self,
        env: simpy.Environment,
        limits: list[Limit],
        sends_back: Callable[[], bool],
    ) -> None:
        self.env = env
        self.limits = limits
        self.sends_back = sends_back
        self.rivals: list[Line] = []  # those of queues with a common limit
        self.places: deque[tuple[Turn, simpy.Process]] = deque()

    def start_s(self) -> float:
        """Return when an attempt may start that asks now, as things stand."""
        start_s = -math.inf
        later_s = self.env.now
        # Each limit may be met only later than the others allow.
        while later_s > start_s:
            start_s = later_s
            for limit in self.limits:
                later_s = limit.start_s(later_s)
        return start_s

    def has_to_wait(self, turn: Turn) -> bool:
        """Tell whether the first in line lets that of another queue go first, by a common limit."""
        return any(
            line is not self
            and line.places
            and line.places[0][0] < turn
            and line.start_s() <= self.env.now
            for line in self.rivals
        )

    def wait(self, turn: Turn, until_s: float) -> Generator[simpy.Event, Any, bool]:
        """Wait until it is one's turn and the limits let an attempt start; False if it does not.

        It is late then, or sent back.
        """
        process = self.env.active_process
        assert process is not None
        place = (turn, process)
        self.places.append(place)
        if self.rivals:
            # Whose connection is made at this very moment stands in its line, too.
            with suppress(simpy.Interrupt):
                yield self.env.timeout(0.0)
        while not self.sends_back():
            start_s = self.start_s() if self.places[0] is place else math.inf
            if start_s <= self.env.now and self.has_to_wait(turn):
                start_s = self.env.now + AN_INSTANT_S
            if start_s <= self.env.now <= until_s or self.env.now > until_s:
                break
            # An instant later: what may start at that very moment still does.
            wait_s = min(start_s, until_s + AN_INSTANT_S) - self.env.now
            with suppress(simpy.Interrupt):
                yield self.env.timeout(max(wait_s, 0.0))
        was_first = self.places[0] is place
        self.places.remove(place)
        if was_first:
            self.call_first()
        return self.env.now <= until_s and not self.sends_back()

    def call_first(self) -> None:
        """Let the first in line ask anew."""
        if self.places:
            self.places[0][1].interrupt()

    def charge(self, finish_s: float) -> None:
        """Let an attempt start now."""
        for limit in self.limits:
            limit.charge(self.env.now, finish_s)
