"""Pools of source addresses, and limits over several queues."""

from __future__ import annotations

from typing import Any

import pytest

from sendcap import expected, limits
from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario import Scenario, dumps, from_dict, loads
from sendcap.scenario.stages import bottleneck, stages

HOUR = {"name": "gmail an hour", "rate": "36000/h,max_burst=1", "providers": ["gmail"]}


def sections(**changes: Any) -> dict[str, Any]:
    """Two deliveries from two pools to two providers."""
    provider = {"connect_time": "1s", "transaction_time": "1s", "messages_per_connection": 1}
    plain = {
        "deliveries": [
            {
                "name": "blast",
                "messages": 900,
                "pool": "big",
                "audience": {"gmail": 0.5, "web": 0.5},
            },
            {"name": "orders", "messages": 100, "pool": "small", "audience": {"gmail": 1.0}},
        ],
        "relay": {"batch_time": "0s"},
        "mta": {"pools": {"big": {"ips": 4}, "small": {"ips": 1}}},
        "providers": {"gmail": dict(provider), "web": dict(provider)},
        "limits": [HOUR],
    }
    return plain | changes


def scenario(**changes: Any) -> Scenario:
    return from_dict(sections(**changes))


def weighted(weights: list[int]) -> dict[str, Any]:
    pools = {"big": {"ips": 4, "weights": weights}, "small": {"ips": 1}}
    return {"queues": "per-ip", "pools": pools}


def test_a_queue_is_a_pool_and_a_provider_with_messages() -> None:
    case = scenario()
    names = [queue.name for queue in case.queues()]
    assert names == ["gmail from big", "gmail from small", "web from big"]
    assert list(case.messages_on_paths().values()) == [450, 100, 450]


def test_each_address_may_have_a_queue() -> None:
    mta = sections()["mta"] | {"queues": "per-ip"}
    queues = scenario(mta=mta).queues()
    assert [queue.name for queue in queues[3:6]] == [
        "gmail from big, IP 4",
        "gmail from small, IP 1",
        "web from big, IP 1",
    ]
    assert {queue.ips for queue in queues} == {1}
    assert len({queue.key for queue in queues}) == len(queues) == 9


def test_the_only_pool_need_not_be_named() -> None:
    deliveries = [{"name": "a", "messages": 1, "audience": {"web": 1.0}}]
    case = scenario(deliveries=deliveries, mta={"pools": {"one": {"ips": 2}}}, limits=[])
    assert [queue.name for queue in case.queues()] == ["web from one"]


