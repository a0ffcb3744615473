"""Messages whose validity ends: reported as expired when it does."""

from __future__ import annotations

import numpy as np
import simpy

from sendcap.model.batches import Batches
from sendcap.model.calendar import Calendar
from sendcap.model.messages import Records, Reports
from sendcap.model.spool import Spool
from sendcap.model.station import Grid, Station, Window
from sendcap.model.streams import Draws, Streams
from sendcap.scenario import Scenario

_ORDER = ("message", "reason", "reported_s", "failures", "batch", "ready_s")
"""Sort keys, the last the most important. Expired messages are found in an order that depends on
the window; this one does not."""


class Expiry(Station):
    """Keeps the messages of one provider that will expire, until they do.

    Each comes with its ``ready_s`` set to when it expires.
    """

    def __init__(
        self,
        env: simpy.Environment,
        grid: Grid,
        number: int,
        name: str,
        scenario: Scenario,
        streams: Streams,
        batches: Batches,
        spool: Spool,
        feedback: Station,
    ) -> None:
        super().__init__(env)
        self._calendar = Calendar(grid)
        self._provider = number
        generator = streams.generator("expiry feedback", provider=name)
        self._latency_s = Draws(
            lambda count: scenario.feedback.synchronous.sample(generator, count)
        )
        self._batches = batches
        self._spool = spool
        self._feedback = feedback
        self.expired = 0

    @property
    def next_event_s(self) -> float:
        """When the window begins in which the next message expires."""
        return self._calendar.next_s

    def receive(self, item: Records | Window) -> None:
        """Keep messages; at the end of a window's, report those that expire in it."""
        if not isinstance(item, Window):
            self._calendar.keep(item)
            return
        expired = self._calendar.take(item)
        if len(expired):
            self._report(expired[np.lexsort([expired[key] for key in _ORDER])])

    def _report(self, expired: Records) -> None:
        self.expired += len(expired)
        when_s = np.ascontiguousarray(expired["ready_s"])
        self._spool.free(when_s)
        arrives_s = when_s + self._latency_s.take(len(expired))
        self._feedback.inbox.put(
            Reports(
                "expired",
                self._provider,
                self._batches.delivery[expired["batch"]],
                expired["reason"],
                when_s,
                np.maximum(arrives_s, expired["reported_s"]),
                expired["failures"] == 0,
                expired["failures"],
                expired["message"],
            )
        )
