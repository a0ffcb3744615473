"""Whose turn it is: orders and active queues that do nothing, or cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sendcap.scenario.section import Place
from sendcap.text.quoting import dotted, shown

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario


def order_problems(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong, and where."""
    if scenario.mta.active is None:
        return
    for name, provider in scenario.providers.items():
        if provider.connection_scaling == "kumomta":
            message = (
                '"kumomta" does not go with mta.active, since KumoMTA has no active queue; '
                "leave one of them out"
            )
            yield ("providers", name, "connection_scaling"), message


def order_notes(scenario: Scenario) -> Iterator[str]:
    """Yield what changes nothing."""
    order = scenario.mta.order
    priorities = {delivery.priority for delivery in scenario.deliveries}
    if order == "priority" and len(priorities) == 1:
        only = shown(scenario.deliveries[0].priority)
        yield (
            'mta.order: "priority" changes nothing, since all deliveries have the priority '
            f"{only}; give one of them another"
        )
    if order == "priority":
        return
    for number, delivery in scenario.numbered():
        if delivery.priority != "normal":
            place = dotted(("deliveries", number, "priority"))
            yield (
                f"{place}: {shown(delivery.priority)} changes nothing, since mta.order is "
                f'{shown(order)}; write mta.order = "priority"'
            )
