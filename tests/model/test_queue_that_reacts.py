"""Queues that react to what their attempts come to, or to their own length."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from agreed import TEXTBOOK, Remembered
from small_scenarios import EVERYTHING, scenario_of

from sendcap import textbook
from sendcap.model.engine import simulate_ledger
from sendcap.model.scaling import wanted_connections
from sendcap.scenario import from_dict, updated

NEVER_REACHED = "1000000/s"
THROTTLES: list[Any] = [
    "none",
    "5/s,max_burst=2",
    {"kind": "gap", "pause": "300ms"},
    {"kind": "fixed-window", "limit": 70, "window": "30s"},
    {"kind": "schedule", "steps": [{"at": "0s", "rate": "2/s"}, {"at": "4m", "rate": "9/s"}]},
]


def with_nothing_drawn_at_the_finish(rate: Any) -> dict[str, Any]:
    """`EVERYTHING`, but what becomes of an attempt depends on no draw in the order of attempts."""
    sections = copy.deepcopy(EVERYTHING)
    sections["feedback"] = {"synchronous": "1s"}
    sections["engagement"] = {}
    sections["mta"]["retry"]["jitter"] = 0.0
    for provider in sections["providers"].values():
        provider |= {"transient": 0.0, "async_bounce": 0.0, "rate": rate}
        # Where times are all different, the order of things is, too.
        provider["connect_time"] = {"dist": "lognormal", "mean": "1s", "cv": 0.5}
        for fault in provider.get("faults", []):
            fault["clears_after"] = "5h"
    return sections


@pytest.mark.parametrize("rate", THROTTLES, ids=str)
def test_a_tolerance_that_is_never_exceeded_changes_nothing(rate: Any) -> None:
    """The general kernel gives what the one for queues that do not react gives, bit for bit."""
    sections = with_nothing_drawn_at_the_finish(rate)
    plain = simulate_ledger(from_dict(sections))
    for provider in sections["providers"].values():
        provider |= {"tolerance": NEVER_REACHED, "suspend": "momentum"}
    assert simulate_ledger(from_dict(sections)) == plain


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
def test_no_more_is_let_through_than_is_tolerated(simulate: Any, remembered: Remembered) -> None:
    scenario = scenario_of(
        time={"bin": "1s"},
        delivery={"messages": 3000},
        mta={"ips": 2, "retry": {"policy": "schedule", "delays": ["30s"]}},
        provider={
            "connections_per_ip": 20,
            "transaction_time": {"dist": "exponential", "mean": "500ms"},
            "tolerance": "5/s,max_burst=10",
        },
    )
    if simulate is textbook.simulate_ledger and remembered(TEXTBOOK, scenario):
        return
    let_through = simulate(scenario).cumulative("accepted", clock="happened")
    # For each of the two IPs: 5/s, and 10 ahead of that.
    ahead = let_through - 10.0 * np.arange(len(let_through))
    assert (ahead - np.minimum.accumulate(ahead)).max() <= 20 + 10
    # While there is always something to send, all that is tolerated is used.
    half = int(np.searchsorted(let_through, 1500))
    assert let_through[half] / half == pytest.approx(10.0, rel=0.02)


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
def test_a_suspension_saves_attempts_that_would_be_throttled(
    simulate: Any, remembered: Remembered
) -> None:
    scenario = scenario_of(
        delivery={"messages": 2000},
        mta={"retry": {"policy": "schedule", "delays": ["30s"]}},
        provider={"connections_per_ip": 20, "tolerance": "1/s,max_burst=200"},
    )
    suspended = updated(scenario, {"mta.suspend": {"after": 20, "within": "1m", "lasts": "3m"}})
    if simulate is textbook.simulate_ledger and remembered(TEXTBOOK, scenario, suspended):
        return
    rough, gentle = simulate(scenario), simulate(suspended)
    assert rough.total("accepted") == gentle.total("accepted") == 2000
    assert gentle.total("attempted") < 0.7 * rough.total("attempted")
    # 180 are tolerated during three minutes' pause, then it takes some seconds to be throttled.
    expected = 2000 / (190 / (180 + 10))
    assert gentle.end_s == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(("concurrency", "expected_per_s"), [(100, 6.63), (20, 1.33)])
def test_a_dead_host_of_two_slows_delivery_as_postfix_says(
    concurrency: int, expected_per_s: float
) -> None:
    """TUNING_README: at most concurrency · N / timeout, with 30 s and N = 2 hosts of which one is
    dead; QSHAPE_README: "just over 1" per second with the default limit.
    """
    scenario = scenario_of(
        time={"bin": "10s"},
        delivery={"messages": 200 * concurrency},
        provider={
            "connections_per_ip": concurrency,
            "messages_per_connection": 1,
            "connect_time": {"dist": "empirical", "values": ["0s", "30s"]},
            "transaction_time": "80ms",
        },
    )
    through = simulate_ledger(scenario).cumulative("accepted", clock="happened")
    per_s = (through[250] - through[50]) / 2000.0
    assert per_s == pytest.approx(expected_per_s, rel=0.02)


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
def test_postfix_does_not_try_a_dead_site_again_and_again(simulate: Any) -> None:
    outage = scenario_of(
        delivery={"messages": 500},
        mta={"retry": {"policy": "postfix"}},
        provider={
            "connections_per_ip": 20,
            "connect_time": "30s",
            "messages_per_connection": 1,
            "outages": [{"at": "0s", "lasts": "1h"}],
        },
    )
    in_vain = simulate(outage)
    dead = simulate(updated(outage, {"providers.p.connection_scaling": "postfix"}))
    assert in_vain.total("accepted") == dead.total("accepted") == 500
    # Three connections fail, of the first five, and then of each that are due after five minutes.
    assert in_vain.total("attempted") > 3 * 500
    assert dead.total("attempted") <= 500 + 12 * 20
    without = dead.total("soft", reason="suspended")
    assert dead.total("soft") - without == dead.total("attempted") - 500


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
@pytest.mark.parametrize(
    ("feedback", "published_pct"),
    [("1/concurrency", 16.5), ("1/sqrt_concurrency", 24.5), ("1", 49.7)],
)
def test_postfix_feels_its_way_to_the_connections_that_a_server_accepts(
    feedback: str, published_pct: float, simulate: Any
) -> None:
    """SCHEDULER_README: 2,000 recipients, two per delivery, for each of which the server sleeps a
    second; it answers 421 beyond five connections.
    """
    scaling = {"kind": "postfix", "positive": feedback, "negative": feedback, "variant": "readme"}
    scenario = scenario_of(
        delivery={"messages": 1000},
        relay={"batch": 1000},
        mta={"retry": {"policy": "schedule", "delays": ["1d"]}},
        provider={
            "connections_per_ip": 20,
            "messages_per_connection": 1,
            "accepts_connections": 5,
            "connect_time": "0.1s",
            # Not all at one moment.
            "transaction_time": {"dist": "uniform", "low": "1.8s", "high": "2.2s"},
            "connection_scaling": scaling,
        },
    )
    deferred = simulate(scenario).total("soft_first", reason="too many connections")
    assert deferred / 10.0 == pytest.approx(published_pct, abs=0.7)


# KumoMTA, crates/kumod/src/ready_queue.rs, test of ideal_connection_count.
IDEAL = {
    32: {1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5, 8: 6, 9: 6, 10: 7, 20: 12, 32: 17, 64: 25}
    | {128: 31, 256: 32, 1000: 32},
    10: {1: 1, 2: 1, 5: 2, 10: 3, 20: 4, 50: 7, 100: 9, 200: 10},
    1024: {length: length for length in range(1025)},
}


@pytest.mark.parametrize("limit", IDEAL)
def test_connections_wanted_are_those_that_kumomta_wants(limit: int) -> None:
    found = {length: wanted_connections(length, limit) for length in IDEAL[limit]}
    assert found == IDEAL[limit]


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
@pytest.mark.parametrize("messages", [1, 10, 40, 100, 300])
def test_as_many_connections_are_opened_at_first_as_are_wanted(
    messages: int, simulate: Any
) -> None:
    scenario = scenario_of(
        time={"bin": "1s"},
        delivery={"messages": messages},
        relay={"batch": 300},
        provider={
            "connections_per_ip": 100,
            "connect_time": "10s",
            "connection_scaling": "kumomta",
        },
    )
    attempts = simulate(scenario).counts("attempted", clock="happened")
    assert attempts[10] == wanted_connections(messages, 100)
    assert attempts.sum() == messages
