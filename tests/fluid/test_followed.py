"""Expected curves refuse by name what may move them, and answer where it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from sendcap.analysis import expected
from sendcap.errors import ScenarioError
from sendcap.scenario import Scenario, from_dict, load, updated

PLAIN: dict[str, Any] = {
    "deliveries": [{"name": "a", "messages": 20_000, "audience": {"p": 0.8, "q": 0.2}}],
    "relay": {"batch": 64, "batch_time": "1s", "workers": 4},
    "providers": {
        "p": {"connections_per_ip": 50, "connect_time": "300ms", "transaction_time": "300ms"},
        "q": {"connections_per_ip": 50, "connect_time": "300ms", "transaction_time": "300ms"},
    },
}
SCHEDULE = {"kind": "schedule", "steps": [{"at": "0s", "rate": "10/s"}]}
LATE = {"dist": "exponential", "mean": "20m"}
POOL = {"a": {"ips": 2, "weights": [3, 1]}}
NOBODY = {"reason": "user unknown", "share": 0.01}


def scenario(edits: dict[str, Any]) -> Scenario:
    return updated(from_dict(PLAIN), edits)


@pytest.mark.parametrize(
    ("edits", "part"),
    [
        ({"relay.rate": SCHEDULE}, "relay.rate: a schedule is not followed"),
        ({"providers.gmail.tolerance": SCHEDULE}, r"gmail.tolerance: a schedule is not followed"),
        ({"providers.gmail.accepts_connections": 3}, "accepts_connections: connections are not"),
    ],
)
def test_it_refuses_by_name_what_it_cannot_follow(edits: dict[str, Any], part: str) -> None:
    with pytest.raises(ScenarioError, match=part):
        expected(updated(load("quickstart"), edits))


@pytest.mark.parametrize(
    ("edits", "part"),
    [
        ({"mta.spool": 1_000, "providers.p.rate": "5/s"}, "mta.spool: 1,000 may be full"),
        ({"providers.p.connection_scaling": "kumomta"}, "providers.p.connection_scaling: conn"),
        ({"providers.p.connection_scaling": "postfix"}, "providers.p.connection_scaling: conn"),
        ({"providers.p.connection_rate": "1/s"}, "providers.p.connection_rate: connections are"),
        (
            {"providers.p.disturbances": [{"every": "1h", "lasts": "9m", "transient": 0.5}]},
            "providers.p.disturbances: bad times come at random",
        ),
        (
            {"providers.p.outages": [{"at": "1m", "lasts": "9m", "fails_after": "30s"}]},
            r"providers.p.outages\[0\].fails_after: attempts in an outage take",
        ),
        (
            {"providers.p.tolerance": "50/s", "mta.suspend": "kumomta"},
            r"mta.suspend\[0\]: single answers suspend p",
        ),
        (
            {"providers.p.hard": [NOBODY], "mta.suspend": {"counts": ["hard"], "lasts": "5m"}},
            "mta.suspend: single answers suspend p",
        ),
        (
            {"feedback.synchronous": LATE, "providers.p.transient": 0.1},
            "feedback.synchronous: 37 % of it takes longer than the shortest retry of p",
        ),
        ({"mta.queues": "per-ip", "mta.pools": POOL}, "mta.pools.a.weights: source addresses"),
    ],
)
def test_it_refuses_what_may_move_the_course(edits: dict[str, Any], part: str) -> None:
    with pytest.raises(ScenarioError, match=part) as caught:
        expected(scenario(edits))
    assert "which takes a simulation (`sendcap run`); simulate, or leave it out" in str(
        caught.value
    )


ONE_CONNECTION = {"providers.p.connections_per_ip": 1}


@pytest.mark.parametrize(
    ("both", "edits"),
    [
        # As large as all that there is; or with room to spare, as the MTA keeps up.
        ({}, {"mta.spool": 20_000}),
        ({"relay.rate": "40/s"}, {"mta.spool": 6_000}),
        # A rule that counts what nobody answers.
        ({"providers.p.transient": 0.01}, {"mta.suspend": "kumomta"}),
        ({"providers.p.hard": [NOBODY]}, {"mta.suspend": "exim"}),
        # One connection is one, however short the queue.
        (ONE_CONNECTION, {"providers.p.connection_scaling": "kumomta"}),
        # No message goes there.
        ({"deliveries[0].audience": {"q": 1}}, {"providers.p.connection_rate": "1/s"}),
        ({"mta.queues": "per-ip"}, {"mta.pools": {"a": {"ips": 1, "weights": [3]}}}),
    ],
)
def test_it_answers_where_nothing_can_come_of_it(
    both: dict[str, Any], edits: dict[str, Any]
) -> None:
    with_it, without = expected(scenario(both | edits)), expected(scenario(both))
    assert with_it.ledger == without.ledger
    assert with_it.error("efs").equals(without.error("efs"))
    assert with_it.error("efs").delivered_pt.notna().any()


def test_late_feedback_of_what_is_never_retried_is_no_trouble() -> None:
    assert expected(scenario({"feedback.synchronous": LATE})).courses
