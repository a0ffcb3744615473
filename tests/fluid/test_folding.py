"""A limit of one queue is its own, and one that never binds is none: expected curves stay alike."""

from __future__ import annotations

from typing import Any

import pytest
from test_followed import PLAIN

import sendcap
from sendcap.analysis import expected
from sendcap.errors import ScenarioError
from sendcap.fluid.expected import with_own_limits
from sendcap.scenario import Scenario, from_dict, updated


def made(limits: list[dict[str, Any]], edits: dict[str, Any] | None = None) -> Scenario:
    named = [{"name": f"l{number}", **each} for number, each in enumerate(limits)]
    return updated(from_dict({**PLAIN, "limits": named}), edits or {})


WINDOW = {"kind": "fixed-window", "limit": 600, "window": "1m"}
RATES = ["20/s,max_burst=5", "900/m,max_burst=10"]
TWO = {"mta.ips": 2}
OF_ONE: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # A limit of one queue, what is edited beside it, and what the same is as the queue's own.
    ({"connections": 7}, {}, {"connections_per_ip": 7}),
    ({"connections": 8}, TWO, {"connections_per_ip": 4}),
    ({"connections": 500}, TWO, {}),
    ({"rate": "20/s"}, {}, {"rate": "20/s"}),
    (
        {"rate": ["20/s,max_burst=5", "900/m,max_burst=10"]},
        {},
        {"rate": ["20/s,max_burst=5", "900/m,max_burst=10"]},
    ),
    ({"rate": "900/m,max_burst=10"}, TWO, {"rate": "450/m,max_burst=5"}),
    ({"rate": WINDOW}, TWO, {"rate": {**WINDOW, "limit": 300}}),
    ({"rate": {"kind": "gap", "pause": "1s"}}, {}, {"rate": {"kind": "gap", "pause": "1s"}}),
    ({"rate": "30/s", "connections": 7}, {}, {"rate": "30/s", "connections_per_ip": 7}),
]


def owns(edits: dict[str, Any], own: dict[str, Any]) -> Scenario:
    return made([], {**edits, **{f"providers.p.{key}": value for key, value in own.items()}})


@pytest.mark.parametrize(("limit", "edits", "own"), OF_ONE)
def test_the_limit_of_one_queue_is_its_own(limit, edits, own) -> None:
    folded = with_own_limits(made([{**limit, "providers": ["p"]}], edits))
    assert folded == owns(edits, own)


@pytest.mark.parametrize(("limit", "edits", "own"), [OF_ONE[0], OF_ONE[3]])
def test_expected_answers_as_with_the_queues_own(limit, edits, own) -> None:
    found = expected(made([{**limit, "providers": ["p"]}], edits))
    ledger = expected(owns(edits, own)).ledger
    assert found.ledger.cumulative("accepted").tolist() == ledger.cumulative("accepted").tolist()


@pytest.mark.parametrize(("limit", "edits", "own"), OF_ONE)
def test_a_simulation_makes_no_difference_either(limit, edits, own) -> None:
    less = {**edits, "deliveries[0].messages": 2_000, "time.bin": "1s"}
    one = sendcap.simulate(made([{**limit, "providers": ["p"]}], less)).ledger
    two = sendcap.simulate(owns(less, own)).ledger
    assert one.cumulative("accepted").tolist() == two.cumulative("accepted").tolist()


def test_the_words_of_postfix_that_change_nothing_are_followed() -> None:
    """An active queue with room for all, and a window that begins at its limit."""
    plain = made([], {"deliveries[0].messages": 2_000, "time.bin": "1s"})
    edits = {
        "mta.active": 2_000,
        "providers.p.connection_scaling": {"kind": "postfix", "initial": 50},
    }
    same = updated(plain, edits)
    for answer in (sendcap.expected, sendcap.simulate):
        ledgers = [answer(scenario).ledger for scenario in (plain, same)]
        one, two = (ledger.cumulative("accepted").tolist() for ledger in ledgers)
        assert one == two
    with pytest.raises(ScenarioError, match=r"mta.active: queues are not first in"):
        expected(updated(same, {"mta.active": 1_999}))
    smaller = {"kind": "postfix", "initial": 49}
    outage = [{"at": "1m", "lasts": "1m"}]
    for more in ({"providers.p.connection_scaling": smaller}, {"providers.p.outages": outage}):
        with pytest.raises(ScenarioError, match="connection_scaling: connections are not followed"):
            expected(updated(same, more))


