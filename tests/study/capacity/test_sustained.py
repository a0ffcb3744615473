from __future__ import annotations

import math

import pytest

from sendcap.errors import SendcapError
from sendcap.scenario import Scenario, from_dict
from sendcap.scenario.stages import stages
from sendcap.study.capacity.searches import steady
from sendcap.study.capacity.searches.sustained import sustained

EXPONENTIAL = {"dist": "exponential", "mean": "1s"}
FEW = 20_000


def scenario_of(**sections) -> Scenario:
    """One provider with 10 connections of a second each: 10 messages/s."""
    provider = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 10}
    plain = {
        "seed": 1,
        "deliveries": [{"name": "a", "messages": 100, "validity": "2h", "audience": {"p": 1.0}}],
        "relay": {"batch_time": "0s"},
        "mta": {"retry": {"policy": "schedule", "delays": ["10m"]}},
        "providers": {"p": provider | sections.pop("provider", {})},
    }
    for name, section in sections.items():
        plain[name] = plain.get(name, {}) | section if isinstance(section, dict) else section
    return from_dict(plain)


def of(scenario: Scenario, **keywords):
    return sustained(scenario, **({"measured": FEW, "workers": 1} | keywords))


@pytest.mark.parametrize(
    ("provider", "per_s"),
    [
        ({}, 10.0),
        ({"connect_time": "2s", "messages_per_connection": 4}, 10 / 1.5),
        ({"rate": "4/s,max_burst=1"}, 4.0),
        # An hour's limit may go at once, but once only.
        ({"rate": "7,200/h,max_burst=7200"}, 2.0),
        ({"rate": {"kind": "gap", "pause": "1s"}}, 0.5),
        ({"rate": {"kind": "fixed-window", "limit": 833, "window": "5m"}}, 833 / 300),
        ({"tolerance": "3/s"}, 3.0),
        # In the long run the last step holds, and there are no outages.
        ({"rate": {"kind": "warm-up", "per_day": [100, 259_200]}}, 3.0),
        ({"outages": [{"at": "1h", "lasts": "2h"}]}, 10.0),
        ({"connection_scaling": "kumomta"}, 10.0),
    ],
)
def test_without_chance_it_is_the_ceiling(provider, per_s) -> None:
    found = of(scenario_of(provider=provider), measured=8000)
    assert found.per_s.mean == pytest.approx(per_s, rel=0.004)
    assert (found.kind, found.name) == ("provider", "p")
    assert found.precise


LIMIT = {"name": "all", "rate": "5/s,max_burst=1"}
ABOVE = {"name": "far above", "rate": "50/s,max_burst=1"}


@pytest.mark.parametrize(
    ("sections", "stage", "words"),
    [
        ({"limits": [ABOVE, LIMIT]}, ("limit", "all"), "with more, the limit all falls behind for"),
        ({"mta": {"active": 5}}, ("provider", "p"), "with more, p falls behind for good"),
    ],
)
def test_retries_take_their_part_of_a_limit_over_queues(sections, stage, words) -> None:
    # Each message takes 1 / 0.9 attempts.
    found = of(scenario_of(provider={"transient": 0.1}, **sections), measured=20_000)
    assert found.per_s.mean == pytest.approx(4.5, rel=0.01)
    assert (found.kind, found.name) == stage
    assert words in found.sentences()[0]


def test_a_provider_that_falls_behind_below_a_limit_is_named() -> None:
    found = of(scenario_of(provider={"transient": 0.1}, limits=[ABOVE]), measured=20_000)
    assert found.per_s.mean == pytest.approx(9.0, rel=0.01)
    assert (found.kind, found.name) == ("provider", "p")


def test_each_pool_has_its_own_deliveries() -> None:
    # Two addresses carry 20 messages a second to three quarters of all, a third one 10 to the rest.
    deliveries = [
        {"name": name, "messages": count, "pool": pool, "validity": "2h", "audience": {"p": 1.0}}
        for name, count, pool in (("a", 300, "two"), ("b", 100, "one"))
    ]
    pools = {"two": {"ips": 2}, "one": {"ips": 1}}
    found = of(
        scenario_of(deliveries=deliveries, mta={"pools": pools}, relay={"rate": "50/s"}),
        measured=20_000,
    )
    assert found.per_s.mean == pytest.approx(20.0 / 0.75, rel=0.01)
    (growth,) = found.growing
    # Of 50 a second, 37.5 to the two addresses and 12.5 to the third.
    assert (growth.kind, growth.name) == ("provider", "p")
    assert growth.per_s == pytest.approx(50.0 - 20.0 - 10.0, rel=0.01)


