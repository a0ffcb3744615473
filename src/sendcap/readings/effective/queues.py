"""The queues of a scenario with the settings that take effect; those with the same together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sendcap.readings.effective.connections import connection_rows
from sendcap.readings.effective.order import order_rows
from sendcap.readings.effective.reactions import bad_time_rows, reaction_rows
from sendcap.readings.effective.retries import retry_rows
from sendcap.readings.effective.scope import Scope
from sendcap.readings.effective.throttles import limit_text
from sendcap.scenario import Queue, Scenario
from sendcap.scenario.constraints import queue_constraints
from sendcap.scenario.stages import Stage, stages
from sendcap.text.quantities import counted, listed

_MOST: Final = 10
"""Queues that a shared limit names; of more each has its row."""


@dataclass(frozen=True)
class Effective:
    """Queues, and their settings in words.

    Attributes
    ----------
    queues
        Queues with the same settings; those of a pool's addresses count as one.
    apart
        Whether each address has a queue of its own.
    rows
        Label and text of each setting.
    """

    queues: tuple[Queue, ...]
    apart: bool
    rows: tuple[tuple[str, str], ...]

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

    Parameters
    ----------
    scenario
        A scenario.

    Returns
    -------
    tuple of Effective
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
    texts = [
        limit_text(constraint.throttle, constraint, constraint, scope)
        if constraint.throttle is not None
        else f"{counted(limit.servers, 'connection')} in use"
        for constraint in limit.constraints
    ]
    over = "all queues"
    if len(limit.paths) < len(scenario.paths()):
        over = _names(limit.paths) if len(limit.paths) <= _MOST else f"{len(limit.paths)} queues"
    if len(limit.paths) > 1:
        over += " together"
    whose = f", for {listed(limit.deliveries)}" if limit.deliveries else ""
    return f"{limit.name}, over {over}{whose}: {'; '.join(texts)}"


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
