from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

import pytest

from sendcap.errors import SendcapError
from sendcap.readings.dynamic_report import dynamic_report
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import MODES

DAY = 86_400.0
FRIDAY = datetime(2026, 11, 27, 9)
# By the first night 80 of 100 messages have a result; 20 come in the morning.
ROWS = [
    ("relayed", 0.0, 78),
    ("relay_failed", 0.0, 2),
    ("accepted", 60.0, 66),
    ("hard", 60.0, 4),
    ("soft_first", 60.0, 8),
    ("soft", 60.0, 8),
    ("accepted", 7200.0, 5),
    ("recovered", 7200.0, 5),
    ("async_bounced", 7200.0, 1),
    ("opened", 7200.0, 14),
    ("clicked", 7200.0, 7),
    ("relayed", 18 * 3600.0, 20),
    ("accepted", 18 * 3600.0, 20),
    ("expired", 30 * 3600.0, 3),
]


@pytest.fixture(scope="module")
def ledger(made):
    return made(ROWS, to_deliver=100, bins=48 * 60)


def test_percentages_are_of_the_processed(ledger) -> None:
    report = dynamic_report(Readings(ledger), DAY, "efs", start=FRIDAY)
    assert report.as_of_s == 17 * 3600.0
    # 71 accepted, of which one came back; 4 hard, 3 soft, 2 at the relay and that one failed.
    assert (report.delivered, report.bounces_errors, report.processed) == (70, 10, 80)
    assert (report.hard_bounces, report.soft_bounces) == (4, 3)
    assert report.delivered_pct == pytest.approx(100 * 70 / 80)
    assert report.bounces_errors_pct == pytest.approx(100 * 10 / 80)
    assert report.hard_bounces_pct == pytest.approx(100 * 4 / 80)
    assert report.soft_bounces_pct == pytest.approx(100 * 3 / 80)
    assert (report.open_rate_pct, report.click_through_pct) == (20.0, 10.0)


@pytest.mark.parametrize(
    ("mode", "failed", "soft"), [("without-efs", 7, 0), ("efs-v8", 7, 0), ("legacy", 10, 3)]
)
def test_a_mode_decides_what_has_failed(ledger, mode, failed, soft) -> None:
    report = dynamic_report(Readings(ledger), DAY, mode, start=FRIDAY)
    assert (report.bounces_errors, report.soft_bounces, report.hard_bounces) == (failed, soft, 4)


@pytest.mark.parametrize("mode", MODES)
def test_in_the_end_an_expired_message_is_a_soft_bounce(ledger, mode) -> None:
    report = dynamic_report(Readings(ledger), 3 * DAY, mode, start=FRIDAY)
    assert (report.delivered, report.bounces_errors, report.soft_bounces) == (90, 10, 3)


def test_figures_stay_from_night_to_night(ledger) -> None:
    shown = [
        dynamic_report(Readings(ledger), hours * 3600.0, "efs", start=FRIDAY).delivered
        for hours in (16.9, 17, 40.9, 41)
    ]
    assert shown == [0, 70, 70, 90]


@pytest.mark.parametrize(("start", "first_s"), [(FRIDAY, 17 * 3600.0), (None, DAY)])
def test_before_the_first_night_there_are_no_figures(ledger, start, first_s) -> None:
    report = dynamic_report(Readings(ledger), first_s - 1, "efs", start=start)
    assert not report.has_figures
    assert report.first_night_s == first_s
    assert (report.processed, report.delivered, report.bounces_errors) == (0, 0, 0)
    assert all(
        math.isnan(value) for value in (report.as_of_s, report.delivered_pct, report.open_rate_pct)
    )
    assert dynamic_report(Readings(ledger), first_s, "efs", start=start).has_figures


def test_a_parent_is_the_sum_of_its_parts(made) -> None:
    more = [("late", "gmail", 100, [("relayed", 60.0, 50), ("hard", 60.0, 9)])]
    parts = made(ROWS, to_deliver=100, bins=48 * 60, more=more)
    ledger = replace(parts, parents={"campaign": ("news", "late")})
    news, late, both = (
        dynamic_report(Readings(ledger), 2 * DAY, "without-efs", name)
        for name in ("news", "late", "campaign")
    )
    assert both.processed == news.processed + late.processed == 150
    assert both.hard_bounces == news.hard_bounces + late.hard_bounces == 13


@pytest.mark.parametrize("time_s", [1e15, math.inf])
def test_long_after_the_end_it_is_the_end(ledger, time_s) -> None:
    assert dynamic_report(Readings(ledger), time_s, "efs", start=FRIDAY).delivered == 90


def test_rates_that_are_not_simulated_are_not_there(ledger) -> None:
    report = dynamic_report(Readings(ledger, engagement=False), DAY, "efs")
    assert math.isnan(report.open_rate_pct)
    assert math.isnan(report.click_through_pct)


@pytest.mark.parametrize("time_s", [-1.0, math.nan])
def test_there_is_no_report_before_the_start(ledger, time_s) -> None:
    with pytest.raises(SendcapError, match="no report at"):
        dynamic_report(Readings(ledger), time_s, "efs")
