"""A scenario in a line, and as the tables that a notebook shows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sendcap.text.clock import brief_moment
from sendcap.text.quantities import NOTHING, counted, elapsed
from sendcap.text.tables import Table

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario


def headline(scenario: Scenario) -> str:
    """Return the size of a scenario in a line."""
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    providers = {name for delivery in scenario.deliveries for name in delivery.audience}
    facts = (
        counted(messages, "message")
        + ("" if scenario.population is None else " before exclusions"),
        counted(len(scenario.deliveries), "delivery", "deliveries"),
        counted(len(providers), "provider"),
        f"seed {scenario.seed}",
    )
    return ", ".join(facts)


def tables_of(scenario: Scenario) -> Iterator[Table]:
    """Yield the deliveries, the relay and the MTA, and the providers."""
    deliveries = scenario.written()
    latest_s = max(each.at for each in deliveries)
    yield Table(
        "Deliveries",
        ["Delivery", "Messages", "Starts", "Spread", "Validity"],
        [
            [
                each.name,
                f"{each.messages:,}",
                brief_moment(each.at, scenario.start, latest_s),
                elapsed(each.spread) if each.spread else NOTHING,
                elapsed(scenario.honoured_validity(each)),
            ]
            for each in deliveries
        ],
    )
    written = scenario.model_dump(mode="json")
    relay, ips = written["relay"], sum(scenario.pools().values())
    yield Table(
        "Relay and MTA",
        ["", ""],
        [
            ["Workers", f"{relay['workers']}"],
            ["Messages per batch", f"{relay['batch']}"],
            ["Rate of the relay", _in_words(relay["rate"])],
            ["Source IPs", f"{ips:,}"],
            ["Retries", _in_words(written["mta"]["retry"])],
        ],
    )
    yield Table(
        "Providers",
        ["Provider", "Share %", "Connections per IP", "Rate", "Hard %", "Faults %", "Transient %"],
        list(_providers(scenario, written["providers"])),
    )


def _providers(scenario: Scenario, written: dict[str, Any]) -> Iterator[list[str]]:
    counts = scenario.at_providers()
    messages = max(counts.total(), 1)
    for name, provider in scenario.providers.items():
        hard, faults = (
            math.fsum(each.share for each in causes) for causes in (provider.hard, provider.faults)
        )
        yield [
            name,
            f"{100.0 * counts[name] / messages:.2f}",
            f"{provider.connections_per_ip:,}",
            _in_words(written[name]["rate"]),
            *(f"{100.0 * share:.2f}" for share in (hard, faults, provider.transient)),
        ]


def _in_words(value: Any) -> str:
    """Return a value as a file has it; a table of several keys without what is not set."""
    if not isinstance(value, dict):
        return value if isinstance(value, str) else json.dumps(value)
    return ", ".join(f"{key} {_in_words(each)}" for key, each in value.items() if each is not None)
