"""The charts of a convergence show its numbers, name everything on them, and hold no overlaps."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from in_bytes import as_small_png, as_svg
from matplotlib.figure import Figure
from matplotlib.text import Text
from on_a_figure import on_a_figure

import sendcap
from sendcap import scenario
from sendcap.charts.style import MODE_LOOKS, house_style
from sendcap.errors import SendcapWarning
from sendcap.study.convergence.charts.comparison import comparison
from sendcap.study.convergence.charts.reading import converging, reading_error
from sendcap.study.convergence.charts.remaining import remaining
from sendcap.study.convergence.charts.settling import settling
from sendcap.study.replication.recording import PARTS, Quantity
from sendcap.text.quantities import elapsed

converging = on_a_figure(converging)
reading_error = on_a_figure(reading_error)
remaining = on_a_figure(remaining)
settling = on_a_figure(settling)
comparison = on_a_figure(comparison)

CHARTS = [converging, reading_error, remaining, settling]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.fixture(scope="module", params=CHARTS, ids=lambda chart: chart.__name__)
def chart(request) -> Callable[..., Figure]:
    return request.param


@pytest.fixture(scope="module")
def figure(chart, study) -> Figure:
    return chart(study)


def test_modes_are_called_by_names_that_a_planner_knows(figure, study) -> None:
    written = " ".join(texts(figure))
    for mode in study.modes:
        assert MODE_LOOKS[mode].label in written
    assert "efs" not in written.replace("EFS", "")


def test_it_says_how_many_messages_and_simulations(figure) -> None:
    assert any("3,500 messages, 5 simulations with different draws" in it for it in texts(figure))


def test_the_end_of_validity_is_marked_on_every_panel(figure) -> None:
    assert any("end of validity" in text for text in texts(figure))
    for panel in figure.axes:
        places = [line.get_xdata()[0] for line in panel.lines if len(line.get_xdata()) == 2]
        assert any(place == pytest.approx(8 * 3600) for place in places)


def test_everything_written_is_on_the_figure(figure) -> None:
    with house_style():
        figure.draw_without_rendering()
        for text in figure.findobj(Text):
            if text.get_text() and text.get_visible():
                box = text.get_window_extent()
                assert box.x0 >= -1
                assert box.x1 <= figure.bbox.x1 + 1
                assert box.y1 <= figure.bbox.y1 + 1


def test_the_same_study_gives_the_same_bytes(chart, figure, study) -> None:
    assert as_svg(chart.__wrapped__(study)) == as_svg(figure)


# Each by itself


def test_a_strip_below_each_mode_marks_the_settling_times(study) -> None:
    figure = converging(study)
    assert len(figure.axes) == 2 * len(study.modes)
    table = study.settling()
    table = table[(table["delivery"] == "*") & (table["provider"] == "*")]
    for strip, mode in zip(figure.axes[1::2], study.modes, strict=True):
        low, high = strip.get_xlim()
        rows = {
            label.get_text(): y
            for label, y in zip(strip.get_yticklabels(), strip.get_yticks(), strict=True)
        }
        marked = {text.xy: text.get_text() for text in strip.texts}
        for row in table[(table["mode"] == mode) & (table["n"] > 0)].itertuples():
            at = (min(max(row.median, low), high), rows[f"±{row.tolerance_pt:g}"])
            assert marked[at] == elapsed(row.median)


def test_a_panel_that_cuts_off_data_says_so(study, compared) -> None:
    for figure in (converging(study), comparison(compared)):
        for panel in figure.axes:
            low, high = panel.get_ylim()
            curves = [line.get_ydata() for line in panel.lines if len(line.get_ydata()) > 10]
            cut_off = any(np.any((curve < low) | (curve > high)) for curve in map(np.array, curves))
            assert cut_off == panel.get_title(loc="left").endswith(", magnified")


def test_the_truth_is_drawn_with_its_tolerances(study) -> None:
    truth = np.median(study.replications.numbers[Quantity("efs", "*", "*", "truth_pct")])
    panel = converging(study).axes[2 * study.modes.index("efs")]
    levels = [line.get_ydata()[0] for line in panel.lines if len(line.get_ydata()) == 2]
    assert any(level == pytest.approx(truth) for level in levels)
    assert {"±1", "±0.5", "±0.1"} <= {text.get_text() for text in panel.texts}


def test_the_error_is_that_of_the_study_and_has_an_axis_for_both_sides(study) -> None:
    panel = reading_error(study).axes[0]
    low, high = panel.get_ylim()
    assert low < -50 < 0.5 < high
    band = study.replications.band(Quantity("efs", "*", "*", "error_pt"))
    lines = [line.get_ydata()[:-1] for line in panel.lines if len(line.get_ydata()) > 10]
    assert any(np.array_equal(line, band.median, equal_nan=True) for line in lines)
    assert {"too high", "too low"} <= {text.get_text() for text in panel.texts}


def test_the_stacked_parts_reach_to_the_sum(study) -> None:
    figure = remaining(study)
    panel = figure.axes[0]
    assert MODE_LOOKS[study.modes[0]].label in panel.get_title(loc="left")
    parts = [
        study.replications.band(Quantity(study.modes[0], "*", "*", name)).mean for name in PARTS
    ]
    total = np.nan_to_num(parts).sum(axis=0)
    lines = [line.get_ydata() for line in panel.lines if len(line.get_ydata()) == len(total)]
    np.testing.assert_allclose(lines[0], total, atol=1e-9)
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in panel.collections]
    np.testing.assert_allclose(max(tops), np.maximum(np.nan_to_num(parts), 0).sum(axis=0).max())


def test_what_is_left_after_the_first_attempts_gets_a_panel_of_its_own(study) -> None:
    titles = [panel.get_title(loc="left") for panel in remaining(study).axes]
    assert "Error of Delivered %, with EFS, in points" in titles
    assert "Error of Delivered %, with EFS, in points, magnified" in titles
    assert "Error of Delivered %, without EFS, in points, magnified" not in titles


def test_only_the_parts_that_can_be_seen_are_named(study) -> None:
    figure = remaining(study)
    for panel in figure.axes:
        named = [text.get_text() for text in panel.get_legend().get_texts()]
        assert named[-1] == "sum: the error"
        assert ("denominator" in " ".join(named)) == ("without EFS" in panel.get_title("left"))


def test_providers_come_with_their_share_the_largest_first(study) -> None:
    for panel in settling(study).axes:
        names = [label.get_text() for label in panel.get_yticklabels()]
        assert names == ["all together", "gmail  74.3 %", "yahoo  25.7 %"]
        rows = [line for line in panel.lines if line.get_marker() == "o"]
        assert len(rows) == 3 * len(study.modes)


def test_one_simulation_is_drawn_as_well(run) -> None:
    converged = sendcap.converge(run.scenario, 1, modes=["efs"], workers=1)
    for chart in CHARTS:
        assert as_small_png(chart(converged))
    assert any("3,500 messages, 1 simulation." in text for text in texts(converging(converged)))


def test_a_delivery_to_nobody_that_answers_is_drawn_as_well() -> None:
    case = scenario.from_dict(
        {
            "deliveries": [{"name": "d", "messages": 50, "audience": {"p": 1.0}}],
            "relay": {"batch_time": "1s", "error_rate": 1.0},
            "providers": {"p": {"connect_time": "1s", "transaction_time": "1s"}},
        }
    )
    study = sendcap.converge(case, 2, workers=1)
    for chart in CHARTS:
        assert as_small_png(chart(study))


def test_a_delivery_after_the_horizon_has_no_reading_and_is_drawn_as_well() -> None:
    text = """
        time.horizon = "2h"
        relay.batch_time = "1s"
        providers.p = { connect_time = "1s", transaction_time = "1s" }
        deliveries = [{ name = "d", messages = 50, at = "6h", audience = { p = 1.0 } }]
    """
    with pytest.warns(SendcapWarning, match="cuts off"):
        case = scenario.loads(text)
    study = sendcap.converge(case, 2, workers=1)
    for chart in CHARTS:
        assert as_small_png(chart(study))
        assert not any("nan" in text for text in texts(chart(study)))


def test_a_single_message_is_one_message() -> None:
    one = scenario.updated(scenario.load("quickstart"), {"deliveries[0].messages": 1})
    study = sendcap.converge(one, 1, modes=["efs"], workers=1)
    assert any(text.startswith("1 message, 1 simulation.") for text in texts(converging(study)))


def test_a_delivery_has_charts_of_its_own(study) -> None:
    for chart in (converging, reading_error, remaining):
        figure = chart(study, delivery="loyalty")
        assert any("loyalty: 500 messages" in text for text in texts(figure))


# The comparison


def test_a_comparison_has_both_curves_and_their_difference(compared) -> None:
    figure = comparison(compared)
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert "Delivered %, without EFS" in titles
    assert "Bounces + errors %, with EFS" in titles
    assert titles.count("Difference: mta.retry.first=6m − as it is, in points") == len(titles) / 2
    written = " ".join(texts(figure))
    assert compared.about_the_draws in written
    about = Quantity("efs", "*", "*", "delivered_pct")
    panel = figure.axes[titles.index("Delivered %, with EFS, magnified")]
    for each in (compared.a, compared.b):
        mean = each.band(about).mean
        assert any(
            np.array_equal(line.get_ydata()[:-1], mean, equal_nan=True) for line in panel.lines
        )
    difference = compared.difference(about).mean
    below = figure.axes[titles.index("Delivered %, with EFS, magnified") + 1]
    assert any(np.array_equal(line.get_ydata()[:-1], difference) for line in below.lines)


def test_a_comparison_of_runs_says_that_it_has_no_interval(run) -> None:
    other = sendcap.simulate(run.scenario, seed=99)
    figure = comparison(sendcap.compare(run, other, workers=1))
    assert any(
        "with different seeds and draws: a difference may be chance." in it for it in texts(figure)
    )
    assert as_small_png(figure)


def test_labels_at_the_ends_do_not_overlap(compared) -> None:
    figure = comparison(compared)
    with house_style():
        figure.draw_without_rendering()
        for panel in figure.axes:
            labels = [text for text in panel.texts if text.get_fontweight() == "bold"]
            boxes = sorted(map(Text.get_window_extent, labels), key=lambda box: box.y0)
            for lower, upper in itertools.pairwise(boxes):
                assert lower.y1 <= upper.y0 + 1.0
