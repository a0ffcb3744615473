"""The limits of the relay in closed form: its workers, its rate, and what these leave together."""

from typing import Final

import numpy as np

from sendcap.scenario.constraints import (
    Constraint,
    over,
    rate_constraint,
    together_constraints,
)
from sendcap.scenario.scenario import Scenario

WORKERS: Final = "workers"
"""Name of the limit of the workers."""
WORKERS_AND_RATE: Final = "workers and rate"
"""Name of the limit where workers and rate nearly match."""
_SIZES: Final = 16


def relay_constraints(scenario: Scenario) -> tuple[Constraint, ...]:
    """Return the limits of the relay: the workers, a rate, and both together where that is less.

    A worker hands over a batch per ``batch_time``; a delivery's last batch may be smaller
    than the others.
    """
    relay = scenario.relay
    workers_per_s = over(relay.workers * scenario.mean_batch, relay.batch_time.mean_s)
    workers = Constraint.constant(WORKERS, workers_per_s)
    if relay.rate is None:
        return (workers,)
    rate = rate_constraint("rate", relay.rate, 1)
    sizes = _batch_sizes(scenario)
    both = together_constraints(WORKERS_AND_RATE, rate, relay.workers, relay.batch_time, sizes)
    return workers, rate, *both


def _batch_sizes(scenario: Scenario) -> tuple[int, ...]:
    """Return the sizes of batches, each as often as there are, in sixteenths of all."""
    counts: dict[int, int] = {}
    for delivery in scenario.relayed:
        size = min(scenario.batch_of(delivery), delivery.messages)
        counts[size] = counts.get(size, 0) + delivery.messages // size
    sizes = sorted(counts) or [scenario.relay.batch]
    if len(sizes) == 1:
        return tuple(sizes)
    until_now = np.cumsum([counts[size] for size in sizes]) / sum(counts.values())
    middles = (np.arange(_SIZES) + 0.5) / _SIZES
    return tuple(sizes[place] for place in np.searchsorted(until_now, middles).tolist())
