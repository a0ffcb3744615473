"""What may be wrong with a provider's addresses, and the reasons why attempts fail."""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from sendcap.scenario import BEFORE, Provider, Scenario
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
USER_UNKNOWN: Final = "user unknown"
"""Reason of the hard bounces of dead addresses at a provider without one of its own."""
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


WITHOUT_ATTEMPT: Final = frozenset({SUSPENDED, BEFORE})
"""Reasons of soft bounces for which no attempt is counted."""


def is_judged(reason: str | None) -> bool:
    """Return whether a soft bounce of this reason shows that an address does not bounce hard."""
    return reason not in (UNREACHABLE, THROTTLED, SUSPENDED, TOO_MANY_CONNECTIONS)


class Kind(NamedTuple):
    """A kind of address that is not good, with the share of those that are."""

    share: float
    hard: bool
    fault: int  # number of the provider's fault, -1 without one
    never: bool  # whether the fault never clears
    reason: str


def kinds_of(provider: Provider, *, can_die: bool = False) -> list[Kind]:
    """Return the kinds of a provider's bad addresses; if they can die, a hard one is first."""
    kinds = [Kind(hard.share, True, -1, False, hard.reason) for hard in provider.hard]
    if can_die and not kinds:
        kinds.append(Kind(0.0, True, -1, False, USER_UNKNOWN))
    for number, fault in enumerate(provider.faults):
        kinds.append(Kind(fault.share * (1.0 - fault.never), False, number, False, fault.reason))
        kinds.append(Kind(fault.share * fault.never, False, number, True, fault.reason))
    return kinds


def passing(kinds: Iterable[Kind]) -> list[Kind]:
    """Return kinds with the shares that are drawn for each message, where addresses have a memory.

    What is wrong for ever is known of the address; the rest is drawn for the good ones.
    """
    good = 1.0 - math.fsum(kind.share for kind in kinds if kind.hard or kind.never)
    return [
        kind._replace(share=0.0 if kind.hard or kind.never or not kind.share else kind.share / good)
        for kind in kinds
    ]


def reasons_of(scenario: Scenario, providers: Iterable[str]) -> tuple[str, ...]:
    """Return every reason of a scenario, by the number that it has in the engine."""
    can_die = scenario.population is not None
    own = [
        kind.reason
        for name in providers
        for kind in kinds_of(scenario.providers[name], can_die=can_die)
    ]
    own += [each.reason for name in providers for each in scenario.providers[name].refusals]
    if scenario.backlog:
        own += [BEFORE, *(held.reason for held in scenario.backlog if held.reason)]
    return tuple(dict.fromkeys((*_ALWAYS, *own)))
