"""The files of a study: its tables as CSV, its charts as PNG, its scenario.

The same study gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sendcap.files.directory import Contents
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario.files import SCENARIO

if TYPE_CHECKING:
    from sendcap.charts.style import Drawn
    from sendcap.study.convergence.compare import Comparison
    from sendcap.study.convergence.converge import ConvergenceStudy
    from sendcap.study.forecasts.outlook import Forecast

_CONVERGENCE: Final = ("final", "settling", "errors", "remaining", "extremes", "curves")
_CONVERGENCE_CHARTS: Final = ("converging", "reading-error", "remaining", "settling")
_COMPARISON: Final = ("differences", "curves", "replications")
_COMPARISON_CHART: Final = "comparison.png"
_A, _B = "a.toml", "b.toml"
_FORECAST: Final = ("final", "settling", "parameters", "bands", "observed")
_FORECAST_CHART: Final = "forecast.png"

CONVERGENCE: Final = Contents(
    "a saved convergence",
    frozenset({SCENARIO, "settling.csv", "replications.csv"}),
    frozenset(
        {
            SCENARIO,
            "replications.csv",
            *(f"{name}.csv" for name in _CONVERGENCE),
            *(f"{name}.png" for name in _CONVERGENCE_CHARTS),
        }
    ),
)
COMPARISON: Final = Contents(
    "a saved comparison",
    frozenset({_A, _B, "differences.csv"}),
    frozenset({_A, _B, _COMPARISON_CHART, *(f"{name}.csv" for name in _COMPARISON)}),
)
FORECAST: Final = Contents(
    "a saved forecast",
    frozenset({SCENARIO, "bands.csv", "parameters.csv"}),
    frozenset({SCENARIO, _FORECAST_CHART, *(f"{name}.csv" for name in _FORECAST)}),
)


def write_convergence(study: ConvergenceStudy, folder: Path) -> None:
    """Write the tables and charts of a convergence into a directory that exists."""
    from sendcap.charts.style import save_png
    from sendcap.scenario import dumps
    from sendcap.study.convergence.charts.converging import converging
    from sendcap.study.convergence.charts.reading_error import reading_error
    from sendcap.study.convergence.charts.remainder import remainder
    from sendcap.study.convergence.charts.settling import settling

    write_text(folder / SCENARIO, dumps(study.replications.scenario))
    for name in _CONVERGENCE:
        write_csv(folder / f"{name}.csv", getattr(study, name)())
    write_csv(folder / "replications.csv", study.replications.each())
    drawn: list[Drawn] = [converging(study), reading_error(study), remainder(study)]
    for name, chart in zip(_CONVERGENCE_CHARTS, [*drawn, settling(study)], strict=True):
        save_png(chart, folder / f"{name}.png")


def write_comparison(its: Comparison, folder: Path) -> None:
    """Write the tables and the chart of a comparison into a directory that exists."""
    import pandas as pd

    from sendcap.charts.style import save_png
    from sendcap.scenario import dumps
    from sendcap.study.convergence.charts.comparison import comparison

    write_text(folder / _A, dumps(its.a.scenario))
    write_text(folder / _B, dumps(its.b.scenario))
    write_csv(folder / "differences.csv", its.differences())
    write_csv(folder / "curves.csv", its.curves())
    each = {"a": its.a.each(), "b": its.b.each()}
    together = pd.concat(each, names=["which", None]).reset_index("which")
    write_csv(folder / "replications.csv", together)
    save_png(comparison(its), folder / _COMPARISON_CHART)


def write_forecast(its: Forecast, folder: Path) -> None:
    """Write the tables and the chart of a forecast into a directory that exists.

    The scenario is that of the medians, so that ``sendcap run`` shows how it may go on.
    """
    from sendcap.charts.style import save_png
    from sendcap.scenario import dumps
    from sendcap.study.forecasts.chart import forecast

    write_text(folder / SCENARIO, dumps(its.likeliest()))
    for name in _FORECAST:
        write_csv(folder / f"{name}.csv", getattr(its, name)())
    save_png(forecast(its), folder / _FORECAST_CHART)
