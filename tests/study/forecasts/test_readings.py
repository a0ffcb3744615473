from __future__ import annotations

import math

import pytest

from sendcap.errors import SendcapError
from sendcap.study.forecasts.readings import read_readings, typed_readings

SAVED = """mode,delivery,time_s,to_deliver,sent,delivered_pct,bounces_errors_pct
without-efs,*,0,10,0,,
without-efs,*,60,10,10,99.5,0.5
without-efs,*,120,10,10,99.25,0.75
without-efs,news,60,10,10,98.5,1.5
efs,*,60,10,10,40,0.25
"""


@pytest.fixture
def read(tmp_path):
    def of(text: str, **keywords):
        path = tmp_path / "seen.csv"
        path.write_text(text)
        return read_readings(path, **keywords)

    return of


def test_the_kpis_of_a_saved_run_can_be_read(read) -> None:
    readings = read(SAVED)
    assert list(readings) == ["without-efs", "efs"]
    first = readings["without-efs"]
    assert first.time_s.tolist() == [0.0, 60.0, 120.0]
    assert math.isnan(first.percent["delivered_pct"][0])
    assert first.percent["bounces_errors_pct"][1:].tolist() == [0.5, 0.75]
    assert first.decimals == 2
    assert readings["efs"].percent["delivered_pct"].tolist() == [40.0]


def test_a_mode_and_a_delivery_can_be_chosen(read) -> None:
    readings = read(SAVED, modes=["without-efs"], delivery="news")
    assert list(readings) == ["without-efs"]
    assert readings["without-efs"].percent["delivered_pct"].tolist() == [98.5]


def test_a_time_and_a_percentage_are_enough(read) -> None:
    readings = read("time, delivered_pct\n15m, 99.84\n1h, 99.5 %\n\n", modes=["without-efs"])
    assert readings["without-efs"].time_s.tolist() == [900.0, 3600.0]
    assert readings["without-efs"].percent["delivered_pct"].tolist() == [99.84, 99.5]
    assert list(readings["without-efs"].percent) == ["delivered_pct"]


def test_readings_up_to_a_moment_include_it(read) -> None:
    readings = read(SAVED)["without-efs"].until(60.0)
    assert readings.time_s.tolist() == [0.0, 60.0]
    with pytest.raises(SendcapError, match=r"no row up to 30s in mode efs; the first is at 1m"):
        read(SAVED)["efs"].until(30.0)


@pytest.mark.parametrize(
    ("text", "keywords", "message"),
    [
        ("delivered_pct\n99\n", {}, 'no column time_s or time; its first line names "deliv'),
        (
            "time_s,sent\n1,2\n",
            {},
            'no column delivered_pct; its first line names "time_s", "sent"',
        ),
        (
            "time;delivered_pct\n1;2\n",
            {},
            '"time;delivered_pct"; separate them by commas; it needs',
        ),
        ("", {}, "seen.csv: is empty; its first line must name the columns"),
        ("mode,time,delivered_pct\nefs,9:30,9\n", {}, "; it counts from t = 0, the start"),
        ('mode,time,delivered_pct\nefs,1,"9,5"\n', {}, "from 0 to 100; write it with a point"),
        ("mode,time,delivered_pct\nefs,1,0.98\n", {}, "write 98 % as 98, not as 0.98"),
        ("time,delivered_pct\n", {}, "no rows below its header"),
        ("time,delivered_pct\n1,99\n", {}, "no column mode; say by --mode which one it is"),
        (SAVED, {"modes": ["legacy"]}, "no rows of mode legacy; there are without-efs, efs"),
        (SAVED, {"delivery": "new"}, 'no rows of delivery "new"; there are "*", "news"'),
        ("mode,time,delivered_pct\nEFS,1,99\n", {}, ", line 2: unknown mode 'EFS'"),
        ("mode,time,delivered_pct\nefs,x,99\n", {}, ', line 2: time: "x" is not a duration'),
        ("mode,time,delivered_pct\nefs,-1,99\n", {}, ", line 2: time: -1 is not a time from 0 on"),
        ("mode,time,delivered_pct\nefs,1,101\n", {}, ', line 2: delivered_pct: "101" is not a per'),
        ("mode,time,delivered_pct\nefs,1,much\n", {}, ', line 2: delivered_pct: "much" is not a'),
        ("mode,time,delivered_pct\nefs,2h,9\nefs,1h,9\n", {}, ", line 3: time does not ascend: 1h"),
        ("mode,time,delivered_pct\nefs,2h,9\nefs,2h,9\n", {}, ", line 3: time does not ascend: 2h"),
        ("mode,time,delivered_pct\nefs,2h,\n", {}, "no percentage in any row of mode efs"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(read, text, keywords, message) -> None:
    with pytest.raises(SendcapError) as caught:
        read(text, **keywords)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path) -> None:
    with pytest.raises(SendcapError, match=r"none\.csv: No such file"):
        read_readings(tmp_path / "none.csv")
    with pytest.raises(SendcapError, match="is a directory; give a CSV file, such as a run's kpis"):
        read_readings(tmp_path)


def test_a_low_share_of_bounces_is_no_mistake(read) -> None:
    readings = read("time,bounces_errors_pct\n15m,0.4\n", modes=["efs"])
    assert readings["efs"].percent["bounces_errors_pct"].tolist() == [0.4]


def test_typed_readings_have_the_decimals_that_are_written() -> None:
    readings = typed_readings({7200.0: "98.7 %", 3600.0: 99}, ["efs"])["efs"]
    assert readings.time_s.tolist() == [3600.0, 7200.0]
    assert readings.percent["delivered_pct"].tolist() == [99.0, 98.7]
    assert readings.decimals == 1
    assert typed_readings({0.0: 98}, ["efs"])["efs"].decimals == 0


def test_a_typed_reading_may_be_of_each_mode() -> None:
    assert list(typed_readings({60.0: 98.7}, ["without-efs", "efs"])) == ["without-efs", "efs"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({}, "observed: no reading; give Delivered % at a moment"),
        ({60.0: "-1"}, 'delivered: "-1" is not a percentage from 0 to 100'),
        ({60.0: "nan"}, "delivered: no percentage in any row"),
        ({60.0: 0.98}, "write 98 % as 98, not as 0.98"),
    ],
)
def test_a_typed_reading_that_cannot_be_is_told(typed, message) -> None:
    with pytest.raises(SendcapError) as caught:
        typed_readings(typed, ["efs"])
    assert message in str(caught.value)
