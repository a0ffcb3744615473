"""How far stages fall behind, by hand: of a stream beside a blast, and of deliveries far apart."""

from __future__ import annotations

from typing import Any

import pytest

import sendcap
from sendcap.readings.bottleneck import behind_s, holding_up
from sendcap.readings.summary import accepted_at_s
from sendcap.scenario import Scenario, from_dict
from sendcap.scenario.stages import Stage, stages

HOUR = 3600.0


def programme(*deliveries: dict[str, Any], **provider: Any) -> Scenario:
    """Deliveries to a provider that takes one message a second."""
    audience = {"audience": {"p": 1.0}}
    one = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 1}
    return from_dict(
        {
            "deliveries": [
                {"name": f"d{number}"} | audience | each for number, each in enumerate(deliveries)
            ],
            "relay": {"batch_time": "0s"},
            "providers": {"p": one | provider},
        }
    )


def queue(scenario: Scenario) -> Stage:
    return next(stage for stage in stages(scenario) if stage.kind == "provider")


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        ([{"messages": 3600}], HOUR),
        # A stream of half of what the queue carries waits for nobody.
        ([{"messages": 1800, "spread": "1h"}], 0.0),
        # Of twice as much, an hour's backlog is left when the last message is ready.
        ([{"messages": 7200, "spread": "1h"}], HOUR),
        # Far apart, each waits for itself alone.
        ([{"messages": 3600}, {"messages": 1800, "at": "5h"}], HOUR),
        # Half of the first is left when the second comes.
        ([{"messages": 3600}, {"messages": 3600, "at": "30m"}], 1.5 * HOUR),
        # Beside a stream of half of the rate the blast takes twice as long, if it waits last.
        ([{"messages": 43_200, "spread": "1d"}, {"messages": 3600, "at": "2h"}], HOUR),
    ],
)
def test_a_stage_is_behind_by_the_backlog_of_a_fluid(
    deliveries: list[dict[str, Any]], expected: float
) -> None:
    scenario = programme(*deliveries)
    assert behind_s(scenario, queue(scenario)) == pytest.approx(expected)


def test_a_worker_takes_as_long_for_a_small_batch() -> None:
    """100 batches of 100 take 100 s; 5000 of one message each, spread over 8 hours, no time."""
    scenario = programme({"messages": 10_000}, {"messages": 5000, "spread": "8h", "batch": 1})
    scenario = scenario.with_({"relay.batch": 100, "relay.batch_time": "1s"})
    relay = next(stage for stage in stages(scenario) if stage.kind == "relay")
    assert relay.needs_s == pytest.approx(5100.0)
    assert behind_s(scenario, relay) == pytest.approx(100.0)


def test_a_long_stream_beside_a_blast_does_not_hide_what_holds_it_up() -> None:
    scenario = programme({"messages": 1000, "spread": "1d"}, {"messages": 36_000})
    found = holding_up(scenario, stages(scenario))
    assert found is not None
    assert found.name == "p"


def test_a_schedule_is_followed_delivery_by_delivery() -> None:
    """Closed from the second hour to the third: the second delivery waits for it."""
    rate = {
        "kind": "schedule",
        "steps": [
            {"at": "0s", "rate": "1/s,max_burst=1"},
            {"at": "2h", "rate": "closed"},
            {"at": "3h", "rate": "1/s,max_burst=1"},
        ],
    }
    scenario = programme(
        {"messages": 3600}, {"messages": 3600, "at": "90m"}, rate=rate, transaction_time="1ms"
    )
    assert behind_s(scenario, queue(scenario)) == pytest.approx(2 * HOUR, rel=1e-3)


def test_what_a_stage_needs_at_least_no_run_has_done_sooner() -> None:
    found = set()
    for seed in range(20):
        # Five messages, one after the other: 15 s on average.
        slow = {"transaction_time": {"dist": "exponential", "mean": "3s"}}
        changes = {"seed": seed, "time.bin": "1s", "relay.batch_time": "10ms"}
        run = sendcap.simulate(programme({"messages": 5}, **slow).with_(changes))
        (text,) = (each for each in run.sentences() if each.startswith("Bottleneck"))
        took_s = accepted_at_s(run.ledger, 100)
        needs = "needs at least 15s" if took_s >= 15.0 else "needs 15s on average"
        assert needs in text
        found.add(needs)
    assert len(found) == 2
