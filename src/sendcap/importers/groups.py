"""The providers that an audience is put together to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.audience import audience_of, effective_number
from sendcap.importers.plan import Group, Plan
from sendcap.scenario.scenario import Scenario
from sendcap.text.quoting import visible

_FEW_DOMAINS: Final = 5
"""So many domains' limits has ``other`` where nobody says; the preset quickstart assumes it."""
_MOST_DOMAINS: Final = 100
"""A long tail of domains has no more: the MTA's limits for all of them come first."""


class Addressed(NamedTuple):
    """Who is sent to.

    Attributes
    ----------
    groups
        The providers of the scenario.
    shares
        The audience of every delivery, or None for the base's own.
    messages
        How many messages the only delivery has, or None for the base's.
    """

    groups: tuple[Group, ...]
    shares: dict[str, float] | None
    messages: int | None


def addressed_by(plan: Plan, base: Scenario, group_of: Callable[[str], str]) -> Addressed:
    """Return who is sent to.

    Parameters
    ----------
    plan
        What the user says of it.
    base
        The scenario that says the rest.
    group_of
        Function from a domain of a table to the name of its provider in the scenario.

    Raises
    ------
    SendcapError
        If the audience cannot be read, or it is not clear which delivery has so many messages.
    """
    several = len(base.deliveries) > 1
    if plan.messages is not None and several:
        raise ConfigurationError(
            f"{visible(str(plan.base))} has {len(base.deliveries)} deliveries, so it is not clear "
            f"which one has {plan.messages:,} messages; leave --messages out"
        )
    if plan.audience is None:
        return Addressed(_of_the_base(plan, base), None, plan.messages)
    audience = audience_of(plan.audience)
    domains: dict[str, dict[str, float]] = {}
    for name, weight in audience.weights.items():
        group = group_of(name) if audience.domains else name
        domains.setdefault(group, {})[name] = weight
    total = sum(audience.weights.values())
    shares = _summing_to_one({name: sum(its.values()) / total for name, its in domains.items()})
    groups = tuple(
        _group(plan, name, share, domains[name] if audience.domains else {})
        for name, share in shares.items()
    )
    counted = None if several else audience.messages
    return Addressed(groups, shares, plan.messages or counted)


def _of_the_base(plan: Plan, base: Scenario) -> tuple[Group, ...]:
    weights: dict[str, float] = {}
    for (_, name), count in base.to_deliver().items():
        weights[name] = weights.get(name, 0.0) + count
    total = sum(weights.values())
    return tuple(_group(plan, name, its / total, {}) for name, its in weights.items())


def _group(plan: Plan, name: str, share: float, domains: Mapping[str, float]) -> Group:
    queues = 1
    if name == known.OTHER:
        queues = plan.other_domains or _FEW_DOMAINS
        if domains and plan.other_domains is None:
            queues = max(1, min(_MOST_DOMAINS, round(effective_number(domains.values()))))
    return Group(name, share, domains, queues)


def _summing_to_one(shares: dict[str, float]) -> dict[str, float]:
    """Round shares to nine digits; the largest takes up what is left."""
    rounded = {name: round(share, 9) for name, share in shares.items()}
    rounded = {name: share for name, share in rounded.items() if share > 0.0}
    largest = max(rounded, key=lambda name: rounded[name])
    rest = sum(share for name, share in rounded.items() if name != largest)
    return {name: round(1.0 - rest, 9) if name == largest else its for name, its in rounded.items()}
