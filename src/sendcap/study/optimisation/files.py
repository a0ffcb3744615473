"""The files of an optimisation, beside those of a sweep: trials, trade-off, chart and optimum."""

import io
from pathlib import Path
from typing import Final

from sendcap.charts.style import save_png
from sendcap.files.tables import csv_text
from sendcap.scenario import dumps
from sendcap.study.optimisation.chart import front_chart
from sendcap.study.optimisation.optimum import Optimum, Tried
from sendcap.study.sweeps.files import write_files, write_results

TRIALS: Final = "trials.csv"
FRONT: Final = "front.csv"
CHART: Final = "front.png"
OPTIMUM: Final = "optimum.toml"
FILES: Final = frozenset({TRIALS, FRONT, CHART, OPTIMUM})


def save(tried: Tried, directory: Path, title: str) -> None:
    """Write an optimum, or the trials of a search without success, into a sweep's directory."""
    front = tried.front()
    files: dict[str, bytes | None] = {
        TRIALS: csv_text(tried.trials).encode(),
        FRONT: csv_text(front).encode(),
    }
    if len(front):
        chart = io.BytesIO()
        save_png(front_chart(tried, title), chart)
        files[CHART] = chart.getvalue()
    if len(tried.runs):
        write_results(directory, tried.runs)
    if isinstance(tried, Optimum):
        files[OPTIMUM] = dumps(tried.scenario).encode()
    else:
        # The directory may hold the optimum of another target.
        files[OPTIMUM] = None
    write_files(directory, files)
