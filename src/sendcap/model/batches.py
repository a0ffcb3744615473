"""The relay's batches, numbered in the order in which they come to be known."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sendcap.model.kernel.state import Batches, Floats, Ints
from sendcap.model.records import longer, power_of_two
from sendcap.scenario import Scenario
from sendcap.scenario.pattern import ready_s as ready_s_of


class BatchRows(NamedTuple):
    """Batches, in the order in which they may be handed over."""

    size: Ints
    ready_s: Floats
    delivery: Ints


def batch_rows(scenario: Scenario, messages: Sequence[int] | None = None) -> BatchRows:
    """Return the batches of all deliveries; of so many messages, where they are given."""
    if messages is None:
        messages = [0 if each.is_held else each.messages for each in scenario.deliveries]
    sizes, ready_s, numbers = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for number, (delivery, count) in enumerate(zip(scenario.deliveries, messages, strict=True)):
        if not count:
            continue
        size = scenario.batch_of(delivery)
        batches = np.full(-(-count // size), size, np.int64)
        batches[-1] = count - size * (len(batches) - 1)
        sizes.append(batches)
        places = np.arange(len(batches))
        ready_s.append(ready_s_of(delivery, scenario.start, places, len(batches)))
        numbers.append(np.full(len(batches), number))
    by_delivery_s = np.concatenate(ready_s)
    order = np.argsort(by_delivery_s, kind="stable")
    return BatchRows(
        np.concatenate(sizes)[order], by_delivery_s[order], np.concatenate(numbers)[order]
    )


def no_batches(scenario: Scenario) -> Batches:
    """Return room for batches."""
    rate = scenario.mta.ingress_rate
    return Batches(
        delivery=np.zeros(0, np.int32),
        ready_s=np.zeros(0),
        relayed_s=np.zeros(0),
        expiry_s=np.zeros(0),
        leaves_s=np.zeros(0),
        first_number=np.zeros(0, np.int32),
        service_s=np.array([0.0 if rate is None else 1.0 / rate.per_s]),
    )


def with_batches(batches: Batches, count: int, rows: BatchRows) -> Batches:
    """Return batches of which there are so many, with others after them."""
    end = count + len(rows.size)
    if end > len(batches.delivery):
        room = power_of_two(end)
        arrays = {
            name: longer(array, room)
            for name, array in batches._asdict().items()
            if name != "service_s"
        }
        batches = batches._replace(**arrays)
    batches.delivery[count:end] = rows.delivery
    batches.ready_s[count:end] = rows.ready_s
    return batches
