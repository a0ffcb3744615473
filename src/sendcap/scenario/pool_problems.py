"""What may be wrong with the pools of a scenario, and with the limits over several queues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sendcap.scenario.section import Place, repeated
from sendcap.text.quoting import did_you_mean, first_few, shown

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario

_ONE_OF: Final = {"providers": "provider", "pools": "pool", "deliveries": "delivery"}


def pool_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong, and where."""
    pools, problems = scenario.mta.pools, False
    if pools and scenario.mta.ips != 1:
        yield ("mta", "ips"), "leave it out: each pool has its own addresses (ips)"
    for number, delivery in scenario.numbered():
        place = ("deliveries", number, "pool")
        if delivery.is_held:
            problems = problems or delivery.pool not in (pools or (None,))
        elif delivery.pool is None:
            if len(pools) > 1:
                problems = True
                yield place, f"required where the MTA has several pools: {first_few(pools)}"
        elif delivery.pool not in pools:
            problems = True
            defined = f"; defined: {first_few(pools)}"
            if not pools:
                defined = "; the MTA has none: define [mta.pools.NAME] with ips"
            hint = did_you_mean(delivery.pool, pools) or defined
            yield place, f"no pool has this name, {shown(delivery.pool)}{hint}"
    for name, pool in pools.items():
        if pool.weights and scenario.mta.queues != "per-ip":
            message = (
                "changes nothing, since the addresses of a pool share a queue; write "
                'mta.queues = "per-ip", or leave it out'
            )
            yield ("mta", "pools", name, "weights"), message
    if problems:
        return
    used = {scenario.pool_of(delivery) for delivery in scenario.deliveries}
    for name in pools:
        # An MTA that is asked about its backlog has the pools that it has.
        if name not in used and not scenario.backlog:
            yield ("mta", "pools", name), "no delivery leaves from this pool; name it, or drop it"
    yield from _limit_problems(scenario)


def _limit_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield limits that name what does not exist, or that cover no queue."""
    for number, name in repeated(limit.name for limit in scenario.limits):
        message = f"{shown(name)} is used before; give each limit its own name"
        yield ("limits", number, "name"), message
    providers = {name for delivery in scenario.deliveries for name in delivery.audience}
    # Where a provider is unknown, who sends where is not known either.
    loads = scenario.loads() if providers <= set(scenario.providers) else None
    for number, limit in enumerate(scenario.limits):
        unknown = False
        for key, names, known in (
            ("providers", limit.providers, scenario.providers),
            ("pools", limit.pools, scenario.mta.pools),
            (
                "deliveries",
                limit.deliveries,
                [*scenario.parents(), *(each.name for each in scenario.deliveries)],
            ),
        ):
            for place, name in enumerate(names):
                if name not in known:
                    unknown = True
                    defined = f"; defined: {first_few(known)}" if known else "; none is defined"
                    hint = did_you_mean(name, known) or defined
                    message = f"no {_ONE_OF[key]} has this name, {shown(name)}{hint}"
                    yield ("limits", number, key, place), message
        if not unknown and loads is not None and not limit.covered(loads):
            message = "covers no queue: no delivery sends there"
            if limit.deliveries:
                message = "covers no message: none of these deliveries sends there"
            yield ("limits", number), message
