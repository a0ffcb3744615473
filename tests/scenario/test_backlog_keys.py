"""The backlog of a scenario file, and the delivery that it forms."""

from __future__ import annotations

from typing import Any

import pytest

from sendcap.analysis import expected
from sendcap.errors import ScenarioError
from sendcap.scenario import Scenario, dumps, from_dict, loads, to_dict, updated

ENTRY = {"provider": "p", "messages": 30, "age": "1h"}
PROVIDER = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 1}
POPULATION = {"size": 9, "providers": {"p": 1.0}}


def holding(*backlog: dict[str, Any], **sections: Any) -> Scenario:
    providers = {"p": PROVIDER, "q": PROVIDER}
    relay = {"relay": {"batch_time": "0s"}, "providers": providers}
    return from_dict(relay | {"backlog": [ENTRY | each for each in backlog]} | sections)


def test_it_is_a_delivery_of_its_own() -> None:
    scenario = holding({}, {"provider": "q", "messages": 7}, {"messages": 3})
    (delivery,) = scenario.deliveries
    assert delivery.is_held
    assert scenario.relayed == ()
    assert scenario.to_deliver() == {("backlog", "p"): 33, ("backlog", "q"): 7}


def test_with_pools_each_has_one() -> None:
    pools = {"pools": {"bulk": {"ips": 2}, "small": {"ips": 1}}}
    scenario = holding({"pool": "small"}, {"pool": "bulk", "messages": 5}, mta=pools)
    assert [each.name for each in scenario.deliveries] == [
        "backlog from small",
        "backlog from bulk",
    ]


@pytest.mark.parametrize("deliveries", [[], [{"name": "d", "messages": 5, "audience": {"p": 1}}]])
def test_a_file_holds_the_same_scenario(deliveries: list[Any]) -> None:
    scenario = holding({"attempts": 2, "reason": "greylisted", "due": "1m"}, deliveries=deliveries)
    assert loads(dumps(scenario)) == scenario
    assert len(to_dict(scenario)["deliveries"]) == len(deliveries)
    assert updated(scenario, {"mta.ips": 2}).to_deliver() == scenario.to_deliver()


def test_large_counts_are_met_exactly() -> None:
    counts = [19_000_001, 3, 999_995]
    providers = {f"p{number}": PROVIDER for number in range(3)}
    entries = [{"provider": f"p{n}", "messages": count} for n, count in enumerate(counts)]
    assert list(holding(*entries, providers=providers).to_deliver().values()) == counts


@pytest.mark.parametrize(
    ("entry", "sections", "message"),
    [
        (
            {"provider": "pp"},
            {},
            'backlog[0].provider: no provider has this name; did you mean "p"?',
        ),
        ({"pool": "x"}, {}, 'backlog[0].pool: no pool has this name, "x"; the MTA has none'),
        (
            {},
            {"mta": {"pools": {"a": {"ips": 1}, "b": {"ips": 1}}}},
            "backlog[0].pool: required where the MTA has several pools: a, b",
        ),
        ({"messages": 0}, {}, "backlog[0].messages: must be at least 1, not 0"),
        ({"attempts": -1}, {}, "backlog[0].attempts: must be at least 0, not -1"),
        (
            {"attempts": 0, "reason": "greylisted"},
            {},
            "backlog[0].reason: needs attempts; without any there is no bounce",
        ),
        (
            {},
            {"mta": {"spool": 5000}},
            "mta.spool: cannot be with a backlog; leave one of them out",
        ),
        (
            {},
            {"population": POPULATION, "deliveries": [{"name": "d"}]},
            "backlog: cannot be with a population: whom its messages are for is not known",
        ),
        (
            {},
            {"deliveries": [{"name": "backlog", "messages": 1, "audience": {"p": 1}}]},
            '"backlog" is used before; give each delivery its own name',
        ),
    ],
)
def test_what_is_wrong_is_told(
    entry: dict[str, Any], sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        holding(entry, **sections)
    assert message in str(caught.value)


def test_more_than_can_be_followed_is_refused() -> None:
    with pytest.raises(ScenarioError, match="holds 40,000,000 messages; at most 20,000,000"):
        holding({"messages": 20_000_000}, {"messages": 20_000_000})


def test_expected_curves_leave_nothing_out() -> None:
    with pytest.raises(ScenarioError, match=r"expected: backlog: .* simulate, or leave it out"):
        expected(holding({}))
