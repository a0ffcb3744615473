from __future__ import annotations

import math
from datetime import datetime

import pytest

from sendcap.readings.dashboard import dashboard
from sendcap.readings.dynamic_report import dynamic_report
from sendcap.readings.explanation import explanation
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import DENOMINATORS, MODES

DAY = 86_400.0
FRIDAY = datetime(2026, 11, 27, 9)
# 40 messages have a result by the night, and 10 are Pending; 50 are relayed in the morning.
ROWS = [
    ("relayed", 0.0, 48),
    ("relay_failed", 0.0, 2),
    ("accepted", 60.0, 30),
    ("hard", 60.0, 8),
    ("relayed", 19 * 3600.0, 50),
    ("accepted", 19 * 3600.0, 30),
]


@pytest.fixture(scope="module")
def ledger(made):
    return made(ROWS, to_deliver=100, bins=48 * 60)


def explained(ledger, hours=24.0, mode="efs", start=FRIDAY, denominator="default", **keywords):
    time_s = hours * 3600.0
    shown = dashboard(
        Readings(ledger), time_s, mode, start=start, denominator=denominator, **keywords
    )
    report = dynamic_report(Readings(ledger), time_s, mode, start=start)
    return explanation(ledger, shown, report, start=start, denominator=denominator)


def test_one_thing_after_the_other_is_swapped(ledger) -> None:
    result = explained(ledger)
    assert (result.deployment.delivered_pct, result.dynamic.delivered_pct) == (60.0, 75.0)
    assert [
        (cause.name, cause.delivered_pt, cause.bounces_errors_pt) for cause in result.causes
    ] == [
        ("moment", -30.0, 0.0),  # 60 of 100, then 30
        ("not relayed", 30.0, 10.0),  # 30 of 50
        ("pending", 15.0, 5.0),  # 30 of 40
    ]


def test_causes_are_said_in_words(ledger) -> None:
    moment, waiting, pending = (cause.words for cause in explained(ledger).causes)
    assert moment == (
        "Dynamic reporting counts up to the last night, 02:00 on Sat 28 Nov; the dashboard up to "
        "the last refresh, 09:00 on Sat 28 Nov. In between Sent rose by 30."
    )
    assert waiting.startswith("50 messages had not been relayed by the last night. ")
    assert pending.startswith("10 messages were Pending at the last night. ")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("denominator", DENOMINATORS)
@pytest.mark.parametrize("hours", [17.0, 24.0, 47.0])
def test_the_points_sum_to_the_difference(ledger, mode, denominator, hours) -> None:
    result = explained(ledger, hours, mode, denominator=denominator)
    delivered_pt = math.fsum(cause.delivered_pt for cause in result.causes)
    bounces_errors_pt = math.fsum(cause.bounces_errors_pt for cause in result.causes)
    assert delivered_pt == pytest.approx(result.delivered_pt, abs=1e-12)
    assert bounces_errors_pt == pytest.approx(result.bounces_errors_pt, abs=1e-12)
    assert all(cause.delivered_pt or cause.bounces_errors_pt for cause in result.causes)


def test_what_failed_at_the_relay_is_not_in_the_relayed(ledger) -> None:
    result = explained(ledger, 17.0, denominator="relayed")
    assert [cause.name for cause in result.causes] == ["failed at the relay", "pending"]
    relay, _ = result.causes
    assert relay.delivered_pt == pytest.approx(100 * (30 / 50 - 30 / 48))
    assert relay.words.startswith("2 messages had failed at the relay by the last night. ")


def test_where_nothing_changes_there_is_no_cause(ledger) -> None:
    assert explained(ledger, 17.0, "without-efs").causes == ()


@pytest.mark.parametrize(("start", "night"), [(FRIDAY, "02:00 on Sat 28 Nov"), (None, "t = 1d")])
def test_before_the_first_night_the_cause_is_that_there_are_no_figures(
    ledger, start, night
) -> None:
    (cause,) = explained(ledger, 10.0, start=start).causes
    assert cause.name == "no figures"
    assert cause.words == f"Dynamic reporting has no figures until the first night, {night}."
    assert math.isnan(cause.delivered_pt)
    assert math.isnan(cause.bounces_errors_pt)


def test_a_delivery_that_begins_after_the_night_has_no_percentages(made) -> None:
    ledger = made([("relayed", 18 * 3600.0, 10)], bins=48 * 60)
    (cause,) = explained(ledger, mode="without-efs").causes
    assert cause.words.endswith(
        "nothing had been processed at the last night, 02:00 on Sat 28 Nov."
    )


def test_a_swap_without_percentages_goes_with_the_next(made) -> None:
    # At night all has failed at the relay: the dashboard's own denominator is 0 then.
    rows = [("relay_failed", 0.0, 4), ("relayed", 18 * 3600.0, 6), ("hard", 18 * 3600.0, 3)]
    result = explained(made(rows, bins=48 * 60), denominator="relayed")
    (cause,) = result.causes
    assert cause.bounces_errors_pt == result.bounces_errors_pt == 100.0 - 100.0 * 7 / 6
    assert "In between Failed rose by 3. 4 messages had failed at the relay" in cause.words


def test_a_rare_refresh_may_be_before_the_night(ledger) -> None:
    start = datetime(2026, 11, 27, 4)
    # Refreshed every third day at midnight; the second batch comes at 23:00.
    (moment, *_) = explained(ledger, 30.0, start=start, refresh_s=3 * DAY).causes
    assert "In between Sent rose by 60" in moment.words
