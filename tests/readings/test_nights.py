from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sendcap.readings.dynamic_report import first_night_s, last_night_s

HOUR = 3600.0
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
FRIDAY = datetime(2026, 11, 27, 9)


@pytest.mark.parametrize("zone", [None, BERLIN, NEW_YORK])
def test_a_night_is_at_two_by_the_clock(zone) -> None:
    start = FRIDAY.replace(tzinfo=zone)
    assert first_night_s(start) == 17 * HOUR
    assert last_night_s(17 * HOUR - 1, start) is None
    assert last_night_s(17 * HOUR, start) == 17 * HOUR
    assert last_night_s(41 * HOUR - 1, start) == 17 * HOUR
    assert last_night_s(41 * HOUR, start) == 41 * HOUR


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        # The clock goes from 02:00 to 03:00: the night is that moment.
        (datetime(2027, 3, 27, 14, tzinfo=BERLIN), (12, 35)),
        (datetime(2027, 3, 13, 14, tzinfo=NEW_YORK), (12, 35)),
        # From 03:00 back to 02:00, which comes twice: the first one.
        (datetime(2026, 10, 24, 14, tzinfo=BERLIN), (12, 37)),
        # From 02:00 back to 01:00, so that 02:00 comes an hour later.
        (datetime(2026, 10, 31, 14, tzinfo=NEW_YORK), (13, 37)),
    ],
)
def test_daylight_saving_moves_the_night(start, hours) -> None:
    first, second = hours
    assert first_night_s(start) == first * HOUR
    assert last_night_s(second * HOUR - 1, start) == first * HOUR
    assert last_night_s(second * HOUR, start) == second * HOUR


def test_a_night_at_the_very_start_has_seen_nothing() -> None:
    start = datetime(2026, 11, 27, 2)
    assert last_night_s(HOUR, start) is None
    assert first_night_s(start) == 24 * HOUR


def test_before_two_the_first_night_is_the_same_day() -> None:
    assert first_night_s(datetime(2026, 11, 27, 1, 30)) == 0.5 * HOUR


def test_without_a_start_nights_count_from_zero() -> None:
    assert first_night_s(None) == 24 * HOUR
    assert last_night_s(24 * HOUR - 1, None) is None
    assert last_night_s(50 * HOUR, None) == 48 * HOUR
