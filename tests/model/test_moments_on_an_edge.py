"""What happens exactly where an outage, a poll or the horizon begins or ends, in both models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_scenarios import scenario_of

import sendcap
from sendcap import textbook
from sendcap.ledger import Clock, Event, Ledger
from sendcap.scenario import Scenario, from_dict

SECOND = {"bin": "1s"}
Simulated = Callable[[Scenario], Ledger]


@pytest.fixture(params=["engine", "textbook"])
def simulated(request) -> Simulated:
    if request.param == "textbook":
        return textbook.simulate_ledger
    return lambda scenario: sendcap.simulate(scenario).ledger


def seconds(ledger: Ledger, event: Event, clock: Clock = "happened") -> list[int]:
    counts = ledger.counts(event, clock=clock)
    return np.repeat(np.arange(len(counts)), counts).tolist()


def test_an_outage_has_its_first_moment_and_not_its_last(simulated) -> None:
    scenario = scenario_of(
        time=SECOND,
        delivery={"messages": 4},
        mta={"retry": {"policy": "schedule", "delays": ["1h"]}},
        # Attempts end after 1, 2, 3 and 4 s.
        provider={"outages": [{"at": "2s", "lasts": "2s"}]},
    )
    ledger = simulated(scenario)
    assert seconds(ledger, "soft") == [2, 3]
    assert seconds(ledger, "accepted")[:2] == [1, 4]


def test_of_two_outages_that_meet_nothing_comes_between(simulated) -> None:
    scenario = scenario_of(
        time=SECOND,
        delivery={"messages": 3},
        mta={"retry": {"policy": "schedule", "delays": ["1h"]}},
        provider={"outages": [{"at": "1s", "lasts": "1s"}, {"at": "2s", "lasts": "1s"}]},
    )
    assert seconds(simulated(scenario), "soft") == [1, 2]


@pytest.mark.parametrize(
    ("latency", "known_s"),
    [
        ("0s", [10, 10, 20, 20]),  # they arrive after 5, 10, 15 and 20 s
        ("2s", [10, 20, 20, 30]),  # after 7, 12, 17 and 22 s
        ("5s", [10, 20, 20, 30]),  # after 10, 15, 20 and 25 s
    ],
)
def test_a_report_that_arrives_at_the_moment_of_a_poll_is_known_at_once(
    simulated, latency, known_s
) -> None:
    scenario = scenario_of(
        time=SECOND,
        delivery={"messages": 4},
        feedback={"synchronous": latency, "polling": "10s"},
        provider={"transaction_time": "5s"},
    )
    ledger = simulated(scenario)
    assert seconds(ledger, "accepted") == [5, 10, 15, 20]
    assert seconds(ledger, "accepted", "known") == known_s


@pytest.mark.parametrize("latency", ["0s", "2s"])
def test_what_happens_at_the_horizon_is_not_counted(simulated, latency) -> None:
    """A message is relayed every 2 s, accepted 2 s later and opened 2 s after that."""
    with pytest.warns(sendcap.SendcapWarning, match="cuts off"):
        scenario = scenario_of(
            # An event at 6 s would have a place in the second bin.
            time={"bin": "4s", "horizon": "6s"},
            delivery={"messages": 4},
            relay={"batch": 1, "batch_time": "2s"},
            provider={"transaction_time": "2s"},
            feedback={"synchronous": latency},
            engagement={"open_rate": 1.0, "open_delay": "2s"},
        )
    ledger = simulated(scenario)

    def counts(event: Event, clock: Clock = "happened") -> list[int]:
        return ledger.counts(event, clock=clock).tolist()

    assert counts("relayed") == counts("relayed", "known") == [1, 1]
    assert counts("attempted") == [1, 1]
    assert counts("accepted") == [0, 1]
    assert counts("accepted", "known") == ([0, 1] if latency == "0s" else [0, 0])
    assert counts("opened") == counts("opened", "known") == [0, 0]


ENDS: dict[Event, tuple[dict[str, Any], int]] = {
    "accepted": ({}, 21),
    "hard": ({"provider": {"hard": [{"reason": "user unknown", "share": 1.0}]}}, 21),
    "expired": ({"provider": {"outages": [{"at": "0s", "lasts": "1h"}]}}, 60),
    "relay_failed": ({"relay": {"error_rate": 1.0}}, 0),
}
"""Ends of a message, and how long it is in the MTA until then."""


@pytest.mark.parametrize("end", ENDS)
def test_a_message_that_is_final_makes_room_in_the_spool(end: Event) -> None:
    """Three workers hand a message over in 50 s, and the spool holds two: the third worker waits.

    Each time, the engine may be late by as much as a window of 10 s, and never early.
    """
    changes, stays_s = ENDS[end]
    scenario = scenario_of(
        time=SECOND,
        delivery={"messages": 5, "validity": "60s"},
        relay={"workers": 3, "batch": 1, "batch_time": "50s"} | changes.get("relay", {}),
        mta={"spool": 2},
        provider={"connections_per_ip": 2, "transaction_time": "21s"} | changes.get("provider", {}),
    )
    waits = np.array([0, 0, 1, 1, 2])
    ends_s = 50 + stays_s + waits * (50 + stays_s)
    assert seconds(textbook.simulate_ledger(scenario), end) == ends_s.tolist()
    late_s = seconds(sendcap.simulate(scenario).ledger, end) - ends_s
    assert (late_s >= 0).all()
    assert (late_s <= 10 * waits).all()


def test_room_is_not_used_before_a_message_is_final(simulated) -> None:
    """A message that is tried every 11 s gives the engine a window in which room becomes free."""
    plain = {"connections_per_ip": 2, "connect_time": "0s", "messages_per_connection": 100}
    scenario = from_dict(
        {
            "time": SECOND,
            "deliveries": [
                {"name": "tried", "messages": 1, "validity": "4m", "audience": {"away": 1.0}},
                {"name": "waits", "messages": 4, "audience": {"there": 1.0}},
            ],
            "relay": {"workers": 4, "batch": 1, "batch_time": "50s"},
            "mta": {"spool": 3, "retry": {"policy": "schedule", "delays": ["10s"]}},
            "providers": {
                "away": plain
                | {"transaction_time": "1s", "outages": [{"at": "0s", "lasts": "2h"}]},
                "there": plain | {"transaction_time": "21s"},
            },
        }
    )
    ledger = simulated(scenario)
    soft = seconds(ledger, "soft")
    assert soft[:4] == [51, 62, 73, 84]
    accepted = seconds(ledger, "accepted")
    assert accepted[:2] == [71, 71]
    assert all(142 <= accepted_s <= 152 for accepted_s in accepted[2:])
