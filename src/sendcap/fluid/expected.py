"""The expected ledger of a scenario, computed as flows and without sampling."""

import math
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

import numpy as np

from sendcap.fluid.attempts import settled
from sendcap.fluid.counts import Counting, Counts, with_attempts_known
from sendcap.fluid.feedback import taken_in
from sendcap.fluid.followed import require_followed, require_known_starts
from sendcap.fluid.handover import Cohorts, few_batches, handed_over
from sendcap.fluid.refusals import Refusals
from sendcap.fluid.spans import Floats
from sendcap.fluid.variation import AS_EXPECTED, Lump, Variation
from sendcap.ledger import Ledger, SparseCounts
from sendcap.model.confirmation import as_sent
from sendcap.scenario import Provider, Queue, Rate, Scenario, SharedLimit
from sendcap.scenario.throttle import FixedWindow, Throttle

_NOTHING: Final = 1e-6
"""Share of a series in the tail that is added to the last bin."""
_COARSER: Final = 6
_LATE: Final = 2.0
"""Standard deviations by which a stage is late or early."""


def expected_ledger(scenario: Scenario, variation: Variation = AS_EXPECTED) -> Ledger:
    """Return the expected counts of a scenario, as floats; see `sendcap.analysis.expected`.

    Or those of a run whose stages are all late, or early.
    """
    require_known_starts(scenario)
    scenario = with_own_limits(as_sent(scenario))
    require_followed(scenario)
    cohorts = handed_over(scenario, variation)
    counting = Counting(scenario, _shortest_s(scenario, cohorts))
    to_deliver = scenario.to_deliver()
    counts: Counts = {}
    for path in scenario.paths():
        each = [
            to_deliver.get((delivery.name, path.provider), 0)
            if scenario.pool_of(delivery) == path.pool
            else 0
            for delivery in scenario.deliveries
        ]
        if any(each):
            of_each = np.array(each, np.float64)
            counts |= _at(scenario, path, cohorts, counting, of_each, variation)
    counts = with_attempts_known(taken_in(scenario, counts))
    return _ledger(scenario, counts)


def courses(scenario: Scenario) -> Iterator[Ledger]:
    """Yield the expected course on a coarser grid, and courses of runs that are late or early.

    A relay with few batches goes its own way each time; with more, all are late or all are early.
    """
    scenario = scenario.without_engagement
    yield expected_ledger(scenario, Variation(coarser=_COARSER))
    few = few_batches(scenario)
    signs = [*product((_LATE, -_LATE), repeat=2)] * 2 if few else [(_LATE,) * 2, (-_LATE,) * 2]
    for number, (relay, queues) in enumerate(signs):
        yield expected_ledger(scenario, Variation(relay, queues, number, _COARSER))


def _shortest_s(scenario: Scenario, cohorts: Cohorts) -> float:
    """Return the shortest time in which a delivery is relayed."""
    begin_s, end_s = cohorts.relayed.ends_s
    return min(
        float(end_s[chosen].max() - begin_s[chosen].min())
        for chosen in (cohorts.delivery == number for number in range(len(scenario.deliveries)))
    )


def _at(
    scenario: Scenario,
    path: Queue,
    cohorts: Cohorts,
    counting: Counting,
    each: Floats,
    variation: Variation,
) -> Counts:
    """Return the counts of a queue, by the messages that each delivery has for it."""
    name = path.provider
    messages = cohorts.share * each[cohorts.delivery]
    relayed = messages * (1.0 - scenario.relay.error_rate)
    of_all = sum(delivery.messages for delivery in scenario.deliveries)
    lump = Lump.of(scenario, path, float(each.sum()) / of_all)
    receiver = scenario.providers[name]
    refusals = Refusals(receiver, path.ips, counting.step_s, lump, variation.queues)
    attempts = settled(scenario, path, cohorts, relayed, refusals, variation)
    counts: Counts = {}
    for number, delivery in enumerate(scenario.deliveries):
        if each[number]:
            chosen = cohorts.delivery == number
            counts |= counting.relay(delivery.name, name, cohorts, messages * chosen)
            counts |= counting.attempts(delivery.name, name, attempts, chosen, refusals)
    return counts


def _ledger(scenario: Scenario, counts: Counts) -> Ledger:
    to_deliver = scenario.to_deliver()
    bin_s, horizon_s = scenario.time.bin, scenario.time.horizon
    most = None if horizon_s is None else math.ceil(horizon_s / bin_s)
    columns = {series: _shortened(column)[:most] for series, column in counts.items()}
    columns = {series: column for series, column in columns.items() if column.any()}
    bins = max(map(len, columns.values()), default=0)
    sparse = {series: SparseCounts.of(column) for series, column in columns.items()}
    return Ledger(bin_s, bins, to_deliver, sparse, parents=scenario.parents())


def _shortened(counts: Floats) -> Floats:
    """Return counts without the tail, which is added to the last bin before it."""
    after = np.cumsum(counts[::-1])[::-1]
    end = int(np.searchsorted(-after, -_NOTHING * after[:1].sum()))
    if end in (0, len(counts)):
        return counts[:end]
    shortened = counts[:end].copy()
    shortened[-1] += after[end]
    return shortened


