from __future__ import annotations

import pandas as pd
import pytest
from in_bytes import as_svg

from sendcap.charts.style import figure_of
from sendcap.study.optimisation.chart import front_chart
from sendcap.study.optimisation.optimum import Optimum, Tried, trials_table
from sendcap.study.optimisation.priced import Priced
from sendcap.study.optimisation.target import Target
from sendcap.study.optimisation.trials import Trial
from sendcap.study.replication.estimates import Estimate

LEVERS = {"mta.ips": Priced(1, 64, 40)}
TARGET = Target("accepted_99_pct_s", at_most="4h")


def trials() -> pd.DataFrame:
    found = [
        Trial(number, {"mta.ips": ips}, 40.0 * ips, 3600.0 * hours)
        for number, (ips, hours) in enumerate([(1, 100.0), (8, 12.0), (20, 5.0), (24, 4.0)])
    ]
    found.append(Trial(4, {"mta.ips": 22}, 880.0, 3600.0 * 6.0))
    found[3].met, found[3].bound = False, 14500.0
    return trials_table(found, LEVERS, TARGET)


def optimum() -> Optimum:
    estimated = Estimate(13_000.0, 12_800.0, 13_200.0, 20)
    return Optimum(
        LEVERS,
        TARGET,
        trials(),
        pd.DataFrame(),
        5,
        None,
        2,
        {"mta.ips": 26},
        1040.0,
        estimated,
        13_200.0,
        1,
    )


def test_the_front_the_target_and_the_answer_are_there() -> None:
    axes = front_chart(optimum(), "[red]Cheap[/red]")
    assert figure_of(axes).texts[0].get_text() == "[red]Cheap[/red]: what each cost buys"
    assert axes.get_ylabel() == "time until 99 % is accepted"
    tried, front, target, refuted, test, answer = axes.lines
    assert tried.get_xdata().tolist() == [40.0, 320.0, 800.0, 960.0, 880.0]
    assert front.get_xdata().tolist() == [40.0, 320.0, 800.0, 960.0]
    assert front.get_ydata().tolist() == pytest.approx([360_000, 43_200, 18_000, 14_400])
    assert list(target.get_ydata()) == [14_400, 14_400]
    assert refuted.get_xdata().tolist() == [960.0]
    assert list(test.get_ydata()) == pytest.approx([13_000, 13_200])
    assert list(answer.get_xdata()) == [1040.0]
    ticks = [text.get_text() for text in axes.get_yticklabels()]
    assert {"6h", "1d"} <= set(ticks)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[-1] == "cheapest that meets it: 1,040, with mta.ips = 26"


def test_a_search_in_vain_has_a_chart_without_an_answer() -> None:
    axes = front_chart(Tried(LEVERS, TARGET, trials(), pd.DataFrame(), 5))
    assert len(axes.lines) == 4
    assert figure_of(axes).texts[0].get_text() == "What each cost buys"


def test_the_same_search_gives_the_same_bytes() -> None:
    one, two = (as_svg(front_chart(optimum())) for _ in range(2))
    assert one == two
