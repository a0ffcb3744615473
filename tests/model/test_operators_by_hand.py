"""Deliveries that operators hold, that the clock spreads, or that somebody confirms, by hand.

Unless said otherwise, the relay has one worker, who hands over one message in a second.
"""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest
from oracle_reports import counts_of
from small_scenarios import scenario_of
from test_orders_by_hand import MODELS, Times, delivery, times

import sendcap
from sendcap.errors import SendcapWarning
from sendcap.model.engine import simulate_ledger
from sendcap.readings.modes import MODES
from sendcap.scenario import Scenario

HOUR = 3600.0
ONE_BY_ONE: dict[str, Any] = {"batch": 1, "batch_time": "1s"}
TWO_AT_ONCE: dict[str, Any] = {"batch": 2, "batch_time": "0s"}
SECOND, MINUTES = {"bin": "1s"}, {"bin": "15m"}
SATURDAY = "2026-11-28T10:00:00"
BERLIN = {"zone": "Europe/Berlin"}
AT_WORK: dict[str, Any] = {"within": "1h", "hours": "Mon-Fri 09:00-18:00"}


def relayed(*deliveries: Any, relay: dict[str, Any] = ONE_BY_ONE, **sections: Any) -> Scenario:
    sections.setdefault("time", SECOND)
    return scenario_of(deliveries=list(deliveries), relay=relay, **sections)


