"""The files of a drained queue: when it is gone, what would help, the scenario and the chart."""

from pathlib import Path
from typing import Final

from sendcap.charts.style import save_png
from sendcap.files.directory import Contents
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario import dumps
from sendcap.scenario.files import SCENARIO
from sendcap.study.drain.drain import Drain

GONE: Final = "gone.csv"
REMEDIES: Final = "remedies.csv"
CHART: Final = "left.png"
DRAINED: Final = Contents(
    "what sendcap drain has saved",
    frozenset({GONE, SCENARIO}),
    frozenset({SCENARIO, GONE, REMEDIES, CHART}),
)


def write_drain(result: Drain, folder: Path) -> None:
    """Write a result into a directory that exists."""
    write_text(folder / SCENARIO, dumps(result.scenario))
    write_csv(folder / GONE, result.table())
    write_csv(folder / REMEDIES, result.remedies())
    save_png(result.plot(), folder / CHART)
