from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from sendcap.errors import SendcapError
from sendcap.readings.throughput import busiest, throughput

HOUR = 3600.0
# Relayed at 9:10 and 10:20, accepted at 9:40, 10:20 and three hours later.
ROWS = [
    ("relayed", 0.0, 30),
    ("accepted", 1800.0, 10),
    ("relayed", 4200.0, 20),
    ("accepted", 4200.0, 5),
    ("accepted", 15_000.0, 35),
]
TEN_PAST_NINE = datetime(2026, 11, 27, 9, 10)


@pytest.fixture(scope="module")
def ledger(made):
    return made(ROWS, to_deliver=50, bins=6 * 60)


def rows(table) -> list[tuple[float, ...]]:
    return list(table.itertuples(index=False, name=None))


def test_hours_are_those_of_the_clock(ledger) -> None:
    assert rows(throughput(ledger, 5 * HOUR, start=TEN_PAST_NINE)) == [
        (0.0, 3000.0, 30, 10),
        (3000.0, 6600.0, 20, 5),
        (13_800.0, 17_400.0, 0, 35),
    ]


def test_hours_are_those_of_the_starts_own_zone(ledger) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    table = throughput(ledger, HOUR, start=TEN_PAST_NINE.replace(tzinfo=india))
    assert rows(table)[0][:2] == (0.0, 3000.0)


def test_an_hour_lasts_an_hour_when_the_clock_is_put_back(made) -> None:
    start = datetime(2026, 10, 25, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    ledger = made([("relayed", 60.0 * minute, 1) for minute in range(300)], bins=300)
    table = throughput(ledger, 5 * HOUR, start=start)
    assert table.relayed.tolist() == [60] * 5


def test_without_a_start_hours_count_from_zero(ledger) -> None:
    assert [row[:2] for row in rows(throughput(ledger, 5 * HOUR))] == [
        (0.0, HOUR),
        (HOUR, 2 * HOUR),
        (4 * HOUR, 5 * HOUR),
    ]


def test_the_last_hour_ends_at_the_moment(ledger) -> None:
    assert rows(throughput(ledger, 4260.0)) == [(0.0, HOUR, 30, 10), (HOUR, 4260.0, 20, 5)]
    assert throughput(ledger, 1e9).until_s.iloc[-1] == 5 * HOUR
    assert throughput(ledger, 0.0).empty


@pytest.mark.parametrize(("clock", "accepted"), [("happened", 5), ("known", 0)])
def test_accepted_counts_when_it_happens_and_not_when_campaign_knows(made, clock, accepted) -> None:
    ledger = made([("accepted", 0.0, 5)], clocks=[clock])
    assert throughput(ledger, 600.0).accepted.sum() == accepted


def test_bins_longer_than_an_hour_have_no_hours(made) -> None:
    with pytest.raises(SendcapError, match=r"counts every 2h; lower time\.bin to 1h"):
        throughput(made(ROWS, bins=3, bin_s=7200.0), HOUR)


def test_of_many_hours_the_busiest_are_shown_in_order(ledger) -> None:
    table = throughput(ledger, 5 * HOUR, start=TEN_PAST_NINE)
    assert busiest(table, 2).hour_s.tolist() == [0.0, 13_800.0]
    assert busiest(table, 9).equals(table)


def test_a_name_that_no_delivery_has_is_refused(ledger) -> None:
    with pytest.raises(SendcapError, match="unknown delivery 'x'"):
        throughput(ledger, HOUR, "x")
