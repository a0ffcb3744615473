"""Sendings: deliveries that are prepared at once, which are all parts of a repetition."""

from collections.abc import Iterator
from typing import NamedTuple

from sendcap.model.confirmation import as_sent, confirmations
from sendcap.scenario import Scenario


class Sending(NamedTuple):
    """What is prepared at once."""

    name: str
    starts_s: float
    prepared_s: float
    segment: str | None
    most: int | None  # people targeted, where the scenario file says so
    parts: dict[int, int]  # deliveries by number, with the messages that the scenario has


def sendings(scenario: Scenario) -> list[Sending]:
    """Return the sendings of a scenario in the order in which they are prepared."""
    parts: dict[str, list[int]] = {}
    for number, delivery in enumerate(scenario.deliveries):
        parts.setdefault(delivery.sending[0], []).append(number)
    found = _sendings(scenario, parts)
    return sorted(found, key=lambda sending: sending.prepared_s)


def _sendings(scenario: Scenario, parts: dict[str, list[int]]) -> Iterator[Sending]:
    asked, sent = confirmations(scenario), as_sent(scenario).deliveries
    for name, numbers in parts.items():
        first = scenario.deliveries[numbers[0]]
        written = first if first.origin is None else first.origin.written
        planned_s = first.sending[1]
        confirmation = asked.get(first.name)
        starts_s = confirmed_s = planned_s
        if confirmation is not None:
            confirmed_s = min(confirmation.confirmed_s, confirmation.gives_up_s)
            starts_s = max(planned_s, confirmed_s)
        ahead_s = planned_s - first.prepare if first.prepare is not None else confirmed_s
        yield Sending(
            name=name,
            starts_s=starts_s,
            prepared_s=max(min(ahead_s, starts_s), 0.0),
            segment=written.segment,
            most=None if "messages" in written.filled_in else written.messages,
            parts={number: sent[number].messages for number in numbers},
        )