def confirmed(confirm: dict[str, Any], start: str = SATURDAY, **keys: Any) -> Scenario:
    """A delivery of four messages, perhaps never sent; times are in quarters of an hour."""
    zone = keys.pop("zone", {})
    sections = {key: keys.pop(key) for key in ("mta", "provider", "engagement") if key in keys}
    one = delivery("news", 4, confirm=confirm, **keys)
    at_once = {"batch_time": "0s"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* is never sent", SendcapWarning)
        return relayed(one, relay=at_once, time=MINUTES, start=start, **zone, **sections)


def streamed(pattern: dict[int, float], spread: str, start: str, **zone: Any) -> Scenario:
    """Four batches; times are in quarters of an hour."""
    weights = [pattern.get(hour, 0.0) for hour in range(24)]
    one = delivery("news", 4, spread=spread, pattern=weights)
    relay = {"batch": 1, "batch_time": "0s"}
    return relayed(one, relay=relay, time=MINUTES, start=start, **zone)


PAUSED = {"pause": "500ms", "resume": "2500ms"}
NEVER_TAKEN = {"transient": 1.0, "connections_per_ip": 9}
BY_HAND: dict[str, tuple[Scenario, str, Times]] = {
    "what is under way when a pause begins goes on": (
        relayed(delivery("a", 5, pause="1500ms", resume="4s")),
        "relayed",
        {"a": [1, 2, 5, 6, 7]},
    ),
    "a pause holds what would start at its very moment, a resume what would start then no more": (
        relayed(delivery("a", 3, pause="1s", resume="3s")),
        "relayed",
        {"a": [1, 4, 5]},
    ),
    "a delivery is paused again and again, and for ever": (
        relayed(delivery("a", 5, pause=["500ms", "3500ms", "6500ms"], resume=["2s", "5s"])),
        "relayed",
        {"a": [1, 3, 4, 6, 7]},
    ),
    "what becomes ready during a pause is there when it ends": (
        relayed(delivery("a", 4, spread="4s", pause="500ms", resume="10s")),
        "relayed",
        {"a": [1, 11, 12, 13]},
    ),
    "a paused delivery lets others pass, and goes on before those that were ready later": (
        relayed(delivery("a", 3, **PAUSED), delivery("b", 4, "100ms")),
        "relayed",
        {"a": [1, 4, 5], "b": [2, 3, 6, 7]},
    ),
    "a higher priority that is paused lets a lower one pass": (
        relayed(
            delivery("low", 4, priority="low"),
            delivery("high", 3, priority="high", **PAUSED),
            mta={"order": "priority"},
        ),
        "relayed",
        {"low": [2, 3, 6, 7], "high": [1, 4, 5]},
    ),
    "a paused delivery has no turn, and the next one after its resume": (
        relayed(
            delivery("a", 3, pause="500ms", resume="4500ms"),
            delivery("b", 3),
            delivery("c", 3),
            mta={"order": "fair"},
        ),
        "relayed",
        {"a": [1, 6, 9], "b": [2, 4, 7], "c": [3, 5, 8]},
    ),
    "what is stopped is never handed over": (
        relayed(delivery("a", 5, stop="2500ms"), delivery("b", 2)),
        "relayed",
        {"a": [1, 2, 3], "b": [4, 5]},
    ),
    "what the MTA has when a delivery is stopped, it delivers": (
        # An attempt takes three seconds, and there is one connection.
        relayed(delivery("a", 5, stop="2500ms"), provider={"transaction_time": "3s"}),
        "accepted",
        {"a": [4, 7, 10]},
    ),
    "a stop ends a pause that has no resume": (
        relayed(delivery("a", 3, pause="500ms", stop="5s")),
        "relayed",
        {"a": [1]},
    ),
    "while a full spool has room again during a pause, another delivery takes it": (
        # An attempt takes a second: there is room for two at 2 s and at 4 s.
        relayed(
            delivery("a", 4, pause="500ms", resume="5s"),
            delivery("b", 2),
            relay=TWO_AT_ONCE,
            mta={"spool": 2},
        ),
        "relayed",
        {"a": [0, 0, 5, 5], "b": [2, 2]},
    ),
    "who waits for room of a spool is held, and one that has room goes": (
        # a waits for two places until 4 s; there is one for b all the time.
        relayed(
            delivery("a", 4, pause="1s", resume="5s"),
            delivery("b", 1),
            relay=TWO_AT_ONCE,
            mta={"spool": 3},
            provider={"transaction_time": "2s"},
        ),
        "relayed",
        {"a": [0, 0, 5, 5], "b": [1]},
    ),
    "when a hold ends, the choice is made anew: who waited for the relay's rate waits on": (
        # The rate lets one start at 0, 10 and 20 s; b would have the second one.
        relayed(
            delivery("a", 2, pause="5s", resume="8s"),
            delivery("b", 1),
            relay={"batch": 1, "batch_time": "0s", "rate": "1/10s,max_burst=1"},
        ),
        "relayed",
        {"a": [0, 10], "b": [20]},
    ),
    "a pause over the moment at which the relay's rate would let it start": (
        relayed(
            delivery("a", 2, pause="5s", resume="12s"),
            delivery("b", 1),
            relay={"batch": 1, "batch_time": "0s", "rate": "1/10s,max_burst=1"},
        ),
        "relayed",
        {"a": [0, 20], "b": [10]},
    ),
    "a newsletter of Saturday is confirmed on Monday after an hour of work": (
        confirmed(AT_WORK),
        "relayed",
        {"news": [4 * 48] * 4},
    ),
    "and an hour later if the clock is put back on Sunday": (
        confirmed(AT_WORK, "2026-10-24T10:00:00", zone=BERLIN),
        "relayed",
        {"news": [4 * 49] * 4},
    ),
    "and an hour sooner if it is put forward": (
        confirmed(AT_WORK, "2026-03-28T10:00:00", zone=BERLIN),
        "relayed",
        {"news": [4 * 47] * 4},
    ),
    "who is asked ahead has confirmed before the start": (
        confirmed({"within": "1h", "ahead": "2h"}, at="3h"),
        "relayed",
        {"news": [4 * 3] * 4},
    ),
    "work of Friday counts for a newsletter of Saturday": (
        # Half an hour from Friday at 17:30 on, and half an hour on Monday.
        confirmed(AT_WORK | {"ahead": "16h30m"}),
        "relayed",
        {"news": [4 * 47 + 2] * 4},
    ),
    "a confirmation at the very end is in time": (
        confirmed({"within": "2h", "give_up": "2h"}),
        "relayed",
        {"news": [4 * 2] * 4},
    ),
    "one that comes later is not": (confirmed({"within": "121m", "give_up": "2h"}), "relayed", {}),
    "after a week nobody waits any more": (
        confirmed({"within": "8d"}, at="1h"),
        "relayed",
        {},
    ),
    "a stop before the confirmation": (confirmed({"within": "2h"}, stop="1h"), "relayed", {}),
    "a pause that ends before the confirmation": (
        confirmed({"within": "2h"}, pause="30m", resume="1h"),
        "relayed",
        {"news": [4 * 2] * 4},
    ),
    "a pause over the confirmation": (
        confirmed({"within": "2h"}, pause="30m", resume="3h"),
        "relayed",
        {"news": [4 * 3] * 4},
    ),
    "each sending has a confirmation of its own": (
        # That of Sunday would be confirmed on Monday at 10:00, and is given up an hour before.
        confirmed(AT_WORK | {"give_up": "23h"}, at="1d", every="1d", times=3),
        "relayed",
        {"news 2": [4 * 49] * 4, "news 3": [4 * 73] * 4},
    ),
    "waves have one confirmation, and keep their distance": (
        confirmed({"within": "1h"}, waves={"size": 0.5, "every": "2h"}),
        "relayed",
        {"news wave 1": [4, 4], "news wave 2": [12, 12]},
    ),
    "the rest of a test follows its cells": (
        confirmed({"within": "1h"}, cells={"share": 0.25, "after": "2h"}),
        "relayed",
        {"news A": [4], "news B": [4], "news rest": [12, 12]},
    ),
    "in each zone it is sent at its time, or once it is confirmed": (
        confirmed(
            {"within": "3h"},
            zone=BERLIN,
            local_time="11:00",
            zones={"Europe/Berlin": 0.5, "America/New_York": 0.5},
        ),
        "relayed",
        {"news Europe/Berlin": [12, 12], "news America/New_York": [4 * 7] * 2},
    ),
    "the validity counts from the start that comes of the confirmation": (
        confirmed(
            {"within": "2h"},
            validity="1h",
            mta={"clock_origin": "delivery-start", "expire": "at-expiry"},
            provider=NEVER_TAKEN,
        ),
        "expired",
        {"news": [4 * 3] * 4},
    ),
    "opens are followed for two weeks from the start that comes of it": (
        confirmed(
            {"within": "2d"}, engagement={"open_rate": 1.0, "open_delay": "335h", "click_rate": 0.0}
        ),
        "opened",
        {"news": [4 * (48 + 335)] * 4},
    ),
    "an hour with three times the weight has three times the messages": (
        streamed({8: 1.0, 9: 3.0}, "2h", "2026-11-27T08:00:00"),
        "relayed",
        {"news": [0, 4, 5, 6]},
    ),
    "nothing is ready in hours of zero": (
        # The third would be ready at 09:00, and is at 11:00.
        streamed({8: 1.0, 11: 1.0}, "4h", "2026-11-27T08:00:00"),
        "relayed",
        {"news": [0, 2, 12, 14]},
    ),
    "an hour that the clock repeats has its messages twice": (
        streamed({1: 1.0, 2: 1.5}, "4h", "2026-10-25T01:00:00", **BERLIN),
        "relayed",
        {"news": [0, 4, 6, 9]},
    ),
    "an hour that the clock skips has none": (
        streamed({1: 1.0, 2: 9.0, 3: 1.0}, "2h", "2026-03-29T01:00:00", **BERLIN),
        "relayed",
        {"news": [0, 2, 4, 6]},
    ),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("hold", [{"stop": "20s"}, {"pause": "20s"}])
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # At 2 s there is room for two: for both of b, and once one has left for that of c.
        ("2s", {"a": [0], "b": [2, 2], "c": [3]}),
        # There is always room.
        ("6s", {"a": [0], "b": [2, 2], "c": [6]}),
    ],
)
def test_a_hold_that_is_to_come_changes_nothing_at_a_spool(
    at: str, expected: Times, hold: dict[str, str], model: str
) -> None:
    scenario = relayed(
        delivery("a", 1),
        delivery("b", 2, "2s", **hold),
        delivery("c", 1, at),
        relay=TWO_AT_ONCE,
        mta={"spool": 2},
    )
    assert times(MODELS[model](scenario), "relayed") == expected


