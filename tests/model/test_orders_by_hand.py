"""Whose turn it is, in scenarios so small that the right answer can be worked out on paper.

Unless said otherwise, an attempt takes a second, and there is one connection, made at no cost.
"""

from __future__ import annotations

from typing import Any

import pytest
from oracle import Oracle
from oracle_reports import Counts, counts_of
from small_scenarios import scenario_of

from sendcap import textbook
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario

MODELS = {
    "engine": lambda scenario: counts_of(simulate_ledger(scenario)),
    "textbook": lambda scenario: counts_of(textbook.simulate_ledger(scenario)),
    "oracle": lambda scenario: Oracle(scenario).run(),
}
SECOND = {"bin": "1s"}
MANY: dict[str, Any] = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 9}
ONE_BY_ONE: dict[str, Any] = {"batch": 1, "batch_time": "1s"}
Times = dict[str, list[int]]
"""By delivery, in whole seconds."""


def delivery(name: str, messages: int, at: str = "0s", to: str = "p", **keys: Any) -> Any:
    return {"name": name, "messages": messages, "at": at, "audience": {to: 1.0}} | keys


def low_and_high(low: int, high: int, at: str, to: str = "p", **sections: Any) -> Scenario:
    """Deliveries of two priorities; that of the higher one begins later."""
    deliveries = [
        delivery("low", low, priority="low"),
        delivery("high", high, at, to, priority="high"),
    ]
    mta = {"order": "priority"} | sections.pop("mta", {})
    return scenario_of(time=SECOND, deliveries=deliveries, mta=mta, **sections)


def in_turn(*deliveries: Any, **sections: Any) -> Scenario:
    mta = {"order": "fair"}
    return scenario_of(time=SECOND, deliveries=list(deliveries), mta=mta, **sections)


def slow_and_quick(**quick: Any) -> Scenario:
    """Three messages of ten seconds each, and two of one second; two may be active."""
    return scenario_of(
        time=SECOND,
        deliveries=[delivery("slow", 3, to="q"), delivery("quick", 2, "500ms") | quick],
        mta={"active": 2, "order": "priority" if "priority" in quick else "fifo"},
        providers={"q": MANY | {"transaction_time": "10s", "connections_per_ip": 1}},
    )


