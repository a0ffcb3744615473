"""A delivery in an idle system, without waits whatever the size.

No delivery is accepted sooner. So a target missed even there is missed by every delivery, and the
way of the messages shows the reason.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sendcap.errors import SendcapError
from sendcap.ledger import Event, Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario
from sendcap.study.capacity.searches.acceptance import (
    UNLIMITED,
    at_providers,
    begins_s,
    messages,
    resized,
)
from sendcap.study.replication.measures import accepted_share_s
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import shown
from sendcap.text.shares import percent_down

_SAMPLE: Final = 50_000
"""Messages of the simulated delivery; they determine the share accepted in time."""
_DEVIATIONS: Final = 4.0
"""Standard deviations by which an impossible share is missed."""


def idle_ledger(scenario: Scenario) -> Ledger:
    """Simulate a scenario in which no message ever waits, with enough messages for shares."""
    sized = resized(scenario, _SAMPLE)
    batches = sum(-(-delivery.messages // scenario.relay.batch) for delivery in sized.deliveries)
    mta = {"ips": 1, "ingress_rate": None, "spool": None, "suspend": None}
    changes = {
        "relay": scenario.relay.model_copy(update={"workers": batches, "rate": None}),
        "mta": scenario.mta.model_copy(update=mta),
    }
    limits = {**UNLIMITED, "connections_per_ip": messages(sized)}
    return simulate_ledger(at_providers(sized.model_copy(update=changes), limits))


def attempts_by(ledger: Ledger, until_s: float) -> dict[str, float]:
    """Return the mean attempts per message up to a moment, for each provider."""
    return {
        name: _by(ledger, "attempted", until_s, name) / max(ledger.messages(provider=name), 1)
        for name in ledger.providers
    }


def require_possible(scenario: Scenario, ledger: Ledger, within_s: float, share: float) -> None:
    """Refuse a target that even an idle system misses, by the `idle_ledger`.

    The error names the largest share accepted in time, and the reason.
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
        f"then, because {_reason(scenario, ledger, until_s)}; ask for a smaller share or give more "
        "time"
    )


def _by(ledger: Ledger, event: Event, until_s: float, provider: str | None = None) -> float:
    """Return the events up to a moment."""
    counts = ledger.cumulative(event, clock="happened", provider=provider)
    return float(np.interp(until_s, ledger.edges_s, counts))


def _reason(scenario: Scenario, ledger: Ledger, until_s: float) -> str:
    """Return the reason for which most late messages are late."""
    last = max(scenario.deliveries, key=lambda delivery: delivery.at + delivery.spread)
    if last.at + last.spread > until_s:
        ready = elapsed(last.at + last.spread - begins_s(scenario))
        return f"delivery {shown(last.name)} is not all ready before {ready}"
    late, recovered_late = (
        ledger.total(event, clock="happened") - _by(ledger, event, until_s)
        for event in ("accepted", "recovered")
    )
    if recovered_late > late / 2.0:
        share = recovered_late / ledger.total("accepted", clock="happened")
        return f"{percent_down(share)} are first bounced softly and recover only later"
    half_s = accepted_share_s(ledger, 0.5) - begins_s(scenario)
    return f"handing over, connecting and the transaction alone take about {elapsed(half_s)}"
