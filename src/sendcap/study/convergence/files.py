"""The files of a convergence and of a comparison: tables, charts and scenarios.

The same study gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from sendcap.charts.style import save_png
from sendcap.files.directory import Contents
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario import dumps
from sendcap.scenario.files import SCENARIO
from sendcap.study.convergence.charts.comparison import comparison as comparison_chart
from sendcap.study.convergence.charts.converging import converging
from sendcap.study.convergence.charts.reading_error import reading_error
from sendcap.study.convergence.charts.remainder import remainder
from sendcap.study.convergence.charts.settling import settling

if TYPE_CHECKING:
    from sendcap.charts.style import Drawn
    from sendcap.study.convergence.compare import Comparison
    from sendcap.study.convergence.converge import ConvergenceStudy

TABLES: Final = ("final", "settling", "errors", "remaining", "extremes", "curves")
CHARTS: Final[dict[str, Callable[[ConvergenceStudy], Drawn]]] = {
    "converging": converging,
    "reading-error": reading_error,
    "remaining": remainder,
    "settling": settling,
}
REPLICATIONS: Final = "replications.csv"
CONVERGENCE: Final = Contents(
    "a saved convergence",
    frozenset({SCENARIO, "settling.csv", REPLICATIONS}),
    frozenset({SCENARIO, REPLICATIONS})
    | {f"{name}.csv" for name in TABLES}
    | {f"{name}.png" for name in CHARTS},
)

A, B, DIFFERENCES, CURVES = "a.toml", "b.toml", "differences.csv", "curves.csv"
CHART: Final = "comparison.png"
COMPARISON: Final = Contents(
    "a saved comparison",
    frozenset({A, B, DIFFERENCES}),
    frozenset({A, B, DIFFERENCES, CURVES, REPLICATIONS, CHART}),
)


def write_convergence(study: ConvergenceStudy, folder: Path) -> None:
    """Write the tables and charts of a convergence into a directory that exists."""
    write_text(folder / SCENARIO, dumps(study.replications.scenario))
    for name in TABLES:
        write_csv(folder / f"{name}.csv", getattr(study, name)())
    write_csv(folder / REPLICATIONS, study.replications.each())
    for name, chart in CHARTS.items():
        save_png(chart(study), folder / f"{name}.png")


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write the tables and the chart of a comparison into a directory that exists."""
    write_text(folder / A, dumps(comparison.a.scenario))
    write_text(folder / B, dumps(comparison.b.scenario))
    write_csv(folder / DIFFERENCES, comparison.differences())
    write_csv(folder / CURVES, comparison.curves())
    each = {"a": comparison.a.each(), "b": comparison.b.each()}
    write_csv(folder / REPLICATIONS, pd.concat(each, names=["which", None]).reset_index("which"))
    save_png(comparison_chart(comparison), folder / CHART)
