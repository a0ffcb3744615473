"""The relay's batches: what every message shares with those handed over along with it."""

from __future__ import annotations

import numpy as np

from sendcap.scenario import Scenario


class Batches:
    """The batches of all deliveries, numbered in the order in which they are handed over.

    A message carries only the number of its batch; this table has the rest.

    Attributes
    ----------
    size : ndarray of int
        Messages in the batch.
    delivery : ndarray of int
        Number of its delivery.
    ready_s : ndarray of float
        When it may be handed over: at its delivery's start, or later in a spread delivery.
    relayed_s : ndarray of float
        When its hand-over ends, once it has begun.
    expiry_s : ndarray of float
        When its messages expire, once it has begun.
    """

    def __init__(self, scenario: Scenario) -> None:
        sizes, ready_s = [], []
        for delivery in scenario.deliveries:
            whole, rest = divmod(delivery.messages, scenario.relay.batch)
            batches = np.full(whole + (rest > 0), scenario.relay.batch, np.int64)
            if rest:
                batches[-1] = rest
            sizes.append(batches)
            ready_s.append(delivery.at + delivery.spread / len(batches) * np.arange(len(batches)))
        self._deliveries = len(scenario.deliveries)
        counts = [len(batches) for batches in sizes]
        by_delivery_s = np.concatenate(ready_s)
        order = np.argsort(by_delivery_s, kind="stable")
        self.size = np.concatenate(sizes)[order]
        self.delivery = np.repeat(np.arange(len(counts), dtype=np.int16), counts)[order]
        self.ready_s = by_delivery_s[order]
        self.relayed_s = np.zeros(len(self.size))
        self.expiry_s = np.zeros(len(self.size))

    @property
    def of_one_delivery(self) -> bool:
        """Whether all batches are of one delivery."""
        return self._deliveries == 1

    def __len__(self) -> int:
        return len(self.size)
