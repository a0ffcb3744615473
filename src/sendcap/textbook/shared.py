"""A limit over several queues in the textbook model."""

from __future__ import annotations

import math

from sendcap.scenario import SharedLimit
from sendcap.textbook.throttles import throttle_of


class Shared:
    """What several queues may do together: a throttle, and connections in use."""

    def __init__(self, limit: SharedLimit) -> None:
        self.limit = limit
        self.throttle = throttle_of(limit.throttles, 1)
        self.connections = limit.connections or math.inf
        self.used = 0
