from __future__ import annotations

import pandas as pd
from in_bytes import as_svg
from on_a_figure import on_a_figure

from sendcap.scenario import Range
from sendcap.study.sweeps.charts.sensitivity import screening_chart, sensitivity_chart
from sendcap.study.sweeps.sensitivity.screening import Screening
from sendcap.study.sweeps.sensitivity.sobol import Sensitivity

sensitivity_chart = on_a_figure(sensitivity_chart)


def sensitivity(measures: int) -> Sensitivity:
    rows = [
        {
            "measure": f"measure{number}",
            "path": path,
            "first_order": first,
            "first_order_low": first - 0.1,
            "first_order_high": first + 0.1,
            "total_order": total,
            "total_order_low": total - 0.1,
            "total_order_high": total + 0.1,
        }
        for number in range(measures)
        for path, first, total in (("mta.ips", 0.2, 0.3), ("relay.workers", 0.6, 0.95))
    ]
    ranges = {"mta.ips": Range(1, 8), "relay.workers": Range(1, 8)}
    return Sensitivity(ranges, 8, 0.95, pd.DataFrame(rows), pd.DataFrame())


def test_a_panel_for_each_measure_the_most_important_parameter_on_top() -> None:
    figure = sensitivity_chart(sensitivity(3), "[red]What matters[/red]")
    assert [axes.get_title("left") for axes in figure.axes] == [f"Measure{n}" for n in range(3)]
    for axes in figure.axes:
        assert [text.get_text() for text in axes.get_yticklabels()] == ["mta.ips", "relay.workers"]
        assert [bar.get_width() for bar in axes.patches] == [0.3, 0.95, 0.2, 0.6]
        assert axes.get_xlim() == (0.0, 1.0)


def test_a_measure_that_does_not_vary_is_told_as_such() -> None:
    found = sensitivity(2)
    numbers = found.indices.columns.drop(["measure", "path"])
    found.indices.loc[found.indices["measure"] == "measure1", numbers] = 0.0
    varies, constant = sensitivity_chart(found).axes
    assert [text.get_text() for text in varies.texts] == []
    assert [text.get_text() for text in constant.texts] == ["the same at all points"]


def test_too_many_measures_are_left_out() -> None:
    assert len(sensitivity_chart(sensitivity(9)).axes) == 6


def test_the_same_sensitivity_gives_the_same_bytes() -> None:
    one, two = (as_svg(sensitivity_chart(sensitivity(2))) for _ in range(2))
    assert one == two


def screening() -> Screening:
    rows = [
        {
            "measure": "accepted_99_pct_s",
            "path": path,
            "mu_star": 3600.0 * effect,
            "mu_star_low": 3600.0 * (effect - 0.5),
            "mu_star_high": 3600.0 * (effect + 0.5),
            "mu": -3600.0 * effect,
            "sigma": 1800.0,
        }
        for path, effect in (("mta.ips", 4.0), ("relay.workers", 1.0))
    ]
    ranges = {"mta.ips": Range(1, 8), "relay.workers": Range(1, 8)}
    return Screening(ranges, 10, 0.95, pd.DataFrame(rows), pd.DataFrame())


def test_effects_are_bars_with_their_spread() -> None:
    (axes,) = screening_chart(screening())
    assert axes.get_xlabel() == "change of time until 99 % is accepted"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["relay.workers", "mta.ips"]
    assert [bar.get_width() for bar in axes.patches] == [3600.0, 14_400.0]
    assert list(axes.lines[0].get_xdata()) == [1800.0, 1800.0]
