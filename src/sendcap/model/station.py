"""Stations, the parts of the model: each works off an inbox and passes results on."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import simpy


class Window(NamedTuple):
    """A stretch of time that is simulated at once: start_s ≤ t < end_s.

    It covers the cells ``first`` to ``last`` of the `Grid`.
    """

    start_s: float
    end_s: float
    first: int
    last: int


class Grid:
    """Time in cells: cell k lasts from k·length to (k + 1)·length. Windows are whole cells."""

    def __init__(self, length_s: float) -> None:
        self.length_s = length_s

    def window(self, first: int, cells: int = 1) -> Window:
        """Return the window of so many cells from the first on."""
        end = first + cells
        return Window(first * self.length_s, end * self.length_s, first, end - 1)

    def start_s(self, cell: int) -> float:
        """Return when a cell begins."""
        return cell * self.length_s

    def cell_of(self, times_s: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the cell in which each time lies.

        A quotient may be rounded across the edge, so it is held against the window's own bounds.
        """
        numbers = np.floor(times_s / self.length_s)
        numbers -= times_s < numbers * self.length_s
        numbers += times_s >= (numbers + 1) * self.length_s
        return numbers.astype(np.int64)


class Station:
    """A SimPy process that works off its inbox, in order.

    A station hands on by putting into the inboxes of others. All that concerns a window is
    handed on at the window's start, before the clock moves; the look-ahead makes that possible.
    """

    def __init__(self, env: simpy.Environment) -> None:
        self.inbox = simpy.Store(env)
        env.process(self._work())

    def _work(self) -> Generator[simpy.Event, Any, None]:
        while True:
            self.receive((yield self.inbox.get()))

    def receive(self, item: Any) -> None:
        """Work off one item of the inbox."""
        raise NotImplementedError

    @property
    def next_event_s(self) -> float:
        """Time of the next event here."""
        return np.inf
