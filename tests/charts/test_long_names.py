"""Long titles and names, late deliveries, designs: what small tidy scenarios do not show."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from pictures import run_of_people

import sendcap
from sendcap import scenario
from sendcap.charts.delivered import delivered
from sendcap.charts.figures import headline
from sendcap.charts.listed import RUN_CHARTS
from sendcap.charts.narrow import narrow
from sendcap.charts.style import figure_of, house_style
from sendcap.errors import SendcapError
from sendcap.plotting import plot
from sendcap.report.page import CHARTS
from sendcap.study.capacity.charts.stages import throughput
from sendcap.study.capacity.charts.waiting import backlog
from sendcap.study.capacity.limits import limits_from_ledger
from sendcap.study.convergence.charts.remaining import remaining
from sendcap.study.convergence.charts.settling import settling
from sendcap.study.convergence.converge import convergence_of
from sendcap.study.sweeps.charts.sweep_grid import sweep_heat_map
from sendcap.study.sweeps.charts.sweep_results import values_of
from sendcap.study.sweeps.charts.tornado import tornado

LONG = """
title = "Autumn clearance of the outdoor and garden department, United Kingdom and Ireland, wave 2"
start = 2026-11-27T22:30:00+01:00
[[deliveries]]
name = "UK+IE autumn clearance outdoor and garden second wave"
messages = 3000
audience = { "gmail and google workspace, consumer and business" = 0.7, "aol and verizon" = 0.3 }
[[deliveries]]
name = "Reminder to those who have not opened the first one yet"
messages = 1000
at = "3h"
audience = { "gmail and google workspace, consumer and business" = 1.0 }
[relay]
batch_time = "5s"
[providers."gmail and google workspace, consumer and business"]
connect_time = "300ms"
transaction_time = "400ms"
transient = 0.05
outages = [{ at = "5m", lasts = "20m" }]
hard = [{ reason = "disabled for more than two years, as told by the provider", share = 0.01 }]
[providers."aol and verizon"]
connect_time = "300ms"
transaction_time = "400ms"
faults = [{ reason = "greylisted", share = 0.3, clears_after = "5m" }]
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("log") / "sending-log.parquet"


@pytest.fixture(scope="module")
def long_run(log) -> sendcap.Run:
    return sendcap.simulate(scenario.loads(LONG), sending_log=log)


@pytest.fixture(scope="module")
def sources(long_run):
    return {
        "run": long_run,
        "stages": limits_from_ledger(long_run),
        "convergence": convergence_of(long_run),
    }


OF_ANY_RUN = [chart.name for chart in RUN_CHARTS if chart.name not in ("attempts", "people")]


@pytest.mark.parametrize("name", OF_ANY_RUN)
def test_nothing_is_cut_off(name, sources) -> None:
    figure = plot(sources["run"], name)
    with house_style():
        figure.draw_without_rendering()
        for text in figure.findobj(Text):
            if text.get_text().strip() and text.get_visible():
                box = text.get_window_extent()
                assert box.x0 >= -1, text
                assert box.x1 <= figure.bbox.x1 + 1, text


def outside(figure: Figure) -> list[Text]:
    """The heading, which the report has as text, and labels that are not drawn."""
    ticks = [
        tick.label1
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]
    return [*figure.texts, *ticks]


@pytest.mark.parametrize("name", CHARTS)
def test_on_a_phone_nothing_is_cut_off_too_small_or_on_other_text(name, long_run, log) -> None:
    with narrow():
        run = run_of_people() if name == "people" else long_run
        figure = plot(run, name, sending_log=log if name == "attempts" else None)
    with house_style():
        figure.draw_without_rendering()
        texts = [
            (text.get_text(), text.get_window_extent())
            for text in figure.findobj(Text)
            if text.get_text().strip() and text.get_visible() and text not in outside(figure)
        ]
        assert all(text.get_fontsize() >= 7.5 for text in figure.findobj(Text))
    for text, box in texts:
        assert -1 <= box.x0 < box.x1 <= figure.bbox.x1 + 1, text
    for (text, box), (other, box_of_other) in itertools.combinations(texts, 2):
        assert not box.overlaps(box_of_other), (text, other)


def test_on_a_phone_the_names_stand_below_once(long_run) -> None:
    with narrow() as legends:
        plot(long_run, "statuses")
        plot(long_run, "delivered")
    assert [legend.title for legend in legends] == [
        *("Statuses, without EFS", "Statuses, with EFS", "Delivered %", "Bounces + errors %")
    ]
    assert {name.label for name in legends[0].names} >= {"sent", "failed"}


def test_a_title_is_shortened_and_what_is_shown_is_not() -> None:
    with house_style():
        assert headline("Outages", "retries", 9.0) == "Outages: retries"
        assert headline("", "retries", 9.0) == "Retries"
        shortened = headline("A very long title " * 9, "how far off is Delivered %?", 6.0)
    assert shortened.startswith("A very long")
    assert shortened.endswith("…: how far off is Delivered %?")


def test_of_a_title_without_spaces_the_beginning_is_shown() -> None:
    with house_style():
        for title in ("x" * 250, f"a {'x' * 250}"):
            shortened = headline(title, "messages waiting", 6.0)
            assert shortened.startswith(title[:20])
            assert shortened.endswith("x…: messages waiting")
        assert headline("x" * 250, "messages waiting", 2.0) == "Messages waiting"


