"""What may be wrong with the parts of a scenario together: deliveries, orders, rules, pools."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from sendcap.scenario.delivery import Delivery
from sendcap.scenario.durations import format_duration
from sendcap.scenario.pattern import pattern_problems
from sendcap.scenario.programme import names_of
from sendcap.scenario.rates import Rate
from sendcap.scenario.section import Place, repeated
from sendcap.scenario.suspend import Suspend
from sendcap.scenario.throttle import Schedule
from sendcap.text.clock import moment_text
from sendcap.text.quoting import dotted, first_few, meant_or_defined, shown
from sendcap.text.shares import rounded_share

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario


def delivery_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong, and where."""
    names = list(names_of(scenario.deliveries))
    found: dict[Place, str] = {}
    for second, name in repeated(name for _, name in names):
        message = f"{shown(name)} is used before; give each delivery its own name"
        # Of many repetitions the first one says it.
        found.setdefault(("deliveries", names[second][0], "name"), message)
    for number, delivery in scenario.numbered():
        # What is wrong with a backlog is said where that is written.
        for place, message in () if delivery.is_held else _problems(scenario, delivery):
            # Of many repetitions the first one says it.
            found.setdefault(("deliveries", number, *place), message)
    yield from found.items()


def confirmation_notes(scenario: Scenario) -> Iterator[str]:
    """Yield deliveries that even the quickest confirm too late; of many repetitions the first."""
    told = set()
    for number, delivery in scenario.numbered():
        confirm = delivery.confirm
        if confirm is None or number in told:
            continue
        until_s = delivery.sending[1] + delivery.gives_up_s
        if not confirm.can_be_in_time(delivery.sending[1], until_s, scenario.start):
            told.add(number)
            place = dotted(("deliveries", number, "confirm", "within"))
            least = format_duration(confirm.within.lowest_s)
            yield (
                f"{place}: takes at least {least}{'' if confirm.hours is None else ' of work'}; "
                f"{shown(delivery.name)} is given up at {moment_text(until_s, scenario.start)}, "
                "before anybody can confirm it, and is never sent"
            )


def batch_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield the batches for which the MTA's spool has no room."""
    spool = scenario.mta.spool
    if spool is None:
        return
    for number, delivery in scenario.numbered():
        if delivery.batch is not None and spool < delivery.batch:
            message = f"{delivery.batch} is more than mta.spool, {spool}; no batch fits"
            yield ("deliveries", number, "batch"), message
    size = scenario.relay.batch
    if spool < size and any(each.batch is None for each in scenario.deliveries):
        yield ("mta", "spool"), f"{spool} is less than relay.batch, {size}; no batch fits"


def _problems(scenario: Scenario, delivery: Delivery) -> Iterator[tuple[Place, str]]:
    # The population itself is told what is wrong with its providers.
    for name in () if "audience" in delivery.filled_in else delivery.audience:
        if name not in scenario.providers:
            hint = meant_or_defined(name, scenario.providers)
            yield ("audience", name), f"no provider has this name{hint}"
    honoured_s = scenario.honoured_validity(delivery)
    if delivery.spread >= honoured_s and scenario.mta.clock_origin != "relayed":
        message = (
            f"{format_duration(delivery.spread)} is no less than the validity, "
            f"{format_duration(honoured_s)}, which counts from the "
            "delivery's start: its last messages would expire before they are ready"
        )
        yield ("spread",), message
    yield from pattern_problems(delivery, scenario.start)
    yield from _confirmation_problems(scenario, delivery)


def _confirmation_problems(scenario: Scenario, delivery: Delivery) -> Iterator[tuple[Place, str]]:
    confirm, start = delivery.confirm, scenario.start
    if confirm is None:
        return
    if confirm.hours is not None and start is None:
        message = "go by the clock, which needs start, the date and time of t = 0"
        yield ("confirm", "hours"), message
        return
    at = delivery.sending[1]
    earliest_s, until_s = confirm.earliest_s(at, start), at + delivery.gives_up_s
    if earliest_s > until_s:
        message = (
            f"{shown(confirm.hours)} do not come before {moment_text(until_s, start)}, when "
            f"{shown(delivery.name)} is given up: it would never be sent; give people who work "
            "then, or a longer give_up"
        )
        yield ("confirm", "hours"), message


