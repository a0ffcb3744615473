"""Every result draws itself: ``result.plot(name)`` and ``sendcap.plot(result, name)``."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pictures import limits, results, run, study
from test_calibration_chart import found as calibrated  # noqa: F401
from test_forecast_chart import found as forecast  # noqa: F401
from test_front_chart import optimum
from test_levers_chart import levers  # noqa: F401
from test_sensitivity_chart import screening, sensitivity

import sendcap
from sendcap.calibration.verification import verify
from sendcap.charts.drawing import Drawable
from sendcap.charts.listed import RUN_CHARTS, SWEEP_CHARTS, Chart
from sendcap.importers.queue_files import Queued, QueueFile
from sendcap.study.capacity.searches.sustained import Growth, Sustained
from sendcap.study.capacity.searches.within import Capacity
from sendcap.study.replication.estimates import Estimate


def capacity() -> Capacity:
    size = Estimate(51_700.0, 51_000.0, 52_400.0, 5)
    return Capacity(7200.0, 0.99, 51_000, size, 4.7, 0.95, 20, True, run().scenario)


def sustained() -> Sustained:
    growing = (Growth("provider", "gmail", 12.5), Growth("provider", "yahoo", 0.2))
    rate = Estimate(41.0, 40.2, 41.8, 5)
    return Sustained(rate, "provider", "gmail", 80.0, growing, 600.0, 1800.0, 0.95, 12, True)


QUEUE = QueueFile("csv", (Queued("gmail.com", "gmail", 50, 60.0, 600.0),), ())


def drawable_classes() -> list[type[Drawable]]:
    for module in pkgutil.walk_packages(sendcap.__path__, "sendcap."):
        if not module.name.startswith(("sendcap.explore", "sendcap.__main__")):
            importlib.import_module(module.name)
    classes, found = [Drawable], []
    while classes:
        children = classes.pop().__subclasses__()
        classes += children
        found += children
    return found


@pytest.fixture
def drawable(request, compared) -> dict[str, Drawable]:
    return {
        "Run": run(),
        "Limits": limits(),
        "Calendar": sendcap.calendar(run().scenario),
        "Drain": sendcap.drain(run().scenario, QUEUE),
        "Levers": request.getfixturevalue("levers"),
        "Capacity": capacity(),
        "Sustained": sustained(),
        "ConvergenceStudy": study(),
        "Comparison": compared,
        "Forecast": request.getfixturevalue("forecast"),
        "Sensitivity": sensitivity(2),
        "Screening": screening(),
        "Tried": optimum(),
        "Optimum": optimum(),
        "Calibration": request.getfixturevalue("calibrated"),
        "Verification": verify(request.getfixturevalue("calibrated")),
    }


def test_every_result_draws_each_of_its_charts(drawable) -> None:
    assert {each.__name__ for each in drawable_classes()} == set(drawable)
    for result in drawable.values():
        charts = type(result).charts()
        assert charts
        names = [chart.name for chart in charts]
        assert len(set(names)) == len(names)
        # Without a name the first is drawn.
        assert result.plot().axes
        for chart in charts[1:]:
            if chart.name not in ("attempts", "people"):
                assert result.plot(chart.name).axes


def test_sendcap_plot_draws_results_tables_and_directories(tmp_path: Path) -> None:
    assert sendcap.Run.charts() == RUN_CHARTS
    assert sendcap.plot(run(), "backlog", start="scenario").axes
    for chart in SWEEP_CHARTS:
        assert sendcap.plot(results(), chart.name).axes
    assert sendcap.plot(capacity()).axes
    run().save(tmp_path / "saved")
    figure = sendcap.plot(tmp_path / "saved", "statuses", scale="linear")
    assert figure.axes[0].get_xscale() == "linear"


asked: list[str] = []


def title_of(result: sendcap.Run, extra: str = "") -> str:
    asked.append(extra)
    return result.scenario.title + extra


def titled(title: str, ax: Axes | None = None) -> Axes:
    axes = ax or Figure().subplots()
    axes.set_title(title)
    return axes


def test_a_chart_drawn_twice_asks_its_source_once() -> None:
    asked.clear()
    chart = Chart("title", "a title", f"{__name__}:titled", f"{__name__}:title_of")
    draw = chart.prepared(run(), extra=", twice")
    wide, narrow = draw(), draw()
    assert wide is not narrow
    for figure in (wide, narrow):
        assert figure.axes[0].get_title() == f"{run().scenario.title}, twice"
    assert asked == [", twice"]


def test_a_wrong_name_or_option_is_refused_with_the_right_ones(tmp_path: Path) -> None:
    with pytest.raises(
        sendcap.SendcapError, match=r"^Capacity has no chart 'pie'; choose from: capacity$"
    ):
        capacity().plot("pie")
    with pytest.raises(sendcap.SendcapError, match="delivery: not supported by chart tornado"):
        sendcap.plot(results(), "tornado", delivery="news")
    with pytest.raises(sendcap.SendcapError, match="sending_log: required"):
        run().plot("attempts")
    with pytest.raises(sendcap.SendcapError, match=r"^a sweep has no chart 'backlog'; choose from"):
        sendcap.plot(results(), "backlog")
    with pytest.raises(sendcap.SendcapError, match="no such directory"):
        sendcap.plot(tmp_path / "absent", "funnel")
    with pytest.raises(sendcap.SendcapError, match="nothing to draw"):
        sendcap.plot(pd.DataFrame(), "tornado")


def test_a_chart_of_another_kind_of_directory_is_refused_with_the_right_ones(
    tmp_path: Path,
) -> None:
    run().save(tmp_path / "run")
    with pytest.raises(
        sendcap.SendcapError, match="run: a run has no chart 'tornado'; choose from"
    ):
        sendcap.plot(tmp_path / "run", "tornado")
    (tmp_path / "sweep").mkdir()
    results().to_csv(tmp_path / "sweep" / "results.csv")
    with pytest.raises(sendcap.SendcapError, match="sweep: a sweep has no chart 'backlog'; choose"):
        sendcap.plot(tmp_path / "sweep", "backlog")


def test_a_line_of_a_sweep_over_two_parameters_belongs_to_a_value_of_the_other() -> None:
    table = results()
    two = table[table["providers.gmail.transient"] == 0.01]
    assert labels_of(sendcap.plot(two, "sweep-line", over="mta.ips")) == ["10m", "1h", "20m"]


def test_runs_that_differ_in_another_parameter_are_never_pooled() -> None:
    table = results()
    figure = sendcap.plot(table, "sweep-line", over="mta.ips", by="mta.retry.first")
    values = sorted(set(table["providers.gmail.transient"]))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"providers.gmail.transient {value:g}" for value in values]
    measure = next(name for name in table if name.endswith("_s") and name != "wall_s")
    for axes, value in zip(figure.axes, values, strict=True):
        own = table[table["providers.gmail.transient"] == value]
        drawn = sorted(y for line in axes.lines for y in line.get_ydata() if len(line.get_ydata()))
        means = own.groupby(["mta.retry.first", "mta.ips"])[measure].mean()
        assert set(np.round(means, 6)) <= set(np.round(drawn, 6))
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_a_band_is_of_replications_alone() -> None:
    once = results().drop_duplicates(["mta.ips", "mta.retry.first", "providers.gmail.transient"])
    figure = sendcap.plot(once, "sweep-line", over="mta.ips")
    for axes in figure.axes:
        for band in axes.collections:
            low, high = band.get_paths()[0].get_extents().get_points()[:, 1]
            lines = {float(y) for line in axes.lines for y in line.get_ydata()}
            # It is as wide as a line: its ends are those of the points.
            assert {round(low, 6), round(high, 6)} <= {round(y, 6) for y in lines}
    words = " ".join(text.get_text() for text in figure.texts)
    assert "band" not in words


def test_points_of_a_design_are_dots(tmp_path: Path) -> None:
    design = pd.DataFrame(
        {
            "mta.ips": [1, 2, 3, 4],
            "relay.workers": [4, 3, 2, 1],
            "mta.retry.factor": [1.1, 1.7, 2.3, 1.3],
            "accepted_99_pct_s": [100.0, 90.0, 80.0, 70.0],
        }
    )
    figure = sendcap.plot(design, "sweep-line", over="mta.ips")
    (axes,) = figure.axes
    (dots,) = axes.lines
    assert dots.get_linestyle() == "None"
    assert list(dots.get_ydata()) == [100.0, 90.0, 80.0, 70.0]
    assert not axes.collections
    words = " ".join(" ".join(text.get_text() for text in figure.texts).split())
    assert "Each dot is a run, in which relay.workers and mta.retry.factor vary, too." in words


def labels_of(figure: Figure) -> list[str]:
    """Return the names of the lines, from their labels at the end."""
    labels = [text.get_text() for text in figure.axes[0].texts]
    return sorted(label.partition(":")[0] for label in labels if ":" in label)
