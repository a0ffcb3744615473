from __future__ import annotations

import dataclasses
import math

import pytest

from sendcap.errors import SendcapError
from sendcap.readings.dashboard import dashboard

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
    its = dashboard(ledger, 3599.0, "efs", refresh_s=600, engagement_refresh_s=3600)
    assert (its.time_s, its.as_of_s, its.engagement_as_of_s) == (3599.0, 3000.0, 0.0)
    assert (its.sent, its.relayed, its.pending, its.to_deliver) == (50, 50, 0, 180)
    assert its.delivered_pct == pytest.approx(100 * 50 / 180)
    assert math.isnan(its.open_rate_pct)


def test_a_refresh_takes_place_at_its_very_moment(ledger) -> None:
    its = dashboard(ledger, 3600.0, "efs", refresh_s=600, engagement_refresh_s=3600)
    assert (its.as_of_s, its.engagement_as_of_s) == (3600.0, 3600.0)
    assert its.sent == 60
    assert its.open_rate_pct == 100.0


def test_opens_are_a_share_of_what_was_sent_when_they_were_refreshed(ledger) -> None:
    its = dashboard(ledger, 7100.0, "efs")
    assert (its.as_of_s, its.engagement_as_of_s) == (6600.0, 3600.0)
    assert its.open_rate_pct == 100.0


def test_compute_stats_gives_the_figures_of_the_moment(ledger) -> None:
    its = dashboard(ledger, 3599.0, "efs", compute_stats=True)
    assert (its.as_of_s, its.engagement_as_of_s) == (3540.0, 3540.0)
    assert its.sent == 59


def test_a_refresh_that_is_no_multiple_of_the_bin_shows_the_last_edge(ledger) -> None:
    its = dashboard(ledger, 200.0, "efs", refresh_s=90)
    assert its.as_of_s == 180.0
    its = dashboard(ledger, 100.0, "efs", refresh_s=90)
    assert its.as_of_s == 60.0


def test_rounding_does_not_cost_a_bin(made) -> None:
    ledger = made([("relayed", 0.05, 1)], bin_s=0.1, bins=10)
    # 0.3 / 0.1 is less than 3 in floats.
    assert dashboard(ledger, 0.3, "efs", compute_stats=True).as_of_s == pytest.approx(0.3)
    assert dashboard(ledger, 0.3, "efs", refresh_s=0.1).as_of_s == pytest.approx(0.3)


@pytest.mark.parametrize("time_s", [12_000.0, 1e9, math.inf])
@pytest.mark.parametrize("compute_stats", [True, False])
def test_after_the_end_nothing_changes(ledger, time_s, compute_stats) -> None:
    its = dashboard(ledger, time_s, "efs", compute_stats=compute_stats)
    assert its.as_of_s == 12_000.0
    assert its.sent == 180


@pytest.mark.parametrize("time_s", [-1.0, math.nan])
def test_there_is_no_dashboard_before_the_start(ledger, time_s) -> None:
    with pytest.raises(SendcapError, match="no dashboard at"):
        dashboard(ledger, time_s, "efs")


def test_a_dashboard_is_frozen(ledger) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        dashboard(ledger, 0.0, "efs").sent = 3  # type: ignore[misc]


def test_an_empty_ledger_has_a_dashboard(made) -> None:
    its = dashboard(made(bins=0), 5.0, "without-efs")
    assert (its.as_of_s, its.sent) == (0.0, 0)
    assert math.isnan(its.delivered_pct)
