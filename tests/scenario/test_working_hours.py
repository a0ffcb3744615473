"""Working hours: which moments they are, and when so much time of work has passed."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from sendcap.scenario.working_hours import WorkingHours

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
BEFORE_WINTER = datetime(2026, 10, 25, tzinfo=BERLIN)  # 03:00 becomes 02:00
BEFORE_SUMMER = datetime(2026, 3, 29, tzinfo=BERLIN)  # 02:00 becomes 03:00
HAVANA = datetime(2026, 11, 1, tzinfo=ZoneInfo("America/Havana"))  # 01:00 becomes 00:00
ASUNCION = datetime(2024, 3, 23, 12, tzinfo=ZoneInfo("America/Asuncion"))  # 24:00 becomes 23:00
BEIRUT = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Asia/Beirut"))  # 24:00 becomes 01:00


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon-Fri 09:00-18:00", {day: [(540, 1080)] for day in range(5)}),
        ("Sat-Mon 9:00-12:00", {day: [(540, 720)] for day in (5, 6, 0)}),
        ("Sunday 22:00-24:00, Mon 00:00-06:00", {6: [(1320, 1440)], 0: [(0, 360)]}),
        ("12:00-13:00, Wed 08:00-10:00", {n: [(720, 780)] for n in range(7)} | {2: [(480, 600)]}),
    ],
)
def test_hours_are_those_of_the_days_that_are_named(
    text: str, expected: dict[int, list[tuple[int, int]]]
) -> None:
    days = WorkingHours.parse(text).days
    for day, times in expected.items():
        assert set(times) <= set(days[day])
    assert sum(map(len, days)) == sum(map(len, expected.values())) + ("Wed" in text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", '"" are no working hours; write them like "Mon-Fri 09:00-18:00"'),
        ("always", '"always" are no working hours; write them like'),
        ("Mon-Fri 9-18", '"Mon-Fri 9-18" are no working hours; .*; "9-18" are no times'),
        ("Mon,Tue 09:00-18:00", '.*; "Mon" has no times'),
        ("Mon/Tue 09:00-18:00", '.*; "Mon/Tue" are no days'),
        ("Mon-Fr 09:00-18:00", '"Mon-Fr 09:00-18:00": no such day; one of .*, not "Fr"'),
        ("Mon 09:00-18:00,", '"Mon 09:00-18:00," are no working hours'),
        ("Mno 09:00-18:00", '"Mno 09:00-18:00": no such day; one of Mon, Tue, Wed'),
        ("Mon 09:00-25:00", '"Mon 09:00-25:00": 25:00 is no time of day'),
        ("Mon 09:60-12:00", '"Mon 09:60-12:00": 9:60 is no time of day'),
        ("Mon 12:00-12:00", '"Mon 12:00-12:00" ends before it begins; write a night as two, such'),
        ("Tue 08:00-09:00, Mon 22:00-06:00", '"Mon 22:00-06:00" ends before it begins'),
        ("Mon-Fri 09:00-18:00, Fri 17:00-20:00", "has hours that overlap"),
    ],
)
def test_errors_name_the_entry(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        WorkingHours.parse(text)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        (datetime(2026, 11, 27), "Fri 09:00-12:00", [(9, 12), (177, 180)]),
        (datetime(2026, 11, 27, 10), "Fri 09:00-12:00", [(0, 2), (167, 170)]),
        (BEFORE_WINTER, "01:00-04:00", [(1, 3), (3, 5), (26, 29)]),
        # The clock shows it twice.
        (BEFORE_WINTER, "02:15-02:30", [(2.25, 2.5), (3.25, 3.5), (27.25, 27.5)]),
        (BEFORE_WINTER, "02:30-04:00", [(2.5, 3), (3.5, 5)]),
        (BEFORE_WINTER, "01:00-02:30", [(1, 2.5), (3, 3.5)]),
        # The clock does not show it, or only a part.
        (BEFORE_SUMMER, "02:15-02:30", [(25.25, 25.5)]),
        (BEFORE_SUMMER, "02:30-04:00", [(2, 3), (25.5, 27)]),
        (BEFORE_SUMMER, "01:00-02:30", [(1, 2), (24, 25.5)]),
        (HAVANA, "00:30-01:30", [(0.5, 1), (1.5, 2.5)]),
        (ASUNCION, "23:30-24:00", [(11.5, 12), (12.5, 13), (36.5, 37)]),
        (BEIRUT, "00:00-02:00", [(12, 13), (35, 37)]),
        (datetime(2026, 10, 4, tzinfo=LORD_HOWE), "01:45-02:45", [(1.75, 2), (2, 2.25)]),
    ],
)
def test_times_of_work_are_those_that_the_clock_shows(
    start: datetime, hours: str, expected: list[tuple[float, float]]
) -> None:
    times = islice(WorkingHours.parse(hours).from_(start, 0.0), len(expected))
    assert [(begin / HOUR, end / HOUR) for begin, end in times] == expected


@pytest.mark.parametrize(
    ("from_h", "work_h", "expected_h"),
    [
        (9.0, 1.0, 10.0),
        (9.0, 9.0, 18.0),  # at the end of the day, not at the next begin
        (9.0, 10.0, 24 + 10.0),
        (17.0, 2.0, 24 + 10.0),
        (-48.0, 0.0, 9 - 48.0),  # nobody confirms before work begins
        (18.0, 0.0, 24 + 9.0),
        (12.5, 0.0, 12.5),
        (24.0 + 12, 6.0 + 9, 72 + 24 + 18.0),
    ],
)
def test_time_of_work_passes_only_while_people_work(
    from_h: float, work_h: float, expected_h: float
) -> None:
    """From a Thursday on."""
    hours = WorkingHours.parse("Mon-Fri 09:00-18:00")
    start = datetime(2026, 11, 26)
    found_s = hours.worked(start, from_h * HOUR, work_h * HOUR, 999 * DAY)
    assert found_s == expected_h * HOUR


def test_what_is_not_done_by_the_last_moment_is_never_done() -> None:
    hours, start = WorkingHours.parse("Mon 09:00-09:01"), datetime(2026, 11, 30, 9)
    assert hours.worked(start, 0.0, 120.0, 7 * DAY + 60.0) == 7 * DAY + 60.0
    for work_s in (120.5, 1e300, math.inf):
        assert hours.worked(start, 0.0, work_s, 7 * DAY + 60.0) == math.inf
