from __future__ import annotations

import itertools
import math
import re
from contextlib import nullcontext
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import sendcap
from sendcap import SendcapError, scenario
from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.narrow import narrow
from sendcap.charts.ticks import LINEAR_S, along, tick_label, ticks
from sendcap.charts.timeaxis import elapsed_axis, enough, start_of
from sendcap.text.quantities import elapsed

HOUR, DAY = 3600.0, 86_400.0


@given(st.integers(1, 60), st.sampled_from([1.0, 60.0, HOUR, 0.5 * DAY]))
def test_a_tick_reads_like_a_label_of_the_same_moment(count, unit) -> None:
    assert tick_label(count * unit) == elapsed(count * unit)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0"), (0.001, "0.001s"), (25.5 * HOUR, "1d 1h 30m"), (14 * DAY, "14d")],
)
def test_a_tick_is_not_rounded(seconds, text) -> None:
    assert tick_label(seconds) == text


def test_a_delivery_of_two_weeks_shows_its_first_minutes_and_its_days() -> None:
    labels = [tick_label(tick) for tick in ticks(60.0, 14 * DAY)]
    for expected in ("1m", "10m", "1h", "6h", "1d", "3d 12h", "7d"):
        assert expected in labels


def test_a_run_of_minutes_has_ticks_in_minutes() -> None:
    assert [tick_label(tick) for tick in ticks(60.0, 300.0)] == [
        "1m",
        "2m",
        "3m",
        "4m",
        "5m",
    ]


@pytest.mark.parametrize(("last_s", "step_s"), [(7.3, 1.0), (100.0, 15.0), (800.0, 120.0)])
def test_an_axis_that_ends_within_its_linear_part_has_even_ticks(
    last_s: float, step_s: float
) -> None:
    places = ticks(0.0, last_s, "symlog", 0.075)
    assert np.diff(places).tolist() == [step_s] * int(last_s / step_s)


