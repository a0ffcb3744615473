"""What may be wrong with a provider's addresses, and the reasons why attempts fail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sendcap.scenario import Provider, Scenario
from sendcap.scenario.suspend import SUSPENDED as SUSPENDED

TRANSIENT: Final = "transient"
"""Reason of a soft bounce of the attempt, not of the address."""
UNREACHABLE: Final = "unreachable"
"""Reason of a soft bounce during an outage of the provider."""
THROTTLED: Final = "throttled"
"""Reason of a soft bounce above what the provider tolerates."""
TOO_MANY_CONNECTIONS: Final = "too many connections"
"""Reason of a soft bounce of a connection above those that the provider accepts."""
NOT_ATTEMPTED: Final = "not attempted"
"""Reason why a message expires that never was soft-bounced."""
_ALWAYS: Final = (
    "",
    NOT_ATTEMPTED,
    TRANSIENT,
    UNREACHABLE,
    THROTTLED,
    SUSPENDED,
    TOO_MANY_CONNECTIONS,
)
"""The reasons that need no address; compiled code knows their numbers."""


class Kind(NamedTuple):
    """A kind of address that is not good, with the share of those that are."""

    share: float
    hard: bool
    fault: int  # number of the provider's fault, -1 without one
    never: bool  # whether the fault never clears
    reason: str


def kinds_of(provider: Provider) -> list[Kind]:
    """Return the kinds of a provider's bad addresses."""
    kinds = [Kind(hard.share, True, -1, False, hard.reason) for hard in provider.hard]
    for number, fault in enumerate(provider.faults):
        kinds.append(Kind(fault.share * (1.0 - fault.never), False, number, False, fault.reason))
        kinds.append(Kind(fault.share * fault.never, False, number, True, fault.reason))
    return kinds


def reasons_of(scenario: Scenario, providers: Iterable[str]) -> tuple[str, ...]:
    """Return every reason of a scenario, by the number that it has in the engine."""
    own = [kind.reason for name in providers for kind in kinds_of(scenario.providers[name])]
    return tuple(dict.fromkeys((*_ALWAYS, *own)))
