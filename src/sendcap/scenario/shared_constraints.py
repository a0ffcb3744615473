"""The limits that queues share, in closed form: over several of them, and of the relay."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from sendcap.scenario.constraints import (
    Constraint,
    over,
    rate_constraint,
    throttle_constraint,
    together_constraints,
)
from sendcap.scenario.hand_over import connect_s
from sendcap.scenario.pools import Queue, SharedLimit
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.throttle import Gap


def shared_constraints(
    scenario: Scenario, limit: SharedLimit, covered: Mapping[tuple[Queue, str], int]
) -> tuple[Constraint, ...]:
    """Return what a limit over several queues lets through, of all of them together.

    A connection in use carries an attempt per connect and transaction time, on average over the
    queues that are covered, by their messages.
    """
    constraints, messages, busy_s, transactions_s = [], 0.0, 0.0, 0.0
    for (path, _), count in covered.items():
        provider = scenario.providers[path.provider]
        messages += count
        transactions_s += count * provider.transaction_time.mean_s
        busy_s += count * (provider.transaction_time.mean_s + connect_s(provider))
    if limit.connections is not None:
        per_s = over(limit.connections * messages, busy_s)
        constraints.append(Constraint.constant("connections", per_s))
    for number, throttle in enumerate(limit.throttles):
        if isinstance(throttle, Gap):
            # One attempt at a time, whatever its queue.
            attempts_s = transactions_s + messages * throttle.pause
            constraint = Constraint.constant("gap", over(messages, attempts_s))
        else:
            constraint = throttle_constraint(throttle, None, 1)
        name = constraint.name if len(limit.throttles) == 1 else f"rate[{number}]"
        constraints.append(replace(constraint, name=name, throttle=throttle))
    return tuple(constraints)


# The relay.

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
