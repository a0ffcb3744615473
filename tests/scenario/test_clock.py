"""Moments by the clock: times of day, weekdays and dates, in a zone with daylight saving."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

import sendcap
from sendcap.errors import ScenarioError, SendcapError
from sendcap.scenario import Scenario, dumps, loads, updated
from sendcap.scenario.clock import moment_s
from sendcap.scenario.notes import later_days
from sendcap.text.clock import after, brief_moment, dated, moment_text

BERLIN = 'start = 2026-11-27T08:00:00\nzone = "Europe/Berlin"\n'  # a Friday


def text_of(at: str, begin: str = BERLIN) -> str:
    return f"""{begin}
[relay]
batch_time = "1s"
[[deliveries]]
name = "a"
messages = 10
at = {at}
audience = {{ p = 1.0 }}
[providers.p]
connect_time = "1s"
transaction_time = "1s"
"""


def scenario(at: str, begin: str = BERLIN) -> Scenario:
    return loads(text_of(at, begin))


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        ('"14:00"', 6.0),
        ('"08:00"', 0.0),
        ('"07:59:30"', 24.0 - 1.0 / 120.0),
        ('"Fri 08:00"', 0.0),
        ('"fri 07:00"', 7 * 24.0 - 1.0),
        ('"Saturday 8:00"', 24.0),
        ("14:00:00", 6.0),
        ("2026-11-28T09:30:00", 25.5),
        ('"2026-11-28 09:30"', 25.5),
        ("2026-11-28T09:30:00+02:00", 24.5),
        ('"Sat 28 Nov 09:30"', 25.5),
        ('"28 november 9:30:00"', 25.5),
        ('"09:30 on Sat 28 Nov"', 25.5),
        ('"Sat 28 Nov"', 16.0),
        ('"Fri 26 Nov 08:00"', 364 * 24.0),
        ('"2h"', 2.0),
    ],
)
def test_a_moment_is_the_first_at_or_after_the_start(at: str, hours: float) -> None:
    assert scenario(at).deliveries[0].at == pytest.approx(3600.0 * hours, abs=1e-9)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ('"25:00"', '"25:00" is no time of day; write it like 14:00'),
        ('"Sut 08:00"', '"Sut 08:00": no such day; one of Mon, Tue, Wed, Thu, Fri, Sat, Sun'),
        ("2026-11-26T09:30:00", '"2026-11-26T09:30:00" is before start, 2026-11-27 08:00'),
        ('"2026-13-01T00:00"', '"2026-13-01T00:00" is no date and time; write it like'),
        ('"2028-11-28T08:00"', 'must be at most 366d after start, not "2028-11-28T08:00"'),
        ('"2027-03-28T02:30"', "put forward on Sun 28 Mar and never shows 02:30; write a later"),
        (
            '"2027-10-31T02:30"',
            r"put back on Sun 31 Oct and shows 02:30 twice; .* such as 2027-10-31T02:30:00\+02:00",
        ),
        ('"14"', '"14" is not a duration'),
        ('"Fri 27 Nov 07:00"', '"Fri 27 Nov 07:00" is before start, 2026-11-27 08:00'),
        ('"Thu 26 Nov 08:00"', '"Thu 26 Nov 08:00" is before start, 2026-11-27 08:00'),
        ('"Mon 28 Nov 08:00"', '"Mon 28 Nov 08:00": the next one is Sat 28 Nov'),
        ('"31 Nov 08:00"', '"31 Nov 08:00" is no date and time; write it like 28 Nov 08:00'),
        ('"28 Nov 25:00"', '"28 Nov 25:00" is no time of day; write it like 14:00'),
    ],
)
def test_errors_say_what_the_clock_would_show(at: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=rf"deliveries\[0\].at: .*{message}"):
        scenario(at)


def test_the_clock_needs_a_start() -> None:
    with pytest.raises(ScenarioError, match=r'at: "14:00" is a time by the clock, which needs'):
        scenario('"14:00"', "")
    with pytest.raises(ScenarioError, match="zone: is the zone of start, which is missing"):
        scenario('"1h"', 'zone = "Europe/Berlin"')
    with pytest.raises(ScenarioError, match='zone: "Europe/Berlinn" is no time zone'):
        scenario('"1h"', 'start = 2026-11-27T08:00:00\nzone = "Europe/Berlinn"')
    with pytest.raises(ScenarioError, match="has an offset, and start has none"):
        scenario("2026-11-28T09:30:00+02:00", "start = 2026-11-27T08:00:00")


@pytest.mark.parametrize(
    ("begin", "problem"),
    [
        (
            'start = 2026-11-27T08:00:00\nzone = "europe/berln"',
            'zone: "europe/berln" is no time zone; did you mean "Europe/Berlin"?',
        ),
        (
            'start = 2026-11-27T08:00:00\nzone = "CEST"',
            'zone: "CEST" is no time zone; write one such as "Europe/Berlin"',
        ),
        (
            'start = "27.11.2026 08:00"',
            'start: must be a date and time such as 2026-11-27T09:00:00+01:00, not "27.11.2026',
        ),
    ],
)
def test_a_wrong_start_or_zone_is_no_problem_of_the_moments(begin: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario('"Sat 08:00"', begin)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"<string>: {problem}")


def test_daylight_saving_moves_what_the_clock_shows() -> None:
    """The clock is put back in the night to Sunday: Monday at 08:00 is an hour later."""
    for zone, hours in (('zone = "Europe/Berlin"', 73.0), ("", 72.0)):
        case = scenario('"Mon 08:00"', f"start = 2026-10-23T08:00:00\n{zone}")
        assert case.deliveries[0].at == 3600.0 * hours
    start = scenario('"1h"', 'start = 2026-10-23T08:00:00\nzone = "Europe/Berlin"').start
    assert start is not None
    assert after(start, 73 * 3600.0).replace(tzinfo=None) == datetime(2026, 10, 26, 8)


def test_a_start_with_an_offset_is_shown_by_the_clock_of_the_zone() -> None:
    case = scenario('"14:00"', 'start = 2026-11-27T07:00:00Z\nzone = "Europe/Berlin"')
    assert case.start == datetime(2026, 11, 27, 7, tzinfo=UTC)
    assert case.start is not None
    assert case.start.hour == 8
    assert case.deliveries[0].at == 6 * 3600.0


@pytest.mark.parametrize("seconds", [0.0, 5.0, 36_000.0, 100_000.0, 40 * 86_400.0, 300 * 86_400.0])
def test_a_moment_is_read_as_it_is_shown(seconds: float) -> None:
    start = scenario('"1h"').start
    assert start is not None
    exact = [dated(after(start, seconds)), moment_text(seconds, start)]
    # In a table of a day or more, a moment is in the minute that it ends.
    minute = brief_moment(seconds, start, max(seconds, 100_000.0))
    for text, wanted_s in (*((text, seconds) for text in exact), (minute, -(-seconds // 60) * 60)):
        assert moment_s(text, start, "--at") == wanted_s
        assert scenario(f'"{text}"').deliveries[0].at == wanted_s


@pytest.mark.parametrize("at", ['"Sat 08:00"', "2026-11-28T09:30:00", "14:00:00", '"90m"'])
def test_moments_are_written_as_they_were_read(at: str) -> None:
    case = scenario(at)
    assert loads(dumps(case)) == case
    assert dumps(loads(dumps(case))) == dumps(case)
    assert dumps(pickle.loads(pickle.dumps(case))) == dumps(case)


def test_a_moment_follows_a_start_that_is_changed() -> None:
    case = updated(scenario('"14:00"'), {"start": "2026-11-27T10:00:00"})
    assert case.deliveries[0].at == 4 * 3600.0


@pytest.mark.parametrize(
    ("table", "at_s"),
    [
        ('outages = [{ at = "09:00", lasts = "1h" }]', 3600.0),
        (
            """[providers.p.rate]
            kind = "schedule"
            steps = [{ at = "0s", rate = "1/s" }, { at = "Sat 10:00", rate = "2/s" }]""",
            26 * 3600.0,
        ),
    ],
)
def test_outages_and_schedules_are_read_by_the_clock(table: str, at_s: float) -> None:
    provider: Any = loads(text_of('"0s"') + table).providers["p"]
    found = provider.outages or provider.rate.steps[1:]
    assert found[0].at == at_s


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            'outages = [{ at = "Sun 09:00", lasts = "90m" }, { at = "9:00", lasts = "1h" }]',
            '"9:00" is before the end of the one before, 90m after "Sun 09:00"; put outages in',
        ),
        (
            """[providers.p.rate]
            kind = "schedule"
            steps = [{ at = "Sat 10:00", rate = "2/s" }, { at = "2h", rate = "1/s" }]""",
            'at: the first step must be at "0s", not "Sat 10:00"\n.*"2h" does not come after',
        ),
    ],
)
def test_problems_of_outages_and_schedules_quote_the_file(table: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        loads(text_of('"0s"') + table)


def test_the_dashboard_is_asked_for_by_the_clock() -> None:
    run = sendcap.simulate(scenario('"09:00"'))
    assert run.dashboard("09:00").relayed == 0
    assert run.dashboard("09:01", compute_stats=True).relayed == 10
    assert run.dashboard("09:01").time_s == 3660.0
    without = sendcap.simulate(updated(scenario('"1h"', ""), {}))
    with pytest.raises(SendcapError, match='time: "17:00" is a time by the clock, and the scen'):
        without.dashboard("17:00")
    with pytest.raises(SendcapError, match='time: "17:61" is no time of day'):
        run.dashboard("17:61")


def test_a_date_alone_is_midnight() -> None:
    assert scenario('"09:00"', "start = 2026-11-27\n").deliveries[0].at == 9 * 3600.0


def test_a_start_that_the_clock_skips_is_refused() -> None:
    begin = 'start = 2026-03-29T02:30:00\nzone = "Europe/Berlin"\n'
    with pytest.raises(ScenarioError, match=r"start: the clock is put forward then and never sho"):
        scenario('"1h"', begin)


def test_a_start_that_the_clock_shows_twice_needs_its_offset() -> None:
    zone = 'zone = "Europe/Berlin"'
    message = (
        "start: the clock is put back then and shows 02:30 twice; write the offset, such as "
        "2026-10-25T02:30:00[+]02:00"
    )
    with pytest.raises(ScenarioError, match=message):
        scenario('"1h"', f"start = 2026-10-25T02:30:00\n{zone}")
    hours = []
    for offset in ("+02:00", "+01:00"):
        case = scenario('"04:00"', f"start = 2026-10-25T02:30:00{offset}\n{zone}")
        assert loads(dumps(case)) == case
        hours.append(case.deliveries[0].at / 3600.0)
    assert hours == [2.5, 1.5]
    # The next day, and without a zone, it shows the time once.
    scenario('"1h"', f"start = 2026-10-26T02:30:00\n{zone}")
    scenario('"1h"', "start = 2026-10-25T02:30:00")


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (
            '"07:00"',
            'at = "07:00" is Sat 28 Nov 07:00, the first after the start, Fri 27 Nov 08:00.',
        ),
        ('"Fri 07:00"', 'at = "Fri 07:00" is Fri 4 Dec 07:00, the first after the start, '),
        ('"14:00"', ""),
        ('"Sat 07:00"', ""),
        ('"2026-11-29T07:00"', ""),
        ('"2d"', ""),
    ],
)
def test_a_time_that_has_passed_on_the_first_day_is_told(at: str, told: str) -> None:
    (sentence,) = list(later_days(scenario(at))) or [""]
    assert sentence.partition(": ")[2].startswith(told)
    assert bool(sentence) == bool(told)
    assert not list(later_days(scenario('"2d"', "")))
