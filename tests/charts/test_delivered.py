from __future__ import annotations

import itertools
from dataclasses import replace

import matplotlib as mpl
import pytest
from in_bytes import as_small_png, as_svg
from matplotlib.figure import Figure
from matplotlib.text import Text
from on_a_figure import on_a_figure

import sendcap
from sendcap import scenario
from sendcap.charts.delivered import delivered
from sendcap.charts.marks import expiry_spans
from sendcap.charts.style import MODE_LOOKS, house_style
from sendcap.readings.modes import MODES

delivered = on_a_figure(delivered)

HOUR = 3600.0


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def with_settings(run: sendcap.Run, **values) -> sendcap.Run:
    return sendcap.simulate(scenario.updated(run.scenario, values))


def test_a_panel_for_each_figure_and_one_magnified(run) -> None:
    titles = [axes.get_title(loc="left") for axes in delivered(run).axes]
    assert titles == ["Delivered %", "Delivered %, magnified", "Bounces + errors %"]


def test_a_line_and_a_label_for_each_mode(run) -> None:
    figure = delivered(run)
    for axes in figure.axes:
        labels = [text.get_text() for text in axes.texts]
        for mode in MODES:
            assert sum(label.startswith(f"{MODE_LOOKS[mode].label}  ") for label in labels) == 1
    assert len(delivered(run, modes=["efs"]).axes[0].texts) < len(figure.axes[0].texts)


def test_modes_are_called_by_names_that_a_planner_knows(run) -> None:
    written = " ".join(texts(delivered(run)))
    for name in ("without EFS  ", "with EFS  ", "EFS v8  ", "legacy MTA  "):
        assert name in written
    assert "efs" not in written


def test_labels_do_not_overlap(run) -> None:
    figure = delivered(run)
    names = tuple(look.label for look in MODE_LOOKS.values())
    with house_style():
        figure.draw_without_rendering()
        for axes in figure.axes:
            labels = [text for text in axes.texts if text.get_text().startswith(names)]
            # Without its leader.
            boxes = sorted(map(Text.get_window_extent, labels), key=lambda box: box.y0)
            assert len(boxes) == len(MODES)
            for lower, upper in itertools.pairwise(boxes):
                assert lower.y1 <= upper.y0 + 1.0
            assert all(box.x1 <= figure.bbox.x1 for box in boxes)


def test_the_title_is_the_scenarios_whatever_is_in_it(run) -> None:
    figure = delivered(run)
    assert figure.texts[0].get_text() == run.scenario.title
    assert figure.texts[1].get_text() == "3,500 messages to deliver in 2 deliveries"
    assert as_small_png(figure)


def test_the_sinking_without_efs_fills_the_magnified_panel(run) -> None:
    figure = delivered(run)
    low, high = figure.axes[1].get_ylim()
    sinking = run.kpis("without-efs")["delivered_pct"].dropna()
    assert low < sinking.min() < sinking.max() < high
    assert sinking.max() - sinking.min() > 0.5 * (high - low)


def test_nothing_is_magnified_where_there_is_nothing_to_see(run) -> None:
    perfect = with_settings(
        run,
        **{
            "providers.gmail.hard": [],
            "providers.gmail.faults": [],
            "providers.gmail.async_bounce": 0.0,
            "reporting.modes": ["without-efs"],
        },
    )
    assert len(delivered(perfect).axes) == 2


def test_the_longest_label_is_on_the_figure(run) -> None:
    perfect = with_settings(
        run,
        **{
            "providers.gmail.hard": [],
            "providers.gmail.faults": [],
            "providers.gmail.async_bounce": 0.0,
        },
    )
    figure = delivered(perfect)
    with house_style():
        figure.draw_without_rendering()
        (label,) = (text for text in figure.axes[0].texts if "without EFS" in text.get_text())
        assert label.get_text() == "without EFS  100.00 %"
        assert Text.get_window_extent(label).x1 <= figure.bbox.x1


def test_the_end_of_validity_is_marked_for_each_delivery(run) -> None:
    written = texts(delivered(run))
    assert "end of validity, news" in written
    assert "end of validity, loyalty" in written
    assert "end of validity" in texts(delivered(run, delivery="news"))


def test_the_start_of_each_delivery_after_the_first_is_marked(run) -> None:
    figure = delivered(run)
    assert "start of loyalty" in texts(figure)
    assert not any("start of news" in text for text in texts(figure))
    for panel in figure.axes:
        assert 1800.0 in [line.get_xdata()[0] for line in panel.lines if len(line.get_xdata()) == 2]


@pytest.fixture(scope="module")
def crowded(run) -> sendcap.Run:
    """Four deliveries that start and end close together, one with a long name."""
    names = ("news", "second thoughts", "A name that is " + "very " * 12 + "long", "last")
    deliveries = [
        {**scenario.to_dict(run.scenario)["deliveries"][0], "name": name, "at": at}
        for name, at in zip(names, ("0s", "4m", "30m", "10h"), strict=True)
    ]
    return with_settings(run, deliveries=deliveries)


