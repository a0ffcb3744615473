"""The ceilings of each stage, against figures worked out by others or by hand."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import pytest

from sendcap.run import simulate
from sendcap.scenario import Scenario, from_dict, load, updated
from sendcap.scenario.carrying import carried
from sendcap.scenario.stages import Stage, bottleneck, stages
from sendcap.study.capacity.limits import limits_from_ledger


def scenario_of(**sections: Any) -> Scenario:
    """One delivery of 1000 messages to one provider; sections replace or add keys."""
    plain: dict[str, Any] = {
        "deliveries": [{"name": "a", "messages": 1000, "audience": {"p": 1.0}}],
        "relay": {"batch_time": "0s"},
        "providers": {"p": {"connect_time": "0s", "transaction_time": "1s"}},
    }
    plain["providers"]["p"] |= sections.pop("provider", {})
    plain["deliveries"][0] |= sections.pop("delivery", {})
    for name, section in sections.items():
        plain[name] = plain.get(name, {}) | section if isinstance(section, dict) else section
    return from_dict(plain)


def provider_of(mta: dict[str, Any] | None = None, **keys: Any) -> Stage:
    return stages(scenario_of(provider=keys, mta=mta or {}))[-1]


def limits_of(stage: Stage) -> dict[str, float]:
    return {constraint.name: constraint.per_s for constraint in stage.constraints}


# From the header of the preset, which was worked out by hand.
BLACK_FRIDAY = {
    "gmail": (160, 0.332, 482, 4.2),
    "yahoo": (320, 0.425, 753, None),
    "icloud": (320, 0.430, 744, None),
    "outlook": (160, 0.610, 262, None),
    "comcast": (800, 0.5005, 1598, None),
    "other": (1600, 0.709, 2257, None),
}


def test_black_friday_is_as_its_header_says() -> None:
    found = {stage.name: stage for stage in stages(load("black-friday"))}
    assert list(found) == ["relay", "ingress", *BLACK_FRIDAY]
    for name, (connections, service_s, per_s, hours) in BLACK_FRIDAY.items():
        stage = found[name]
        assert limits_of(stage) == {
            "connections": pytest.approx(connections / service_s),
            "rate": 3200.0,
        }
        assert round(stage.per_s) == per_s
        if hours:
            assert stage.needs_s / 3600 == pytest.approx(hours, abs=0.05)
    assert found["relay"].binding.name == "rate"
    assert found["relay"].needs_s / 3600 == pytest.approx(1.9, abs=0.05)
    assert limits_of(found["relay"])["workers"] == pytest.approx(8 * 256 / 0.7, rel=1e-3)
    assert limits_of(found["ingress"]) == {"rate": 2700.0}
    assert bottleneck(tuple(found.values())).name == "gmail"
    assert found["gmail"].delivery_per_s == pytest.approx(160 / 0.332 / 0.73 / 0.9999)


@pytest.mark.parametrize(
    ("messages_per_connection", "per_s"), [(100, 166.67), (50, 83.33), (20, 33.33), (5, 8.333)]
)
def test_reconnect_cycling_is_what_kumomta_computes(messages_per_connection, per_s) -> None:
    """KumoMTA's compute_constraints: deliveries per connection times the connection rate.

    Its shipped max_connection_rate is 100/min: here one connection that takes 600 ms to make and
    no time to use, which makes it a hundred times a minute.
    """
    stage = provider_of(
        connections_per_ip=1,
        messages_per_connection=messages_per_connection,
        connect_time="600ms",
        transaction_time="0s",
        rate="100/s",
    )
    assert limits_of(stage) == {
        "reconnect cycling": pytest.approx(per_s, rel=1e-3),
        "rate": 100.0,
    }
    assert stage.per_s == pytest.approx(min(per_s, 100.0), rel=1e-3)
    assert stage.binding.name == ("rate" if per_s > 100 else "reconnect cycling")


@pytest.mark.parametrize(
    ("messages_per_connection", "per_s", "binding"),
    [
        (100, 100.0, "rate"),
        (50, 83.33, "connection rate"),
        (20, 33.33, "connection rate"),
        (5, 8.333, "connection rate"),
        ("unlimited", 100.0, "rate"),
    ],
)
def test_a_connection_rate_is_a_ceiling_as_kumomta_computes_it(
    messages_per_connection, per_s, binding
) -> None:
    """Its shipped default, google, yahoo and apple, with 100 connections a minute."""
    stage = provider_of(
        messages_per_connection=messages_per_connection,
        transaction_time="1ms",
        connection_rate="100/m",
        rate="100/s",
    )
    assert stage.per_s == pytest.approx(per_s, rel=1e-3)
    assert stage.binding.name == binding


def test_opening_connections_may_follow_a_schedule() -> None:
    steps = [{"at": "0s", "rate": "1/m,max_burst=1"}, {"at": "1h", "rate": "1/s,max_burst=1"}]
    stage = provider_of(
        messages_per_connection=5,
        transaction_time="1ms",
        connection_rate={"kind": "schedule", "steps": steps},
    )
    assert stage.binding.name == "connection rate"
    # 300 in the first hour, and a burst of 5; the others at 5/s.
    assert stage.needs_s == pytest.approx(3600 + 695 / 5, rel=0.01)


@pytest.mark.parametrize(
    ("keys", "limits"),
    [
        ({"messages_per_connection": "unlimited", "connect_time": "9s"}, {"connections": 30.0}),
        ({"messages_per_connection": 5, "connect_time": "2500ms"}, {"connections": 20.0}),
        ({"messages_per_connection": 1, "connect_time": "2s"}, {"reconnect cycling": 10.0}),
        ({"rate": "7/s,max_burst=1"}, {"connections": 30.0, "rate": 21.0}),
        (
            {"rate": {"kind": "fixed-window", "limit": 833, "window": "5m"}},
            {"connections": 30.0, "rate": 8.33},
        ),
        # Postfix's log: service 2.968 s and a delay of 1 s make a cycle of 3.968 s for each IP.
        (
            {"rate": {"kind": "gap", "pause": "1s"}, "transaction_time": "2968ms"},
            {"connections": 30 / 2.968, "gap": 3 / 3.968},
        ),
        (
            {"rate": ["7/s,max_burst=1", {"kind": "fixed-window", "limit": 833, "window": "5m"}]},
            {"connections": 30.0, "rate[0]": 21.0, "rate[1]": 8.33},
        ),
        ({"rate": ["7/s"]}, {"connections": 30.0, "rate[0]": 21.0}),
        (
            {
                "accepts_connections": 4,
                "connect_time": "1ms",
                "messages_per_connection": "unlimited",
            },
            {"connections": 30.0, "accepted connections": 12.0},
        ),
        ({"tolerance": "2/s"}, {"connections": 30.0, "tolerance": 6.0}),
        ({"connection_scaling": "kumomta"}, {"connections": 30.0}),
        ({"transaction_time": "0s"}, {"connections": math.inf}),
    ],
)
def test_each_constraint_of_a_provider_with_30_connections_from_3_ips(keys, limits) -> None:
    keys = {"connections_per_ip": 10, "transaction_time": "1s"} | keys
    stage = provider_of({"ips": 3}, **keys)
    assert limits_of(stage) == pytest.approx(limits)
    assert stage.per_s == min(limits_of(stage).values())


def test_a_schedule_is_followed_from_when_the_delivery_starts() -> None:
    hours = [{"at": "0s", "rate": "closed"}, {"at": "1h", "rate": "1/s,max_burst=1"}]
    scenario = scenario_of(
        delivery={"at": "30m", "messages": 900},
        provider={"rate": {"kind": "schedule", "steps": hours}},
    )
    stage = stages(scenario)[-1]
    assert stage.needs_s == pytest.approx(1800 + 900, abs=1.0)
    assert stage.per_s == pytest.approx(900 / 2700, rel=1e-3)
    assert stage.binding.name == "schedule"
    assert carried(stage.constraints, 900, 3600.0).at_s == pytest.approx(4500.0, abs=1.0)


def test_a_warm_up_takes_the_days_that_its_volumes_say() -> None:
    stage = provider_of({"ips": 2}, rate={"kind": "warm-up", "share": 0.5})
    # 200, 500 and 1000 a day from two addresses, of which half goes here.
    assert stage.binding.name == "warm-up"
    done_s = carried(stage.constraints, 200 + 500 + 500, stage.from_s).at_s
    assert done_s / 86_400 == pytest.approx(2.5, rel=1e-3)


def test_the_constraint_that_is_slowest_for_the_longest_binds() -> None:
    outage = [{"at": "10s", "lasts": "30m"}]
    stage = provider_of(connections_per_ip=1, outages=outage)
    assert (stage.binding.name, stage.needs_s) == ("outage", 2800.0)
    stage = provider_of(connections_per_ip=1, outages=[{"at": "10s", "lasts": "10m"}])
    assert (stage.binding.name, stage.needs_s) == ("connections", 1600.0)
    stage = provider_of(connections_per_ip=1, outages=[{"at": "1000s", "lasts": "30m"}])
    assert (stage.binding.name, stage.needs_s) == ("connections", 1000.0)


def test_a_delivery_goes_no_faster_than_each_stage_divided_by_its_share() -> None:
    scenario = scenario_of(
        delivery={"audience": {"p": 0.75, "q": 0.25}},
        relay={"error_rate": 0.2, "rate": "5/s"},
        mta={"ingress_rate": "6/s"},
        providers={name: {"connect_time": "0s", "transaction_time": "2s"} for name in ("q", "r")},
    )
    found = {stage.name: stage for stage in stages(scenario, {"p": 1.5})}
    assert list(found) == ["relay", "ingress", "p", "q"]  # nobody writes to r
    assert [stage.share for stage in found.values()] == pytest.approx([1.0, 0.8, 0.6, 0.2])
    assert found["relay"].delivery_per_s == 5.0
    assert found["ingress"].delivery_per_s == pytest.approx(7.5)
    assert found["p"].delivery_per_s == pytest.approx(10 / (0.6 * 1.5))
    assert found["p"].needs_s == pytest.approx(600 * 1.5 / 10)
    assert found["q"].delivery_per_s == pytest.approx(5 / 0.2)
    assert bottleneck(tuple(found.values())).name == "relay"


def test_small_deliveries_make_small_batches() -> None:
    one = {"name": "a", "messages": 64, "audience": {"p": 1.0}}
    scenario = scenario_of(
        deliveries=[one, one | {"name": "b"}], relay={"workers": 2, "batch_time": "1s"}
    )
    assert stages(scenario)[0].per_s == 128.0


def test_a_stage_without_limits_carries_all_at_once() -> None:
    relay = stages(scenario_of())[0]
    assert (relay.per_s, relay.needs_s, relay.binding) == (math.inf, 0.0, None)


# --- Suspensions: a queue that sends 10/s to a provider that lets 2/s through, attempt by attempt.


def let_through_per_s(
    burst: int,
    after: int,
    within_s: float,
    lasts_s: float,
    meanwhile_per_s: float,
    own_per_s: float = math.inf,
    own_burst: int = 1,
) -> float:
    """A queue that never runs empty, but for its first burst; with a rate of its own, if any."""
    own_s = 0.0
    sends_per_s, allowed_per_s, answer_s, end_s = 10.0, 2.0, 1.0, 80_000.0
    start_s, arrival_s, until_s, passed = 0.0, 0.0, -1.0, 0
    throttled: deque[float] = deque()
    under_way: deque[float] = deque()
    while start_s < end_s:
        if under_way and under_way[0] <= start_s:
            now_s = under_way.popleft()
            if now_s >= arrival_s - (burst - 1) / allowed_per_s - 1e-9:
                arrival_s = max(arrival_s, now_s) + 1 / allowed_per_s
                passed += 1
                continue
            throttled.append(now_s)
            while throttled[0] < now_s - within_s:
                throttled.popleft()
            if len(throttled) >= after:
                until_s = now_s + lasts_s
        elif start_s < until_s and not meanwhile_per_s:
            start_s = min([until_s, *list(under_way)[:1]])
        else:
            under_way.append(start_s + answer_s)
            own_s = max(own_s, start_s) + 1 / own_per_s
            start_s += 1 / (meanwhile_per_s if start_s < until_s else sends_per_s)
            start_s = max(start_s, own_s - (own_burst - 1) / own_per_s)
    return (passed - burst) / end_s


@pytest.mark.parametrize(
    ("burst", "after", "within", "lasts", "rate"),
    [
        (1, 1, 60, 300, 0),
        (1, 45, 60, 300, 0),
        (50, 40, 60, 300, 0),
        (5000, 40, 60, 300, 0),
        (50, 100, 3600, 300, 0),  # earlier answers still count
        (400, 300, 3600, 600, 0),
        (1, 1, 60, 600, 1),
        (100, 20, 60, 600, 1),
    ],
)
def test_a_suspended_queue_lets_through_what_the_cycle_does(
    burst, after, within, lasts, rate
) -> None:
    rule = {"after": after, "within": f"{within}s", "lasts": f"{lasts}s"}
    stage = provider_of(
        connections_per_ip=10,
        tolerance=f"2/s,max_burst={burst}",
        suspend=rule | ({"rate": f"{rate}/s,max_burst=1"} if rate else {}),
    )
    per_s = limits_of(stage)["suspension"]
    expected_per_s = let_through_per_s(burst, after, within, lasts, rate)
    # The cycle is a fluid's; one attempt more or less in it may be some percent.
    assert per_s == pytest.approx(expected_per_s, rel=0.03)
    assert per_s <= limits_of(stage)["tolerance"] == 2.0


@pytest.mark.parametrize(
    ("rate", "own_burst", "burst", "after", "lasts"),
    [
        (1, 60, 1, 5, 300),
        (1, 60, 30, 10, 300),
        (1.5, 400, 50, 100, 600),
        (1.5, 2000, 50, 100, 600),  # the pause does not grant the whole burst anew
        (1.9, 100, 10, 1, 60),
    ],
)
def test_a_burst_of_a_low_rate_is_sent_fast_after_each_suspension(
    rate, own_burst, burst, after, lasts
) -> None:
    stage = provider_of(
        connections_per_ip=10,
        tolerance=f"2/s,max_burst={burst}",
        rate=f"{rate * 10:g}/10s,max_burst={own_burst}",
        suspend={"after": after, "within": "1h", "lasts": f"{lasts}s"},
    )
    expected_per_s = let_through_per_s(burst, after, 3600, lasts, 0, rate, own_burst)
    assert expected_per_s < 0.7 * rate
    assert limits_of(stage)["suspension"] == pytest.approx(expected_per_s, rel=0.03)


@pytest.mark.parametrize(
    ("rate", "own_burst", "burst", "after"), [(1, 60, 50, 40), (1, 60, 1, 60), (1, 1, 1, 1)]
)
def test_a_burst_that_is_over_before_enough_is_throttled_suspends_nothing(
    rate, own_burst, burst, after
) -> None:
    stage = provider_of(
        connections_per_ip=10,
        tolerance=f"2/s,max_burst={burst}",
        rate=f"{rate}/s,max_burst={own_burst}",
        suspend={"after": after, "within": "1h", "lasts": "5m"},
    )
    assert let_through_per_s(burst, after, 3600, 300, 0, rate, own_burst) > 0.98 * rate
    assert "suspension" not in limits_of(stage)


@pytest.mark.parametrize(("own_burst", "suspended"), [(89, False), (90, True)])
def test_what_takes_no_time_sends_a_burst_at_once(own_burst, suspended) -> None:
    stage = provider_of(
        transaction_time="0s",
        connect_time="0s",
        tolerance="2/s,max_burst=50",
        rate=f"1/s,max_burst={own_burst}",
        suspend={"after": 40, "within": "1h", "lasts": "5m"},
    )
    assert ("suspension" in limits_of(stage)) == suspended


def let_through_by_share_per_s(
    burst: int, share: float, of: int, within_s: int, lasts_s: int
) -> float:
    """The same where the share of throttled answers is looked at, the answers coming at once."""
    end_s, now_s, arrival_s = 200_000, 0, 0.0
    attempts = throttled = passed = 0
    until_s = -1
    while now_s < end_s:
        if now_s >= until_s:
            for tenth in range(10):
                at_s = now_s + tenth / 10
                attempts += 1
                if at_s >= arrival_s - (burst - 1) / 2 - 1e-9:
                    arrival_s = max(arrival_s, at_s) + 1 / 2
                    passed += 1
                else:
                    throttled += 1
        now_s += 1
        if now_s % within_s == 0:
            if attempts >= of and throttled >= share * attempts:
                until_s = now_s + lasts_s
            attempts = throttled = 0
    return (passed - burst) / end_s


@pytest.mark.parametrize(
    ("burst", "share", "of", "within", "lasts"),
    [
        (1, 0.1, 10, 60, 300),
        (1, 0.1, 10, 70, 300),  # what is left of a period is enough
        (1, 0.1, 600, 70, 300),  # it is not
        (400, 0.5, 10, 60, 300),
        (5000, 0.5, 10, 60, 2400),
    ],
)
def test_a_queue_suspended_by_share_lets_through_what_the_cycle_does(
    burst, share, of, within, lasts
) -> None:
    rule = {"share": share, "of": of, "within": f"{within}s", "lasts": f"{lasts}s"}
    limits = limits_of(
        provider_of(connections_per_ip=10, tolerance=f"2/s,max_burst={burst}", suspend=rule)
    )
    expected_per_s = let_through_by_share_per_s(burst, share, of, within, lasts)
    assert limits["suspension"] == pytest.approx(expected_per_s, rel=0.01)


@pytest.mark.parametrize(
    "rule",
    [
        {"share": 0.9, "within": "1m", "lasts": "5m"},
        {"share": 0.1, "of": 601, "within": "1m", "lasts": "5m"},
        {"after": 5, "counting": "in-a-row", "within": "1m", "lasts": "5m"},
        {"counts": ["unreachable"], "lasts": "5m"},
    ],
)
def test_a_rule_that_is_never_met_is_no_ceiling(rule) -> None:
    limits = limits_of(provider_of(connections_per_ip=10, tolerance="2/s", suspend=rule))
    assert "suspension" not in limits


@pytest.mark.parametrize(
    ("disturbance", "per_s"),
    [
        ({"unreachable": True}, 8.0),
        ({"tolerance": "5/s"}, 9.0),
        ({"tolerance": "11/s"}, None),
        ({"transient": 0.9}, None),
    ],
)
def test_disturbances_take_their_share_of_the_ceiling(disturbance, per_s) -> None:
    times = {"every": {"dist": "exponential", "mean": "8m"}, "lasts": "2m"}
    worse, better = times | disturbance, times | disturbance | {"lasts": "1m"}
    stage = provider_of(connections_per_ip=10, disturbances=[better, worse])
    assert limits_of(stage).get("disturbances") == (per_s and pytest.approx(per_s))


def test_of_several_rules_the_tightest_is_the_ceiling() -> None:
    short, long = ({"within": "1m", "lasts": lasts} for lasts in ("1m", "9m"))
    slow = {"tolerance": "1/s"}
    both = limits_of(provider_of(**slow, suspend=[short, long]))
    assert both == limits_of(provider_of(**slow, suspend=long))
    assert both != limits_of(provider_of(**slow, suspend=short))


def test_a_queue_is_not_suspended_where_throttled_answers_stay_rare() -> None:
    rule = {"after": 100, "within": "10s", "lasts": "1h"}
    assert "suspension" not in limits_of(provider_of(tolerance="9/s", suspend=rule))
    assert "suspension" not in limits_of(provider_of(tolerance="11/s", suspend=rule))
    assert "suspension" not in limits_of(provider_of(suspend=rule))
    often = {"tolerance": "9/s", "suspend": rule | {"after": 10}}
    assert "suspension" in limits_of(provider_of(**often))
    assert "suspension" not in limits_of(provider_of(**often, rate="9/s,max_burst=1"))


def test_the_rule_of_the_mta_holds_where_the_provider_has_none() -> None:
    slow = {"tolerance": "1/s"}
    assert "suspension" in limits_of(provider_of({"suspend": "momentum"}, **slow))
    assert "suspension" not in limits_of(
        provider_of({"suspend": "momentum"}, suspend="none", **slow)
    )


def test_more_messages_change_no_ceiling() -> None:
    one = stages(load("black-friday"))
    ten = stages(updated(load("black-friday"), {"deliveries[0].messages": 100_000_000}))
    for small, large in zip(one, ten, strict=True):
        assert small.per_s == pytest.approx(large.per_s, rel=1e-4)
        assert small.delivery_per_s == pytest.approx(large.delivery_per_s, rel=1e-4)
        assert 10 * small.needs_s == pytest.approx(large.needs_s, rel=0.02)


def test_a_delivery_of_small_batches_takes_the_workers_time() -> None:
    """Of 1000 messages one by one and 1000 in a batch, 1001 hand-overs of 1 s."""
    two = [
        {"name": "a", "messages": 1000, "batch": 1, "audience": {"p": 1.0}},
        {"name": "b", "messages": 1000, "batch": 4000, "audience": {"p": 1.0}},
    ]
    relay = stages(scenario_of(deliveries=two, relay={"batch_time": "1s"}))[0]
    assert relay.needs_s == pytest.approx(1001)


@pytest.mark.parametrize(
    ("keys", "per_s"),
    [
        ({}, 10 / 0.75),
        ({"rate": "4/s,max_burst=1"}, 4 / 0.75),
        ({"rate": {"kind": "fixed-window", "limit": 30, "window": "10s"}}, 3 / 0.75),
    ],
)
def test_addresses_that_take_messages_by_weight_carry_what_the_busiest_lets_through(
    keys: dict[str, Any], per_s: float
) -> None:
    """Of each 4 messages 3 are for the first address, and wait for it."""
    pools = {"x": {"ips": 2, "weights": [3, 1]}}
    scenario = scenario_of(
        provider=keys, delivery={"pool": "x"}, mta={"queues": "per-ip", "pools": pools}
    )
    stage, run = stages(scenario)[-1], simulate(scenario)
    assert stage.per_s == pytest.approx(per_s)
    last_s = run.ledger.sparse("accepted", clock="happened").bins[-1] * 60.0
    assert last_s - 60.0 <= stage.needs_s <= last_s + 60.0
    even = updated(scenario, {"mta.pools.x.weights": [2, 2]})
    assert stages(even)[-1].per_s == pytest.approx(1.5 * per_s)
    assert ", with 75 % of the messages at one IP; all messages" in limits_from_ledger(run).sentence
    assert "one IP" not in limits_from_ledger(simulate(even)).sentence