@pytest.mark.parametrize(
    ("limit", "edits"),
    [
        ({"connections": 100}, {}),
        ({"connections": 1000}, {"mta.ips": 3, "mta.queues": "per-ip"}),
        ({"rate": "30/s"}, {"providers.p.rate": "10/s", "providers.q.rate": "20/s"}),
        (
            {"rate": "1,800/m,max_burst=13"},
            {
                "providers.p.rate": "10/s,max_burst=4",
                "providers.q.rate": ["9/s,max_burst=5", "5/s,max_burst=9"],
            },
        ),
        (
            {"rate": {**WINDOW, "limit": 900}},
            {"providers.p.rate": WINDOW, "providers.q.rate": {**WINDOW, "limit": 300}},
        ),
        # Of a delivery alone, it binds still less.
        ({"connections": 100, "deliveries": ["a"]}, {}),
    ],
)
def test_a_limit_that_never_binds_is_none(limit, edits) -> None:
    assert with_own_limits(made([limit], edits)) == made([], edits)


@pytest.mark.parametrize(
    ("limit", "edits"),
    [
        ({"connections": 99}, {}),
        ({"connections": 7, "providers": ["p"]}, TWO),
        ({"connections": 8, "providers": ["p"]}, {**TWO, "mta.queues": "per-ip"}),
        ({"rate": "30/s"}, {"providers.p.rate": "10/s"}),
        ({"rate": "29/s"}, {"providers.p.rate": "10/s", "providers.q.rate": "20/s"}),
        (
            {"rate": "30/s,max_burst=1"},
            {"providers.p.rate": "10/s,max_burst=1", "providers.q.rate": "20/s,max_burst=1"},
        ),
        (
            {"rate": {**WINDOW, "limit": 900}},
            {"providers.p.rate": "5/s", "providers.q.rate": "5/s"},
        ),
        ({"rate": "21/s", "providers": ["p"]}, TWO),
        ({"rate": {"kind": "gap", "pause": "1s"}, "providers": ["p"]}, TWO),
        ({"connections": 7, "providers": ["p"], "deliveries": ["a"]}, {}),
    ],
)
def test_a_limit_that_may_bind_stays_and_takes_a_simulation(limit, edits) -> None:
    scenario = made([limit], edits)
    assert len(with_own_limits(scenario).limits) == 1
    with pytest.raises(ScenarioError, match=r"queues share them \(l0\)"):
        expected(scenario)


def test_what_is_left_of_a_limit_is_what_may_bind() -> None:
    scenario = made([{"connections": 500, "rate": "9/s"}])
    (left,) = with_own_limits(scenario).limits
    assert (left.connections, len(left.throttles)) == (None, 1)


def test_a_limit_of_one_queue_may_free_a_limit_of_several() -> None:
    folded = with_own_limits(made([{"connections": 60}, {"connections": 10, "providers": ["p"]}]))
    assert folded.limits == ()
    assert folded.providers["p"].connections_per_ip == 10


def test_a_provider_with_queues_of_two_pools_keeps_its_limits() -> None:
    pools = {"x": {"ips": 1}, "y": {"ips": 1}}
    deliveries = [{**PLAIN["deliveries"][0], "name": name, "pool": name} for name in "xy"]
    limits = [{"name": "l", "connections": 5, "providers": ["p"], "pools": ["x"]}]
    scenario = from_dict(
        {**PLAIN, "deliveries": deliveries, "mta": {"pools": pools}, "limits": limits}
    )
    assert with_own_limits(scenario) == scenario
