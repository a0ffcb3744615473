"""Scenarios so small that the right answer can be worked out on paper."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from by_hand import SECOND, Example
from by_hand_concurrency import CONCURRENCY
from by_hand_connections import CONNECTIONS
from by_hand_disturbances import DISTURBANCES
from by_hand_limits import LIMITS
from by_hand_queues import QUEUES
from by_hand_relay import RELAY
from by_hand_retries import RETRIES
from by_hand_suspension import SUSPENSION
from small_scenarios import scenario_of

from sendcap import textbook
from sendcap.ledger import Event, Ledger
from sendcap.model.engine import simulate_ledger


def times(ledger: Ledger, event: Event) -> list[float]:
    """When each of the events happened, to the bin of a second."""
    return [
        float(second)
        for second, count in zip(
            ledger.edges_s, ledger.counts(event, clock="happened"), strict=False
        )
        for _ in range(count)
    ]


BY_HAND: dict[str, Example] = {
    **QUEUES,
    **CONNECTIONS,
    **LIMITS,
    **SUSPENSION,
    **DISTURBANCES,
    **CONCURRENCY,
    **RELAY,
    **RETRIES,
}


@pytest.mark.parametrize("model", ["engine", "textbook"])
@pytest.mark.parametrize("example", BY_HAND)
def test_events_happen_when_they_should(example: str, model: str) -> None:
    scenario, event, expected = BY_HAND[example]
    simulate = simulate_ledger if model == "engine" else textbook.simulate_ledger
    assert times(simulate(scenario), event) == expected


def test_a_report_waits_for_the_one_before_it(tmp_path: Path) -> None:
    """The first report takes 60 s, as all do; polled every 50 s, it is known at 100 s."""
    scenario = scenario_of(
        time=SECOND,
        feedback={"synchronous": "60s", "asynchronous": "1s", "polling": "50s"},
        provider={"async_bounce": 1.0},
    )
    log = tmp_path / "log.parquet"
    ledger = simulate_ledger(scenario, sending_log=log)
    rows = pd.read_parquet(log)
    assert list(rows.event) == ["relayed", "accepted", "async_bounced"]
    assert list(rows.happened_s) == [0.0, 1.0, 2.0]
    # The bounce was there at 2 s already, but may not overtake the acceptance, there at 61 s.
    assert list(rows.known_s) == [0.0, 100.0, 100.0]
    assert ledger.counts("async_bounced", clock="known")[100] == 1


def test_reports_are_held_to_the_rate() -> None:
    scenario = scenario_of(
        time=SECOND,
        delivery={"messages": 4},
        provider={"connections_per_ip": 4},
        feedback={"rate": "1/10s"},
    )
    known = simulate_ledger(scenario).counts("accepted", clock="known")
    assert [int(second) for second in known.nonzero()[0]] == [11, 21, 31, 41]


@pytest.mark.parametrize(("rate", "known_s"), [("none", 20), ("1/2s", 22)])
def test_a_report_that_arrives_at_a_poll_is_taken_in_by_it(rate: str, known_s: int) -> None:
    scenario = scenario_of(
        time=SECOND,
        provider={"transaction_time": "15s"},
        feedback={"synchronous": "5s", "polling": "10s", "rate": rate},
    )
    known = simulate_ledger(scenario).counts("accepted", clock="known")
    assert [int(second) for second in known.nonzero()[0]] == [known_s]


@pytest.mark.parametrize(
    ("open_delay", "click_delay", "expected"),
    [("14d", "1s", (0, 0)), ("13d", "1d", (1, 0)), ("13d", "23h", (1, 1))],
)
def test_opens_and_clicks_are_followed_for_two_weeks_from_the_delivery(
    open_delay: str, click_delay: str, expected: tuple[int, int]
) -> None:
    delays = {"open_delay": open_delay, "click_delay": click_delay}
    scenario = scenario_of(
        delivery={"at": "1d"},
        provider={"transaction_time": "0s"},
        engagement={"open_rate": 1.0, "click_rate": 1.0} | delays,
    )
    for ledger in (simulate_ledger(scenario), textbook.simulate_ledger(scenario)):
        assert (ledger.total("opened"), ledger.total("clicked")) == expected


def test_the_log_says_after_which_attempt_a_message_expires(tmp_path: Path) -> None:
    """The first message has failed once, the other has not been tried."""
    scenario = scenario_of(
        delivery={"messages": 2, "validity": "15s"},
        mta={"retry": {"policy": "schedule", "delays": ["30s"]}},
        provider={"transaction_time": "10s", "transient": 1.0, "rate": "1/h"},
    )
    log = tmp_path / "log.parquet"
    simulate_ledger(scenario, sending_log=log)
    rows = pd.read_parquet(log)
    expired = rows[rows.event.isin(["expired", "expired_untried"])]
    assert sorted(zip(expired.message, expired.attempt, expired.happened_s, strict=True)) == [
        (0, 1, 15.0),
        (1, 0, 15.0),
    ]


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
def test_what_fails_at_the_relay_takes_no_time_of_the_ingress(simulate) -> None:
    scenario = scenario_of(
        time=SECOND,
        delivery={"messages": 40},
        relay={"batch": 10, "error_rate": 0.5},
        mta={"ingress_rate": "1/s"},
        provider={"connections_per_ip": 40},
    )
    ledger = simulate(scenario)
    relayed = ledger.total("relayed")
    assert 0 < relayed < 40
    assert times(ledger, "attempted") == list(range(1, relayed + 1))


def test_a_fault_is_the_reason_even_where_everything_fails() -> None:
    scenario = scenario_of(
        delivery={"messages": 10, "validity": "1h"},
        provider={
            "transient": 1.0,
            "faults": [{"reason": "full", "share": 0.5, "never": 1.0}],
        },
    )
    for ledger in (simulate_ledger(scenario), textbook.simulate_ledger(scenario)):
        soft = ledger.reasons("soft_first")
        assert set(soft) == {"full", "transient"}
        assert ledger.reasons("expired") == soft
