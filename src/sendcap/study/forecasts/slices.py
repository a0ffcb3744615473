"""A slice of a large delivery: fewer messages, over fewer source IPs.

Limits are per source IP. Where all that the IPs share (the relay's batches and rate, the ingress)
is cut in the same proportion, a slice of the IPs with its share of the messages goes through the
same course in the same time, and percentages of it are those of all but for chance, which is
larger. Where anything depends on absolute numbers, there is no slice. ``experiments/slices.py``
holds both against each other.
"""

import math
from typing import Any, Final

from sendcap.scenario import Rate, Scenario, updated

FEWEST: Final = 250_000
"""Messages of a slice: of a final Delivered % of 99, chance is then 0.02 points."""


def sliced(scenario: Scenario, fewest: int = FEWEST) -> Scenario:
    """Return the smallest slice with so many messages; the scenario where there is none."""
    if not _in_proportion(scenario):
        return scenario
    messages, ips = scenario.deliveries[0].messages, scenario.mta.ips
    shared = math.gcd(ips, scenario.relay.batch)
    parts = max(
        part
        for part in range(1, shared + 1)
        if shared % part == 0 and (part == 1 or messages >= part * fewest)
    )
    if parts == 1:
        return scenario
    relay = scenario.relay
    changes: dict[str, Any] = {
        "deliveries[0].messages": messages // parts,
        "mta.ips": ips // parts,
        "relay.batch": relay.batch // parts,
    }
    if isinstance(relay.rate, Rate):
        burst = max((relay.rate.burst or relay.rate.limit) // parts, 1)
        changes["relay.rate"] = str(Rate(relay.rate.limit, relay.rate.period_s * parts, burst))
    if (ingress := scenario.mta.ingress_rate) is not None:
        changes["mta.ingress_rate"] = str(Rate(ingress.limit, ingress.period_s * parts))
    return updated(scenario, changes)


def _in_proportion(scenario: Scenario) -> bool:
    """Return whether nothing in a scenario depends on the absolute number of messages."""
    mta, relay = scenario.mta, scenario.relay
    whole = (
        *(len(scenario.deliveries) != 1, scenario.is_programme, scenario.limits),
        *(scenario.population, scenario.feedback.rate, mta.pools, mta.queues != "pooled"),
        *(mta.active, mta.spool, mta.suspend, any(each.batch for each in scenario.deliveries)),
        not (relay.rate is None or isinstance(relay.rate, Rate)),
    )
    return not any(whole) and all(
        provider.connection_scaling == "none" and provider.suspend in ("mta", "none", None)
        for provider in scenario.providers.values()
    )
