"""Whose turn it is, in words: the order of a queue, the active queue, the turns of addresses."""

from collections.abc import Iterator

from sendcap.scenario import PRIORITIES, Queue, Scenario
from sendcap.text.quantities import counted, listed


def order_rows(scenario: Scenario, path: Queue) -> Iterator[tuple[str, str]]:
    """Yield what says which message of a queue goes first, where that is not the oldest."""
    mta = scenario.mta
    names = [name for queue, name in scenario.loads() if queue == path]
    if mta.order == "fair" and len(names) > 1:
        yield "Order", f"{listed(names)} take turns"
    if mta.order == "priority":
        first, *others = _by_priority(scenario, names)
        if others:
            yield "Order", ", then ".join([f"{listed(first)} first", *map(listed, others)])
    if mta.active is not None:
        yield "Active", f"{counted(mta.active, 'message')} at a time, over all queues"
    pool = mta.pools.get(path.pool or "")
    if pool is not None and pool.weights:
        total = sum(pool.weights)
        parts = listed([f"{each} by IP {n + 1}" for n, each in enumerate(pool.weights)])
        yield "Turns of IPs", f"of each {total:,} messages {parts}"


def _by_priority(scenario: Scenario, names: list[str]) -> list[list[str]]:
    """Return deliveries by priority, the highest first."""
    ranked = [
        [each.name for each in scenario.deliveries if each.priority == priority]
        for priority in PRIORITIES
    ]
    classes = [[name for name in rank if name in names] for rank in ranked]
    return [each for each in classes if each]
