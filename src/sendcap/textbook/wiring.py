"""The queues of the textbook model, the limits that they share, and their turns."""

from __future__ import annotations

from collections.abc import Iterator

import simpy

from sendcap.scenario import Scenario
from sendcap.textbook.active import ActiveQueue
from sendcap.textbook.chance import Chance
from sendcap.textbook.disturbance import BadTimes
from sendcap.textbook.order import in_turn
from sendcap.textbook.queue import Queue
from sendcap.textbook.shared import Shared

Queues = dict[tuple[str, str | None], list[Queue]]
"""Of each provider and pool."""


def wired_queues(
    env: simpy.Environment, scenario: Scenario, chance: Chance, active: ActiveQueue
) -> Queues:
    """Return the queues of each provider and pool, wired to the limits that they share."""
    limits = [Shared(env, limit, active) for limit in scenario.limits]
    bad_times = {
        name: [BadTimes(each, chance) for each in provider.disturbances]
        for name, provider in scenario.providers.items()
    }
    queues: Queues = {}
    for path in scenario.queues():
        shared = [each for each in limits if each.limit.covers(path)]
        queue = Queue(env, path, scenario, shared, bad_times[path.provider])
        queues.setdefault((path.provider, path.pool), []).append(queue)
        for each in shared:
            each.queues.append(queue)
    everything = [queue for each in queues.values() for queue in each]
    for queue in everything:
        for other in everything:
            over_queues = any(each in queue.over_queues for each in other.over_queues)
            passing = any(each in queue.passing for each in other.passing)
            if other is queue or over_queues or passing:
                queue.rivals.append(other)
            if over_queues:
                queue.line.rivals.append(other.line)
    return queues


def turns_of(queues: Queues, scenario: Scenario) -> dict[tuple[str, str | None], Iterator[Queue]]:
    """Return which queue of a provider and pool takes the next message, and so on."""
    weights = {name: pool.weights for name, pool in scenario.mta.pools.items()}
    return {
        (provider, pool): in_turn(each, (pool and weights[pool]) or [1] * len(each))
        for (provider, pool), each in queues.items()
    }