def test_a_scenario_with_pools_is_written_and_read_again() -> None:
    assert loads(dumps(scenario())) == scenario()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"pool": "bigg"},
            r'deliveries\[0\].pool: no pool has this name, "bigg"; did you mean "big"',
        ),
        (
            {"pool": None},
            r"deliveries\[0\].pool: required where the MTA has several pools: big, small",
        ),
        ({"mta": {}}, r"deliveries\[0\].pool: no pool has this name, .*; the MTA has none: define"),
        (
            {"mta": {"pools": {"big": {"ips": 4}, "small": {"ips": 1}, "idle": {"ips": 1}}}},
            "mta.pools.idle: no delivery leaves from this pool; name it, or drop it",
        ),
        (
            {"mta": {"ips": 3, "pools": {"big": {"ips": 4}, "small": {"ips": 1}}}},
            "mta.ips: leave it out: each pool has its own addresses",
        ),
        ({"mta": {"pools": {"big": {}, "small": {"ips": 1}}}}, "mta.pools.big.ips: "),
        (
            {"mta": {"pools": {"big": {"ips": 4, "weights": [1] * 4}, "small": {"ips": 1}}}},
            (
                "mta.pools.big.weights: changes nothing, since the addresses of a pool share a "
                'queue; write mta.queues = "per-ip", or leave it out'
            ),
        ),
        (
            {"mta": weighted([3, 1])},
            "mta.pools.big.weights: give 4, one for each address of ips, not 2",
        ),
        (
            {"mta": weighted([1, 2, 0, 1])},
            r"mta.pools.big.weights\[2\]: must be at least 1, not 0",
        ),
        (
            {"mta": weighted([1001, 1, 1, 1])},
            r"mta.pools.big.weights\[0\]: must be at most 1000, not 1001",
        ),
        (
            {"providers": {"gmail": {"connect_time": "1s", "transaction_time": "1s"}}},
            r"deliveries\[0\].audience.web: no provider has this name; defined: gmail$",
        ),
        ({"limits": [{"name": "none"}]}, r"limits\[0\]: limits nothing; give a rate"),
        ({"limits": [HOUR, HOUR]}, r'limits\[1\].name: "gmail an hour" is used before'),
        (
            {"limits": [HOUR | {"providers": ["gmial"]}]},
            r'limits\[0\].providers\[0\]: no provider has this name, "gmial"; did you mean "gmail"',
        ),
        (
            {"limits": [HOUR | {"pools": ["tiny"]}]},
            r'limits\[0\].pools\[0\]: no pool has this name, "tiny"; defined: big, small',
        ),
        (
            {"limits": [{"name": "x", "connections": 1, "providers": ["web"], "pools": ["small"]}]},
            r"limits\[0\]: covers no queue: no delivery sends there",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_errors_name_the_key_and_what_would_be_right(changes: dict[str, Any], message: str) -> None:
    plain = sections()
    if "pool" in changes:
        del plain["deliveries"][0]["pool"]
        if changes["pool"]:
            plain["deliveries"][0]["pool"] = changes["pool"]
    else:
        plain |= changes
    with pytest.raises(ScenarioError, match=message):
        from_dict(plain)


def test_a_limit_of_a_long_period_with_its_whole_burst_is_a_warning() -> None:
    with pytest.warns(SendcapWarning, match=r"limits\[0\].rate: .*36,000 go at once"):
        scenario(limits=[HOUR | {"rate": "36000/h"}])


def test_the_ceiling_of_a_limit_is_over_all_its_queues() -> None:
    _, *found = stages(scenario())
    per_s = {stage.name: stage.per_s for stage in found}
    # Ten connections from each IP, of which each is made anew for every attempt.
    assert per_s == pytest.approx(
        {
            "gmail from big": 20.0,
            "gmail from small": 5.0,
            "web from big": 20.0,
            "gmail an hour": 10.0,
        }
    )
    slowest = bottleneck(found)
    assert (slowest.name, slowest.kind) == ("gmail an hour", "limit")
    assert (slowest.messages, slowest.needs_s) == (550, pytest.approx(54.9, abs=0.2))


@pytest.mark.parametrize(
    ("limit", "per_s"),
    [
        ({"connections": 8}, 4.0),  # two seconds for each attempt
        ({"rate": {"kind": "gap", "pause": "3s"}}, 0.25),
        ({"rate": ["2/s,max_burst=1", "90/m"]}, 1.5),
        ({"rate": {"kind": "fixed-window", "limit": 30, "window": "10s"}}, 3.0),
    ],
    ids=str,
)
def test_each_kind_of_limit_has_a_ceiling(limit: dict[str, Any], per_s: float) -> None:
    *_, stage = stages(scenario(limits=[{"name": "all"} | limit]))
    assert stage.per_s == pytest.approx(per_s)
    assert len(stage.paths) == 3


def test_a_suspension_of_each_address_is_that_many_times_the_ceiling() -> None:
    """A count of throttled answers holds for each queue; together, four IPs count to it sooner."""
    rule = {"tolerance": "1/s", "suspend": {"after": 50, "within": "1h", "lasts": "1h"}}
    plain = sections(limits=[])
    plain["providers"]["web"] |= rule
    found = {}
    for queues in ("pooled", "per-ip"):
        plain["mta"]["queues"] = queues
        stage = next(each for each in stages(from_dict(plain)) if each.name == "web from big")
        found[queues] = stage.per_s
    plain["mta"] = {"ips": 1}
    for delivery in plain["deliveries"]:
        delivery.pop("pool")
    one = next(each for each in stages(from_dict(plain)) if each.name == "web")
    assert found["per-ip"] == pytest.approx(4.0 * one.per_s)
    assert found["pooled"] != pytest.approx(found["per-ip"], rel=0.01)


def test_the_limit_that_holds_the_deliveries_up_is_named_with_its_queues() -> None:
    found = limits(scenario(time={"bin": "5s"}))
    assert found.bottleneck == "gmail an hour"
    assert found.sentence.startswith(
        "Bottleneck: the limit gmail an hour. Its rate lets 10 attempts/s through, over gmail from "
        "big, gmail from small together; 55 % of the messages go there"
    )
    table = found.table().set_index("stage")
    assert table.loc["gmail an hour", "highest_utilisation_pct"] == 100.0
    assert table.loc["gmail from big", "mean_wait_s"] > 10.0


def test_the_accepted_connections_of_a_sentence_are_those_of_the_pools_addresses() -> None:
    plain = sections(limits=[])
    plain["providers"]["web"] |= {"connect_time": "1s", "accepts_connections": 2}
    plain["deliveries"][0]["audience"] = {"web": 1.0}
    # 4 addresses, of each of which 2 connections are accepted, with an attempt a second each.
    assert limits(from_dict(plain)).sentence.startswith(
        "Bottleneck: web from big. It accepts 8 connections, which carry 8 attempts/s"
    )


def test_expected_refuses_a_limit_over_several_queues_by_name() -> None:
    with pytest.raises(ScenarioError, match=r"expected: limits: queues share .*\(gmail an hour\)"):
        expected(scenario())


def test_expected_counts_of_two_pools_are_those_of_two_systems() -> None:
    """A pool with a part of the addresses and of the messages is a system of its own."""
    both = expected(scenario(limits=[]))
    orders = sections(limits=[])
    orders["deliveries"] = orders["deliveries"][1:]
    orders["mta"]["pools"].pop("big")
    alone = expected(from_dict(orders))
    ours = both.ledger.cumulative("accepted", delivery="orders")
    theirs = alone.ledger.cumulative("accepted", delivery="orders")
    assert ours[: len(theirs)] == pytest.approx(theirs, abs=0.5)
