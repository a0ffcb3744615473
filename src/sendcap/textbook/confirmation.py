"""Confirmation in the textbook model: people confirm deliveries before these start."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sendcap.scenario import Delivery, Scenario
from sendcap.textbook.chance import Chance


def confirmations(scenario: Scenario, chance: Chance) -> dict[str, float]:
    """Return when each sending is confirmed that has to be, infinity if it is given up.

    All parts of one sending are confirmed together.
    """
    moments_s: dict[str, float] = {}
    for delivery in scenario.deliveries:
        sending, at = delivery.sending
        if delivery.confirm is not None and sending not in moments_s:
            moment_s = delivery.confirm.confirmed_s(at, scenario.start, chance.generator)
            moments_s[sending] = math.inf if moment_s > at + delivery.gives_up_s else moment_s
    return moments_s


def as_confirmed(scenario: Scenario, moments_s: Mapping[str, float]) -> Scenario:
    """Return a scenario whose deliveries start when they are confirmed.

    What is given up starts at infinity.
    """
    deliveries = []
    for delivery in scenario.deliveries:
        sending, at = delivery.sending
        begins_s = _begins_s(delivery, at, moments_s.get(sending, -math.inf))
        deliveries.append(delivery.model_copy(update={"at": begins_s}))
    return scenario.model_copy(update={"deliveries": tuple(deliveries)})


def _begins_s(delivery: Delivery, at: float, confirmed_s: float) -> float:
    """Return when a part begins of what starts at one time and is confirmed at another."""
    if delivery.origin is not None and delivery.origin.written.local_time is not None:
        return max(delivery.at, confirmed_s)
    return delivery.at + max(confirmed_s - at, 0.0)
