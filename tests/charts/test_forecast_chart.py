from __future__ import annotations

import numpy as np
import pytest
from on_a_figure import on_a_figure

import sendcap
from sendcap import scenario
from sendcap.study.forecasts.chart import forecast as forecast_chart

chart_of = on_a_figure(forecast_chart)
TEXT = """
title = "A $mall send"
seed = 3
relay = { batch_time = "1s" }
deliveries = [{ name = "news", messages = 500, validity = "5h", audience = { p = 1.0 } }]
[providers.p]
connect_time = "1s"
transaction_time = "5s"
hard = [{ reason = "user unknown", share = 0.05 }]
"""
SHARE = "providers.p.hard[0].share"


@pytest.fixture(scope="module")
def found() -> sendcap.Forecast:
    case = scenario.loads(TEXT)
    seen = sendcap.simulate(case).kpis("efs")
    return sendcap.forecast(
        case, seen, "20m", ranges={SHARE: (0.01, 0.2)}, simulations=64, workers=1, modes=["efs"]
    )


def test_the_bar_is_the_interval_of_the_end_and_no_longer(found) -> None:
    figure = chart_of(found)
    figure.draw_without_rendering()
    (panel,) = figure.axes
    (bar,) = (line for line in panel.lines if line.get_linewidth() == 5)
    final = found.final().iloc[0]
    np.testing.assert_allclose(bar.get_ydata(), [final["low"], final["high"]])
    # Ends that stick out would show an interval that is wider by the line's width.
    assert bar.get_solid_capstyle() == "butt"


def test_the_readings_end_where_the_fan_begins(found) -> None:
    figure = chart_of(found)
    (panel,) = figure.axes
    median, readings = panel.lines[:2]
    assert readings.get_xdata()[-1] == median.get_xdata()[0] == found.at_s
    assert readings.get_ydata()[-1] == median.get_ydata()[0]
