"""The relay's batches: what every message shares with those handed over along with it."""

from __future__ import annotations

import numpy as np

from sendcap.scenario import Scenario


class Batches:
    """The batches of all deliveries, numbered in the order in which they are handed over.

    A message carries only the number of its batch; this table tells the rest.

    Attributes
    ----------
    size : ndarray of int
        Messages in the batch.
    delivery : ndarray of int
        Number of its delivery.
    ready_s : ndarray of float
        When its delivery starts.
    relayed_s : ndarray of float
        When its hand-over ends, once it has begun.
    expiry_s : ndarray of float
        When its messages expire, once it has begun.
    """

    def __init__(self, scenario: Scenario) -> None:
        deliveries = scenario.deliveries
        order = sorted(range(len(deliveries)), key=lambda number: deliveries[number].at)
        sizes = []
        for number in order:
            whole, rest = divmod(deliveries[number].messages, scenario.relay.batch)
            batches = np.full(whole + (rest > 0), scenario.relay.batch, np.int64)
            if rest:
                batches[-1] = rest
            sizes.append(batches)
        counts = [len(batches) for batches in sizes]
        self.size = np.concatenate(sizes)
        self.delivery = np.repeat(np.array(order, np.int16), counts)
        self.ready_s = np.repeat([deliveries[number].at for number in order], counts)
        self.relayed_s = np.zeros(len(self.size))
        self.expiry_s = np.zeros(len(self.size))

    def __len__(self) -> int:
        return len(self.size)
