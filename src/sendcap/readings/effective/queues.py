"""The queues of a scenario with the settings that take effect; those with the same together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sendcap.model.scaling import waiting_for
from sendcap.readings.effective.reactions import bad_time_rows, reaction_rows
from sendcap.readings.effective.retries import retry_rows
from sendcap.readings.effective.throttles import Scope, limit_text, throttle_text
from sendcap.scenario import PRIORITIES, PostfixScaling, Queue, Scenario
from sendcap.scenario.constraints import queue_constraints
from sendcap.scenario.provider import Provider
from sendcap.scenario.stages import Stage, stages
from sendcap.text.quantities import all_units, counted, listed

_MOST: Final = 10
"""Queues that a shared limit names; of more each has its row."""


@dataclass(frozen=True)
class Effective:
    """Queues, and their settings in words."""

    queues: tuple[Queue, ...]  # with the same settings; those of a pool's addresses count as one
    apart: bool  # whether each address has a queue of its own
    rows: tuple[tuple[str, str], ...]  # label and text of each setting

    @property
    def heading(self) -> str:
        """The queues' names, and how many source addresses each has."""
        ips = self.queues[0].ips
        text = counted(ips, "IP")
        if ips > 1:
            text += ", each with a queue of its own" if self.apart else " together"
        return f"{_names(self.queues)}: {text}"


def effective(scenario: Scenario) -> tuple[Effective, ...]:
    """Return the settings that take effect at each queue with messages, in words.

    Queues with the same settings are said once, in the order of the first of them.
    """
    every = stages(scenario)
    limits = [stage for stage in every if stage.kind == "limit"]
    apart = scenario.mta.queues == "per-ip"
    groups: dict[tuple[int, tuple[tuple[str, str], ...]], list[Queue]] = {}
    for stage in every:
        if stage.kind == "provider":
            path = stage.paths[0]
            scope = Scope(path.ips, apart, scenario.start)
            rows = tuple(_rows(scenario, stage, limits, scope))
            groups.setdefault((path.ips, rows), []).append(path)
    return tuple(Effective(tuple(queues), apart, rows) for (_, rows), queues in groups.items())


def common_rows(groups: Sequence[Effective]) -> tuple[tuple[str, str], ...]:
    """Return the settings that all queues have, where there are several groups."""
    if len(groups) == 1:
        return ()
    return tuple(row for row in groups[0].rows if all(row in group.rows for group in groups))


def _rows(
    scenario: Scenario, stage: Stage, limits: Sequence[Stage], scope: Scope
) -> Iterator[tuple[str, str]]:
    path = stage.paths[0]
    provider = scenario.providers[path.provider]
    yield from connection_rows(provider, stage.servers, scope)
    yield from _rates(scenario, stage, scope)
    for limit in limits:
        if path in limit.paths:
            yield "Shared limit", _shared(scenario, limit)
    yield from order_rows(scenario, path)
    yield from reaction_rows(scenario, path.provider, scope)
    yield from retry_rows(scenario, path)
    yield from bad_time_rows(scenario, path.provider, scope)


