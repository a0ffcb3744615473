"""The relay's batches: all that the messages handed over together share."""

from __future__ import annotations

import numpy as np

from sendcap.scenario import Scenario


class Batches:
    """The batches of all deliveries, numbered in the order in which they are handed over.

    A message carries only the number of a batch; this table has the rest.
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
        self.size = np.concatenate(sizes)[order]  # messages
        self.delivery = np.repeat(np.arange(len(counts), dtype=np.int16), counts)[order]
        self.ready_s = by_delivery_s[order]  # when a batch may be handed over
        # Once the hand-over has begun: its end, and the expiry of the messages.
        self.relayed_s = np.zeros(len(self.size))
        self.expiry_s = np.zeros(len(self.size))

    @property
    def of_one_delivery(self) -> bool:
        """Whether all batches are of one delivery."""
        return self._deliveries == 1

    def __len__(self) -> int:
        return len(self.size)