@pytest.mark.parametrize("example", BY_HAND)
@pytest.mark.parametrize("model", MODELS)
def test_messages_are_handed_over_when_they_should_be(example: str, model: str) -> None:
    scenario, event, expected = BY_HAND[example]
    assert times(MODELS[model](scenario), event) == expected


def test_what_is_stopped_stays_to_deliver_and_the_run_ends() -> None:
    """Of five, the relay fails with one in two or so; two are never handed over."""
    relay = ONE_BY_ONE | {"error_rate": 0.5}
    run = sendcap.simulate(relayed(delivery("a", 5, stop="2500ms"), relay=relay))
    counts = {event: run.ledger.total(event) for event in ("relayed", "relay_failed", "accepted")}
    assert counts["relayed"] + counts["relay_failed"] == 3
    assert counts["relayed"] == counts["accepted"]
    assert run.ledger.messages() == 5
    assert run.ledger.bins * run.ledger.bin_s < 600.0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("stop", "handed_over"), [("2500ms", 3), ("500ms", 1)])
def test_the_dashboard_shows_what_was_handed_over_before_the_stop(
    mode: str, stop: str, handed_over: int
) -> None:
    run = sendcap.simulate(relayed(delivery("a", 5, stop=stop)))
    shown = run.dashboard("1h", mode)
    assert (shown.to_deliver, shown.relayed, shown.sent) == (5, handed_over, handed_over)
    # Only Campaign's own MTA would have the others.
    assert (shown.failed, shown.pending) == (0, 5 - handed_over if mode == "legacy" else 0)


