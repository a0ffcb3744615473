"""When a delivery's messages are accepted, simulated without all that has no bearing on it.

Opens, clicks, asynchronous bounces and how long Campaign takes to know come after an attempt's
outcome, and their draws are their own. So leaving them out changes nothing of what is accepted
when, and the simulation ends as soon as every message is final.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.errors import SendcapError
from sendcap.scenario.durations import format_duration
from sendcap.study.replication.measures import accepted_share_s
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.scenario import Scenario

MOST_MESSAGES: Final = 999_999_999
"""A scenario's format allows no larger delivery."""
_COUNTS: Final = 5_000_000
"""Bins times deliveries times providers that a simulation can afford to count in."""
_MOST_BINS: Final = 1_000_000
_MOSTLY_PCT: Final = 99
"""Attempts count as load until so much of what is ever accepted has been accepted."""
_ENOUGH_BINS: Final = 2_000
"""Until the moment in question."""


def bare(scenario: Scenario) -> Scenario:
    """Return a scenario in which the same is accepted at the same time, and no more than that.

    Its horizon is left out too: what is accepted in the end is known when all messages are final.
    """
    from sendcap.scenario import Engagement, Feedback

    providers = {
        name: provider.model_copy(update={"async_bounce": 0.0})
        for name, provider in scenario.providers.items()
    }
    return scenario.model_copy(
        update={
            "engagement": Engagement(),
            "feedback": Feedback(),
            "providers": providers,
            "time": scenario.time.model_copy(update={"horizon": None}),
        }
    )


def with_edge_at(scenario: Scenario, moment_s: float) -> Scenario:
    """Return a scenario of which one bin of the ledger ends at a moment, in seconds from t = 0.

    So whether enough is accepted by then is exact. The bins are as short as can be afforded: that
    makes the time at which a share is accepted nearly smooth.
    """
    from sendcap.model.feasibility import simulated_s

    all_s = max(simulated_s(scenario), moment_s)
    affordable = min(_COUNTS / len(scenario.to_deliver()), _MOST_BINS)
    bins = max(min(math.floor(moment_s * affordable / all_s), _ENOUGH_BINS), 1)
    if all_s / moment_s > _MOST_BINS:
        raise SendcapError(
            f"within: {format_duration(moment_s)} is too short to be told in a simulation of "
            f"{elapsed(all_s)}; ask for {format_duration(math.ceil(all_s / _MOST_BINS))} or more, "
            f"or give the deliveries a shorter validity"
        )
    bin_s = moment_s / bins
    return scenario.model_copy(update={"time": scenario.time.model_copy(update={"bin": bin_s})})


def messages(scenario: Scenario) -> int:
    """Return the messages of all deliveries."""
    return sum(delivery.messages for delivery in scenario.deliveries)


def resized(scenario: Scenario, size: int) -> Scenario:
    """Return a scenario with so many messages, shared out among the deliveries as before.

    Each delivery has one at least.
    """
    total = messages(scenario)
    deliveries = tuple(
        its.model_copy(update={"messages": max(round(size * its.messages / total), 1)})
        for its in scenario.deliveries
    )
    return scenario.model_copy(update={"deliveries": deliveries})


def begins_s(scenario: Scenario) -> float:
    """Return when the first delivery starts."""
    return min(delivery.at for delivery in scenario.deliveries)


class Acceptance(NamedTuple):
    """A simulation that is asked for: how long from the start until a share is accepted."""

    scenario: Scenario
    share: float


def takes_s(asked: Acceptance) -> float:
    """Simulate, and return the seconds; infinite if the share is never reached."""
    return takes_and_tries(asked)[0]


def takes_and_tries(asked: Acceptance) -> tuple[float, dict[str, float]]:
    """Return besides how often messages are tried, see `sendcap.study.capacity.retries`."""
    from sendcap.model.engine import simulate_ledger
    from sendcap.study.capacity.retries import attempts_per_message

    its = asked.scenario
    ledger = simulate_ledger(its)
    attempts = attempts_per_message(ledger, its, _MOSTLY_PCT)
    return accepted_share_s(ledger, asked.share) - begins_s(its), attempts
