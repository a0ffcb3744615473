from __future__ import annotations

import dataclasses
import math
from datetime import datetime, timedelta, timezone

import pytest

from sendcap.errors import SendcapError
from sendcap.readings.dashboard import dashboard
from sendcap.readings.kpis import Readings

# One message is relayed and accepted in each minute for three hours; all are opened at once.
ROWS = [
    (event, 60.0 * minute, 1)
    for minute in range(180)
    for event in ("relayed", "accepted", "opened")
]


@pytest.fixture(scope="module")
def ledger(made):
    return made(ROWS, to_deliver=180, bins=200)


def test_figures_are_those_of_the_last_refresh(ledger) -> None:
    shown = dashboard(Readings(ledger), 3599.0, "efs", refresh_s=600, engagement_refresh_s=3600)
    assert (shown.time_s, shown.as_of_s, shown.engagement_as_of_s) == (3599.0, 3000.0, 0.0)
    assert (shown.sent, shown.relayed, shown.pending, shown.to_deliver) == (50, 50, 0, 180)
    assert shown.delivered_pct == pytest.approx(100 * 50 / 180)
    assert math.isnan(shown.open_rate_pct)


def test_a_refresh_takes_place_at_its_very_moment(ledger) -> None:
    shown = dashboard(Readings(ledger), 3600.0, "efs", refresh_s=600, engagement_refresh_s=3600)
    assert (shown.as_of_s, shown.engagement_as_of_s) == (3600.0, 3600.0)
    assert shown.sent == 60
    assert shown.open_rate_pct == 100.0


def test_opens_are_a_share_of_what_was_sent_when_they_were_refreshed(ledger) -> None:
    shown = dashboard(Readings(ledger), 7100.0, "efs")
    assert (shown.as_of_s, shown.engagement_as_of_s) == (6600.0, 3600.0)
    assert shown.open_rate_pct == 100.0


def test_compute_stats_gives_the_figures_of_the_moment(ledger) -> None:
    shown = dashboard(Readings(ledger), 3540.0, "efs", compute_stats=True)
    assert (shown.as_of_s, shown.engagement_as_of_s) == (3540.0, 3540.0)
    assert shown.sent == 59


@pytest.mark.parametrize("time_s", [3540.001, 3570.0, 3599.9])
def test_compute_stats_makes_up_no_figures_between_two_counts(ledger, time_s) -> None:
    # Within a minute a message may come at any moment: by polling, all of them at one.
    with pytest.raises(SendcapError, match=r"3\d+\.?\d*s: .* every 1m; give 59m or 1h, or lower"):
        dashboard(Readings(ledger), time_s, "efs", compute_stats=True)


def test_an_open_rate_is_one_of_the_messages_that_campaign_knows_to_be_sent(made) -> None:
    # All are accepted and opened in the first minutes; Campaign is told an hour later.
    opened = [("relayed", 0.0, 2000), ("opened", 60.0, 1500), ("clicked", 60.0, 30)]
    rows = [*opened, ("accepted", 120.0, 3), ("accepted", 3600.0, 1997)]
    ledger = made(rows, to_deliver=2000, bins=200)

    def rates(time_s, mode) -> tuple[float, float]:
        shown = dashboard(Readings(ledger), time_s, mode, compute_stats=True)
        return shown.open_rate_pct, shown.click_through_pct

    # As Adobe's formula has it, opens and clicks of the delivered.
    assert rates(180.0, "efs") == (50_000.0, 1000.0)
    assert rates(180.0, "without-efs") == rates(3660.0, "efs") == (75.0, 1.5)


TEN_PAST_NINE = datetime(2026, 11, 29, 9, 10)


@pytest.mark.parametrize(
    ("time_s", "as_of_s", "engagement_as_of_s"),
    [
        # Until the first refresh, nothing had been sent at the last one.
        (0.0, 0.0, 0.0),
        (599.0, 0.0, 0.0),
        (600.0, 600.0, 0.0),
        (2999.0, 2400.0, 0.0),
        (3000.0, 3000.0, 3000.0),
        (7000.0, 6600.0, 6600.0),
    ],
)
def test_refreshes_follow_the_clock(ledger, time_s, as_of_s, engagement_as_of_s) -> None:
    shown = dashboard(Readings(ledger), time_s, "efs", start=TEN_PAST_NINE)
    assert (shown.as_of_s, shown.engagement_as_of_s) == (as_of_s, engagement_as_of_s)


def test_the_clock_is_that_of_the_starts_own_zone(ledger) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    shown = dashboard(Readings(ledger), 3599.0, "efs", start=TEN_PAST_NINE.replace(tzinfo=india))
    assert shown.engagement_as_of_s == 3000.0


def test_a_start_between_two_minutes_shows_the_last_count_before_the_refresh(ledger) -> None:
    shown = dashboard(Readings(ledger), 700.0, "efs", start=TEN_PAST_NINE + timedelta(seconds=30))
    # It is refreshed at 9:20:00, after 570 s; the counts are those of 9:19:30.
    assert shown.as_of_s == 540.0


def test_a_refresh_that_is_no_multiple_of_the_bin_shows_the_last_edge(ledger) -> None:
    shown = dashboard(Readings(ledger), 200.0, "efs", refresh_s=90)
    assert shown.as_of_s == 180.0
    shown = dashboard(Readings(ledger), 100.0, "efs", refresh_s=90)
    assert shown.as_of_s == 60.0


def test_rounding_does_not_cost_a_bin(made) -> None:
    ledger = made([("relayed", 0.05, 1)], bin_s=0.1, bins=10)
    # 0.3 / 0.1 is less than 3 in floats.
    assert dashboard(Readings(ledger), 0.3, "efs", compute_stats=True).as_of_s == pytest.approx(0.3)
    for start in (None, TEN_PAST_NINE):
        shown = dashboard(Readings(ledger), 0.3, "efs", refresh_s=0.1, start=start)
        assert shown.as_of_s == pytest.approx(0.3)


def test_a_bin_of_a_third_of_a_second_has_counts_at_its_edges(made) -> None:
    ledger = made([("relayed", 0.5, 1)], bin_s=1 / 3, bins=10)
    assert dashboard(Readings(ledger), 2 / 3, "efs", compute_stats=True).as_of_s == pytest.approx(
        2 / 3
    )


@pytest.mark.parametrize("time_s", [12_000.0, 1e9, math.inf])
@pytest.mark.parametrize("compute_stats", [True, False])
def test_after_the_end_nothing_changes(ledger, time_s, compute_stats) -> None:
    shown = dashboard(Readings(ledger), time_s, "efs", compute_stats=compute_stats)
    assert shown.as_of_s == 12_000.0
    assert shown.sent == 180


@pytest.mark.parametrize("time_s", [-1.0, math.nan])
def test_there_is_no_dashboard_before_the_start(ledger, time_s) -> None:
    with pytest.raises(SendcapError, match="no dashboard at"):
        dashboard(Readings(ledger), time_s, "efs")


def test_a_dashboard_is_frozen(ledger) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        dashboard(Readings(ledger), 0.0, "efs").sent = 3  # type: ignore[misc]


def test_an_empty_ledger_has_a_dashboard(made) -> None:
    shown = dashboard(Readings(made(bins=0)), 5.0, "without-efs")
    assert (shown.as_of_s, shown.sent) == (0.0, 0)
    assert math.isnan(shown.delivered_pct)
