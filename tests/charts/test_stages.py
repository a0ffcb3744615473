"""The charts of a delivery's stages: backlog, ages, throughput, utilisation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import matplotlib as mpl
import numpy as np
import pytest
from in_bytes import as_svg
from matplotlib.figure import Figure
from matplotlib.text import Text
from on_a_figure import on_a_figure

import sendcap
from sendcap.charts.narrow import narrow
from sendcap.charts.style import house_style
from sendcap.scenario import from_dict, loads, to_dict, updated
from sendcap.study.capacity.charts import stages
from sendcap.study.capacity.charts.stages import throughput, utilisation
from sendcap.study.capacity.charts.waiting import backlog, queue_age
from sendcap.study.capacity.limits import Limits
from sendcap.text.quantities import compact

backlog = on_a_figure(backlog)
queue_age = on_a_figure(queue_age)
throughput = on_a_figure(throughput)
utilisation = on_a_figure(utilisation)

TEXT = """
title = "Two deliveries, 中 $ and 100 %"
seed = 3
[time]
bin = "5s"
[[deliveries]]
name = "news"
messages = 6000
audience = { gmail = 0.7, yahoo = 0.3 }
[[deliveries]]
name = "loyalty"
messages = 1500
at = "2m"
audience = { gmail = 1.0 }
[relay]
workers = 2
batch = 100
batch_time = "1s"
[mta]
ingress_rate = "300/s"
[providers.gmail]
connections_per_ip = 4
connect_time = "100ms"
transaction_time = "200ms"
[providers.yahoo]
connect_time = "100ms"
transaction_time = "50ms"
outages = [{ at = "30s", lasts = "20s" }]
"""
CHARTS: list[Callable[..., Figure]] = [backlog, queue_age, throughput, utilisation]
each_chart = pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.__name__)


@pytest.fixture(scope="module")
def limits() -> Limits:
    return sendcap.limits(loads(TEXT))


@pytest.fixture(scope="module")
def crowded() -> Limits:
    """Thirty providers with long names, and four deliveries close together."""
    data = to_dict(loads(TEXT))
    names = [f"provider number {n} with a name that is long.example" for n in range(30)]
    slow = {**data["providers"]["gmail"], "connections_per_ip": 1}
    data["providers"] = dict.fromkeys(names, slow)
    data["relay"]["batch_time"] = "100ms"
    data["mta"]["ingress_rate"] = "1500/s"
    first = {**data["deliveries"][0], "audience": dict.fromkeys(names, 1 / 30)}
    data["deliveries"] = [
        {**first, "name": f"a delivery, number {n}", "at": f"{4 * n}s"} for n in range(4)
    ]
    data["title"] = "A title " + "that goes on " * 14
    return sendcap.limits(from_dict(data))


@pytest.fixture(scope="module")
def nothing() -> Limits:
    at_once = {"connect_time": "0s", "transaction_time": "0s"}
    return sendcap.limits(
        from_dict(
            {
                "deliveries": [{"name": "a", "messages": 3, "audience": {"p": 1.0}}],
                "relay": {"batch_time": "0s"},
                "providers": {"p": at_once},
            }
        )
    )


def written(figure: Figure) -> list[str]:
    texts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
    return texts


def drawn(figure: Figure) -> Iterator[Text]:
    """Yield the texts that can be seen."""
    yield from figure.texts
    for axes in figure.axes:
        yield from (*axes.texts, axes._left_title, axes.xaxis.label, axes.yaxis.label)
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            if axis.get_tick_params().get("labelbottom", True):
                for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True):
                    if min(limits) <= place <= max(limits):
                        yield label


def boxes_of(figure: Figure) -> list[tuple[str, mpl.transforms.Bbox]]:
    """All texts that are drawn and where they are, in pixels, annotations without arrows."""
    with house_style():
        figure.draw_without_rendering()
        return [
            (text.get_text(), Text.get_window_extent(text))
            for text in drawn(figure)
            if text.get_text().strip()
        ]


@pytest.fixture(
    scope="module",
    params=itertools.product(CHARTS, ["limits", "crowded", "nothing"]),
    ids=lambda each: f"{each[0].__name__}-{each[1]}",
)
def laid_out(request) -> tuple[Figure, list[tuple[str, mpl.transforms.Bbox]]]:
    """A chart of some limits, and its texts."""
    chart, which = request.param
    figure = chart(request.getfixturevalue(which))
    return figure, boxes_of(figure)


def test_no_text_is_cut_off_at_the_edge(laid_out) -> None:
    figure, boxes = laid_out
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0, text
        assert box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0, text
        assert box.y1 <= figure.bbox.y1, text


def test_no_two_texts_overlap(laid_out) -> None:
    _, boxes = laid_out
    for (one, each), (two, other) in itertools.combinations(boxes, 2):
        width = min(each.x1, other.x1) - max(each.x0, other.x0)
        height = min(each.y1, other.y1) - max(each.y0, other.y0)
        assert width <= 2.0 or height <= 3.0, (one, two)


@each_chart
def test_the_scenario_is_named_and_what_holds_it_up_is_told(chart, limits) -> None:
    figure = chart(limits)
    assert figure.texts[0].get_text().startswith("Two deliveries, 中 $ and 100 %: ")
    told = figure.texts[1].get_text().replace("\n", " ").replace("\u00a0", " ")
    assert limits.sentence in told
    assert limits.sentence.startswith("Bottleneck: gmail. ")


@each_chart
def test_the_same_limits_give_the_same_bytes_and_no_global_setting_is_changed(
    chart, limits
) -> None:
    before = dict(mpl.rcParams)
    one = as_svg(chart.__wrapped__(limits))
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9}):
        two = as_svg(chart.__wrapped__(limits))
    assert one == two


@pytest.mark.parametrize("chart", [backlog, queue_age, utilisation])
def test_it_draws_on_axes_that_are_given(chart, limits) -> None:
    figure = Figure()
    assert chart(limits, figure.subplots()) is figure
    assert len(figure.axes) == 1
    assert not figure.texts


def test_throughput_draws_on_as_many_panels_as_are_given(limits) -> None:
    figure = Figure()
    assert throughput(limits, figure.subplots(2)) is figure
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert "gmail, attempts/s" in titles
    assert len(titles) == 2


@pytest.mark.parametrize("chart", [backlog, throughput, utilisation])
def test_time_is_linear_and_ends_when_the_last_stage_has_drained(chart, limits) -> None:
    for axes in chart(limits).axes:
        assert axes.get_xscale() == "linear"
        first_s, last_s = axes.get_xlim()
        assert first_s == 0.0
        assert limits.drained_at_s < last_s < 1.2 * limits.drained_at_s
        assert axes.get_xlabel() in ("time since the start", "")
    assert "time since the start" in written(chart(limits))


# --- Backlog --------------------------------------------------------------------------------------


def areas(figure: Figure) -> list[np.ndarray]:
    return [area.get_paths()[0].vertices for area in figure.axes[0].collections]


def test_the_layers_add_up_to_all_that_wait(limits) -> None:
    figure = backlog(limits)
    outline = next(line for line in figure.axes[0].lines if len(line.get_xdata()) > 10)
    total = sum(each.backlog for each in limits.observed)
    edges_s = limits.observed[0].edges_s
    for time_s, waiting in zip(outline.get_xdata(), outline.get_ydata(), strict=True):
        if time_s in edges_s:
            assert waiting == pytest.approx(total[int(time_s / 5.0)])
    assert max(vertices[:, 1].max() for vertices in areas(figure)) == 6000


def test_the_relay_jumps_when_a_delivery_starts(limits) -> None:
    figure = backlog(limits)
    (outline,) = (line for line in figure.axes[0].lines if len(line.get_xdata()) > 10)
    time_s, waiting = outline.get_xdata(), outline.get_ydata()
    before, at = np.interp([119.999, 120.0], time_s, waiting)
    assert at - before == pytest.approx(1500, abs=10)


def test_each_layer_is_named_with_its_peak(limits) -> None:
    texts = written(backlog(limits))
    assert "the relay" in texts
    assert "6 k at the start, gone at 2m 10s" in texts
    assert "gmail" in texts
    gmail = limits.observed[2]
    assert any(text.startswith(f"{compact(gmail.peak_backlog)} at ") for text in texts)


def test_a_later_start_and_an_outage_are_marked(limits) -> None:
    for chart in (backlog, utilisation):
        texts = written(chart(limits))
        assert "start of loyalty" in texts
        assert "yahoo unreachable" in texts


def test_many_small_stages_are_one_layer(crowded) -> None:
    texts = written(backlog(crowded))
    assert "26 other stages" in texts
    assert sum("provider number" in text for text in texts[2:]) == 4


def test_where_nothing_waits_the_charts_say_so(nothing) -> None:
    assert "never more than 0" in written(backlog(nothing))
    assert "Nothing waits." in written(queue_age(nothing))
    assert "no limit" in written(throughput(nothing))
    assert not any(
        stages.colour(each, nothing) == stages.colour(nothing.observed[0], nothing) == "#bd1f01"
        for each in nothing.observed
    )


SHARED = """
[[limits]]
name = "gmail"
connections = 2
[[limits]]
name = "never reached"
rate = "900/s"
"""


def test_who_waits_for_a_limit_over_several_queues_is_a_dashed_line() -> None:
    shared = sendcap.limits(loads(TEXT + SHARED))
    (stage, _) = (each for each in shared.observed if each.stage.kind == "limit")
    figure = backlog(shared)
    texts = written(figure)
    assert "limit gmail" in texts
    assert any("Dashed: all that wait in the queues of a limit." in text for text in texts)
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 10]
    lines = [line for line in curves if line.get_linestyle() == "--"]
    assert [max(line.get_ydata()) for line in lines] == [stage.peak_backlog]


# --- Ages -----------------------------------------------------------------------------------------


def test_the_ages_of_each_row_add_up_to_what_waits(limits) -> None:
    figure = queue_age(limits)
    axes = figure.axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["all", "gmail", "yahoo"]
    total = sum(each.backlog for each in limits.observed[2:])
    at = int(total.argmax())
    counts = dict.fromkeys(rows, 0)
    for text in axes.texts:
        counts[rows[int(text.get_position()[1])]] += int(text.get_text().replace(",", ""))
    assert counts["all"] == pytest.approx(total[at], abs=3)
    assert counts["gmail"] == pytest.approx(limits.observed[2].backlog[at], abs=3)


def test_ages_are_in_buckets_that_double(limits) -> None:
    labels = [label.get_text() for label in queue_age(limits).axes[0].get_xticklabels()]
    assert labels == ["0–5s", "5s–10s", "10s–20s", "20s–40s"]
    hours = updated(
        limits.scenario,
        {"relay.batch_time": "1m", "providers.gmail.transaction_time": "20s", "time.bin": "1m"},
    )
    labels = [
        label.get_text() for label in queue_age(sendcap.limits(hours)).axes[0].get_xticklabels()
    ]
    assert labels[:4] == ["0–5m", "5m–10m", "10m–20m", "20m–40m"]


# --- Throughput and utilisation -------------------------------------------------------------------


def test_a_panel_for_each_stage_with_its_unit_and_ceiling(limits) -> None:
    figure = throughput(limits)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "the relay, messages/s",
        "the ingress, messages/s",
        "gmail, attempts/s",
        "yahoo, attempts/s",
    ]
    gmail = limits.observed[2]
    told = figure.axes[2].texts[0].get_text()
    assert told == f"ceiling 20/s (connections), {100 * gmail.mean_utilisation:.0f} % in use"


def test_a_year_of_bins_is_drawn_in_bars_as_high_as_their_highest_bin() -> None:
    heights = np.random.default_rng(5).random(525_600)
    edges_s, bars = stages.bars(np.arange(525_601.0), heights)
    assert len(bars) == len(edges_s) - 1 <= 4_000
    assert (edges_s[0], edges_s[-1]) == (0.0, 525_600.0)
    for number in (0, 77, len(bars) - 1):
        within = slice(int(edges_s[number]), int(edges_s[number + 1]))
        assert bars[number] == heights[within].max()
    few = stages.bars(np.arange(11.0), heights[:10])[1]
    assert (few == heights[:10]).all()


def test_a_bar_that_is_thinner_than_a_point_has_an_edge(limits) -> None:
    """Of a day of bins a single one that carries anything is seen."""
    later = updated(limits.scenario, {"deliveries[1].at": "1d"})
    wide, thin = (throughput(found).axes[0].patches[0] for found in (limits, sendcap.limits(later)))
    assert wide.get_linewidth() == 0.0
    assert thin.get_linewidth() > 0.0


def test_a_ceiling_that_is_far_above_is_told_and_not_drawn(limits) -> None:
    figure = throughput(limits)
    relay, yahoo = figure.axes[0], figure.axes[3]
    assert relay.get_ylim()[1] > limits.stages[0].per_s
    assert yahoo.get_ylim()[1] < limits.stages[3].per_s
    assert "ceiling 196/s (connections)" in yahoo.texts[0].get_text()


def test_on_a_phone_no_ceiling_is_below_its_label(limits) -> None:
    steps = [{"at": "0s", "rate": "10/s"}, {"at": "5m", "rate": "18/s"}]
    schedule = {"providers.gmail.rate": {"kind": "schedule", "steps": steps}}
    slow = sendcap.limits(updated(limits.scenario, schedule))
    with narrow(), house_style():
        figure = throughput(slow)
        figure.draw_without_rendering()
    labels = [axes.texts[0].get_text() for axes in figure.axes]
    assert labels[1] == "ceiling 300/s (rate), 19 % in use"
    assert labels[2] == "ceiling 13/s on average (schedule),\n100 % in use"
    gmail = figure.axes[2]
    label = Text.get_window_extent(gmail.texts[0]).transformed(gmail.transData.inverted())
    assert label.y0 > 18.0


def test_what_holds_up_is_always_shown_and_has_its_own_colour(limits, crowded) -> None:
    for each in (limits, crowded):
        chosen = stages.used_most(each, 3)
        assert each.bottleneck in [one.stage.name for one in chosen]
        assert [stages.colour(one, each) == "#bd1f01" for one in each.observed].count(True) == 1


def test_a_row_for_each_stage_from_the_relay_down(limits) -> None:
    axes = utilisation(limits).axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["yahoo", "gmail", "the ingress", "the relay"]
    for each in limits.observed:
        assert f"{100 * each.mean_utilisation:.0f} % in use" in written(axes.figure)
