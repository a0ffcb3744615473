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
_MOST: Final = {"messages": 999_999_999, "ips": 1_000_000, "other_domains": 100_000}
"""Of each number in a plan, as a scenario allows it."""


@dataclass(frozen=True)
class Plan:
    """Choices of the user beside the configuration."""

    audience: AudienceSource | None = None  # None for the base's
    messages: int | None = None  # None for the sum of the audience's counts, or the base's
    base: str | Path = "quickstart"  # scenario for everything that the configuration lacks
    ips: int | None = None  # source addresses; None for the configuration's, or the base's
    other_domains: int | None = None  # that share the limits of ``other``; None for an estimate

    def __post_init__(self) -> None:
        for key, most in _MOST.items():
            value = getattr(self, key)
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (is_whole and 1 <= value <= most):
                raise ConfigurationError(
                    f"{key} must be a whole number from 1 to {most:,}, not {shown(value)}"
                )


@dataclass(frozen=True)
class Group:
    """A provider of the scenario."""

    name: str
    share: float  # of all messages
    domains: Mapping[str, float]  # weights of the group's domains in an audience table; else empty
    queues: int = 1  # of the MTA, each with limits of its own, if the domains are unknown

    @property
    def heaviest(self) -> str:
        """The domain with most messages, or nothing."""
        return max(self.domains, key=lambda name: self.domains[name], default="")

    def count(self, queue_of: Callable[[str], object]) -> int:
        """Return the number of queues, by a function from a domain to the MTA's queue."""
        if self.name == known.OTHER or not self.domains:
            return self.queues
        return len(set(map(queue_of, self.domains)))


class Addressed(NamedTuple):
    """The audience of the scenario."""

    groups: tuple[Group, ...]
    shares: dict[str, float] | None  # of every delivery; None for the base's
    messages: int | None  # of the only delivery; None for the base's


def addressed_by(plan: Plan, base: Scenario, group_of: Callable[[str], str]) -> Addressed:
    """Return the audience; ``group_of`` leads from a domain of a table to a provider."""
    several = len(base.deliveries) > 1
    if plan.messages is not None and several:
        raise ConfigurationError(
            f"{visible(str(plan.base))} has {len(base.deliveries)} deliveries, so --messages is "
            f"ambiguous; remove it"
        )
    if plan.audience is None:
        counts: dict[str, float] = {}
        for (_, name), count in base.to_deliver().items():
            counts[name] = counts.get(name, 0.0) + count
        total = sum(counts.values())
        groups = tuple(_group(plan, name, count / total, {}) for name, count in counts.items())
        return Addressed(groups, None, plan.messages)
    audience = audience_of(plan.audience)
    domains: dict[str, dict[str, float]] = {}
    for name, weight in audience.weights.items():
        group = group_of(name) if audience.domains else name
        domains.setdefault(group, {})[name] = weight
    total = sum(audience.weights.values())
    shares = _summing_to_one({name: sum(each.values()) / total for name, each in domains.items()})
    groups = tuple(
        _group(plan, name, share, domains[name] if audience.domains else {})
        for name, share in shares.items()
    )
    return Addressed(groups, shares, plan.messages or (None if several else audience.messages))


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
