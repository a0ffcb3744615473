"""A backlog, worked out by hand: both models agree with what a pencil says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sendcap import textbook
from sendcap.ledger import Event, Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict

MODELS = pytest.mark.parametrize(
    "simulated", [simulate_ledger, textbook.simulate_ledger], ids=["engine", "textbook"]
)
Simulated = Callable[[Scenario], Ledger]
FULL = {"reason": "mailbox full", "share": 0.5, "clears_after": "1h", "never": 1.0}
"""Half of the mailboxes are full for ever."""


def holding(*backlog: dict[str, Any], **sections: Any) -> Scenario:
    """Messages to one provider that takes a second for each, and accepts everything."""
    provider = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 1}
    return from_dict(
        {
            "time": {"bin": "1s"},
            "backlog": [{"provider": "p", "age": "1h"} | each for each in backlog],
            "relay": {"batch_time": "0s"},
            "providers": {"p": provider | sections.pop("provider", {})},
        }
        | sections
    )


def moments(ledger: Ledger, event: Event, reason: str | None = None) -> list[int]:
    """Return the bin of each event at the MTA."""
    return np.repeat(*ledger.sparse(event, clock="happened", reason=reason)).tolist()


@MODELS
def test_after_a_flush_one_goes_after_the_other(simulated: Simulated) -> None:
    ledger = simulated(holding({"messages": 4, "due": "0s"}))
    assert moments(ledger, "relayed") == [0, 0, 0, 0]
    assert moments(ledger, "attempted") == [0, 1, 2, 3]
    assert moments(ledger, "accepted") == [1, 2, 3, 4]


@MODELS
@pytest.mark.parametrize(
    ("retry", "age", "due_s"),
    [
        # 20 min, doubling: attempts at the ages 0, 20, 60 and 140 min.
        ({"policy": "momentum"}, "1h", 0),
        ({"policy": "momentum"}, "1h1m", 79 * 60),
        ({"policy": "momentum"}, "130m", 10 * 60),
        # The age at the failure, from 300 s to 4000 s, then the next scan of the queue: one that
        # came at the scan is tried at the ages 0, 300, 600, 1200, 2400, 4800 s.
        ({"policy": "postfix"}, "2400s", 0),
        ({"policy": "postfix"}, "45m", 2100),
        ({"policy": "schedule", "delays": ["7m", "1h"]}, "10m", 57 * 60),
        ({"policy": "powermta", "retry_after": ["10m", "1h"]}, "3h", 10 * 60),
        # F,2h,15m; G,16h,1h,1.5; F,4d,6h: after 2 h the hour is the first of the growing delays.
        ({"policy": "exim"}, "130m", 5 * 60),
    ],
)
def test_the_next_attempt_is_that_of_the_policy(
    simulated: Simulated, retry: dict[str, Any], age: str, due_s: int
) -> None:
    ledger = simulated(holding({"messages": 3, "age": age}, mta={"retry": retry}))
    assert moments(ledger, "attempted")[0] == due_s


@MODELS
def test_only_what_has_been_tried_has_bounced_before(simulated: Simulated) -> None:
    ledger = simulated(holding({"messages": 3, "attempts": 2}, {"messages": 5, "attempts": 0}))
    assert len(moments(ledger, "soft_first", "before t = 0")) == 3
    assert len(moments(ledger, "recovered")) == 3
    assert len(moments(ledger, "attempted")) == len(moments(ledger, "accepted")) == 8


@MODELS
def test_the_validity_counts_from_the_age(simulated: Simulated) -> None:
    full = {"messages": 2, "attempts": 3, "reason": "mailbox full"}
    scenario = holding(
        full | {"age": "83h", "due": "5m"},
        full | {"age": "90h"},
        {"messages": 2, "age": "80h", "due": "5h"},
        provider={"faults": [FULL]},
    )
    ledger = simulated(scenario)
    assert moments(ledger, "expired") == [0, 0, 3600, 3600, 4 * 3600, 4 * 3600]
    assert moments(ledger, "attempted")[:2] == [300, 301]
    assert ledger.total("accepted") == 0


@MODELS
def test_a_fault_with_the_reason_is_that_of_the_address(simulated: Simulated) -> None:
    faults = [FULL | {"clears_after": "10m", "never": 0.0}]
    entry = {"messages": 40, "attempts": 1, "due": "0s", "reason": "mailbox full"}
    ledger = simulated(holding(entry, provider={"faults": faults, "connections_per_ip": 40}))
    assert len(moments(ledger, "soft", "mailbox full")) == 40
    assert moments(ledger, "accepted")[0] > 600


@MODELS
@pytest.mark.parametrize(
    ("entry", "share"),
    [
        ({"attempts": 0}, 0.5),
        ({"attempts": 1}, 0.0),
        ({"attempts": 1, "reason": "greylisted"}, 0.0),
        ({"attempts": 1, "reason": "unreachable"}, 0.5),
        ({"attempts": 1, "reason": "throttled"}, 0.5),
    ],
)
def test_who_has_been_answered_does_not_bounce_hard(
    simulated: Simulated, entry: dict[str, Any], share: float
) -> None:
    provider = {"hard": [{"reason": "user unknown", "share": 0.5}], "connections_per_ip": 400}
    scenario = holding({"messages": 400, "due": "0s"} | entry, provider=provider)
    # Five standard deviations.
    assert simulated(scenario).total("hard") / 400 == pytest.approx(
        share, abs=0.125 if share else 0
    )


@MODELS
def test_of_a_last_delay_that_does_not_fit_the_age_any_part_may_be_over(
    simulated: Simulated,
) -> None:
    entry = {"messages": 400, "age": "1m", "attempts": 2}
    scenario = holding(
        entry, provider={"connections_per_ip": 400}, mta={"retry": {"policy": "momentum"}}
    )
    due_s = np.array(moments(simulated(scenario), "attempted"))
    # The second delay, of 40 minutes.
    assert 0 <= due_s.min() < 60 < 2340 < due_s.max() < 2400
    assert due_s.mean() == pytest.approx(1200, abs=5 * 2400 / np.sqrt(12 * 400))


def test_a_backlog_is_counted_once() -> None:
    scenario = holding({"messages": 1000, "age": {"dist": "uniform", "low": "0s", "high": "80h"}})
    ledger = simulate_ledger(scenario)
    ended = sum(ledger.total(event) for event in ("accepted", "hard", "expired"))
    assert ledger.total("relayed") == ended == 1000
    assert ledger.to_deliver == {("backlog", "p"): 1000}
