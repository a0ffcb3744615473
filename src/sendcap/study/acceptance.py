"""When a delivery's messages are accepted, simulated without all that has no bearing on it.

Opens, clicks, asynchronous bounces and how long Campaign takes to know come after an attempt's
outcome, and their draws are their own. So leaving them out changes nothing of what is accepted
when, and the simulation ends as soon as every message is final.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sendcap.ledger import Ledger
    from sendcap.scenario import Scenario

MOST_MESSAGES: Final = 999_999_999
"""A scenario's format allows no larger delivery."""
_COUNTS: Final = 5_000_000
"""Bins times deliveries times providers that a simulation can afford to count in."""
_MOST_BINS: Final = 1_000_000


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

    all_s = simulated_s(scenario)
    affordable = min(_COUNTS / len(scenario.to_deliver()), _MOST_BINS)
    bins = max(math.floor(moment_s * affordable / all_s), 1)
    bin_s = max(moment_s / bins, all_s / _MOST_BINS)
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


def accepted_share_s(
    ledger: Ledger, share: float, *, delivery: str | None = None, provider: str | None = None
) -> float:
    """Return when a share of the finally accepted messages was accepted, in seconds from t = 0.

    Within a bin, messages are taken to be accepted evenly. Infinite if none ever was.
    """
    import numpy as np

    accepted = ledger.cumulative("accepted", clock="happened", delivery=delivery, provider=provider)
    if not accepted[-1]:
        return math.inf
    wanted = share * float(accepted[-1])
    # The first bin by whose end there are as many: later ones may add none.
    edge = int(np.searchsorted(accepted, wanted))
    if edge == 0:
        return 0.0
    before, after = int(accepted[edge - 1]), int(accepted[edge])
    return ledger.bin_s * (edge - 1 + (wanted - before) / (after - before))


class Acceptance(NamedTuple):
    """A simulation that is asked for: how long from the start until a share is accepted."""

    scenario: Scenario
    share: float

    def takes_s(self) -> float:
        """Simulate, and return the seconds; infinite if nothing is ever accepted."""
        from sendcap.model.engine import simulate_ledger

        its = self.scenario
        return accepted_share_s(simulate_ledger(its), self.share) - begins_s(its)


def takes_s(asked: Acceptance) -> float:
    """Return `Acceptance.takes_s`; other processes can import a function by its name."""
    return asked.takes_s()
