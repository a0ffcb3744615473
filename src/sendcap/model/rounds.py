"""Rounds of the addresses of a pool: in which order they take messages."""

import math
from collections.abc import Iterator, Sequence

from sendcap.scenario import Queue, Scenario


def round_of(scenario: Scenario, path: Queue) -> list[int]:
    """Return the addresses of a queue's pool in the order of their turns; one that all share: 0."""
    if scenario.mta.queues == "pooled":
        return [0]
    pool = scenario.mta.pools.get(path.pool or "")
    weights = pool.weights if pool else ()
    return list(_weighted(weights)) if weights else list(range(scenario.pools()[path.pool]))


def _weighted(weights: Sequence[int]) -> Iterator[int]:
    """Yield a round in which each address has turns by its weight.

    Source: KumoMTA's egress pools, weighted round robin.
    """
    step = math.gcd(*weights)
    for weight in range(max(weights), 0, -step):
        yield from (number for number, each in enumerate(weights) if each >= weight)