@pytest.mark.parametrize("mode", MODES)
def test_a_delivery_that_nobody_confirms_ends_with_nothing_handed_over(mode: str) -> None:
    run = sendcap.simulate(confirmed({"within": "2h", "give_up": "1h"}))
    shown = run.dashboard("2d", mode)
    assert (shown.to_deliver, shown.relayed, shown.sent, shown.failed) == (4, 0, 0, 0)
    assert run.kpis(mode).to_deliver.iloc[-1] == 4


def exponential(people: int) -> Scenario:
    """A message on each of 300 days, which somebody confirms after an hour on average."""
    confirm = {"within": {"dist": "exponential", "mean": "1h"}, "people": people}
    daily = delivery("daily", 1, every="1d", times=300, confirm=confirm)
    return relayed(daily, relay={"batch_time": "0s"})


@pytest.mark.parametrize("people", [1, 2, 5])
@pytest.mark.parametrize("model", ["engine", "textbook"])
def test_the_first_of_several_people_counts(people: int, model: str) -> None:
    """The least of n exponential times has the n-th part of their mean, and so it is spread."""
    scenario = exponential(people)
    starts_s = [
        at for seconds in times(MODELS[model](scenario), "relayed").values() for at in seconds
    ]
    late_s = np.array(starts_s) % 86_400.0
    assert len(late_s) == 300
    expected_s = HOUR / people
    assert late_s.mean() == pytest.approx(expected_s, abs=3.0 * expected_s / 300**0.5)
    assert late_s.std() == pytest.approx(expected_s, rel=0.3)


def test_each_sending_draws_a_confirmation_of_its_own_and_each_seed_other_ones() -> None:
    scenario = exponential(1)
    seen = Counter(
        seconds[0] % 86_400
        for seed in (1, 2)
        for seconds in times(
            counts_of(simulate_ledger(scenario.with_seed(seed))), "relayed"
        ).values()
    )
    assert len(seen) > 500


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_sent_of_parts_whose_sending_is_given_up(model: str) -> None:
    waves = {"size": 0.5, "every": "2h"}
    scenario = confirmed({"within": "3h", "give_up": "1h"}, waves=waves)
    assert times(MODELS[model](scenario), "relayed") == {}
