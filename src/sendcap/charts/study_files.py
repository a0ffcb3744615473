"""The files of a forecast: tables, the chart and the scenario.

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
    from sendcap.study.forecasts.outlook import Forecast

_FORECAST: Final = ("final", "settling", "parameters", "bands", "observed")
_FORECAST_CHART: Final = "forecast.png"

FORECAST: Final = Contents(
    "a saved forecast",
    frozenset({SCENARIO, "bands.csv", "parameters.csv"}),
    frozenset({SCENARIO, _FORECAST_CHART, *(f"{name}.csv" for name in _FORECAST)}),
)


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