def test_retries_take_their_part_of_the_ceiling() -> None:
    # Attempts are geometric: each fails with probability 1/5, so there are 5/4 per message.
    retried = of(scenario_of(provider={"transient": 0.2}), precision=0.005).per_s
    assert retried.low <= 8.0 * 1.003
    assert retried.high >= 8.0 * 0.997
    assert retried.half_width < 0.1
    # For two hours, a tenth is tried in vain every 50 minutes: three times.
    scenario = scenario_of(
        mta={"retry": {"policy": "schedule", "delays": ["50m"]}},
        provider={"faults": [{"reason": "full", "share": 0.1, "never": 1.0}]},
    )
    assert of(scenario, precision=0.005).per_s.mean == pytest.approx(10 / (0.9 + 0.1 * 3), rel=0.01)


def test_with_chance_the_interval_covers_the_ceiling() -> None:
    found = of(
        scenario_of(provider={"transaction_time": EXPONENTIAL}), measured=50_000, precision=0.004
    )
    assert found.per_s.low < 10.0 < found.per_s.high
    assert 0.0 < found.per_s.half_width <= 0.04
    assert found.simulations > 4 * found.per_s.n


def test_limits_that_get_in_each_others_way_carry_less_than_either() -> None:
    # 5/s by the rate and by the connections, and each is idle at times because of the other.
    provider = {"connections_per_ip": 5, "transaction_time": EXPONENTIAL, "rate": "5/s,max_burst=1"}
    assert of(scenario_of(provider=provider)).per_s.high < 4.5


def test_the_provider_with_the_lowest_ceiling_for_its_share_is_named() -> None:
    one = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 10}
    for share, name, per_s in ((0.8, "a", 12.5), (0.2, "b", 12.5), (0.6, "a", 10 / 0.6)):
        found = of(
            scenario_of(
                deliveries=[{"name": "d", "messages": 9, "audience": {"a": share, "b": 1 - share}}],
                providers={"a": one, "b": one},
            )
        )
        assert found.name == name
        assert found.per_s.mean == pytest.approx(per_s, rel=0.005)


def test_deliveries_are_mixed_as_they_are() -> None:
    one = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 10}
    deliveries = [
        {"name": "c", "messages": 3000, "audience": {"a": 1.0}},
        {"name": "d", "messages": 1000, "audience": {"b": 1.0}, "at": "1h"},
        {"name": "e", "messages": 1000, "audience": {"b": 1.0}, "validity": "1h"},
    ]
    case = scenario_of(deliveries=deliveries, providers={"a": one, "b": one})
    stream = steady.Stream.of(steady.lasting(case), 10.0, FEW)
    # Those of the same validity are one stream.
    assert len(stream.scenario.deliveries) == 2
    found = of(case)
    assert found.name == "a"
    assert found.per_s.mean == pytest.approx(10 / 0.6, rel=0.005)


def test_relay_and_ingress_have_exact_ceilings() -> None:
    relay = of(scenario_of(relay={"rate": "9/s"}))
    assert (relay.name, relay.per_s.mean, relay.per_s.half_width) == ("relay", 9.0, 0.0)
    assert relay.growing == ()
    workers = of(scenario_of(relay={"workers": 3, "batch_time": "100s", "batch": 256}))
    assert workers.per_s.mean == pytest.approx(7.68, rel=1e-9)
    ingress = of(scenario_of(relay={"rate": "20/s"}, mta={"ingress_rate": "8/s"}))
    assert (ingress.kind, ingress.per_s.mean, ingress.per_s.half_width) == ("ingress", 8.0, 0.0)
    assert [(each.name, each.per_s) for each in ingress.growing] == [
        ("ingress", pytest.approx(12.0))
    ]
    # What the relay loses does not arrive.
    lossy = of(scenario_of(relay={"error_rate": 0.5, "rate": "50/s"}))
    assert lossy.per_s.mean == pytest.approx(20.0, rel=0.005)


