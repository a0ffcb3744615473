"""The relay's batches, numbered in the order in which they are handed over."""

from __future__ import annotations

import numpy as np

from sendcap.model.kernel.state import Batches, Floats, Ints
from sendcap.scenario import Scenario
from sendcap.scenario.pattern import ready_s as ready_s_of


def batch_rows(scenario: Scenario) -> tuple[Ints, Floats, Ints]:
    """Return the size of each batch, when it may be handed over, and its delivery."""
    sizes, ready_s = [], []
    for delivery in scenario.deliveries:
        size = scenario.batch_of(delivery)
        batches = np.full(scenario.batches_of(delivery), size, np.int64)
        batches[-1] = delivery.messages - size * (len(batches) - 1)
        sizes.append(batches)
        ready_s.append(ready_s_of(delivery, scenario.start, np.arange(len(batches)), len(batches)))
    counts = [len(batches) for batches in sizes]
    by_delivery_s = np.concatenate(ready_s)
    order = np.argsort(by_delivery_s, kind="stable")
    numbers = np.repeat(np.arange(len(counts)), counts)
    return np.concatenate(sizes)[order], by_delivery_s[order], numbers[order]


def batches_of(scenario: Scenario) -> Batches:
    """Return the batches before any has been handed over."""
    _, ready_s, delivery = batch_rows(scenario)
    count, rate = len(delivery), scenario.mta.ingress_rate
    return Batches(
        delivery=delivery.astype(np.int32),
        ready_s=ready_s,
        relayed_s=np.zeros(count),
        expiry_s=np.zeros(count),
        leaves_s=np.zeros(count),
        first_number=np.zeros(count, np.int32),
        service_s=np.array([0.0 if rate is None else 1.0 / rate.per_s]),
    )