def _rates(scenario: Scenario, stage: Stage, scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield the throttles, each of which holds."""
    of_one = queue_constraints(scenario, stage.paths[0]._replace(ips=1))
    each = {limit.name: limit for limit in of_one if limit.throttle is not None}
    if not each:
        yield "Rate", "none"
    for limit in stage.constraints:
        if limit.throttle is not None:
            label = limit.name[:1].upper() + limit.name[1:]
            yield label, limit_text(limit.throttle, each[limit.name], limit, scope)


def _shared(scenario: Scenario, limit: Stage) -> str:
    """Return a limit over several queues, and all that it covers, or how many."""
    scope = Scope(1, start=scenario.start)
    written = next(each for each in scenario.limits if each.name == limit.name)
    every_s = written.one_more_every
    grows = "" if every_s is None else f", one more each {all_units(every_s)}"
    texts = [
        limit_text(constraint.throttle, constraint, constraint, scope)
        if constraint.throttle is not None
        else f"{counted(limit.servers, 'connection')} in use{grows}"
        for constraint in limit.constraints
    ]
    over = "all queues"
    if len(limit.paths) < len(scenario.paths()):
        over = _names(limit.paths) if len(limit.paths) <= _MOST else f"{len(limit.paths)} queues"
    if len(limit.paths) > 1:
        over += " together"
    what = "retries to " if written.attempts == "retries" else ""
    whose = f", for {listed(limit.deliveries)}" if limit.deliveries else ""
    return f"{limit.name}, over {what}{over}{whose}: {'; '.join(texts)}"


def _names(queues: Sequence[Queue]) -> str:
    """Return names of queues; providers with the same pools share these.

    >>> _names([Queue("a", "x", 1), Queue("b", "x", 1), Queue("a", "y", 1)])
    'a from x and y; b from x'
    """
    pools_of: dict[str, list[str]] = {}
    for queue in queues:
        pools = pools_of.setdefault(queue.provider, [])
        if queue.pool is not None:
            pools.append(queue.pool)
    providers_of: dict[tuple[str, ...], list[str]] = {}
    for provider, pools in pools_of.items():
        providers_of.setdefault(tuple(pools), []).append(provider)
    return "; ".join(
        listed(providers) + (f" from {listed(pools)}" if pools else "")
        for pools, providers in providers_of.items()
    )


# Whose turn it is: the order of a queue, the active queue, the turns of addresses.


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


# The connections of a queue.


def connection_rows(
    provider: Provider, connections: int, scope: Scope
) -> Iterator[tuple[str, str]]:
    """Yield the connections, their rate, and those that the provider accepts."""
    yield "Connections", f"{_count(provider, connections, scope)}; {_life(provider)}"
    if provider.connection_rate is not None:
        yield "Opening", f"{throttle_text(provider.connection_rate, scope)}"
    accepted = provider.accepts_connections
    if accepted is not None:
        count = scope.total(f"{accepted:,}", f"{accepted * scope.ips:,}")
        refused = "a further one is refused, a soft bounce"
        if accepted >= provider.connections_per_ip:
            refused = "there are never more"
        yield "Accepted", f"{count} connections at a time; {refused}"


def _count(provider: Provider, connections: int, scope: Scope) -> str:
    per_ip = provider.connections_per_ip
    count = scope.total(f"{per_ip:,}", f"{connections:,}")
    scaling = provider.connection_scaling
    if scaling == "none":
        return f"{count}, opened as needed"
    queue = per_ip if scope.apart else connections
    each = " of an IP" if scope.apart and scope.ips > 1 else ""
    if isinstance(scaling, PostfixScaling):
        first = min(scaling.initial, per_ip)
        ends = scope.total(f"{first:,} to {per_ip:,}", f"{first * scope.ips:,} to {connections:,}")
        return f"{ends} by Postfix's window, {_feedback(scaling)}"
    longest = int(waiting_for(queue)[-1])
    return (
        f"{count}, opened by the length of the queue as in KumoMTA: all {queue:,}{each} from "
        f"{counted(longest, 'waiting message')} on"
    )


def _feedback(scaling: PostfixScaling) -> str:
    """Return what answers do to the window."""
    sizes = {"1": "1", "1/concurrency": "1 / window", "1/sqrt_concurrency": "1 / √window"}
    return (
        f"{sizes[scaling.positive]} more for a success, {sizes[scaling.negative]} less for an "
        "attempt that reaches nobody"
    )


def _life(provider: Provider) -> str:
    """Return when a connection is closed."""
    idle = f"closed when idle for {all_units(provider.idle_timeout)}"
    if provider.messages_per_connection == "unlimited":
        return idle
    return f"{idle} or after {counted(provider.messages_per_connection, 'attempt')}"
