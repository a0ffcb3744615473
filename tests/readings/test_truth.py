"""The truth at a moment, and the moments that matter."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.readings.dashboard import dashboard
from sendcap.readings.kpis import Readings
from sendcap.readings.tables import key_moments
from sendcap.readings.truth import truth

ROWS = (
    *(("relayed", time_s, count) for time_s, count in ((10.0, 6), (100.0, 3))),
    ("relay_failed", 100.0, 1),
    ("accepted", 70.0, 5),
    ("soft", 80.0, 2),
    ("soft_first", 80.0, 2),
    ("hard", 130.0, 1),
    ("accepted", 200.0, 1),
    ("recovered", 200.0, 1),
    ("async_bounced", 400.0, 1),
)


@pytest.mark.parametrize(
    ("time_s", "expected"),
    [
        (0.0, (0, 0, 0, 0, 10)),
        (60.0, (0, 0, 0, 6, 4)),
        (119.0, (0, 0, 0, 6, 4)),
        (120.0, (5, 1, 2, 2, 0)),
        (240.0, (6, 2, 1, 1, 0)),
        (9000.0, (5, 3, 1, 1, 0)),
    ],
)
def test_every_message_is_in_one_place_at_each_moment(made, time_s, expected) -> None:
    found = truth(made(ROWS), time_s)
    parts = (found.delivered, found.failed, found.backing_off, found.untried, found.not_relayed)
    assert parts == expected
    assert sum(parts) == found.to_deliver == 10
    assert found.delivered_pct == 10.0 * expected[0]
    assert found.failed_pct == 10.0 * expected[1]


def test_reports_that_are_still_under_way_change_no_truth(made) -> None:
    rows = [("relayed", 0.0, 10), ("accepted", 0.0, 6), ("hard", 0.0, 4)]
    unknown = truth(made(rows, clocks=["happened"]), 60.0)
    assert (unknown.delivered, unknown.failed, unknown.untried) == (6, 4, 0)
    # What Campaign knows has not happened for that.
    assert truth(made(rows, clocks=["known"]), 60.0).not_relayed == 10


def test_a_moment_before_the_start_or_a_delivery_that_is_none_is_refused(made) -> None:
    with pytest.raises(SendcapError, match="the simulation starts at 0"):
        truth(made(ROWS), -1.0)
    with pytest.raises(SendcapError, match="unknown delivery 'none'"):
        truth(made(ROWS), 60.0, "none")


def test_the_truth_of_a_run_takes_a_moment_by_the_clock() -> None:
    run = sendcap.simulate(
        sendcap.updated(sendcap.load("quickstart"), {"deliveries[0].messages": 2000})
    )
    by_the_clock, elapsed = run.truth("Fri 10:00"), run.truth("1h")
    assert by_the_clock == elapsed
    assert run.truth(run.ledger.end_s).delivered == run.dashboard(run.ledger.end_s, "efs").sent


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("start", "relayed_s", "expected_s"),
    [
        # The morning after a night of at least six hours.
        (datetime(2026, 11, 27, 9, tzinfo=NEW_YORK), 3600.0, 23 * 3600.0),
        (datetime(2026, 11, 27, 1, tzinfo=NEW_YORK), 3600.0, 7 * 3600.0),
        (datetime(2026, 11, 27, 2, tzinfo=NEW_YORK), 3600.0, 30 * 3600.0),
        # The clock is put back in this night.
        (datetime(2026, 10, 31, 9, tzinfo=NEW_YORK), 3600.0, 24 * 3600.0),
        (None, 3600.0, 25 * 3600.0),
    ],
)
def test_the_next_morning(made, start, relayed_s, expected_s) -> None:
    ledger = made([("relayed", relayed_s - 1.0, 10)], bins=60 * 24 * 7)
    moments = {moment.name: moment.time_s for moment in key_moments(ledger, start)}
    names = ["Relay done", "A day later" if start is None else "Next morning", "End"]
    assert list(moments) == names
    assert list(moments.values()) == [relayed_s, expected_s, ledger.end_s]


def test_moments_that_do_not_differ_are_one(made) -> None:
    ledger = made([("relayed", 10.0, 10), ("accepted", 70.0, 10)], bins=2)
    assert [moment.time_s for moment in key_moments(ledger, None)] == [60.0, 120.0]
    ledger = made([("relayed", 10.0, 10)], bins=1)
    assert [moment.name for moment in key_moments(ledger, None)] == ["Relay done"]
    assert key_moments(made(), None)[0].time_s == 0.0


def test_in_the_end_truth_and_dashboard_round_alike(made) -> None:
    rows = [("relayed", 10.0, 5_252_000), ("accepted", 70.0, 5_211_297), ("hard", 70.0, 40_703)]
    ledger = made(rows, to_deliver=5_252_000)
    shown = dashboard(Readings(ledger), ledger.end_s, "efs", denominator="to-deliver")
    assert truth(ledger, ledger.end_s).failed_pct == shown.bounces_errors_pct
    assert truth(ledger, ledger.end_s).delivered_pct == shown.delivered_pct


def test_expected_counts_that_are_not_whole_leave_no_message_over() -> None:
    scenario = sendcap.load("quickstart").with_({"deliveries[0].messages": 500_000})
    run = sendcap.Run(scenario, sendcap.expected(scenario).ledger)
    assert "under way" not in run.sentences()[0]
