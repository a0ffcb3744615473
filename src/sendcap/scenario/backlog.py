"""A queue that exists: messages that the MTA holds at t = 0, and the deliveries that they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from sendcap.scenario.delivery import Delivery
from sendcap.scenario.distributions import Distribution
from sendcap.scenario.section import Count, Name, Place, Section, Whole, unit
from sendcap.text.quoting import first_few, meant_or_defined, shown

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario

BACKLOG: Final = "backlog"
"""Name of the delivery that the messages form; with pools each pool has one."""
BEFORE: Final = "before t = 0"
"""Reason of the soft bounce that stands for all those before t = 0, without an attempt."""
_MOST_ATTEMPTS: Final = 10_000
_LARGEST: Final = 20_000_000
"""Each message is followed on its own."""


class Held(Section):
    """Messages to one provider that the MTA holds at t = 0.

    Their validity counts from their age. Of their soft bounces before t = 0 one is counted, at
    t = 0 and without an attempt.
    """

    provider: Name
    """Provider of the recipients."""
    messages: Annotated[Count, Field(le=_LARGEST), unit("messages")]
    """Number of messages."""
    pool: Name | None = None
    """Pool of source addresses that they leave from, where the MTA has pools."""
    age: Distribution
    """Time since the MTA took a message in."""
    attempts: Annotated[Whole | None, Field(ge=0, le=_MOST_ATTEMPTS), unit("attempts")] = None
    """Attempts so far, all with a soft bounce (default: as many as the retry policy makes)."""
    due: Distribution | None = None
    """Time until the next attempt (default: as the retry policy has it); "0s" after a flush."""
    reason: Name | None = None
    """Reason of the last soft bounce: a fault of the provider, or another one.

    A fault is one of these messages' addresses, and the time until it clears begins at the next
    attempt. Otherwise the addresses are those of new messages; but none bounces hard of messages
    that have been tried, unless the provider was "unreachable" or "throttled" them.
    """


def held_deliveries(backlog: Sequence[Held]) -> Iterator[Delivery]:
    """Yield the deliveries that a backlog forms, one for each pool."""
    by_pool: dict[str | None, dict[str, int]] = {}
    for each in backlog:
        counts = by_pool.setdefault(each.pool, {})
        counts[each.provider] = counts.get(each.provider, 0) + each.messages
    for pool, counts in by_pool.items():
        total = sum(counts.values())
        yield Delivery(
            name=BACKLOG if pool is None else f"{BACKLOG} from {pool}",
            messages=total,
            audience={name: count / total for name, count in counts.items()},
            pool=pool,
            validity="366d",
        ).as_held()


def backlog_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with a backlog, and where."""
    pools = scenario.mta.pools
    for number, held in enumerate(scenario.backlog):
        if held.provider not in scenario.providers:
            hint = meant_or_defined(held.provider, scenario.providers)
            yield (BACKLOG, number, "provider"), f"no provider has this name{hint}"
        if held.pool is None and len(pools) > 1:
            message = f"required where the MTA has several pools: {first_few(pools)}"
            yield (BACKLOG, number, "pool"), message
        elif held.pool is not None and held.pool not in pools:
            hint = meant_or_defined(held.pool, pools, "; the MTA has none")
            yield (BACKLOG, number, "pool"), f"no pool has this name, {shown(held.pool)}{hint}"
        if held.attempts == 0 and held.reason is not None:
            yield (BACKLOG, number, "reason"), "needs attempts; without any there is no bounce"
    total = sum(held.messages for held in scenario.backlog)
    if total > _LARGEST:
        yield (BACKLOG,), f"holds {total:,} messages; at most {_LARGEST:,} can be followed"
    if scenario.backlog and scenario.population is not None:
        yield (BACKLOG,), "cannot be with a population: whom its messages are for is not known"
    if scenario.backlog and scenario.mta.spool is not None:
        yield ("mta", "spool"), "cannot be with a backlog; leave one of them out"