def test_a_linear_axis_has_even_ticks() -> None:
    assert [tick_label(tick) for tick in ticks(0.0, 3.5 * DAY, "linear")] == [
        "0",
        "12h",
        "1d",
        "1d 12h",
        "2d",
        "2d 12h",
        "3d",
        "3d 12h",
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


def test_a_symlog_axis_shows_nought_the_first_minutes_and_the_last_day() -> None:
    labels = [tick_label(tick) for tick in ticks(0.0, 9 * DAY, "symlog", 0.075)]
    for expected in ("0", "15m", "1h", "6h", "1d", "3d 12h", "7d"):
        assert expected in labels


def test_a_symlog_axis_has_no_kink_and_is_as_matplotlib_draws_it() -> None:
    axes = Figure().subplots()
    elapsed_axis(axes, 0.0, 9 * DAY, "symlog")
    times_s = np.array([0.0, 60.0, LINEAR_S, 1.001 * LINEAR_S, HOUR, DAY, 9 * DAY])
    drawn = axes.transAxes.inverted().transform(
        axes.transData.transform(np.column_stack([times_s, np.zeros(len(times_s))]))
    )[:, 0]
    own = along(times_s, "symlog")
    np.testing.assert_allclose(drawn, own / own[-1], atol=1e-9)
    before, after = np.diff(along([LINEAR_S - 1, LINEAR_S, LINEAR_S + 1], "symlog"))
    assert before == pytest.approx(after, rel=0.01)


def test_by_the_clock_ticks_are_at_round_hours_with_the_day_below() -> None:
    axes = Figure().subplots()
    elapsed_axis(axes, 0.0, DAY, "linear", datetime(2026, 11, 27, 9, 20))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[0] == "12:00\nFri 27 Nov"
    assert labels[4] == "00:00\nSat 28 Nov"
    assert axes.get_xticks()[0] == 2 * HOUR + 40 * 60


def test_a_start_is_a_moment_or_the_scenarios() -> None:
    case = scenario.load("black-friday")
    assert start_of("2026-11-27T09:00", case) == datetime(2026, 11, 27, 9)
    assert start_of("scenario", case) == case.start
    assert start_of(None, case) is None
    with pytest.raises(SendcapError, match="start: 'soon' is not a moment; write it like 2026-"):
        start_of("soon", case)
    with pytest.raises(SendcapError, match="start: the scenario has none"):
        start_of("scenario", case.model_copy(update={"start": None}))


@pytest.mark.parametrize("scale", ["log", "symlog", "linear"])
def test_a_curve_is_thinned_to_what_can_be_seen(scale) -> None:
    times_s = np.arange(20_161) * 60.0
    shown = enough(times_s, 60.0, 7 * DAY, scale)
    assert times_s[shown[0]] == 60.0
    assert times_s[shown[-1]] == 7 * DAY
    assert 300 < len(shown) <= 700
    assert (np.diff(shown) > 0).all()
    positions = along(times_s[shown], scale)
    if scale == "linear":
        assert np.diff(positions).max() < 0.003 * positions[-1]


@pytest.mark.parametrize(("width_in", "first"), [(12.0, "12:00\nFri 27 Nov"), (5.0, "12:00")])
def test_a_day_is_left_out_where_the_next_one_leaves_no_room(width_in, first) -> None:
    axes = Figure(figsize=(width_in, 2.0)).subplots()
    elapsed_axis(axes, 0.0, 3.5 * DAY, "linear", datetime(2026, 11, 27, 11))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[:3] == [first, "00:00\nSat 28 Nov", "12:00"]


def friday(sizes: int = 3000) -> sendcap.Run:
    preset = sendcap.load("friday")
    return sendcap.simulate(
        preset.with_({f"deliveries[{number}].messages": sizes for number in range(4)})
    )


@pytest.fixture(scope="module")
def several() -> sendcap.Run:
    return friday()


@pytest.mark.parametrize("name", ["delivered", "statuses", "retries", "backlog", "throughput"])
def test_several_deliveries_go_by_the_clock_unless_elapsed_time_is_asked_for(several, name) -> None:
    by_the_clock = several.plot(name).axes[-1].get_xlabel()
    assert by_the_clock == "time of day Europe/Berlin"
    elapsed = several.plot(name, start="elapsed").axes[-1].get_xlabel()
    assert elapsed.startswith("time since the start, 2026-11-27 00:00 Europe/Berlin")


@pytest.mark.parametrize("name", ["statuses", "retries", "backlog"])
def test_names_beside_a_chart_tell_moments_as_its_axis_does(several, name) -> None:
    for start, when in ((None, r"Fri \d\d:"), ("elapsed", r"\d+h")):
        words = [text.get_text() for text in several.plot(name, start=start).findobj(Text)]
        assert any(re.search(rf" at {when}", text) for text in words), words


@pytest.mark.parametrize("name", ["delivered", "statuses", "retries", "backlog", "throughput"])
def test_a_time_is_cut_out(several, name) -> None:
    figure = several.plot(name, since="Fri 09:00", until="15h")
    assert {axes.get_xlim() for axes in figure.axes} == {(9 * 3600.0, 15 * 3600.0)}


def test_times_without_anything_are_refused(several) -> None:
    for since, until, words in (
        ("5h", "4h", "since: '5h' is not before until, '4h'"),
        ("400d", None, "since: '400d' is after the last change"),
    ):
        with pytest.raises(SendcapError, match=words):
            several.plot("delivered", since=since, until=until)
    with pytest.raises(SendcapError, match='until: "noon"'):
        several.plot("delivered", until="noon")


def test_a_linear_axis_begins_where_something_happens() -> None:
    late = sendcap.load("quickstart").with_(
        {"deliveries[0].messages": 2000, "deliveries[0].at": "6d"}
    )
    run = sendcap.simulate(late)
    begins_s, _ = run.plot("backlog").axes[0].get_xlim()
    assert 5.8 * 86_400 < begins_s <= 6.0 * 86_400
    assert run.plot("delivered").axes[0].get_xlim()[0] > 4 * 86_400


TIME_CHARTS = ("delivered", "statuses", "retries", "backlog", "throughput")


def all_accepted(**delivery) -> sendcap.Run:
    """A run of which nothing is left some minutes after the last delivery."""
    news = {"name": "news", "messages": 400, "audience": {"p": 1.0}}
    provider = {"connections_per_ip": 2, "connect_time": "1s", "transaction_time": "1s"}
    return sendcap.simulate(
        scenario.from_dict(
            {
                "deliveries": [news | delivery],
                "relay": {"batch_time": "1s"},
                "providers": {"p": provider},
                "feedback": {"synchronous": "0s"},
            }
        )
    )


@pytest.mark.parametrize("start", [None, "2026-11-27T09:00"])
@pytest.mark.parametrize(
    ("every", "times"),
    [("20m", 3), ("6h", 4), ("1d", 7), ("7d", 26)],
    ids=["an hour", "a day", "a week", "half a year"],
)
def test_an_axis_of_a_programme_ends_soon_after_what_happens(every, times, start) -> None:
    run = all_accepted(every=every, times=times)
    for name in TIME_CHARTS:
        axes = run.plot(name, start=start).axes[-1]
        begins_s, ends_s = axes.get_xlim()
        assert begins_s == 0.0
        assert run.ledger.end_s < ends_s < 1.05 * run.ledger.end_s, name
        ticks_s = axes.get_xticks()
        assert ends_s - ticks_s[-1] < np.diff(ticks_s).min(), name


@pytest.mark.parametrize("name", TIME_CHARTS)
@pytest.mark.parametrize(("every", "bin_"), [("7d", "1m"), ("20m", "7s")])
def test_moments_with_dates_or_seconds_are_not_cut_off(name, every, bin_) -> None:
    case = all_accepted(every=every, times=12).scenario
    run = sendcap.simulate(case.with_({"time.bin": bin_, "start": "2026-11-27T09:00:00"}))
    figure = run.plot(name)
    figure.draw_without_rendering()
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = Text.get_window_extent(text)
            assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text.get_text()


@pytest.mark.parametrize("name", TIME_CHARTS)
def test_a_late_delivery_has_an_axis_of_when_it_is_sent(name) -> None:
    run = all_accepted(at="6d")
    begins_s, ends_s = run.plot(name).axes[-1].get_xlim()
    assert 6.0 * DAY - 120.0 <= begins_s <= 6.0 * DAY
    assert run.ledger.end_s <= ends_s < run.ledger.end_s + 60.0


def test_a_chart_of_nothing_has_the_time_of_the_run() -> None:
    run = all_accepted()
    begins_s, ends_s = run.plot("retries").axes[-1].get_xlim()
    assert begins_s == 0.0
    assert run.ledger.end_s < ends_s < 1.05 * run.ledger.end_s


def test_days_have_room_for_their_names() -> None:
    figure = sendcap.plot(friday(500), "statuses", until="60d")
    labels = [text.get_text() for text in figure.axes[-1].get_xticklabels()]
    assert 3 <= len(labels) <= 7
    assert all("\n" in label for label in labels)


# Ten minutes to three and a half days, and what did touch: in minutes after an hour.
LENGTHS_S = (600.0, 710.0, 1500.0, 4400.0, 5211.0, 7267.0, 10_134.0, 16_690.0, 88_022.0, 302_400.0)


@pytest.mark.parametrize("start", [None, datetime(2026, 11, 27, 8, 7)])
@pytest.mark.parametrize("is_narrow", [False, True])
@pytest.mark.parametrize("scale", ["log", "symlog", "linear"])
def test_labels_never_touch(scale, is_narrow, start) -> None:
    with narrow() if is_narrow else nullcontext():
        (axes,) = panels_on(None, Heading("", "what"), [1.0])
        for last_s in LENGTHS_S:
            firsts_s = (5.0, 60.0, last_s / 4.5, last_s / 3.0) if scale == "log" else (0.0,)
            for first_s in firsts_s:
                # The same axes again, which have no other state.
                elapsed_axis(axes, first_s, last_s, scale, start)
                labels, gaps_pt = drawn_gaps(axes)
                assert len(labels) >= 2, (first_s, last_s)
                assert min(gaps_pt, default=99.0) >= 4.0, (first_s, last_s, labels)


def drawn_gaps(axes: Axes) -> tuple[list[str], list[float]]:
    """Return the labels below an axis, and the gaps between them, line by line, as drawn."""
    renderer = axes.figure.canvas.get_renderer()
    texts = [label.get_text() for label in axes.get_xticklabels()]
    gaps_pt = []
    for number in range(2):
        boxes = []
        for label, text in zip(axes.get_xticklabels(), texts, strict=True):
            if len(lines := text.split("\n")) > number:
                label.set_text(lines[number])
                boxes.append(label.get_window_extent(renderer))
        gaps_pt += [(right.x0 - left.x1) * 72 / renderer.dpi for left, right in pairwise(boxes)]
    return texts, gaps_pt
