"""The engine's ledger is the oracle's, count by count, over random scenarios without draws.

The oracle is a second model of the same rules, one message at a time, slow and simple. A scenario
is a function of its number, so that a failure can be repeated.
"""

from __future__ import annotations

import math
from collections import Counter

import pytest
from agreed import ORACLE, Remembered
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
def test_the_engine_counts_what_the_oracle_counts(first: int, remembered: Remembered) -> None:
    for number in range(first, first + 100):
        scenario = scenario_of(number)
        ledger = simulate_ledger(scenario)
        ours = counts_of(ledger)
        assert ledger.delays is not None
        counted = ledger.delays.counts
        codes = {
            names: (each.bins.tolist(), each.counts.tolist()) for names, each in counted.items()
        }
        if remembered(ORACLE, scenario, ours, codes):
            continue
        oracle = Oracle(scenario)
        expected, delays_s = oracle.run(), oracle.reports.delays_s
        assert differences(ours, expected) == [], f"scenario {number}"
        assert counted.keys() == delays_s.keys(), f"scenario {number}"
        for names, counts in counted.items():
            assert hold(counts, delays_s[names]), f"scenario {number}"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 400, 100))
def test_queues_that_share_limits_do_what_the_oracle_does(
    first: int, remembered: Remembered
) -> None:
    assert_that_they_agree(first, remembered, shares=True)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 600, 100))
def test_messages_go_in_the_order_in_which_those_of_the_oracle_go(
    first: int, remembered: Remembered
) -> None:
    assert_that_they_agree(first, remembered, orders=True)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 400, 100))
def test_deliveries_are_held_patterned_and_confirmed_as_those_of_the_oracle(
    first: int, remembered: Remembered
) -> None:
    assert_that_they_agree(first, remembered, operators=True)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 400, 100))
def test_queue_runners_try_what_those_of_the_oracle_try(first: int, remembered: Remembered) -> None:
    assert_that_they_agree(first, remembered, runners=True)


@pytest.mark.parametrize(
    ("number", "kinds"),
    [
        # A limit that a message has used holds back whom another queue was to take.
        *((number, ("shares", "orders")) for number in (1361, 1707, 7718)),
        # A queue's turn is that of a message that is held back, and it has another one to take.
        *((number, ("shares", "orders")) for number in (20705, 21807)),
        # A retry is active, and new messages are handed over at the moment at which it is due.
        *((1930, ("orders",)), (2240, ("runners",))),
        # At a moment nobody waits, and somebody has come: before a run, or after it.
        *((1110, ("runners",)), (1189, ("runners",)), (1878, ("runners",))),
    ],
)
def test_where_much_happens_at_a_moment_it_goes_as_in_the_oracle(
    number: int, kinds: tuple[str, ...], remembered: Remembered
) -> None:
    scenario = scenario_of(number, **dict.fromkeys(kinds, True))
    ours = counts_of(simulate_ledger(scenario))
    if not remembered(ORACLE, scenario, ours):
        assert differences(ours, Oracle(scenario).run()) == []


def assert_that_they_agree(first: int, remembered: Remembered, **kind: bool) -> None:
    for number in range(first, first + 100):
        scenario = scenario_of(number, **kind)
        ours = counts_of(simulate_ledger(scenario))
        if not remembered(ORACLE, scenario, ours):
            assert differences(ours, Oracle(scenario).run()) == [], f"scenario {number}"


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


def totals_of(counts: Counts) -> Counter[str]:
    totals: Counter[str] = Counter()
    for (_, _, event, _, clock), bins in counts.items():
        if clock == "happened":
            totals[event] += sum(bins.values())
    return totals


@pytest.mark.parametrize("orders", [False, True])
def test_scenarios_reach_every_event_and_lose_no_message(
    orders: bool, remembered: Remembered
) -> None:
    scenarios = [scenario_of(number, orders=orders) for number in range(70)]
    if remembered(ORACLE, scenarios):
        return
    reached: set[str] = set()
    for scenario in scenarios:
        totals = totals_of(Oracle(scenario).run())
        reached |= totals.keys()
        if scenario.time.horizon is None:
            messages = sum(delivery.messages for delivery in scenario.deliveries)
            assert totals["relayed"] + totals["relay_failed"] == messages
            assert totals["relayed"] == totals["accepted"] + totals["hard"] + totals["expired"]
    assert reached == set(EVENTS)


def test_scenarios_reach_every_kind_of_operation(remembered: Remembered) -> None:
    """Of what is never started nothing happens; all others end."""
    scenarios = [scenario_of(number, operators=True) for number in range(30, 60)]
    if remembered(ORACLE, scenarios):
        return
    kinds: Counter[str] = Counter()
    for scenario in scenarios:
        oracle = Oracle(scenario)
        totals = totals_of(oracle.run())
        never = sum(each.messages for each in scenario.deliveries if is_never(oracle, each.name))
        left = sum(len(messages) for _, messages in oracle.relay.line)
        if scenario.time.horizon is None:
            messages = sum(delivery.messages for delivery in scenario.deliveries) - left - never
            assert totals["relayed"] + totals["relay_failed"] == messages
            assert totals["relayed"] == totals["accepted"] + totals["hard"] + totals["expired"]
        kinds += Counter({"left": bool(left), "never": bool(never)})
        for each in scenario.deliveries:
            is_late = each.at < oracle.starts[each.name] < math.inf
            kinds += Counter({"late": is_late, "in parts": each.parent is not None})
            kinds.update(
                key for key in ("pause", "resume", "stop", "pattern", "batch") if getattr(each, key)
            )
    assert len(+kinds) == len(kinds) == 9


def is_never(oracle: Oracle, delivery: str) -> bool:
    return oracle.starts[delivery] == math.inf
