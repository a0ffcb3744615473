"""Messages that back off until they are due again."""

from __future__ import annotations

import numpy as np
import simpy

from sendcap.model.calendar import Calendar
from sendcap.model.messages import Records
from sendcap.model.station import Grid, Station, Window


class Backoff(Station):
    """Keeps the soft-bounced messages of one provider until they fall due."""

    def __init__(self, env: simpy.Environment, grid: Grid, queue: simpy.Store) -> None:
        super().__init__(env)
        self._calendar = Calendar(grid)
        self._queue = queue

    @property
    def next_event_s(self) -> float:
        """When the window begins in which the next message falls due."""
        return self._calendar.next_s

    def receive(self, item: Records | Window) -> None:
        """Hold messages until their ready times; release those of a window that opens."""
        if isinstance(item, Window):
            due = self._calendar.take(item)
            # Messages due at the same moment keep the order in which their attempts started.
            self._queue.put(due[np.argsort(due["ready_s"], kind="stable")])
        else:
            self._calendar.keep(item)