@pytest.mark.parametrize(
    "name",
    ["converging", "reading-error", "remaining", "settling", "backlog", "throughput"],
)
def test_the_time_can_be_told_by_the_clock(name, sources) -> None:
    panels = plot(sources["run"], name, start="scenario").axes
    assert panels[-1].get_xlabel().startswith("time of day UTC+01:00")
    labels = [label.get_text() for label in panels[-1].get_xticklabels()]
    assert any("Fri 27 Nov" in label for label in labels)


def test_outages_and_starts_are_marked_where_the_reading_converges(sources) -> None:
    top = plot(sources["run"], "converging").axes[0]
    written = " ".join(text.get_text() for text in top.texts)
    assert "unreachable" in written
    assert "start of Reminder" in written


def test_of_one_simulation_nothing_is_called_a_mean(sources) -> None:
    for chart in (settling, remaining):
        figure = figure_of(chart(sources["convergence"]))
        words = " ".join(text.get_text() for text in figure.texts).lower()
        assert "1 simulation." in words
        assert "median" not in words
        assert "mean" not in words


def test_where_a_delivery_starts_late_the_axis_is_linear() -> None:
    late = scenario.updated(scenario.loads(LONG), {"deliveries[1].at": "4d"})
    run = sendcap.simulate(late)
    assert delivered(run)[0].get_xscale() == "linear"
    assert delivered(run, scale="log")[0].get_xscale() == "log"
    assert settling(convergence_of(run))[0].get_xscale() == "linear"


def test_days_by_the_clock_do_not_overlap(long_run) -> None:
    for name in ("statuses", "retries", "delivered"):
        panel = plot(long_run, name, start="2026-11-27T06:00").axes[-1]
        figure = figure_of(panel)
        with house_style():
            figure.draw_without_rendering()
            boxes = [label.get_window_extent() for label in panel.get_xticklabels()]
        assert all(one.x1 < two.x0 for one, two in itertools.pairwise(boxes))


def test_lines_that_all_climb_are_magnified_with_round_ticks(long_run) -> None:
    panels = delivered(long_run, ["efs-v8", "legacy"])
    low, high = panels[1].get_ylim()
    assert high - low > 0.2
    figure = figure_of(panels)
    figure.draw_without_rendering()
    assert panels[1].yaxis.get_offset_text().get_text() == ""


def test_one_message_is_one_message() -> None:
    case = scenario.updated(
        scenario.loads(LONG), {"deliveries[0].messages": 1, "deliveries[1].messages": 1}
    )
    figure = figure_of(delivered(sendcap.simulate(case), delivery=case.deliveries[0].name))
    assert any("1 message to deliver" in text.get_text() for text in figure.texts)


def design() -> pd.DataFrame:
    """What a design gives: no value comes twice, and durations are text."""
    return pd.DataFrame(
        [
            {
                "point": number,
                "mta.ips": number + 1,
                "mta.retry.first": f"{137.5 * (12 - number)}s",
                "accepted_99_pct_s": 1000.0 + 100.0 * number,
            }
            for number in range(12)
        ]
    ).convert_dtypes()


def test_a_design_has_a_tornado_and_no_heat_map() -> None:
    axes = tornado(design())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["mta.ips", "mta.retry.first"]
    told = " ".join(text.get_text() for text in axes.texts)
    assert "22m" in told
    with pytest.raises(SendcapError, match="for a grid and not for a design"):
        sweep_heat_map(design())


def test_durations_are_in_order() -> None:
    table = pd.DataFrame({"mta.retry.first": ["1h", "20m", "300s"]})
    assert values_of(table, "mta.retry.first") == ["300s", "20m", "1h"]


def test_ticks_of_a_time_are_told_apart() -> None:
    table = pd.DataFrame({"mta.ips": [1, 2, 4], "accepted_99_pct_s": [1314.0, 1314.3, 1315.2]})
    labels = [label.get_text() for label in tornado(table).get_xticklabels()]
    assert len(labels) == len(set(labels))


def test_charts_of_stages_draw_on_axes_by_the_clock(sources) -> None:
    for chart in (backlog, throughput):
        axes = Figure().subplots()
        chart(sources["stages"], axes, start="2026-11-27T09:00")
        assert axes.get_xlabel().startswith("time of day")


def test_a_report_speaks_of_one_worker_and_gives_long_settings_room(
    long_run, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("sendcap.report.page._pictures", lambda *_: iter(()))
    rate = {"kind": "schedule", "steps": [{"at": f"{day}d", "rate": "200/d"} for day in range(9)]}
    run = sendcap.simulate(
        scenario.updated(
            long_run.scenario,
            {'providers."aol and verizon".rate': rate, "deliveries[0].messages": 50},
        )
    )
    page = sendcap.write_report(run, tmp_path / "report.html").read_text()
    assert "1 worker, 256 messages at a time" in page
    assert '<td class="long">' in page


def test_the_words_of_a_narrow_figure_are_within_it() -> None:
    with narrow():
        figure = sendcap.simulate(scenario.loads(LONG)).plot("delivered")
    figure.draw_without_rendering()
    for text in figure.texts:
        assert text.get_window_extent().x1 <= figure.bbox.x1
