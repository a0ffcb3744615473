"""What a scenario says without effect, or with another than it seems to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sendcap.scenario.delivery_problems import confirmation_notes
from sendcap.scenario.durations import format_duration
from sendcap.scenario.order_problems import order_notes
from sendcap.scenario.throttle_notes import burst_notes, throttle_notes
from sendcap.text.quoting import dotted

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario


def notes(scenario: Scenario) -> Iterator[str]:
    """Yield a sentence for each."""
    yield from _time_notes(scenario)
    yield from _throttle_notes(scenario)
    yield from order_notes(scenario)
    yield from confirmation_notes(scenario)
    for name, provider in scenario.providers.items():
        accepted = provider.accepts_connections
        if accepted is not None and provider.connections_per_ip <= accepted:
            yield (
                f"{dotted(('providers', name, 'accepts_connections'))}: {accepted} are never "
                f"exceeded, since connections_per_ip is {provider.connections_per_ip}"
            )


def _time_notes(scenario: Scenario) -> Iterator[str]:
    last_s = 0.0
    for number, delivery in scenario.numbered():
        honoured_s = scenario.honoured_validity(delivery)
        if delivery.validity > honoured_s and not delivery.is_held:
            given = format_duration(delivery.validity)
            yield (
                f"deliveries[{number}].validity: {given} is longer than mta.longest_validity; "
                f"honoured as {format_duration(honoured_s)}"
            )
        last_s = max(last_s, delivery.latest_at + delivery.spread + honoured_s)
    horizon_s = scenario.time.horizon
    if horizon_s is not None and horizon_s < last_s:
        yield (
            f"time.horizon: {format_duration(horizon_s)} cuts off results; messages can be "
            f"under way until {format_duration(last_s)}"
        )


def _throttle_notes(scenario: Scenario) -> Iterator[str]:
    yield from burst_notes(("relay", "rate"), scenario.relay.rate)
    for name, provider in scenario.providers.items():
        place, rate = ("providers", name, "rate"), provider.rate
        yield from throttle_notes(place, rate, " from each source address")
    for number, limit in enumerate(scenario.limits):
        yield from throttle_notes(("limits", number, "rate"), limit.rate)
