"""The states of a delivery over time, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.model.engine import simulate_ledger
from sendcap.run import Run
from sendcap.scenario import from_dict

START = {"start": "2026-11-27T08:00:00"}  # a Friday


def run_of(delivery: dict[str, Any], **sections: Any) -> Run:
    """Ten messages, one every ten seconds from the relay; an attempt takes three seconds."""
    plain = {
        "time": {"bin": "1s"},
        "deliveries": [{"name": "news", "messages": 10, "audience": {"p": 1.0}} | delivery],
        "relay": {"batch": 1, "workers": 1, "batch_time": "10s"},
        "mta": {"retry": {"policy": "schedule", "delays": ["100s"]}},
        "providers": {"p": {"connect_time": "0s", "transaction_time": "3s"}},
    }
    scenario = from_dict(plain | sections)
    return Run(scenario, simulate_ledger(scenario))


def told(run: Run, mode: str) -> list[tuple[str, float]]:
    table = run.states(mode)
    assert table["until_s"].tolist() == [*table["from_s"][1:], math.inf]
    return list(zip(table["state"], table["from_s"], strict=True))


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        ({}, [("in progress", 0), ("finished", 101)]),
        ({"at": "1m"}, [("start pending", 0), ("in progress", 60), ("finished", 161)]),
        (
            # The fourth message is under way when the operator comes; the fifth waits.
            {"pause": "35s", "resume": "90s"},
            [("in progress", 0), ("paused", 35), ("in progress", 90), ("finished", 151)],
        ),
        ({"stop": "35s"}, [("in progress", 0), ("stopped", 35)]),
        ({"stop": "10m"}, [("in progress", 0), ("finished", 101)]),
    ],
    ids=["at once", "later", "paused", "stopped", "stopped when all is over"],
)
def test_without_efs_a_delivery_is_finished_when_it_is_relayed(
    delivery: dict[str, Any], expected: list[tuple[str, float]]
) -> None:
    assert told(run_of(delivery), "without-efs") == expected


def test_with_efs_it_is_finished_when_all_is_known() -> None:
    faults = [{"reason": "greylisted", "share": 1.0, "clears_after": "20s"}]
    providers = {"p": {"connect_time": "0s", "transaction_time": "3s", "faults": faults}}
    # The last message is relayed at 100 s, tried until 103 s, and again from 203 s to 206 s.
    expected = [("in progress", 0.0), ("retry in progress", 104.0), ("finished", 207.0)]
    assert told(run_of({}, providers=providers), "efs") == expected


@pytest.mark.parametrize(
    ("confirm", "expected"),
    [
        (
            {"within": "30m", "hours": "Mon-Fri 09:00-18:00", "ahead": "1h"},
            [
                ("editing", 0),
                ("ready to be delivered", 23),
                ("in progress", 24 + 2 * 24 + 1.5),
                ("finished", 24 + 2 * 24 + 1.5 + 101 / 3600),
            ],
        ),
        (
            {"within": "30m", "ahead": "1h"},
            [
                ("editing", 0),
                ("ready to be delivered", 23),
                ("start pending", 23.5),
                ("in progress", 24),
                ("finished", 24 + 101 / 3600),
            ],
        ),
        (
            {"within": "3d", "give_up": "2d"},
            [("editing", 0), ("ready to be delivered", 24), ("stopped", 72)],
        ),
    ],
    ids=["on Monday", "in time", "never"],
)
@pytest.mark.filterwarnings("ignore:.* is never sent:sendcap.errors.SendcapWarning")
def test_a_delivery_waits_for_its_confirmation(
    confirm: dict[str, Any], expected: list[tuple[str, float]]
) -> None:
    run = run_of({"at": "Sat 08:00", "confirm": confirm}, **START)
    states = [(state, seconds / 3600.0) for state, seconds in told(run, "without-efs")]
    assert [state for state, _ in states] == [state for state, _ in expected]
    assert [at for _, at in states] == pytest.approx([at for _, at in expected], abs=1e-9)


def test_a_parent_has_the_states_of_its_children() -> None:
    run = run_of({"every": "1h", "times": 2})
    table = run.states(delivery="news")
    assert table["delivery"].unique().tolist() == ["news 1", "news 2"]
    assert run.states(delivery="news 2")["delivery"].unique().tolist() == ["news 2"]


def test_unknown_names_are_refused() -> None:
    run = run_of({})
    with pytest.raises(SendcapError, match="unknown delivery 'new'"):
        run.states(delivery="new")
    with pytest.raises(SendcapError, match="unknown mode 'afs'"):
        run.states("afs")  # type: ignore[arg-type]
    assert isinstance(run, sendcap.Run)


@pytest.mark.filterwarnings("ignore:.* is never sent:sendcap.errors.SendcapWarning")
@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        (
            {"stop": "35s"},
            "4 are delivered in the end: 40.00 %. 6 were stopped before the hand-over.",
        ),
        ({"pause": "35s"}, "4 are delivered in the end: 40.00 %. 6 were paused for good."),
        ({"pause": "35s", "resume": "1m"}, "10 are delivered in the end: 100.00 %."),
        (
            {"confirm": {"within": "3d", "give_up": "2d"}},
            "0 are delivered in the end: 0.00 %. 10 were never confirmed.",
        ),
        (
            # The second wave is stopped before it starts.
            {"waves": {"size": 0.5, "every": "1h"}, "stop": "30m"},
            "5 are delivered in the end: 50.00 %. 5 were stopped before the hand-over.",
        ),
        (
            # Confirmed a day later, and stopped before that.
            {"confirm": {"within": "1d"}, "stop": "10h"},
            "0 are delivered in the end: 0.00 %. 10 were stopped before the hand-over.",
        ),
        (
            {"stop": "85s"},
            "9 are delivered in the end: 90.00 %. 1 was stopped before the hand-over.",
        ),
    ],
)
def test_what_people_hold_back_is_not_under_way(delivery: dict[str, Any], expected: str) -> None:
    sentence = run_of(delivery, **START).sentences()[0]
    assert sentence == f"Of 10 messages, {expected}"
