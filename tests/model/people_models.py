"""Scenarios with people, and what the engine and the textbook model say of them."""

from __future__ import annotations

import tomllib
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sendcap.errors import SendcapWarning
from sendcap.ledger import Ledger
from sendcap.ledger.people import WEEK_S
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict
from sendcap.textbook import Textbook

BASE = """
relay.batch_time = "0s"
population.size = 4
population.providers.p = 1.0
mta.expire = "on-failure"
mta.retry = { policy = "schedule", delays = ["30d"] }
providers.p = { connect_time = "0s", transaction_time = "1s", connections_per_ip = 99 }
"""


@dataclass
class Outcome:
    """What a model says."""

    ledger: Ledger
    prepared: list[tuple[str, float, int, dict[str, int], dict[str, int]]]
    """Sending, moment, people targeted, excluded by reason, to deliver by provider."""
    mistaken: dict[str, int]
    """Good addresses that a preparation excluded as quarantined, by sending."""
    health: dict[int, dict[str, float]]
    """How many there are of each state, by the number of the preparation; -1 is the end."""
    weekly: list[dict[str, float]]
    """The same at the end of each week."""
    weeks: dict[int, dict[int, int]]


def by_the_textbook(scenario: Scenario) -> Outcome:
    model = Textbook(scenario)
    ledger = model.run()
    people = model.people
    prepared = [
        (each.sending, each.at_s, each.targeted, dict(each.excluded), dict(each.to_deliver))
        for each in people.preparations
    ]
    states = [asdict(health) for health in people.health]
    weekly = [asdict(health) for health in people.weekly]
    weeks = {week: dict(counts) for week, counts in people.accepted_by_week().items()}
    mistaken = {each.sending: each.mistaken for each in people.preparations}
    health = dict(enumerate(states)) | {-1: states[-1]}
    return Outcome(ledger, prepared, mistaken, health, weekly, weeks)


def by_the_engine(scenario: Scenario) -> Outcome:
    """Without the state at each preparation, which it does not tell."""
    ledger = simulate_ledger(scenario)
    people = ledger.people
    assert people is not None
    parts = {}
    for delivery in scenario.deliveries:
        sending = delivery.name if delivery.origin is None else delivery.origin.sending
        parts.setdefault(sending, []).append(delivery.name)
    prepared = []
    for each in people.preparations:
        excluded = {reason: count for reason, count in each.excluded.items() if count}
        to_deliver: Counter[str] = Counter()
        for (name, provider), count in ledger.to_deliver.items():
            if name in parts[each.sending] and count:
                to_deliver[provider] += count
        assert to_deliver.total() == each.to_deliver
        row = (each.sending, each.at_s, each.targeted, excluded, dict(to_deliver))
        prepared.append(row)
    states = [health._asdict() for health in people.health]
    for state in states:
        kinds = ("good", "erroneous", "quarantined", "denylisted")
        assert state.pop("people") == sum(state[kind] for kind in kinds)
    weekly = [state for state in states if state["at_s"] % WEEK_S == 0.0]
    weeks = {week: dict(counts) for week, counts in people.accepted.items()}
    mistaken = {each.sending: each.mistaken for each in people.preparations}
    return Outcome(ledger, prepared, mistaken, {-1: states[-1]}, weekly, weeks)


MODELS: dict[str, Callable[[Scenario], Outcome]] = {
    "textbook": by_the_textbook,
    "engine": by_the_engine,
}


def merged(one: Any, other: Any) -> Any:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return one | {key: merged(one.get(key), value) for key, value in other.items()}


def scenario_of(toml: str) -> Scenario:
    with warnings.catch_warnings():
        # Some are given up on purpose.
        warnings.filterwarnings("ignore", message=".* is never sent", category=SendcapWarning)
        return from_dict(merged(tomllib.loads(BASE), tomllib.loads(toml)))


def total(ledger: Ledger, what: str) -> float:
    """Return the total of an event, such as "accepted", "a accepted" or "a wave 1 soft refused"."""
    name = next((name for name in ledger.deliveries if what.startswith(f"{name} ")), None)
    event, _, reason = what.removeprefix(f"{name} ").partition(" ")
    return ledger.total(event, clock="happened", delivery=name, reason=reason or None)
