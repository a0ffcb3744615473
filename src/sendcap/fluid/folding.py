"""Limits over several queues that are none: those of one queue, and those that never bind.

A limit over all messages of one queue is that queue's own. One that allows no less than the limits
of its queues allow together never holds anything back: with a burst b and a rate r each, they start
at most b + r·t messages in any time t, and so their sum conforms to a limit with the sums.
"""

from collections.abc import Iterable
from typing import Final

from sendcap.scenario import Provider, Queue, Rate, Scenario, SharedLimit
from sendcap.scenario.throttle import FixedWindow, Throttle

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
    if limit.deliveries:
        # Such a limit holds messages back before they take a connection.
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
    if most is not None and most >= sum(own.connections_per_ip * ips for own, ips in queues):
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
