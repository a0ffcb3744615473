"""What is said of a run at different moments is possible, however wide the bins of the ledger are.

A ledger knows when something happened no finer than in bins. Sentences and tables must not fill
that in, each in another way: what has to come first is not stated for later.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import sendcap
from sendcap.ledger.delays import RESOLUTION
from sendcap.readings.summary import accepted_at_s
from sendcap.readings.tables import key_moments
from sendcap.scenario import Scenario, from_dict
from sendcap.study.calendar.calendar import calendar_of
from sendcap.study.calendar.rows import rows_of
from sendcap.study.capacity.hold_ups import moves, of_each
from sendcap.study.capacity.limits import limits_from_ledger
from sendcap.study.replication.measures import deliverable
from sendcap.text.clock import brief_moment

START = datetime(2026, 11, 27, 9)
WHOLE = (0.5, 0.9, 0.99, 1.0)


@st.composite
def small_scenarios(draw: st.DrawFn) -> Scenario:
    """A few deliveries of a few messages, all of which are accepted: bins hold much of each."""
    seconds = st.floats(0.0, 400.0).map(lambda value: f"{value:.3f}s")
    short = st.sampled_from(["0s", "50ms", "700ms", "4s"])
    deliveries = [
        {
            "name": f"delivery {number}",
            "messages": draw(st.integers(1, 150)),
            "at": draw(seconds),
            "spread": draw(st.sampled_from(["0s", "0s", "100s"])),
            "audience": draw(st.sampled_from([{"p": 1.0}, {"p": 0.4, "q": 0.6}])),
        }
        for number in range(draw(st.integers(1, 3)))
    ]
    provider = st.fixed_dictionaries(
        {
            "connections_per_ip": st.integers(1, 20),
            "connect_time": short,
            "transaction_time": short,
            "transient": st.sampled_from([0.0, 0.2]),
        }
    )
    bin_ = draw(st.sampled_from(["1s", "7s", "60s", "60s", "600s"]))
    plain: dict[str, Any] = {
        "seed": draw(st.integers(0, 99)),
        "time": {"bin": bin_},
        "deliveries": deliveries,
        "relay": {"batch": draw(st.integers(1, 40)), "batch_time": draw(short)},
        "mta": {"retry": {"policy": "schedule", "delays": ["30s"]}},
        "providers": {"p": draw(provider), "q": draw(provider)},
        "feedback": {"synchronous": draw(short)},
        "reporting": {"modes": ["efs"]},
    }
    if draw(st.booleans()):
        plain["start"] = START
    return from_dict(plain)


@settings(deadline=None, max_examples=30)
@given(small_scenarios())
def test_the_moments_of_a_delivery_are_in_an_order_that_is_possible(scenario) -> None:
    run = sendcap.simulate(scenario)
    slots = {share: calendar_of(run, share).slots for share in WHOLE}
    for number, slot in enumerate(slots[1.0]):
        name, ledger = slot.delivery, run.ledger
        # In any order: the relay may hold up some until most of the others are accepted.
        shares_s = [slots[share][number].accepted_s for share in WHOLE]
        assert slot.starts_s < shares_s[0] <= shares_s[1] <= shares_s[2] <= shares_s[3] < math.inf
        assert slot.starts_s < slot.relayed_s <= shares_s[3]
        # Whoever looks at the dashboard of a moment sees what is stated for it.
        assert run.truth(slot.relayed_s, name).not_relayed == 0
        for share, moment_s in zip(WHOLE, shares_s, strict=True):
            seen = run.truth(moment_s, name)
            assert seen.delivered >= share * slot.messages * (1 - 1e-9)
            assert seen.delivered <= seen.relayed
        # All is accepted in the end: it is as in the summary, where it is the last of all.
        assert shares_s[:3] == [accepted_at_s(ledger, pct, delivery=name) for pct in (50, 90, 99)]
        # Within 0.1 points of 100 % there are more than 99 %, which Campaign has to know of.
        assert shares_s[2] <= slot.settled_s <= ledger.end_s
        (_, *_, last) = run.states("efs", name).itertuples()
        assert (last.state, last.from_s >= shares_s[3]) == ("finished", True)
        if ledger.delays is not None and len(slots[1.0]) == 1:
            totals = run.summary()["total"]
            assert totals["delay_longest_s"] * (1 - 2 * RESOLUTION) <= shares_s[3] - slot.starts_s


@st.composite
def troubled_scenarios(draw: st.DrawFn) -> Scenario:
    """The same deliveries, of whose messages some fail, are stopped or expire."""
    scenario = draw(small_scenarios())
    changes: dict[str, Any] = {
        "relay.error_rate": draw(st.sampled_from([0.0, 0.2])),
        "mta.retry.delays": ["30s"],
    }
    for number in range(len(scenario.deliveries)):
        changes[f"deliveries[{number}].validity"] = draw(st.sampled_from(["40s", "5m", "1h"]))
    if draw(st.booleans()):
        stop_s = scenario.deliveries[0].at + draw(st.floats(1.0, 100.0))
        changes["deliveries[0].stop"] = f"{stop_s:.3f}s"
    for name in scenario.providers:
        hard = draw(st.sampled_from([0.0, 0.3]))
        changes[f"providers.{name}.hard"] = [{"reason": "unknown", "share": hard}]
    return scenario.with_(changes)


@settings(deadline=None, max_examples=30)
@given(troubled_scenarios())
def test_moments_of_what_fails_are_in_an_order_that_is_possible(scenario) -> None:
    run = sendcap.simulate(scenario)
    ledger, calendar = run.ledger, calendar_of(run)
    for slot in calendar.slots:
        name = slot.delivery
        moments_s = (slot.accepted_50_pct_s, slot.accepted_90_pct_s, slot.accepted_s)
        assert slot.starts_s < moments_s[0] <= moments_s[1] <= moments_s[2]
        assert slot.starts_s < min(slot.relayed_s, slot.stopped_s)
        if slot.relayed_s < math.inf:
            assert run.truth(slot.relayed_s, name).not_relayed == 0
        could_be = deliverable(ledger, name)
        for share, moment_s in zip((0.5, 0.9, 0.99), moments_s, strict=True):
            if moment_s < math.inf:
                assert run.truth(moment_s, name).delivered >= share * could_be - 1e-9
                # What is ever accepted is less than what could be.
                assert accepted_at_s(ledger, round(100 * share), delivery=name) <= moment_s
    stops_s = {each.name: each.stop for each in scenario.deliveries if each.stop is not None}
    for each in of_each(run, limits_from_ledger(run).observed):
        stop_s = stops_s.get(str(each.delivery), math.inf)
        slot = next(slot for slot in calendar.slots if slot.delivery == each.delivery)
        assert slot.starts_s <= each.from_s <= each.until_s <= ledger.end_s
        longest_s = (stop_s if each.stage.kind == "relay" else math.inf) - slot.starts_s
        assert each.wait_s <= min(longest_s, ledger.end_s - slot.starts_s)
    for name, moment_s in key_moments(ledger, scenario.start):
        if name == "Relay done" and not any(each.stop for each in scenario.deliveries):
            assert run.truth(moment_s).not_relayed == 0
    for pct in (50, 99):
        each = [accepted_at_s(ledger, pct, delivery=name) for name in ledger.deliveries]
        some = [moment_s for moment_s in each if moment_s is not None]
        together = accepted_at_s(ledger, pct)
        assert (together is None) == (not some)
        assert together is None or min(some) <= together <= max(some)


@settings(deadline=None, max_examples=20)
@given(small_scenarios())
def test_what_holds_a_delivery_up_ends_before_it_is_accepted(scenario) -> None:
    run = sendcap.simulate(scenario)
    observed = limits_from_ledger(run).observed
    slots = {slot.delivery: slot for slot in calendar_of(run, 1.0).slots}
    for each in of_each(run, observed):
        slot = slots[str(each.delivery)]
        assert slot.starts_s <= each.from_s < each.until_s <= slot.accepted_s
        assert each.until_s % run.ledger.bin_s == 0.0
        assert 0.0 < each.wait_s <= slot.accepted_s - slot.starts_s
    last_s = max(slot.accepted_s for slot in slots.values())
    assert all(each.from_s <= each.until_s <= last_s for each in moves(observed))


def told(text: str) -> datetime:
    """Return a moment of a table: "Fri 09:00:10"."""
    day, time = text.split(" ")
    assert day == "Fri"
    return datetime.combine(
        START, datetime.strptime(time.ljust(8, "X").replace("XXX", ":00"), "%H:%M:%S").time()
    )


@settings(deadline=None, max_examples=20)
@given(small_scenarios())
def test_tables_state_these_moments_and_none_before_something_has_happened(scenario) -> None:
    run = sendcap.simulate(scenario.model_copy(update={"start": START}))
    found = calendar_of(run, 1.0)
    for row, slot in zip(rows_of(found), found.slots, strict=True):
        starts, relayed, half, most, whole = (
            told(row[name])
            for name in ("Starts", "Relayed", "50 % accepted", "90 % accepted", "100 % accepted")
        )
        assert starts <= half <= most <= whole
        assert starts <= relayed <= whole
        seen = run.truth((whole - START).total_seconds(), slot.delivery)
        assert seen.delivered == slot.messages


def test_a_table_of_a_week_rounds_moments_up_to_the_minute() -> None:
    for seconds, text in (
        (3600.0, "10:00"),
        (3600.4, "10:00"),
        (3601.0, "10:01"),
        (3659.0, "10:01"),
    ):
        assert brief_moment(seconds, START, 3 * 86_400.0) == f"Fri {text}"
