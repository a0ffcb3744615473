"""The queues of the textbook model, wired to the limits that they share."""

from __future__ import annotations

import simpy

from sendcap.scenario import Scenario
from sendcap.textbook.chance import Chance
from sendcap.textbook.disturbance import BadTimes
from sendcap.textbook.queue import Queue
from sendcap.textbook.shared import Shared


def wired_queues(
    env: simpy.Environment, scenario: Scenario, chance: Chance
) -> dict[tuple[str, str | None], list[Queue]]:
    """Return the queues of each provider and pool, wired to the limits that they share."""
    limits = [Shared(limit) for limit in scenario.limits]
    bad_times = {
        name: [BadTimes(each, chance) for each in provider.disturbances]
        for name, provider in scenario.providers.items()
    }
    queues: dict[tuple[str, str | None], list[Queue]] = {}
    for path in scenario.queues():
        shared = [each for each in limits if each.limit.covers(path)]
        queue = Queue(env, path, scenario, shared, bad_times[path.provider])
        queues.setdefault((path.provider, path.pool), []).append(queue)
    everything = [queue for each in queues.values() for queue in each]
    for queue in everything:
        queue.rivals = [
            other
            for other in everything
            if other is queue or any(each in queue.shared for each in other.shared)
        ]
    return queues
