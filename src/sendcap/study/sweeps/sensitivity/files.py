"""The files of a sensitivity, beside those of a sweep: the indices as CSV and as a chart."""

import io
from pathlib import Path
from typing import Final

from sendcap.charts.style import save_png
from sendcap.files.tables import csv_text
from sendcap.study.sweeps.files import write_files, write_results
from sendcap.study.sweeps.sensitivity.screening import Screening
from sendcap.study.sweeps.sensitivity.sobol import Sensitivity

INDICES: Final = "sensitivity.csv"
CHART: Final = "sensitivity.png"
FILES: Final = frozenset({INDICES, CHART})


def save(result: Sensitivity | Screening, directory: Path, title: str) -> None:
    """Write indices or effects, their chart and all runs into a sweep's directory."""
    write_results(directory, result.runs)
    chart = io.BytesIO()
    save_png(result.plot(title=title), chart)
    table = result.effects if isinstance(result, Screening) else result.indices
    write_files(directory, {INDICES: csv_text(table).encode(), CHART: chart.getvalue()})