# Whose turn it is: orders and active queues that do nothing, or cannot be.


def order_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong, and where."""
    if scenario.mta.active is None:
        return
    for name, provider in scenario.providers.items():
        if provider.connection_scaling == "kumomta":
            message = (
                '"kumomta" does not go with mta.active, since KumoMTA has no active queue; '
                "leave one of them out"
            )
            yield ("providers", name, "connection_scaling"), message


def order_notes(scenario: Scenario) -> Iterator[str]:
    """Yield what changes nothing."""
    order = scenario.mta.order
    priorities = {delivery.priority for delivery in scenario.deliveries}
    if order == "priority" and len(priorities) == 1:
        only = shown(scenario.deliveries[0].priority)
        yield (
            'mta.order: "priority" changes nothing, since all deliveries have the priority '
            f"{only}; give one of them another"
        )
    if order == "priority":
        return
    for number, delivery in scenario.numbered():
        if delivery.priority != "normal":
            place = dotted(("deliveries", number, "priority"))
            yield (
                f"{place}: {shown(delivery.priority)} changes nothing, since mta.order is "
                f'{shown(order)}; write mta.order = "priority"'
            )


# Rules that would suspend a queue for ever.


def suspended_for_ever(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield rules with a rate above the tolerance: they would renew themselves."""
    most_ips: dict[str, int] = {}
    for queue in scenario.queues():
        most_ips[queue.provider] = max(queue.ips, most_ips.get(queue.provider, 1))
    for name in scenario.providers:
        for place, rule in scenario.rules_of(name):
            for message in _never_ends(scenario, name, rule, most_ips.get(name, 1)):
                yield (*place, "rate"), message


def _never_ends(scenario: Scenario, name: str, rule: Suspend, ips: int) -> Iterator[str]:
    # Of a schedule only the last step goes on for ever.
    usual = scenario.providers[name].tolerance
    tolerance = usual.steps[-1].rate if isinstance(usual, Schedule) else usual
    if not isinstance(tolerance, Rate) or rule.rate == "closed" or "throttled" not in rule.counts:
        return
    throttled_per_s = (rule.rate.per_s - tolerance.per_s) * ips
    if throttled_per_s <= 0.0 or throttled_per_s * rule.lasts < 1.0:
        return
    if rule.share is not None:
        attempts = rule.rate.per_s * ips * rule.within
        enough = throttled_per_s * rule.within >= rule.share * attempts and attempts >= rule.of
        always = f"more than {rounded_share(rule.share)} are always throttled"
    elif rule.in_a_row:
        enough = throttled_per_s >= rule.after * tolerance.per_s * ips
        always = f"there are always {rule.after} throttled answers in a row"
    else:
        enough = throttled_per_s * rule.within >= rule.after
        within = format_duration(rule.within)
        always = f"there are always {rule.after} throttled answers in {within}"
    if enough:
        yield (
            f"never ends at {name}: meanwhile it sends {rule.rate}, more than the "
            f'{tolerance} that are let through, so {always}; lower it, or "closed"'
        )


# Pools, and limits over several queues.

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
            none = "; the MTA has none: define [mta.pools.NAME] with ips"
            hint = meant_or_defined(delivery.pool, pools, none)
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
    every: dict[str, Collection[str]] = {
        "providers": scenario.providers,
        "pools": scenario.mta.pools,
        "deliveries": [*scenario.parents(), *(each.name for each in scenario.deliveries)],
    }
    providers = {name for delivery in scenario.deliveries for name in delivery.audience}
    # Where a provider is unknown, who sends where is not known either.
    loads = scenario.loads() if providers <= set(scenario.providers) else None
    for number, limit in enumerate(scenario.limits):
        unknown = False
        for key, known in every.items():
            for place, name in enumerate(getattr(limit, key)):
                if name not in known:
                    unknown = True
                    hint = meant_or_defined(name, known)
                    message = f"no {_ONE_OF[key]} has this name, {shown(name)}{hint}"
                    yield ("limits", number, key, place), message
        if not unknown and loads is not None and not limit.covered(loads):
            message = "covers no queue: no delivery sends there"
            if limit.deliveries:
                message = "covers no message: none of these deliveries sends there"
            yield ("limits", number), message