def notes(axes) -> list[Text]:
    return [
        text for text in axes.texts if "start of" in text.get_text() or "end of" in text.get_text()
    ]


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_labels_of_vertical_lines_stay_apart_and_inside(crowded, scale) -> None:
    figure = delivered(crowded, scale=scale)
    with house_style():
        figure.draw_without_rendering()
        top = figure.axes[0]
        panel = top.get_window_extent()
        boxes = [text.get_bbox_patch().get_window_extent() for text in notes(top)]
    # Three starts, and the end of validity of all.
    assert len(boxes) == 4
    for box in boxes:
        assert panel.x0 <= box.x0 < box.x1 <= panel.x1
        assert panel.y0 <= box.y0 < box.y1 <= panel.y1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_labels_of_vertical_lines_hide_the_other_lines(crowded) -> None:
    for text in notes(delivered(crowded).axes[0]):
        box = text.get_bbox_patch()
        assert box.get_alpha() in (None, 1.0)
        assert text.get_zorder() > 1.5


def test_many_deliveries_are_marked_and_not_named_one_by_one(run) -> None:
    first = scenario.to_dict(run.scenario)["deliveries"][0]
    deliveries = [{**first, "name": f"d{n}", "at": f"{10 * n}m"} for n in range(8)]
    figure = delivered(with_settings(run, deliveries=deliveries))
    written = [text.get_text() for text in notes(figure.axes[0])]
    assert written[0] == "start of the 7 other deliveries"
    assert len(written) == 2


@pytest.mark.parametrize(("count", "drawn"), [(5, 4), (25, 24), (26, 0), (300, 0)])
def test_lines_of_very_many_starts_do_not_hide_the_data(run, count, drawn) -> None:
    first = scenario.to_dict(run.scenario)["deliveries"][0]
    deliveries = [{**first, "name": f"d{n}", "at": f"{60 * n}m"} for n in range(count)]
    # Their messages do not matter.
    many = sendcap.Run(scenario.updated(run.scenario, {"deliveries": deliveries}), run.ledger)
    panel = delivered(many, scale="linear").axes[0]
    starts = [line for line in panel.lines if line.get_linestyle() == ":"]
    assert len(starts) == drawn
    written = [text.get_text() for text in notes(panel)]
    assert any(text.startswith("start of") for text in written) == (drawn > 0)


def test_the_time_axis_says_that_it_is_logarithmic(run) -> None:
    assert "logarithmic" in delivered(run).axes[-1].get_xlabel()
    assert "logarithmic" not in delivered(run, scale="linear").axes[-1].get_xlabel()


def test_expiry_is_counted_from_the_relaying(run) -> None:
    news, loyalty = expiry_spans(run)
    assert (news.label, loyalty.label) == ("news", "loyalty")
    assert news.first_s == 8 * HOUR
    assert news.last_s == 8 * HOUR + 60.0
    assert loyalty.first_s == 84 * HOUR + 1800.0


def test_expiry_is_counted_from_the_start_if_so_asked(run) -> None:
    other = with_settings(run, **{"mta.clock_origin": "delivery-start"})
    news, loyalty = expiry_spans(other)
    assert (news.first_s, news.last_s) == (8 * HOUR, 8 * HOUR)
    assert (loyalty.first_s, loyalty.last_s) == (84.5 * HOUR, 84.5 * HOUR)


def test_a_slow_relay_makes_the_end_of_validity_a_span(run) -> None:
    slow = with_settings(run, **{"relay.batch_time": "30m"})
    assert any("(first to last message)" in text for text in texts(delivered(slow)))


def test_a_horizon_before_the_end_of_validity_marks_none(run) -> None:
    with pytest.warns(sendcap.SendcapWarning, match="cuts off results"):
        short = with_settings(run, **{"time.horizon": "1h"})
    figure = delivered(short)
    assert not any("validity" in text for text in texts(figure))
    assert figure.axes[0].get_xlim()[1] <= HOUR


def test_a_run_in_which_nothing_happened_has_a_chart_too(run) -> None:
    with pytest.warns(sendcap.SendcapWarning, match="cuts off results"):
        nothing = with_settings(run, **{"time.horizon": "1m", "relay.batch_time": "10h"})
    assert as_small_png(delivered(nothing))


def test_it_draws_on_axes_that_are_given(run) -> None:
    for count in (2, 3):
        figure = Figure()
        assert delivered(run, ax=figure.subplots(count)) is figure


def test_the_time_axis_can_be_linear(run) -> None:
    assert delivered(run, scale="linear").axes[0].get_xscale() == "linear"


def test_an_unknown_mode_or_delivery_is_named(run) -> None:
    with pytest.raises(sendcap.SendcapError, match="unknown mode 'x'"):
        delivered(run, modes=["x"])  # type: ignore[list-item]
    with pytest.raises(sendcap.SendcapError, match="unknown delivery 'x'"):
        delivered(run, delivery="x")


def test_the_same_run_gives_the_same_bytes_whatever_the_users_settings(run) -> None:
    before = dict(mpl.rcParams)
    one = as_svg(delivered.__wrapped__(run))
    # And none of them is changed.
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9}):
        two = as_svg(delivered.__wrapped__(replace(run)))
    assert one == two


def test_every_mode_has_its_look() -> None:
    assert set(MODE_LOOKS) == set(MODES)
    assert len({(look.colour, look.dashes) for look in MODE_LOOKS.values()}) == len(MODES)
