from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pictures import run as small_run

import sendcap
from sendcap.charts.durations import delay
from sendcap.errors import SendcapError
from sendcap.ledger import Delays
from sendcap.readings.delays import delay_figures


@pytest.fixture(scope="module")
def run() -> sendcap.Run:
    return small_run()


def test_a_line_passes_through_the_figures_of_its_provider(run) -> None:
    lines = delay(run, "reminder").lines
    line = next(each for each in lines if len(each.get_xdata()) > 2)
    figures = delay_figures(run.ledger, delivery="reminder")
    for pct, name in ((50, "delay_p50_s"), (95, "delay_p95_s")):
        assert np.interp(figures[name], *line.get_data()) == pytest.approx(pct, abs=0.5)
    assert line.get_ydata()[0] == 0.0
    assert line.get_ydata()[-1] == 100.0


def test_all_together_has_a_line_beside_each_provider(run) -> None:
    curves = [line for line in delay(run).lines if len(line.get_xdata()) > 2]
    assert len(curves) == 1 + len(run.ledger.providers)


def test_a_run_of_which_nothing_was_accepted_has_an_empty_chart(run) -> None:
    nothing = sendcap.Run(run.scenario, replace(run.ledger, delays=Delays({})))
    assert all(len(line.get_xdata()) == 2 for line in delay(nothing).lines)


def test_a_run_without_delays_is_refused(run) -> None:
    unknown = sendcap.Run(run.scenario, replace(run.ledger, delays=None))
    with pytest.raises(SendcapError, match=r"has no delays: .* simulate the scenario"):
        delay(unknown)
