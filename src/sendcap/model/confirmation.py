"""When each delivery is confirmed, as the seed has it, and so when it starts."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from sendcap.model.streams import Streams
from sendcap.scenario import Delivery, Scenario


class Asked(NamedTuple):
    """The request for the confirmation of a delivery, or of one of its repetitions."""

    name: str
    asked_s: float
    confirmed_s: float  # infinite if it is given up
    gives_up_s: float


def confirmations(scenario: Scenario) -> dict[str, Asked]:
    """Return the requests for confirmation, by the names of the deliveries that wait for them."""
    asked: dict[str, Asked] = {}
    return {
        delivery.name: asked.setdefault(delivery.sending[0], _asked(scenario, delivery))
        for delivery in scenario.deliveries
        if delivery.confirm is not None
    }


def as_sent(scenario: Scenario) -> Scenario:
    """Return a scenario with each delivery's start as it comes, and without confirmations.

    What is not confirmed is stopped when it is given up.
    """
    if all(delivery.confirm is None for delivery in scenario.deliveries):
        return scenario
    asked = confirmations(scenario)
    deliveries = tuple(
        delivery.model_copy(update=dict(_changes(delivery, asked[delivery.name])))
        if delivery.name in asked
        else delivery
        for delivery in scenario.deliveries
    )
    return scenario.model_copy(update={"deliveries": deliveries})


def _changes(delivery: Delivery, asked: Asked) -> Iterator[tuple[str, object]]:
    yield "confirm", None
    if math.isinf(asked.confirmed_s):
        yield "at", asked.gives_up_s
        yield "stop", asked.gives_up_s
        return
    at = delivery.sending[1]
    # Recipients' zones have the time of the clock there; other parts follow the first.
    by_the_clock = delivery.origin is not None and bool(delivery.origin.written.zones)
    later_s = 0.0 if by_the_clock else delivery.at - at
    yield "at", max(delivery.at, asked.confirmed_s + later_s)


def _asked(scenario: Scenario, delivery: Delivery) -> Asked:
    assert delivery.confirm is not None
    name, at = delivery.sending
    rng = Streams(scenario.seed).generator("confirmation", delivery=name)
    confirmed_s = delivery.confirm.confirmed_s(at, scenario.start, rng)
    gives_up_s = at + delivery.gives_up_s
    if confirmed_s > gives_up_s:
        confirmed_s = math.inf
    return Asked(name, at - delivery.confirm.ahead, confirmed_s, gives_up_s)
