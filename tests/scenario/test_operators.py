"""Deliveries that are confirmed, paused, resumed and stopped: what is wrong is named."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from test_programme import START, ZONES, programme

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario import dumps, loads, to_dict, updated

HOURS = "Mon-Fri 09:00-18:00"


@pytest.mark.parametrize(
    ("delivery", "message"),
    [
        ({"pause": "soon"}, r'pause\[0\]: "soon" is not a duration'),
        ({"pause": []}, "pause: needs at least one moment; or leave it out"),
        ({"resume": "1h"}, "resume: belongs to a pause; give one for each"),
        ({"pause": "1h", "resume": ["2h", "3h"]}, "resume: belongs to a pause; give one for each"),
        ({"pause": ["1h", "2h"]}, "pause: only the last one may have no resume; give the moments"),
        (
            {"pause": "2h", "resume": "1h"},
            'resume: "?1h"? does not come after "?2h"?; put both in order of time',
        ),
        ({"pause": "1h", "resume": "1h"}, "resume: 1h does not come after 1h"),
        (
            {"pause": ["1h", "90m"], "resume": ["2h", "3h"]},
            "pause: 90m does not come after 2h; put both in order of time",
        ),
        (
            {"pause": "Tue 12:00", "resume": "Tue 11:00"},
            "resume: Tue 11:00 does not come after Tue 12:00",
        ),
        (
            {"at": "3h", "pause": "1h", "resume": "3h"},
            "pause: ends before the delivery starts, at 3h; leave it out",
        ),
        (
            {"at": "3h", "pause": "2h"},
            "pause: 2h is not after the start, 3h, and has no resume: nothing would be sent; give",
        ),
        (
            {"at": "Tue 11:00", "stop": "Tue 11:00"},
            "stop: Tue 11:00 is not after the start, Tue 11:00: nothing would be sent; give a lat",
        ),
        ({"pause": "2h", "stop": "1h"}, "pause: 2h is not before the stop, 1h; leave it out"),
        (
            {"pause": "1h", "resume": "3h", "stop": "3h"},
            "resume: 3h is not before the stop, 3h; leave it out",
        ),
        ({"stop": ["1h"]}, r'stop: must be one moment such as "1h", not the list \["1h"\]'),
        (
            {"stop": "noon"},
            'stop: "noon" is not a duration; .*, or a time by the clock such as "14:',
        ),
        (
            {"stop": "5pm"},
            'stop: unknown unit "pm" in "5pm"; did you mean "m"[?] Or give a time by',
        ),
        ({"stop": "367d"}, 'stop: must be at most 366d, not "367d"'),
        ({"stop": "Mon 25:00"}, 'stop: "Mon 25:00" is no time of day'),
        ({"confirm": {}}, "confirm.within: required, but missing"),
        ({"confirm": {"within": "1h", "people": 0}}, "confirm.people: must be at least 1, not 0"),
        ({"confirm": {"within": "1h", "people": 1001}}, "confirm.people: must be at most 1,?000"),
        ({"confirm": {"within": "1h", "ahead": "-1h"}}, 'confirm.ahead: "-1h" is negative'),
        (
            {"confirm": {"within": "1h", "give_up": "0s"}},
            'confirm.give_up: must be more than zero, not "0s"',
        ),
        (
            {"confirm": {"within": "1h", "hours": "9 to 5"}},
            'confirm.hours: "9 to 5" are no working hours; write them like "Mon-Fri 09:00-18:00"',
        ),
        (
            {"confirm": {"within": "1h", "hours": "Sat 09:00-12:00", "give_up": "1d"}},
            'confirm.hours: "Sat 09:00-12:00" do not come before 08:00 on Wed 21 Oct, when "news" ',
        ),
        (
            {"every": "1d", "times": 2, "confirm": {"within": "1h", "give_up": "25h"}},
            "confirm.give_up: 25h is longer than every, 1d: the next sending would start before th",
        ),
        ({"spread": "1d", "pattern": [1, 2, 3]}, "pattern: has 3 numbers; must have 24, one for"),
        ({"spread": "1d", "pattern": [0] * 168}, "pattern: has only zeros; give at least one hour"),
        ({"spread": "1d", "pattern": [-1] + [1] * 23}, r"pattern\[0\]: must be at least 0, not -1"),
        (
            {"pattern": [1] * 24},
            'pattern: is that of a stream; give its length, such as spread = "7d"',
        ),
        (
            {"spread": "2h", "pattern": [1] * 8 + [0] * 16},
            "pattern: has only zeros for the hours of the spread; nothing would be ready",
        ),
    ],
)
def test_errors_name_the_key_and_what_would_be_right(
    delivery: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScenarioError, match=rf"deliveries\[1\]\.{message}") as caught:
        programme({"name": "single"}, delivery, **START)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("delivery", "message"),
    [
        ({"pause": "12:00"}, r'pause\[0\]: "12:00" is a time by the clock, which needs start'),
        (
            {"confirm": {"within": "1h", "hours": HOURS}},
            "confirm.hours: go by the clock, which needs start, the date and time of t = 0",
        ),
        (
            {"spread": "1d", "pattern": [1] * 24},
            "pattern: goes by the clock, which needs start, the date and time of t = 0",
        ),
    ],
)
def test_what_goes_by_the_clock_needs_a_start(delivery: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=rf"deliveries\[0\]\.{message}"):
        programme(delivery)


def test_of_many_repetitions_one_is_named() -> None:
    confirm = {"within": "1h", "hours": "Sat 09:00-12:00", "give_up": "1d"}
    with pytest.raises(ScenarioError, match='when "news 1" is given up') as caught:
        programme({"every": "1d", "times": 3, "confirm": confirm}, **START)
    assert len(str(caught.value).splitlines()) == 1


DELIVERIES: list[dict[str, Any]] = [
    {"pause": "10m"},
    {"pause": ["10m", "Tue 12:00"], "resume": "1h", "stop": "2026-10-21T08:00:00"},
    {"pause": ["10m", "2h"], "resume": ["1h", "3h"]},
    {"confirm": {"within": "1h"}},
    {
        "confirm": {
            "within": {"dist": "lognormal", "mean": "1h", "cv": 1.0},
            "hours": HOURS,
            "people": 3,
            "ahead": "1d",
            "give_up": "2d",
        }
    },
    {"every": "1d", "times": 3, "confirm": {"within": "1h"}, "stop": "5d"},
    {"waves": {"size": 0.5, "every": "1h"}, "confirm": {"within": "1h"}, "pause": "30m"},
    {"local_time": "09:00", "zones": ZONES, "confirm": {"within": "1h"}},
    {"spread": "2d", "pattern": list(range(24))},
    {"spread": "2d", "pattern": [0.5] * 168},
]


@pytest.mark.parametrize("delivery", DELIVERIES, ids=str)
def test_deliveries_are_written_as_they_were_read(delivery: dict[str, Any]) -> None:
    scenario = programme(delivery, **START)
    again = loads(dumps(scenario))
    assert again == scenario
    assert dumps(again) == dumps(scenario) == dumps(pickle.loads(pickle.dumps(scenario)))
    (written,) = to_dict(scenario)["deliveries"]
    for key in delivery.keys() & {"pause", "resume", "stop", "pattern"}:
        assert written[key] == delivery[key]


def test_a_single_key_can_be_changed() -> None:
    scenario = programme({"pause": "10m", "confirm": {"within": "1h"}}, **START)
    changes = {"deliveries[0].resume": "1h", "deliveries[0].confirm.people": 2}
    (delivery,) = updated(scenario, changes).deliveries
    assert delivery.resume == (3600.0,)
    assert delivery.confirm is not None
    assert delivery.confirm.people == 2


@pytest.mark.parametrize(
    ("delivery", "expected_h"),
    [
        ({}, 168.0),
        ({"confirm": {"within": "1h", "give_up": "3h"}}, 3.0),
        ({"every": "1d", "times": 2}, 24.0),
        ({"every": "1d", "times": 2, "waves": {"size": 0.5, "every": "1h"}}, 24.0),
        ({"every": "1d", "times": 2, "confirm": {"within": "1h", "give_up": "3h"}}, 3.0),
    ],
)
def test_it_is_given_up_before_the_next_sending(
    delivery: dict[str, Any], expected_h: float
) -> None:
    scenario = programme({"confirm": {"within": "1h"}} | delivery)
    assert {each.gives_up_s / 3600.0 for each in scenario.deliveries} == {expected_h}


@pytest.mark.parametrize(
    ("delivery", "told"),
    [
        (
            {"confirm": {"within": "3h", "give_up": "2h"}},
            'takes at least 3h; "news" is given up at 10:00, before anybody can confirm it',
        ),
        (
            {"every": "1d", "times": 3, "confirm": {"within": "9h1s", "hours": HOURS}},
            'takes at least 9h1s of work; "news 1" is given up at 08:00 on Wed 21 Oct, before',
        ),
        (
            {
                "waves": {"size": 0.5, "every": "1h"},
                "confirm": {"within": {"dist": "uniform", "low": "3h", "high": "4h"}}
                | {"give_up": "2h"},
            },
            'takes at least 3h; "news wave 1" is given up at 10:00, before anybody',
        ),
    ],
)
def test_what_nobody_can_confirm_in_time_is_told(delivery: dict[str, Any], told: str) -> None:
    with pytest.warns(SendcapWarning) as caught:
        programme(delivery, **START)
    (warning,) = caught
    assert str(warning.message).startswith(f"deliveries[0].confirm.within: {told}")


@pytest.mark.parametrize(
    "confirm",
    [
        {"within": "2h", "give_up": "2h"},
        {"within": "3h", "give_up": "2h", "ahead": "1h"},
        {"within": {"dist": "exponential", "mean": "30d"}, "give_up": "1s"},
        {"within": "8h", "hours": HOURS, "give_up": "9h"},
    ],
)
def test_what_somebody_may_confirm_in_time_is_not_told(confirm: dict[str, Any]) -> None:
    programme({"confirm": confirm}, **START)
