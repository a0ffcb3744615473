"""The engine's ledger is the oracle's, count by count, over random scenarios without draws.

The oracle is a second model of the same rules, one message at a time, slow and simple. A scenario
is a function of its number, so that a failure can be repeated.
"""

from __future__ import annotations

from collections import Counter

import pytest
from delays_of_messages import hold
from oracle import Oracle
from oracle_reports import Counts, counts_of
from oracle_scenarios import scenario_of
from test_small_examples_by_hand import BY_HAND

from sendcap.ledger import EVENTS
from sendcap.model.engine import simulate_ledger


def differences(ours: Counts, theirs: Counts) -> list[tuple[str, ...]]:
    return [key for key in sorted(ours | theirs) if ours.get(key) != theirs.get(key)]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 600, 100))
def test_the_engine_counts_what_the_oracle_counts(first: int) -> None:
    for number in range(first, first + 100):
        scenario = scenario_of(number)
        oracle, ledger = Oracle(scenario), simulate_ledger(scenario)
        expected = oracle.run()
        assert differences(counts_of(ledger), expected) == [], f"scenario {number}"
        assert ledger.delays is not None
        counted, delays_s = ledger.delays.counts, oracle.reports.delays_s
        assert counted.keys() == delays_s.keys(), f"scenario {number}"
        for names, counts in counted.items():
            assert hold(counts, delays_s[names]), f"scenario {number}"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 400, 100))
def test_queues_that_share_limits_do_what_the_oracle_does(first: int) -> None:
    assert_that_they_agree(first, shares=True)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 600, 100))
def test_messages_go_in_the_order_in_which_those_of_the_oracle_go(first: int) -> None:
    assert_that_they_agree(first, orders=True)


def assert_that_they_agree(first: int, **kind: bool) -> None:
    for number in range(first, first + 100):
        scenario = scenario_of(number, **kind)
        expected = Oracle(scenario).run()
        found = differences(counts_of(simulate_ledger(scenario)), expected)
        assert found == [], f"scenario {number}"


@pytest.mark.parametrize("example", BY_HAND)
def test_the_oracle_gives_what_is_worked_out_by_hand(example: str) -> None:
    scenario, event, expected = BY_HAND[example]
    times = [
        number * scenario.time.bin
        for (_, _, counted, _, clock), bins in Oracle(scenario).run().items()
        if (counted, clock) == (event, "happened")
        for number, events in bins.items()
        for _ in range(events)
    ]
    assert sorted(times) == pytest.approx(expected)


@pytest.mark.parametrize("orders", [False, True])
def test_scenarios_reach_every_event_and_lose_no_message(orders: bool) -> None:
    reached: set[str] = set()
    for number in range(60):
        scenario = scenario_of(number, orders=orders)
        totals: Counter[str] = Counter()
        for (_, _, event, _, clock), bins in Oracle(scenario).run().items():
            if clock == "happened":
                totals[event] += sum(bins.values())
        reached |= totals.keys()
        if scenario.time.horizon is None:
            messages = sum(delivery.messages for delivery in scenario.deliveries)
            assert totals["relayed"] + totals["relay_failed"] == messages
            assert totals["relayed"] == totals["accepted"] + totals["hard"] + totals["expired"]
    assert reached == set(EVENTS)