# Limits over several queues that are none: those of one queue, and those that never bind. A limit
# over all messages of one queue is that queue's own. One that allows no less than the limits of its
# queues allow together never holds anything back: with a burst b and a rate r each, they start at
# most b + r·t messages in any time t, and so their sum conforms to a limit with the sums.

_OF_ONE_ADDRESS: Final = "per-ip"


def with_own_limits(scenario: Scenario) -> Scenario:
    """Return a scenario that behaves alike, with fewer limits over several queues."""
    if not scenario.limits:
        return scenario
    providers = dict(scenario.providers)
    limits = list[SharedLimit]()
    for limit in scenario.limits:
        queue = _only_queue(scenario, limit)
        left = limit
        if queue is not None:
            providers[queue.provider], left = _folded(providers[queue.provider], limit, queue.ips)
        limits.append(left)
    rest = tuple(filter(None, (_binding(scenario, providers, limit) for limit in limits)))
    return scenario.model_copy(update={"providers": providers, "limits": rest})


def _only_queue(scenario: Scenario, limit: SharedLimit) -> Queue | None:
    """Return the queue whose own limit this is, if there is one."""
    if limit.lets_others_pass or limit.one_more_every is not None:
        # Such a limit holds some messages back before they take a connection, or for a time.
        return None
    queues = _queues(scenario, limit)
    if len(queues) != 1:
        return None
    queue = queues[0]
    of_provider = [each for each in scenario.paths() if each.provider == queue.provider]
    apart = scenario.mta.queues == _OF_ONE_ADDRESS and queue.ips > 1
    return None if apart or len(of_provider) > 1 else queue


def _queues(scenario: Scenario, limit: SharedLimit) -> list[Queue]:
    covered = limit.covered(scenario.loads())
    return list(dict.fromkeys(queue for queue, _ in covered))


def _folded(provider: Provider, limit: SharedLimit, ips: int) -> tuple[Provider, SharedLimit]:
    """Return a provider with a limit of its queue, and what is left of that."""
    most, own = limit.connections, provider.connections_per_ip
    if most is not None and (most >= own * ips or most % ips == 0):
        provider = provider.model_copy(update={"connections_per_ip": min(own, most // ips)})
        most = None
    rates, left = list(provider.throttles), list[Throttle]()
    for throttle in limit.throttles:
        each = _divided(throttle, ips)
        (left if each is None else rates).append(throttle if each is None else each)
    provider = provider.model_copy(update={"rate": _field(rates)})
    return provider, limit.model_copy(update={"connections": most, "rate": _field(left)})


def _divided(throttle: Throttle, ips: int) -> Throttle | None:
    """Return the throttle of each address, None where it cannot be divided."""
    if ips == 1:
        return throttle
    match throttle:
        case Rate(limit=limit, burst=burst) if limit % ips == 0 and (burst or 0) % ips == 0:
            return Rate(limit // ips, throttle.period_s, burst and burst // ips)
        case FixedWindow(limit=limit) if limit % ips == 0:
            return throttle.model_copy(update={"limit": limit // ips})
    return None


def _field(throttles: list[Throttle]) -> Throttle | tuple[Throttle, ...] | None:
    return throttles[0] if len(throttles) == 1 else tuple(throttles) or None


def _binding(
    scenario: Scenario, providers: dict[str, Provider], limit: SharedLimit
) -> SharedLimit | None:
    """Return what of a limit may ever hold a message back, None for nothing."""
    queues = [(providers[queue.provider], queue.ips) for queue in _queues(scenario, limit)]
    most = limit.connections
    together = sum(own.connections_per_ip * ips for own, ips in queues)
    if limit.one_more_every is None and most is not None and most >= together:
        most = None
    rates = [throttle for throttle in limit.throttles if not _idle(throttle, queues)]
    if most is None and not rates:
        return None
    return limit.model_copy(update={"connections": most, "rate": _field(rates)})


def _idle(throttle: Throttle, queues: Iterable[tuple[Provider, int]]) -> bool:
    """Tell whether the queues' own throttles let through no more than this one."""
    per_s = burst = 0.0
    for provider, ips in queues:
        own = [each for each in provider.throttles if _is_alike(each, throttle)]
        if not own:
            return False
        slowest = min(own, key=_per_s)
        per_s += ips * _per_s(slowest)
        burst += ips * _burst(slowest)
    return per_s <= _per_s(throttle) and burst <= _burst(throttle)


def _is_alike(own: Throttle, throttle: Throttle) -> bool:
    if isinstance(throttle, FixedWindow):
        return isinstance(own, FixedWindow) and own.window == throttle.window
    return isinstance(throttle, Rate) and isinstance(own, Rate)


def _per_s(throttle: Throttle) -> float:
    if isinstance(throttle, FixedWindow):
        return throttle.limit / throttle.window
    return throttle.per_s if isinstance(throttle, Rate) else 0.0


def _burst(throttle: Throttle) -> float:
    return float(throttle.burst_or_limit) if isinstance(throttle, Rate) else 0.0