def test_what_grows_at_the_relays_own_rate_is_told() -> None:
    scenario = scenario_of(relay={"rate": "25/s"}, mta={"ingress_rate": "16/s"})
    found = of(scenario)
    assert found.relay_per_s == 25.0
    assert found.per_s.mean == pytest.approx(10.0, rel=0.003)
    ingress, provider = found.growing
    assert (ingress.kind, ingress.per_s) == ("ingress", pytest.approx(9.0))
    assert (provider.name, provider.per_s) == ("p", pytest.approx(6.0, rel=0.01))
    assert of(scenario_of()).relay_per_s == math.inf


@pytest.mark.parametrize("transient", [0.0, 0.1])
def test_one_source_address_is_as_stable_as_all(monkeypatch, transient) -> None:
    scenario = scenario_of(
        mta={"ips": 4},
        provider={
            "connections_per_ip": 5,
            "messages_per_connection": 20,
            "connect_time": "500ms",
            "transaction_time": EXPONENTIAL,
            "rate": "50/s",
            "transient": transient,
        },
    )
    one = of(scenario, precision=0.008).per_s
    monkeypatch.setattr(steady, "equal_parts", lambda _: 1)
    whole = of(scenario, precision=0.008).per_s
    theory_per_s = (1 - transient) * 20 / 1.025
    assert [one.mean, whole.mean] == pytest.approx([theory_per_s] * 2, rel=0.01)


def test_what_belongs_to_the_queue_as_a_whole_is_not_cut() -> None:
    gap = scenario_of(mta={"ips": 4}, provider={"rate": {"kind": "gap", "pause": "1s"}})
    assert steady.equal_parts(gap) == 4
    assert of(gap).per_s.mean == pytest.approx(2.0, rel=0.003)
    rule = {"after": 5, "within": "1m", "lasts": "10m"}
    suspended = scenario_of(mta={"ips": 4, "suspend": rule}, provider={"tolerance": "9/s"})
    assert steady.equal_parts(suspended) == 1
    assert steady.equal_parts(scenario_of(mta={"ips": 4})) == 4


def test_beyond_the_tolerance_a_suspended_queue_falls_far_behind() -> None:
    scenario = scenario_of(
        mta={"suspend": {"after": 5, "within": "1m", "lasts": "20m"}},
        relay={"rate": "30/s"},
        provider={"connections_per_ip": 40, "tolerance": "9/s,max_burst=90"},
    )
    found = of(scenario, replications=2)
    # Up to 9/s nothing is throttled; with more, next to nothing gets through.
    assert found.per_s.mean == pytest.approx(9.0, rel=0.02)
    (growing,) = found.growing
    assert growing.per_s > 25.0


def test_the_number_of_workers_changes_nothing() -> None:
    scenario = scenario_of(provider={"transaction_time": EXPONENTIAL}, relay={"rate": "20/s"})
    told: list[int] = []
    one = of(scenario, replications=4, progress=told.append)
    assert one == of(scenario, replications=4, workers=2)
    assert told == list(range(1, one.simulations + 1))


def test_without_any_limit_there_is_no_answer() -> None:
    with pytest.raises(SendcapError, match="nothing limits the rate") as caught:
        of(scenario_of(provider={"transaction_time": "0s"}))
    assert "\n" not in str(caught.value)


def test_a_stream_fits_what_a_scenario_may_have() -> None:
    case = steady.lasting(scenario_of(provider={"transient": 0.1, "rate": "2/h,max_burst=1"}))
    for per_s in (1e-4, 1.0, 1e5):
        stream = steady.Stream.of(case, per_s)
        assert stream.warm_up_s + stream.measured_s <= 14 * 86_400 * 1.01
        assert stream.size(per_s) < 40_000_000
        assert stream.per_s(stream.size(per_s)) == pytest.approx(per_s, rel=0.01)
        assert stages(stream.scenario)


def test_where_nothing_reaches_the_mta_there_is_no_steady_rate() -> None:
    with pytest.raises(SendcapError, match=r"^relay\.error_rate: no message reaches the MTA"):
        of(scenario_of(relay={"error_rate": 1.0}))
