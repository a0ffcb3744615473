"""The user's part of an import: audience, messages, base; and the providers that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.audience import AudienceSource, audience_of, effective_number
from sendcap.scenario.scenario import Scenario
from sendcap.text.quoting import shown, visible

_FEW_DOMAINS: Final = 5
"""Number of domains behind ``other`` by default, as in the preset quickstart."""
_MOST_DOMAINS: Final = 100
"""Largest number for a long tail of domains: the MTA's limits for all of them come first."""


@dataclass(frozen=True)
class Plan:
    """Choices of the user beside the configuration.

    Attributes
    ----------
    audience
        See `sendcap.importers.audience.audience_of`; None for the base's audience.
    messages
        Number of messages; None for the sum of the audience's counts, or the base's number.
    base
        Scenario file or preset for everything that the configuration lacks.
    ips
        Number of source addresses; None for that of the configuration, or of the base.
    other_domains
        Number of domains whose limits the provider ``other`` has together; None for an estimate
        from the audience's counts, or 5.

    Raises
    ------
    ConfigurationError
        If a number is not a whole number from 1.
    """

    audience: AudienceSource | None = None
    messages: int | None = None
    base: str | Path = "quickstart"
    ips: int | None = None
    other_domains: int | None = None

    def __post_init__(self) -> None:
        for key in ("messages", "ips", "other_domains"):
            value = getattr(self, key)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 1
            ):
                raise ConfigurationError(f"{key} must be a whole number from 1, not {shown(value)}")


@dataclass(frozen=True)
class Group:
    """A provider of the scenario.

    Attributes
    ----------
    name
        Name in the scenario.
    share
        Share of all messages.
    domains
        Domains of an audience table in the group, with their weights; else empty.
    queues
        Number of the MTA's queues, each with limits of its own, if the domains are unknown.
    """

    name: str
    share: float
    domains: Mapping[str, float]
    queues: int = 1

    @property
    def heaviest(self) -> str:
        """The domain with most messages, or nothing."""
        return max(self.domains, key=lambda name: self.domains[name], default="")

    def count(self, queue_of: Callable[[str], object]) -> int:
        """Return the number of queues.

        Parameters
        ----------
        queue_of
            Function from a domain to the MTA's queue.
        """
        if self.name == known.OTHER or not self.domains:
            return self.queues
        return len(set(map(queue_of, self.domains)))


class Addressed(NamedTuple):
    """The audience of the scenario.

    Attributes
    ----------
    groups
        Providers of the scenario.
    shares
        Audience of every delivery; None for the base's.
    messages
        Number of messages of the only delivery; None for the base's.
    """

    groups: tuple[Group, ...]
    shares: dict[str, float] | None
    messages: int | None


def addressed_by(plan: Plan, base: Scenario, group_of: Callable[[str], str]) -> Addressed:
    """Return the audience of the scenario.

    Parameters
    ----------
    plan
        Choices of the user.
    base
        Scenario for everything else.
    group_of
        Function from a domain of an audience table to a provider of the scenario.

    Raises
    ------
    SendcapError
        If the audience cannot be read, or messages are set for several deliveries.
    """
    several = len(base.deliveries) > 1
    if plan.messages is not None and several:
        raise ConfigurationError(
            f"{visible(str(plan.base))} has {len(base.deliveries)} deliveries, so --messages is "
            f"ambiguous; remove it"
        )
    if plan.audience is None:
        return Addressed(_base_groups(plan, base), None, plan.messages)
    audience = audience_of(plan.audience)
    domains: dict[str, dict[str, float]] = {}
    for name, weight in audience.weights.items():
        group = group_of(name) if audience.domains else name
        domains.setdefault(group, {})[name] = weight
    total = sum(audience.weights.values())
    weights = {name: sum(group.values()) / total for name, group in domains.items()}
    shares = _summing_to_one(weights)
    groups = tuple(
        _group(plan, name, share, domains[name] if audience.domains else {})
        for name, share in shares.items()
    )
    return Addressed(groups, shares, plan.messages or (None if several else audience.messages))


def _base_groups(plan: Plan, base: Scenario) -> tuple[Group, ...]:
    weights: dict[str, float] = {}
    for (_, name), count in base.to_deliver().items():
        weights[name] = weights.get(name, 0.0) + count
    total = sum(weights.values())
    return tuple(_group(plan, name, weight / total, {}) for name, weight in weights.items())


def _group(plan: Plan, name: str, share: float, domains: Mapping[str, float]) -> Group:
    queues = 1
    if name == known.OTHER:
        queues = plan.other_domains or _FEW_DOMAINS
        if domains and plan.other_domains is None:
            queues = max(1, min(_MOST_DOMAINS, round(effective_number(domains.values()))))
    return Group(name, share, domains, queues)


def _summing_to_one(shares: dict[str, float]) -> dict[str, float]:
    """Round shares to nine digits; the largest takes up the rest."""
    rounded = {name: round(share, 9) for name, share in shares.items() if round(share, 9) > 0.0}
    largest = max(rounded, key=lambda name: rounded[name])
    rest = sum(share for name, share in rounded.items() if name != largest)
    return {**rounded, largest: round(1.0 - rest, 9)}
