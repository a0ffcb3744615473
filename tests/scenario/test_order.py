"""Orders, priorities, limits over deliveries, and the active queue."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from sendcap import expected
from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario import Scenario, dumps, from_dict, loads
from sendcap.scenario.stages import stages

SCALED = {"connect_time": "1s", "transaction_time": "1s", "connection_scaling": "kumomta"}


def sections(**changes: Any) -> dict[str, Any]:
    """Two deliveries to one provider each, one of high priority."""
    provider = {"connect_time": "1s", "transaction_time": "1s", "messages_per_connection": 1}
    plain = {
        "deliveries": [
            {"name": "blast", "messages": 900, "priority": "low", "audience": {"gmail": 1.0}},
            {"name": "orders", "messages": 100, "priority": "high", "audience": {"web": 1.0}},
        ],
        "relay": {"batch_time": "0s"},
        "mta": {"order": "priority"},
        "providers": {"gmail": dict(provider), "web": dict(provider)},
    }
    return plain | changes


def scenario(**changes: Any) -> Scenario:
    return from_dict(sections(**changes))


def of_priorities(*priorities: str) -> list[dict[str, Any]]:
    deliveries = sections()["deliveries"]
    for delivery, priority in zip(deliveries, priorities, strict=True):
        delivery["priority"] = priority
    return deliveries


def test_unless_said_otherwise_the_first_in_is_the_first_out() -> None:
    plain = sections()
    del plain["mta"]
    for delivery in plain["deliveries"]:
        del delivery["priority"]
    made = from_dict(plain)
    assert (made.mta.order, made.mta.active) == ("fifo", None)
    assert {delivery.priority for delivery in made.deliveries} == {"normal"}


def test_an_order_and_what_belongs_to_it_are_written_and_read_again() -> None:
    made = scenario(
        mta={
            "order": "priority",
            "active": 20_000,
            "queues": "per-ip",
            "pools": {"all": {"ips": 3, "weights": [3, 1, 1]}},
        },
        limits=[{"name": "slowly", "rate": "10/s", "deliveries": ["blast"]}],
    )
    assert loads(dumps(made)) == made


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"mta": {"order": "random"}},
            'mta.order: "random" is not possible; one of "fifo", "priority", "fair"',
        ),
        (
            {"deliveries": of_priorities("urgent", "high")},
            'deliveries[0].priority: "urgent" is not possible; one of "high", "normal", "low"',
        ),
        (
            {"mta": {"order": "priority", "active": 0}},
            "mta.active: must be at least 1, not 0",
        ),
        (
            {
                "mta": {"order": "priority", "active": 9},
                "providers": {"gmail": SCALED, "web": SCALED | {"connection_scaling": "postfix"}},
            },
            (
                'providers.gmail.connection_scaling: "kumomta" does not go with mta.active, since '
                "KumoMTA has no active queue; leave one of them out"
            ),
        ),
        (
            {"limits": [{"name": "x", "rate": "9/s", "deliveries": ["blsat"]}]},
            'limits[0].deliveries[0]: no delivery has this name, "blsat"; did you mean "blast"?',
        ),
        (
            {"limits": [{"name": "x", "rate": "9/s", "deliveries": ["blast", "weekly"]}]},
            'limits[0].deliveries[1]: no delivery has this name, "weekly"; defined: blast, orders',
        ),
        (
            {
                "limits": [
                    {"name": "x", "rate": "9/s", "deliveries": ["blast"], "providers": ["web"]}
                ]
            },
            "limits[0]: covers no message: none of these deliveries sends there",
        ),
        (
            {
                "limits": [
                    {
                        "name": "x",
                        "rate": ["9/s", {"kind": "gap", "pause": "1s"}],
                        "deliveries": ["blast"],
                    }
                ]
            },
            (
                "limits[0].rate: a gap cannot be over single deliveries; give a rate, such as "
                'rate = "50,000/h", or leave deliveries out'
            ),
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_errors_name_the_key_and_what_would_be_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(**changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        (
            {"mta": {"order": "fair"}},
            [
                f'deliveries[{number}].priority: "{priority}" changes nothing, since mta.order is '
                '"fair"; write mta.order = "priority"'
                for number, priority in enumerate(("low", "high"))
            ],
        ),
        (
            {"mta": {}, "deliveries": of_priorities("normal", "high")},
            [
                (
                    'deliveries[1].priority: "high" changes nothing, since mta.order is "fifo"; '
                    'write mta.order = "priority"'
                )
            ],
        ),
        (
            {"deliveries": of_priorities("high", "high")},
            [
                (
                    'mta.order: "priority" changes nothing, since all deliveries have the priority '
                    '"high"; give one of them another'
                )
            ],
        ),
    ],
    ids=["fair", "fifo", "the same for all"],
)
def test_what_changes_nothing_is_warned_of(changes: dict[str, Any], messages: list[str]) -> None:
    with pytest.warns(SendcapWarning) as caught:
        scenario(**changes)
    assert [str(warning.message) for warning in caught] == messages


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mta": {"order": "fair", "active": 1}, "deliveries": of_priorities("normal", "normal")},
        {"limits": [{"name": "x", "connections": 3, "deliveries": ["blast", "orders"]}]},
    ],
    ids=str,
)
def test_what_acts_is_not_warned_of(changes: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scenario(**changes)


def test_the_ceiling_of_a_limit_over_deliveries_is_that_of_their_messages() -> None:
    limit = {"name": "blast", "rate": "5/s,max_burst=1", "deliveries": ["blast"]}
    *_, stage = stages(scenario(limits=[limit]))
    assert (stage.name, stage.messages, stage.share) == ("blast", 900, pytest.approx(0.9))
    assert stage.per_s == pytest.approx(5.0)
    assert [path.provider for path in stage.paths] == ["gmail"]


@pytest.mark.parametrize(
    ("mta", "key"), [({"order": "priority"}, "order"), ({"active": 9}, "active")]
)
def test_expected_refuses_an_order_and_an_active_queue_by_name(
    mta: dict[str, Any], key: str
) -> None:
    deliveries = of_priorities(*(["low", "high"] if key == "order" else ["normal", "normal"]))
    with pytest.raises(ScenarioError, match=f"expected: mta.{key}.*leave it out"):
        expected(scenario(mta=mta, deliveries=deliveries))
