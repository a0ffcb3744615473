"""The files of a forecast: tables as CSV, the chart as PNG, and a scenario to go on with."""

from pathlib import Path
from typing import Final

import pandas as pd

from sendcap.charts.style import save_png
from sendcap.files.directory import Contents
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario import dumps
from sendcap.scenario.files import SCENARIO
from sendcap.study.forecasts import chart
from sendcap.study.forecasts.outlook import Forecast

_TABLES: Final = ("final", "settling", "parameters", "bands", "observed")
_CHART: Final = "forecast.png"

FORECAST: Final = Contents(
    "a saved forecast",
    frozenset({SCENARIO, "bands.csv", "parameters.csv"}),
    frozenset({SCENARIO, _CHART, *(f"{name}.csv" for name in _TABLES)}),
)


def save(forecast: Forecast, folder: Path) -> None:
    """Write a forecast into a directory that exists.

    The scenario has the medians of the ranges, so that ``sendcap run`` shows how it may go on.
    """
    write_text(folder / SCENARIO, dumps(forecast.likeliest()))
    for name in _TABLES:
        # What the readings say about values is one table, whatever mode they are of.
        of = forecast.possible if name != "parameters" else (forecast,)
        tables = [getattr(each, name)() for each in of]
        write_csv(folder / f"{name}.csv", pd.concat(tables, ignore_index=True))
    save_png(chart.forecast(forecast), folder / _CHART)
