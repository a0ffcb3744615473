"""The charts of a run show its ledger's numbers, and hold for one delivery or many."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from in_bytes import as_small_png
from matplotlib.figure import Figure
from matplotlib.text import Text
from on_a_figure import on_a_figure
from pictures import TEXT, limits, results, run_of_people

import sendcap
from sendcap import scenario
from sendcap.charts.attempts import attempts_per_message
from sendcap.charts.bounce_reasons import bounce_reasons
from sendcap.charts.delivered import delivered
from sendcap.charts.durations import time_to_accept
from sendcap.charts.funnel import funnel
from sendcap.charts.listed import RUN_CHARTS, SWEEP_CHARTS
from sendcap.charts.narrow import narrow
from sendcap.charts.over_time import retries, statuses
from sendcap.charts.style import FORMATS, house_style, save
from sendcap.plotting import plot
from sendcap.readings.summary import accepted_at_s
from sendcap.study.capacity.limits import limits_from_ledger
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.charts.style import Drawn

CHARTS = {chart.name: chart for chart in (*RUN_CHARTS, *SWEEP_CHARTS)}
OF_A_RUN = [
    chart.name
    for chart in RUN_CHARTS
    if chart.home.startswith("sendcap.charts.") and chart.name not in ("attempts", "people")
]
each_chart = pytest.mark.parametrize("name", OF_A_RUN)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "sending-log.parquet"


@pytest.fixture(scope="module")
def run(log) -> sendcap.Run:
    return sendcap.simulate(scenario.loads(TEXT), sending_log=log)


def draw(name: str, run: sendcap.Run, log, **options) -> Drawn:
    if name in {chart.name for chart in SWEEP_CHARTS}:
        return plot(results(), name, **options)
    if name == "people":
        return plot(run_of_people(), name, **options)
    if name == "attempts":
        options["sending_log"] = log
    return plot(run, name, **options)


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("name", CHARTS)
def test_it_draws_on_axes_that_are_given_and_changes_nothing_else(name, run, log) -> None:
    before = dict(mpl.rcParams)
    figure = Figure(figsize=(9, 7))
    left, right = figure.subplots(1, 2)
    assert draw(name, run, log, ax=left) is figure
    assert dict(mpl.rcParams) == before
    assert figure.axes[:2] == [left, right]
    assert not right.has_data()
    panels = left.child_axes or [left]
    assert all(panel.has_data() for panel in panels)
    room = left.get_position()
    for panel in panels:
        box = panel.get_position() if panel is left else panel.get_window_extent().transformed(
            figure.transFigure.inverted()
        )  # fmt: skip
        assert room.x0 - 0.01 <= box.x0 < box.x1 <= room.x1 + 0.01
        assert room.y0 - 0.01 <= box.y0 < box.y1 <= room.y1 + 0.01


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_chart_gives_the_same_bytes(form, run) -> None:
    files = []
    for size in (9, 30):
        with mpl.rc_context({"font.size": size, "svg.hashsalt": str(size)}):
            stream = io.BytesIO()
            save(delivered(run), stream, form)
            files.append(stream.getvalue())
    assert files[0] == files[1]
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[form]
    assert files[0].startswith(start)
    assert b"atplotlib v" not in files[0]


def test_no_chart_imports_pyplot(warm) -> None:
    code = "import sys; from sendcap.charts.listed import CHARTS"
    code += "; [chart.load() for charts in CHARTS.values() for chart in charts]"
    code += "; assert 'matplotlib.pyplot' not in sys.modules"
    done = warm.run(["-c", code])
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def many_providers() -> sendcap.Run:
    provider = {"connect_time": "0s", "transaction_time": "1s", "transient": 0.1}
    providers = {f"provider-{number}": provider for number in range(12)}
    one = {"name": "one", "messages": 1200, "audience": dict.fromkeys(providers, 1 / 12)}
    relay = {"batch_time": "1s"}
    made = {"deliveries": [one], "relay": relay, "providers": providers}
    return sendcap.simulate(scenario.from_dict(made))


@each_chart
@pytest.mark.parametrize("delivery", ["*", "reminder"])
def test_nothing_written_is_cut_off_or_overlaps(name, delivery, run) -> None:
    nothing_is_cut_off_or_overlaps(on_a_figure(CHARTS[name].load())(run, delivery=delivery))


@each_chart
def test_no_provider_of_many_is_cut_off(name, many_providers) -> None:
    nothing_is_cut_off_or_overlaps(on_a_figure(CHARTS[name].load())(many_providers))


def nothing_is_cut_off_or_overlaps(figure: Figure) -> None:
    with house_style():
        figure.draw_without_rendering()
        boxes = [
            (text.get_text(), Text.get_window_extent(text))
            for axes in figure.axes
            for text in (*figure.texts, *axes.texts, axes._left_title, axes.xaxis.label)
            if text.get_text().strip()
        ]
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, text
    for (one, each), (two, other) in itertools.combinations(dict(boxes).items(), 2):
        width = min(each.x1, other.x1) - max(each.x0, other.x0)
        height = min(each.y1, other.y1) - max(each.y0, other.y0)
        assert width <= 2.0 or height <= 3.0, (one, two)


@each_chart
def test_a_delivery_that_is_not_there_is_refused(name, run) -> None:
    with pytest.raises(sendcap.SendcapError, match="unknown delivery 'x': choose from news, "):
        CHARTS[name].draw(run, delivery="x")


@pytest.fixture(scope="module")
def nothing_accepted() -> sendcap.Run:
    case = scenario.updated(
        scenario.loads(TEXT),
        {
            "deliveries": [{"name": "d", "messages": 40, "audience": {"yahoo": 1.0}}],
            "relay.error_rate": 1.0,
        },
    )
    return sendcap.simulate(case)


@each_chart
def test_a_run_in_which_nothing_is_accepted_is_drawn(name, nothing_accepted) -> None:
    assert as_small_png(CHARTS[name].draw(nothing_accepted))


# --- The numbers ----------------------------------------------------------------------------------


def test_the_funnel_has_the_totals_of_each_provider(run) -> None:
    written = words(on_a_figure(funnel)(run))
    for event in ("relayed", "accepted"):
        for provider in (None, "gmail", "yahoo", "other"):
            total = run.ledger.total(event, clock="happened", provider=provider)
            assert f"{total:,}" in written
    final = run.ledger.total("accepted") - run.ledger.total("async_bounced")
    assert f"{final:,}" in written
    assert f"{100 * final / run.ledger.messages():.2f} %" in written


def test_below_a_narrow_chart_no_status_ends_in_a_comma(run) -> None:
    """Messages not relayed yet have a most, and none of them are left in the end."""
    with narrow() as legends:
        statuses(run, ["efs"])
    (words,) = [each.words for each in legends[0].names if each.label == "not relayed yet"]
    assert words.strip(", ") == words == "100 % at the start"


def test_the_statuses_fill_all_of_the_height_and_end_as_the_kpis_do(run) -> None:
    panels = statuses(run, ["efs", "efs-v8"])
    for panel, mode in zip(panels, ("efs", "efs-v8"), strict=True):
        tops = [area.get_paths()[0].vertices[:, 1].max() for area in panel.collections[:4]]
        assert max(tops) == pytest.approx(100.0)
        at_end = run.dashboard(run.ledger.end_s, mode, compute_stats=True)
        written = [text.get_text() for text in panel.texts]
        assert f"{100 * at_end.sent / at_end.to_deliver:.2f} % in the end" in written


def test_the_times_to_accept_are_those_of_the_summary(run) -> None:
    one = time_to_accept(run, "news")
    written = [text.get_text() for text in one.texts]
    half = accepted_at_s(run.ledger, 50, delivery="news", provider="yahoo")
    most = accepted_at_s(run.ledger, 99, delivery="news", provider="yahoo")
    assert f"50 % after {elapsed(half)}, 99 % after {elapsed(most)}" in written


def test_each_delivery_counts_from_its_own_start(run) -> None:
    line = time_to_accept(run, "reminder").lines
    first = next(each for each in line if len(each.get_xdata()) > 10)
    time_s, pct = np.asarray(first.get_xdata()), np.asarray(first.get_ydata())
    assert time_s[np.searchsorted(pct, 1.0)] < 600.0
    assert accepted_at_s(run.ledger, 50, delivery="reminder") > 7200.0


def test_the_reasons_add_up_to_the_bounces(run) -> None:
    axes = bounce_reasons(run)
    bars = sum(bar.get_width() for row in axes.containers for bar in row)
    events = ("hard", "soft_first", "async_bounced", "relay_failed")
    total = sum(run.ledger.total(event, clock="happened") for event in events)
    assert bars == total
    written = [text.get_text() for text in axes.texts]
    count = run.ledger.reasons("soft_first")["greylisted"]
    assert f"{count:,} messages" in written or f"{count:,}" in written


def test_the_retries_are_those_that_the_ledger_counts(run) -> None:
    top, below = retries(run)
    total = run.ledger.total
    written = [text.get_text() for text in (*top.texts, *below.texts)]
    retried = total("soft") - total("soft_first") + total("recovered") + total("hard_after_soft")
    assert f"{retried:,} in all" in written
    assert f"{total('recovered'):,} in the end" in written
    untried = total("expired_untried")
    assert f"{total('expired') - untried:,} in the end" in written


def test_the_attempts_of_the_log_are_those_of_the_ledger(run, log) -> None:
    counts = attempts_per_message(run, log)
    for end, count in counts.items():
        assert count.sum() == run.ledger.total(end, clock="happened")
    made = sum(int(np.arange(len(each)) @ each) for each in counts.values())
    # Each attempt belongs to a message that is final at the end of the run.
    assert made == run.ledger.total("attempted", clock="happened")
    news = attempts_per_message(run, log, "news")
    assert news["accepted"].sum() == run.ledger.total("accepted", delivery="news")


def test_without_a_sending_log_it_says_where_to_get_one(run, tmp_path) -> None:
    with pytest.raises(sendcap.RunError, match=r"no such file: .* --sending-log writes"):
        run.plot("attempts", sending_log=tmp_path / "none.parquet")
    (tmp_path / "odd.parquet").write_text("odd")
    with pytest.raises(sendcap.RunError, match=r"odd\.parquet: cannot be read"):
        run.plot("attempts", sending_log=tmp_path / "odd.parquet")


def test_expiry_outages_and_later_starts_are_marked(run) -> None:
    for chart in (delivered, statuses, retries):
        written = words(on_a_figure(chart)(run))
        for mark in ("yahoo unreachable", "start of reminder", "end of validity"):
            assert any(text.startswith(mark) for text in written), chart


# --- The stages, from the ledger ------------------------------------------------------------------


def test_the_ledger_tells_what_a_simulation_that_is_watched_does(run) -> None:
    watched, told = limits(), limits_from_ledger(run)
    assert told.sentence == watched.sentence
    assert told.bottleneck == watched.bottleneck
    for one, two in zip(watched.observed, told.observed, strict=True):
        assert one.stage == two.stage
        if one.stage.kind == "provider":
            shown = slice(min(len(one.throughput_per_s), len(two.throughput_per_s)))
            np.testing.assert_array_equal(one.throughput_per_s[shown], two.throughput_per_s[shown])
        if one.stage.kind == "relay":
            shown = slice(min(len(one.backlog), len(two.backlog)))
            gap = np.abs(one.backlog[shown] - two.backlog[shown])
            # What is with a worker has left the queue, and is not relayed yet.
            assert gap.max() <= run.scenario.relay.workers * run.scenario.relay.batch
        assert (two.backlog >= 0).all()
        assert two.backlog[-1] == 0


def test_no_share_is_accepted_before_the_start_where_that_is_within_a_bin() -> None:
    # Half a minute after the start of a bin that holds all of it.
    late = scenario.load("quickstart").with_(
        {"deliveries[0].messages": 3, "deliveries[0].at": "30s", "seed": 1}
    )
    written = [text.get_text() for text in time_to_accept(sendcap.simulate(late)).texts]
    assert "50 % after 30s, 99 % after 30s" in written
