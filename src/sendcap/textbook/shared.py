"""A limit over several queues in the textbook model."""

from __future__ import annotations

import math

from sendcap.scenario import Delivery, SharedLimit
from sendcap.textbook.throttles import throttle_of


class Shared:
    """What several queues may do together: a throttle, and connections in use.

    One over deliveries acts when a message takes a connection, and others pass it.
    """

    def __init__(self, limit: SharedLimit) -> None:
        self.limit = limit
        self.throttle = throttle_of(limit.throttles, 1)
        self.connections = limit.connections or math.inf
        self.used = 0

    @property
    def is_full(self) -> bool:
        """Whether no more connections may be used."""
        return self.used >= self.connections

    def covers(self, delivery: Delivery) -> bool:
        """Tell whether the messages of a delivery count."""
        return self.limit.covers_delivery(delivery.name)