ORDERED_BY_HAND: dict[str, tuple[Scenario, str, Times]] = {
    "a higher priority goes first, and interrupts nobody": (
        low_and_high(3, 2, "1500ms"),
        "accepted",
        {"low": [1, 2, 5], "high": [3, 4]},
    ),
    "who stands in line for a rate keeps the place, whatever the priority": (
        low_and_high(3, 2, "500ms", provider=MANY | {"rate": "1/s,max_burst=1"}),
        "accepted",
        {"low": [1, 2, 3], "high": [4, 5]},
    ),
    "of two queues with a limit of connections, the higher priority goes first": (
        low_and_high(
            2,
            2,
            "500ms",
            to="q",
            providers={"q": MANY},
            limits=[{"name": "one", "connections": 1}],
        ),
        "accepted",
        {"low": [1, 4], "high": [2, 3]},
    ),
    "of the first in line of two queues with a rate, the higher priority goes first": (
        low_and_high(
            3,
            2,
            "500ms",
            to="q",
            provider=MANY,
            providers={"q": MANY},
            limits=[{"name": "one", "rate": "1/s,max_burst=1"}],
        ),
        "accepted",
        {"low": [1, 4, 5], "high": [2, 3]},
    ),
    "batches of a higher priority are relayed first": (
        low_and_high(3, 2, "500ms", relay=ONE_BY_ONE),
        "relayed",
        {"low": [1, 4, 5], "high": [2, 3]},
    ),
    "a batch of a higher priority overtakes one that waits for the rate": (
        low_and_high(2, 1, "5s", relay={"batch": 1, "rate": "1/10s,max_burst=1"}),
        "relayed",
        {"low": [0, 20], "high": [10]},
    ),
    "a batch of a higher priority overtakes one that waits for room": (
        # At 1 s there is room for one message, and not for two.
        low_and_high(4, 1, "500ms", relay={"batch": 2}, mta={"spool": 2}),
        "relayed",
        {"low": [0, 0, 3, 3], "high": [1]},
    ),
    "no batch goes because it is smaller": (
        scenario_of(
            time=SECOND,
            deliveries=[
                delivery("high", 4, priority="high"),
                delivery("low", 1, "500ms", priority="low"),
            ],
            mta={"order": "priority", "spool": 2},
            relay={"batch": 2},
        ),
        "relayed",
        {"high": [0, 0, 2, 2], "low": [3]},
    ),
    "deliveries take turns": (
        in_turn(delivery("a", 3), delivery("b", 2)),
        "accepted",
        {"a": [1, 3, 5], "b": [2, 4]},
    ),
    "a delivery that comes later has the next turn, and no more than that": (
        in_turn(delivery("a", 5), delivery("b", 2, "2500ms")),
        "accepted",
        {"a": [1, 2, 3, 5, 7], "b": [4, 6]},
    ),
    "batches of deliveries are relayed in turn": (
        in_turn(delivery("a", 3), delivery("b", 2, "500ms"), relay=ONE_BY_ONE),
        "relayed",
        {"a": [1, 3, 5], "b": [2, 4]},
    ),
    "a delivery that a limit holds back has no turn, and lets the others pass": (
        in_turn(
            delivery("a", 3),
            delivery("b", 2),
            delivery("c", 2),
            limits=[{"name": "b", "rate": "1/10s,max_burst=1", "deliveries": ["b"]}],
        ),
        "accepted",
        # b takes connections at 1 s and 11 s.
        {"a": [1, 4, 6], "b": [2, 12], "c": [3, 5]},
    ),
    "a limit of connections over a delivery leaves the others alone": (
        scenario_of(
            time=SECOND,
            deliveries=[delivery("a", 3), delivery("b", 2)],
            provider=MANY,
            limits=[{"name": "a", "connections": 1, "deliveries": ["a"]}],
        ),
        "accepted",
        {"a": [1, 2, 3], "b": [1, 1]},
    ),
    "a rate over a delivery counts a connection that the provider refuses": (
        # One of a's is refused at 1 s and due at 4 s; the rate lets one go at 0, 10 and 20 s.
        scenario_of(
            time=SECOND,
            deliveries=[delivery("b", 1), delivery("a", 2)],
            mta={"retry": {"policy": "schedule", "delays": ["3s"]}},
            provider={
                "connections_per_ip": 2,
                "accepts_connections": 1,
                "connect_time": "1s",
                "idle_timeout": "1s",
                "transaction_time": "5s",
            },
            limits=[{"name": "a", "rate": "1/10s,max_burst=1", "deliveries": ["a"]}],
        ),
        "attempted",
        {"b": [1], "a": [1, 11, 21]},
    ),
    "a slow provider fills the active queue and holds up a quick one": (
        # At 10 s the third slow message is active, and one quick message at a time from 20 s on.
        slow_and_quick(),
        "accepted",
        {"slow": [10, 20, 30], "quick": [21, 22]},
    ),
    "a priority does not count in the incoming line": (
        slow_and_quick(priority="high"),
        "accepted",
        {"slow": [10, 20, 30], "quick": [21, 22]},
    ),
    "messages expire in the incoming line": (
        slow_and_quick(validity="5s"),
        "expired",
        {"quick": [5, 5]},
    ),
    "only active messages are sent back": (
        # From 1 s to 6 s p's queue is suspended; until 10.25 s both active messages are q's.
        scenario_of(
            time=SECOND,
            deliveries=[
                delivery("first", 1, validity="1m"),
                delivery("slow", 2, "250ms", to="q"),
                delivery("last", 1, "500ms", validity="1m"),
            ],
            mta={"active": 2, "retry": {"policy": "schedule", "delays": ["1h"]}},
            provider={
                "transient": 1.0,
                "suspend": {
                    "counts": ["transient"],
                    "after": 1,
                    "lasts": "5s",
                    "meanwhile": "retry",
                },
            },
            providers={"q": MANY | {"transaction_time": "10s", "connections_per_ip": 1}},
        ),
        "soft",
        {"first": [1], "last": [11]},
    ),
    "addresses take messages in turn by their weights": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 8},
            mta={"queues": "per-ip", "pools": {"two": {"ips": 2, "weights": [3, 1]}}},
        ),
        "accepted",
        {"a": [1, 1, 2, 2, 3, 4, 5, 6]},
    ),
    "the address with the greatest weight begins": (
        # The second, first and second again, of which each pauses after an attempt.
        scenario_of(
            time=SECOND,
            delivery={"messages": 3},
            mta={"queues": "per-ip", "pools": {"three": {"ips": 3, "weights": [2, 4, 2]}}},
            provider={"rate": {"kind": "gap", "pause": "9s"}},
        ),
        "accepted",
        {"a": [1, 1, 11]},
    ),
}


def times(counts: Counts, event: str) -> Times:
    """When each of the events happened, to the bin of a second."""
    found: Times = {}
    for (name, _, counted, _, clock), bins in counts.items():
        if (counted, clock) == (event, "happened"):
            found.setdefault(name, []).extend(
                second for second, number in bins.items() for _ in range(number)
            )
    return {name: sorted(seconds) for name, seconds in found.items()}


@pytest.mark.parametrize("example", ORDERED_BY_HAND)
@pytest.mark.parametrize("model", MODELS)
def test_messages_go_in_the_order_that_is_worked_out(example: str, model: str) -> None:
    scenario, event, expected = ORDERED_BY_HAND[example]
    assert times(MODELS[model](scenario), event) == expected
