"""The acceptance of a delivery's messages, simulated without anything irrelevant to it.

Opens, clicks, asynchronous bounces and feedback follow an attempt's outcome, and have draws of
their own. So leaving them out changes no acceptance, and the simulation ends as soon as every
message is final.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from sendcap.errors import SendcapError
from sendcap.ledger import Event, Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.model.feasibility import simulated_s
from sendcap.readings.load import attempts_per_message
from sendcap.scenario import Engagement, Feedback, Scenario
from sendcap.scenario.audience import apportioned
from sendcap.scenario.durations import format_duration
from sendcap.scenario.section import MOST
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import require_count
from sendcap.study.replication.measures import accepted_share_s, deliverable
from sendcap.text.quantities import elapsed, listed
from sendcap.text.quoting import shown
from sendcap.text.shares import brief_share, percent_down, rounded_share

MOST_MESSAGES: Final = MOST
"""Largest delivery in a scenario's format."""
UNLIMITED: Final = {
    "rate": None,
    "connection_rate": None,
    "accepts_connections": None,
    "connection_scaling": "none",
    "tolerance": None,
    "suspend": None,
    "disturbances": (),
}
"""Settings of a provider that holds nothing back but by the time that attempts take."""
_COUNTS: Final = 5_000_000
"""Affordable counts of a simulation: bins times deliveries times providers."""
_MOST_BINS: Final = 1_000_000
_ENOUGH_BINS: Final = 2_000
"""Bins until the moment in question."""

_SAMPLE: Final = 50_000
"""Messages of the simulated delivery; they determine the share accepted in time."""
_ENDS: Final[dict[Event, str]] = {
    "relay_failed": "fail before the hand-over",
    "hard": "bounce hard",
    "expired": "expire after soft bounces",
    "expired_untried": "expire before they are tried",
}
"""What becomes of messages that are never accepted."""
_DEVIATIONS: Final = 4.0
"""Standard deviations by which an impossible share is missed."""


def bare(scenario: Scenario) -> Scenario:
    """Return a scenario with the same acceptances, and nothing else.

    The horizon is left out too: the final acceptances are known when all messages are final. With
    a population all else stays: what Campaign knows decides who gets the next message.
    """
    endless = {"time": scenario.time.model_copy(update={"horizon": None})}
    if scenario.population is not None:
        return scenario.model_copy(update=endless)
    scenario = at_providers(scenario, {"async_bounce": 0.0})
    return scenario.model_copy(
        update={"engagement": Engagement(), "feedback": Feedback(), **endless}
    )


def at_providers(scenario: Scenario, settings: Mapping[str, Any]) -> Scenario:
    """Return a scenario with these settings at every provider."""
    providers = {
        name: provider.model_copy(update=settings) for name, provider in scenario.providers.items()
    }
    return scenario.model_copy(update={"providers": providers})


def with_edge_at(scenario: Scenario, moment_s: float) -> Scenario:
    """Return a scenario with a bin that ends at a moment, in seconds from t = 0.

    So the acceptances up to the moment are exact. The bins are as short as affordable, which makes
    the time at which a share is accepted nearly smooth.
    """
    all_s = max(simulated_s(scenario), moment_s)
    affordable = min(_COUNTS / len(scenario.to_deliver()), _MOST_BINS)
    bins = max(min(math.floor(moment_s * affordable / all_s), _ENOUGH_BINS), 1)
    if all_s / moment_s > _MOST_BINS:
        raise SendcapError(
            f"within: {format_duration(moment_s)} is too short in a simulation of "
            f"{elapsed(all_s)}; ask for {format_duration(math.ceil(all_s / _MOST_BINS))} or more, "
            f"or give the deliveries a shorter validity"
        )
    bin_s = moment_s / bins
    return scenario.model_copy(update={"time": scenario.time.model_copy(update={"bin": bin_s})})


def messages(scenario: Scenario) -> int:
    """Return the messages of all deliveries."""
    return sum(delivery.messages for delivery in scenario.deliveries)


