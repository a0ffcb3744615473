from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from sendcap.charts.timeaxis import elapsed_axis, tick_label, ticks

HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0"),
        (0.5, "0.5 s"),
        (30, "30 s"),
        (60, "1 min"),
        (5400, "1.5 h"),
        (12 * HOUR, "12 h"),
        (36 * HOUR, "1.5 d"),
        (3.5 * DAY, "3.5 d"),
        (14 * DAY, "14 d"),
    ],
)
def test_a_tick_is_told_in_its_largest_unit(seconds, text) -> None:
    assert tick_label(seconds) == text


def test_a_delivery_of_two_weeks_shows_its_first_minutes_and_its_days() -> None:
    labels = [tick_label(tick) for tick in ticks(60.0, 14 * DAY)]
    for expected in ("1 min", "10 min", "1 h", "6 h", "1 d", "3.5 d", "7 d"):
        assert expected in labels


def test_a_run_of_minutes_has_ticks_in_minutes() -> None:
    assert [tick_label(tick) for tick in ticks(60.0, 300.0)] == [
        "1 min",
        "2 min",
        "3 min",
        "4 min",
        "5 min",
    ]


def test_a_linear_axis_has_even_ticks() -> None:
    assert [tick_label(tick) for tick in ticks(0.0, 3.5 * DAY, "linear")] == [
        "0",
        "12 h",
        "1 d",
        "1.5 d",
        "2 d",
        "2.5 d",
        "3 d",
        "3.5 d",
    ]


@given(st.floats(0.1, 1e5), st.floats(1.01, 1e3), st.sampled_from(["log", "linear"]))
def test_ticks_are_few_ordered_and_inside(first_s, factor, scale) -> None:
    last_s = first_s * factor
    places = ticks(first_s, last_s, scale)
    assert places == sorted(set(places))
    assert all(first_s - 1e-6 <= place <= last_s + 1e-6 for place in places)
    assert len(places) <= 10
    if scale == "log" and factor > 10:
        assert len(places) >= 2
        assert all(
            math.log(after / before) > 0.04 * math.log(factor)
            for before, after in itertools.pairwise(places)
        )


def test_a_logarithmic_axis_cannot_start_at_nought() -> None:
    with pytest.raises(ValueError, match="cannot start at 0 s"):
        elapsed_axis(Figure().subplots(), 0.0, 60.0)


def test_the_axis_is_logarithmic_by_default() -> None:
    axes = Figure().subplots()
    elapsed_axis(axes, 60.0, DAY)
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == (60.0, DAY)
