"""The files of a convergence and of a comparison: tables, charts and scenarios.

The same study gives the same bytes.
"""

from pathlib import Path
from typing import Final

import pandas as pd

from sendcap.charts.listed import CHARTS
from sendcap.files.directory import Contents
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario import dumps
from sendcap.scenario.files import SCENARIO
from sendcap.study.convergence.compare import Comparison
from sendcap.study.convergence.converge import ConvergenceStudy

TABLES: Final = ("final", "settling", "errors", "remaining", "extremes", "curves")
REPLICATIONS: Final = "replications.csv"
CONVERGENCE: Final = Contents(
    "a saved convergence",
    frozenset({SCENARIO, "settling.csv", REPLICATIONS}),
    frozenset({SCENARIO, REPLICATIONS})
    | {f"{name}.csv" for name in TABLES}
    | {f"{chart.name}.png" for chart in CHARTS["ConvergenceStudy"]},
)

A, B, DIFFERENCES, CURVES = "a.toml", "b.toml", "differences.csv", "curves.csv"
BY_DELIVERY: Final = "by-delivery.csv"
CHART: Final = "comparison.png"
COMPARISON: Final = Contents(
    "a saved comparison",
    frozenset({A, B, DIFFERENCES}),
    frozenset({A, B, DIFFERENCES, BY_DELIVERY, CURVES, REPLICATIONS, CHART}),
)


def write_convergence(study: ConvergenceStudy, folder: Path) -> None:
    """Write the tables and charts of a convergence into a directory that exists."""
    write_text(folder / SCENARIO, dumps(study.replications.scenario))
    for name in TABLES:
        write_csv(folder / f"{name}.csv", getattr(study, name)())
    write_csv(folder / REPLICATIONS, study.replications.each())
    study.save_charts(folder)


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write the tables and the chart of a comparison into a directory that exists."""
    write_text(folder / A, dumps(comparison.a.scenario))
    write_text(folder / B, dumps(comparison.b.scenario))
    write_csv(folder / DIFFERENCES, comparison.differences())
    by_delivery = comparison.by_delivery()
    if not by_delivery.empty:
        write_csv(folder / BY_DELIVERY, by_delivery)
    write_csv(folder / CURVES, comparison.curves())
    each = {"a": comparison.a.each(), "b": comparison.b.each()}
    write_csv(folder / REPLICATIONS, pd.concat(each, names=["which", None]).reset_index("which"))
    comparison.save_charts(folder)
