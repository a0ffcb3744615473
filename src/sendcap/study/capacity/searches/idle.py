"""What an idle system would do with a delivery: nothing waits, whatever its size.

No delivery is accepted sooner than that. So if a target is missed even then, it is missed by every
delivery, and what the messages went through tells why.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from sendcap.errors import SendcapError
from sendcap.study.capacity.searches.acceptance import begins_s, messages, resized
from sendcap.study.replication.measures import accepted_share_s
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import shown
from sendcap.text.shares import percent_down

if TYPE_CHECKING:
    from sendcap.ledger import Event, Ledger
    from sendcap.scenario import Scenario

_SAMPLE: Final = 50_000
"""Messages that tell the share that is accepted in time; a delivery of them is simulated."""
_DEVIATIONS: Final = 4.0
"""A share must be missed by so many standard deviations to be called impossible."""


def idle(scenario: Scenario, size: int) -> Scenario:
    """Return a scenario with so many messages and so much of everything that none of them waits."""
    sized = resized(scenario, size)
    most = messages(sized)
    batches = sum(-(-its.messages // scenario.relay.batch) for its in sized.deliveries)
    limits: dict[str, Any] = {
        "connections_per_ip": most,
        "rate": None,
        "connection_scaling": "none",
        "tolerance": None,
        "suspend": None,
    }
    return sized.model_copy(
        update={
            "relay": scenario.relay.model_copy(update={"workers": batches, "rate": None}),
            "mta": scenario.mta.model_copy(
                update={"ips": 1, "ingress_rate": None, "spool": None, "suspend": None}
            ),
            "providers": {
                name: provider.model_copy(update=limits)
                for name, provider in scenario.providers.items()
            },
        }
    )


def idle_ledger(scenario: Scenario) -> Ledger:
    """Simulate an idle system with enough messages to tell shares of them."""
    from sendcap.model.engine import simulate_ledger

    return simulate_ledger(idle(scenario, _SAMPLE))


def attempts_per_message(ledger: Ledger, until_s: float) -> dict[str, float]:
    """Return how often a message is tried until a moment, on average, for each provider."""
    return {
        name: _by(ledger, "attempted", until_s, name) / max(ledger.messages(provider=name), 1)
        for name in ledger.providers
    }


def require_possible(scenario: Scenario, ledger: Ledger, within_s: float, share: float) -> None:
    """Refuse a target that even an idle system misses.

    Parameters
    ----------
    scenario
        What the target is for.
    ledger
        Its `idle_ledger`.
    within_s, share
        The target.

    Raises
    ------
    SendcapError
        With the share that can be accepted in time at most, and what keeps the rest.
    """
    total = ledger.total("accepted", clock="happened")
    if not total:
        raise SendcapError(
            "no message is ever accepted: every address bounces hard or never recovers"
        )
    until_s = begins_s(scenario) + within_s
    possible = _by(ledger, "accepted", until_s) / total
    deviation = math.sqrt(possible * (1.0 - possible) / total)
    if possible + _DEVIATIONS * deviation >= share and possible > 0.0:
        return
    raise SendcapError(
        f"{percent_down(share)} within {elapsed(within_s)} is impossible, however small the "
        f"delivery: of the messages that are ever accepted at most {percent_down(possible)} are by "
        f"then, because {_why(scenario, ledger, until_s)}; ask for a smaller share or give more "
        f"time"
    )


def _by(ledger: Ledger, event: Event, until_s: float, provider: str | None = None) -> float:
    """Return how many events there are until a moment."""
    import numpy as np

    counts = ledger.cumulative(event, clock="happened", provider=provider)
    return float(np.interp(until_s, ledger.edges_s, counts))


def _why(scenario: Scenario, ledger: Ledger, until_s: float) -> str:
    """Tell what most of the messages are waiting for that are accepted later."""
    last = max(scenario.deliveries, key=lambda its: its.at + its.spread)
    if last.at + last.spread > until_s:
        ready = elapsed(last.at + last.spread - begins_s(scenario))
        return f"delivery {shown(last.name)} is not all ready before {ready}"
    late, recovered_late = (
        ledger.total(event, clock="happened") - _by(ledger, event, until_s)
        for event in ("accepted", "recovered")
    )
    if recovered_late > late / 2.0:
        its = recovered_late / ledger.total("accepted", clock="happened")
        return f"{percent_down(its)} are first bounced softly and recover only later"
    half_s = accepted_share_s(ledger, 0.5) - begins_s(scenario)
    return f"handing over, connecting and the transaction alone take about {elapsed(half_s)}"
