"""No stage is ever faster than its limits: KumoMTA's own ceilings, and the memory that there is."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from small_scenarios import scenario_of

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.model import feasibility
from sendcap.model.engine import Progress, simulate_ledger
from sendcap.scenario import load, updated

# KumoMTA's shipped shaping.toml, and the ceilings that its compute_constraints gives: the
# message rate for `default`, connections for the others (here of 50 ms a message).
KUMOMTA = {
    "default": ({"connections_per_ip": 10, "messages_per_connection": 100, "rate": "100/s"}, 100.0),
    "google": ({"connections_per_ip": 5, "messages_per_connection": 50, "rate": "100/s"}, 100.0),
    "yahoo": ({"connections_per_ip": 10, "messages_per_connection": 20, "rate": "100/s"}, 100.0),
    "apple": ({"connections_per_ip": 10, "messages_per_connection": 5, "rate": "100/s"}, 100.0),
    "yahoo.co.jp": (
        {"connections_per_ip": 2, "messages_per_connection": 20, "rate": "10/s"},
        10.0,
    ),
}


def test_a_provider_takes_so_many_an_hour_from_us_for_two_hours() -> None:
    """From 1 h to 3 h Gmail takes 50,000 an hour in all; then the rest goes at its own pace."""
    closed = {"at": "1h", "rate": "50,000/h,max_burst=1"}
    steps = [{"at": "0s", "rate": "1000/s"}, closed, {"at": "3h", "rate": "1000/s"}]
    one = {"messages": 120_000, "audience": {"p": 1.0}}
    free = scenario_of(
        time={"bin": "1m"},
        deliveries=[one | {"name": "a", "pool": "x"}, one | {"name": "b", "pool": "y"}],
        mta={"pools": {"x": {"ips": 1}, "y": {"ips": 1}}},
        provider={"connections_per_ip": 8},  # 16 attempts/s of both pools
    )
    held = updated(free, {"limits": [{"name": "p", "rate": {"kind": "schedule", "steps": steps}}]})
    accepted = {
        name: simulate_ledger(each).cumulative("accepted", clock="happened")
        for name, each in {"free": free, "held": held}.items()
    }
    hours = {name: np.diff(counts[60::60]) for name, counts in accepted.items()}
    assert hours["free"][:2] == pytest.approx([57_600, 57_600], abs=20)
    assert hours["held"][:2] == pytest.approx([50_000, 50_000], abs=20)
    # 15,200 fewer in two hours are made up for by both pools, or in the end by one of them.
    minutes = {name: len(counts) - 1 for name, counts in accepted.items()}
    assert minutes["free"] == math.ceil(240_000 / 960) + 1  # the last attempts take a second
    assert 15_200 / 960 <= minutes["held"] - minutes["free"] <= 15_200 / 480


@pytest.mark.parametrize("burst", ["", ",max_burst=1", ",max_burst=7"])
@pytest.mark.parametrize("provider", KUMOMTA)
def test_attempts_never_exceed_the_rate_and_the_burst(provider: str, burst: str) -> None:
    limits, per_s = KUMOMTA[provider]
    limits = limits | {"rate": limits["rate"] + burst}
    scenario = scenario_of(
        time={"bin": "1s"},
        delivery={"messages": 20_000},
        provider=limits
        | {
            "connect_time": {"dist": "exponential", "mean": "100ms"},
            "transaction_time": {"dist": "exponential", "mean": "20ms"},
        },
    )
    attempts = simulate_ledger(scenario).cumulative("attempted", clock="happened")
    allowed = per_s if not burst else float(burst.removeprefix(",max_burst="))
    # The most in any stretch of time, beyond what the rate gives in it.
    ahead = attempts - per_s * np.arange(len(attempts))
    excess = (ahead - np.minimum.accumulate(ahead)).max()
    assert excess <= allowed + 1
    # And the limit is reached: the throttle does not hold back more than it must.
    busy = attempts < 20_000
    connections = limits["connections_per_ip"] / (0.02 + 0.1 / limits["messages_per_connection"])
    assert attempts[busy][-1] / busy.sum() > 0.9 * min(per_s, connections)


def test_throughput_is_connections_over_mean_holding_time() -> None:
    """Reconnect cycling: a connection does K attempts in one connect time and K transactions."""
    scenario = scenario_of(
        delivery={"messages": 200_000},
        provider={
            "connections_per_ip": 10,
            "messages_per_connection": 5,
            "connect_time": {"dist": "uniform", "low": "200ms", "high": "600ms"},
            "transaction_time": {"dist": "lognormal", "mean": "350ms", "cv": 0.6},
        },
    )
    ledger = simulate_ledger(scenario)
    attempts = ledger.cumulative("attempted", clock="happened")
    minutes = ledger.bins - 10
    ceiling_per_s = 10 / (0.35 + 0.4 / 5)
    assert attempts[minutes] / (60 * minutes) == pytest.approx(ceiling_per_s, rel=0.01)


def test_a_horizon_ends_the_ledger() -> None:
    with pytest.warns(SendcapWarning, match="cuts off results"):
        scenario = scenario_of(time={"bin": "1m", "horizon": "10m"}, delivery={"messages": 100_000})
    ledger = simulate_ledger(scenario)
    assert ledger.end_s == 600.0
    assert ledger.total("accepted", clock="happened") == 599  # one a second, the first at 1 s


def test_progress_reaches_all_messages() -> None:
    seen: list[Progress] = []
    simulate_ledger(load("quickstart"), progress=seen.append)
    assert seen[-1].final == seen[-1].messages == 1_000_000
    assert all(one.time_s < two.time_s for one, two in pairwise(seen))
    assert all(one.final <= two.final for one, two in pairwise(seen))


def test_more_memory_than_there_is_is_refused_with_the_estimate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = updated(load("black-friday"), {"deliveries[0].messages": 900_000_000})
    monkeypatch.setattr(feasibility, "available_bytes", lambda: 2 << 30)
    with pytest.raises(ScenarioError, match=r"900,000,000 messages would need about .* GiB"):
        simulate_ledger(scenario)


def test_memory_is_not_refused_where_the_system_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feasibility, "available_bytes", lambda: None)
    assert simulate_ledger(scenario_of()).total("accepted") == 1


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"relay": {"rate": "1/d"}},
            r"relay.rate.*: at this rate 100,000 messages take 100,000 days",
        ),
        ({"mta": {"ingress_rate": "1/h"}}, r"mta.ingress_rate: at this rate"),
        ({"feedback": {"rate": "1/h"}}, r"feedback.rate: at this rate .* take 4,167 days"),
    ],
)
def test_a_simulation_of_years_is_refused(sections, message: str) -> None:
    scenario = scenario_of(delivery={"messages": 100_000}, **sections)
    with pytest.raises(ScenarioError, match=message):
        simulate_ledger(scenario)


def test_a_slow_relay_costs_no_more_than_its_messages() -> None:
    """Time in which nothing happens is passed over: a message a day takes no 74 windows a day."""
    scenario = scenario_of(
        delivery={"messages": 300, "validity": "1h"},
        relay={"batch": 1, "rate": "1/d,max_burst=1"},
    )
    windows = []
    ledger = simulate_ledger(scenario, progress=windows.append)
    assert ledger.total("accepted") == 300
    assert len(windows) <= 3 * 300


def test_a_provider_without_messages_is_no_problem() -> None:
    scenario = scenario_of(
        delivery={"messages": 3, "audience": {"p": 1.0, "q": 0.0}},
        providers={name: {"connect_time": "0s", "transaction_time": "1s"} for name in ("p", "q")},
    )
    assert simulate_ledger(scenario).total("accepted") == 3