def resized(scenario: Scenario, size: int) -> Scenario:
    """Return a scenario with this many messages, in the same proportions of the deliveries.

    Each delivery has at least one message: there are no fewer messages than deliveries.
    """
    sizes = {str(number): each.messages for number, each in enumerate(scenario.deliveries)}
    counts = apportioned(max(size, len(sizes)), sizes)
    for number in (number for number, count in counts.items() if not count):
        counts[max(counts, key=lambda each: counts[each])] -= 1
        counts[number] = 1
    deliveries = tuple(
        delivery.model_copy(update={"messages": count})
        for delivery, count in zip(scenario.deliveries, counts.values(), strict=True)
    )
    return scenario.model_copy(update={"deliveries": deliveries})


def begins_s(scenario: Scenario) -> float:
    """Return the start of the first delivery."""
    return min(delivery.at for delivery in scenario.deliveries)


def seeds_of(scenario: Scenario, replications: int) -> list[int]:
    """Return the seeds of two or more replications, as many as an interval needs."""
    require_count(replications, least=2)
    return [replication_seed(scenario.seed, number) for number in range(replications)]


def takes_and_tries(share: float, scenario: Scenario) -> tuple[float, dict[str, float]]:
    """Simulate, and return how long a share takes, and the attempts per message of each provider.

    The time counts from the start, and is infinite if the share is never accepted.
    """
    ledger = simulate_ledger(scenario)
    time_s = accepted_share_s(ledger, share) - begins_s(scenario)
    return time_s, attempts_per_message(ledger, scenario)


def idle_ledger(scenario: Scenario) -> Ledger:
    """Simulate a scenario in which no message ever waits, with enough messages for shares."""
    sized = resized(scenario, _SAMPLE)
    batches = sum(map(sized.batches_of, sized.deliveries))
    mta = {"ips": 1, "ingress_rate": None, "spool": None, "suspend": None, "active": None}
    changes = {
        "limits": (),
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

    The error names the largest share accepted in time, and the reason. A spread delivery of a
    single batch is ready at once; that of the ledger has many.
    """
    total = ledger.total("accepted", clock="happened")
    if not total:
        raise never_accepted(ledger, share)
    until_s = begins_s(scenario) + within_s
    possible = _by(ledger, "accepted", until_s) / total
    deviation = math.sqrt(possible * (1.0 - possible) / total)
    if possible + _DEVIATIONS * deviation >= share and possible > 0.0:
        return
    spread = any(each.at <= until_s < each.at + each.spread for each in scenario.deliveries)
    size = ", with more batches than one" if spread else ", however small the delivery"
    raise SendcapError(
        f"{percent_down(share)} within {elapsed(within_s)} is impossible{size}: of the messages "
        f"that are ever accepted at most {percent_down(possible)} are by then, because "
        f"{_reason(scenario, ledger, until_s)}; {'shorten the spread, ' if spread else ''}ask for "
        "a smaller share or give more time"
    )


def never_accepted(ledger: Ledger, share: float) -> SendcapError:
    """Return the error of a simulation in which a share of the messages is never accepted.

    It says how many are, and what becomes of all others.
    """

    def total(event: Event) -> float:
        return ledger.total(event, clock="happened")

    accepted, ends = total("accepted"), {event: total(event) for event in _ENDS}
    ends["expired"] -= ends["expired_untried"]
    everything = accepted + sum(ends.values())
    if not everything:
        return SendcapError("no message is ever accepted: none is sent")
    parts = listed(
        [f"{_part(count / everything)} {_ENDS[event]}" for event, count in ends.items() if count]
    )
    if not accepted:
        return SendcapError(f"no message is ever accepted: {parts}")
    possible = accepted / deliverable(ledger)
    written = percent_down(possible) if possible >= 0.01 else brief_share(possible)
    return SendcapError(
        f"{percent_down(share)} of the deliverable messages are never accepted, at most "
        f"{written} are: of all messages {parts}; ask for a smaller share"
    )


def _part(share: float) -> str:
    """Return a share without decimals, or how little it is."""
    return rounded_share(share) if share >= 0.005 else "less than 1 %"


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
