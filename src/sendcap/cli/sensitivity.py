"""``sendcap sensitivity``: a study's parameters, ranked by their effect on its measures."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sendcap.cli import options
from sendcap.cli.computing import store_of, table_of
from sendcap.cli.edits import study_edits
from sendcap.cli.saving import study_directory
from sendcap.cli.tables import show_grid, wrapped
from sendcap.errors import SendcapError
from sendcap.text.measures import bracketed, measure_text
from sendcap.text.quantities import MINUS

if TYPE_CHECKING:
    import pandas as pd

_LOOKS: Final = {
    "sobol": (
        "Shares of the variance that each parameter decides",
        "total_order",
        {"first_order": "By itself", "total_order": "With all interactions"},
    ),
    "morris": (
        "How much each parameter changes the measures",
        "mu_star",
        {"mu_star": "Effect of the whole range (mu*)", "sigma": "Spread (sigma)"},
    ),
}
"""The title, the column that ranks, and the headings of each method."""


@click.command()
@options.study
@options.resumable("sensitivity")
@options.overrides
@options.confidence()
@options.processes
@click.option(
    "--method",
    type=click.Choice(["sobol", "morris"]),
    default="sobol",
    help="Sobol' indices, shares of the variance (default), or Morris screening, which finds the "
    "parameters that matter with far fewer runs.",
)
@options.status
def sensitivity(
    source: str,
    out: Path | None,
    store: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    confidence: float,
    workers: int | None,
    address: str | None,
    method: str,
    status: bool,
) -> None:
    """Rank the parameters of a study by their effect.

    STUDY.toml is a study file of `sendcap sweep` with a [design]: its ranges are the parameters.
    With sobol, points is the number of base samples, a power of two, and each takes a run per
    parameter and two more. With morris, points is the number of trajectories, 10 to 50, and each
    takes a run per parameter and one more. DIR gets a table, a chart and all runs. If
    interrupted, run the same command again to resume.
    """
    from sendcap.files.tables import csv_text
    from sendcap.study.sweeps import files
    from sendcap.study.sweeps.designs import Design
    from sendcap.study.sweeps.plan import planned
    from sendcap.study.sweeps.sensitivity.screening import Screening, screened, screening_points
    from sendcap.study.sweeps.sensitivity.sobol import (
        CHART,
        FILES,
        INDICES,
        analysed,
        sensitivity_points,
    )
    from sendcap.study.sweeps.study_file import load_study

    study = load_study(source, study_edits(settings, seed))
    design = study.over
    if not isinstance(design, Design):
        raise SendcapError(f"{study.name}: needs ranges; give a [design] instead of values")
    directory = out or study_directory(source, "sensitivity")
    runs = store_of(directory, store, FILES)
    points_of = screening_points if method == "morris" else sensitivity_points
    points = points_of(design.ranges, design.n, design.seed)
    plan = planned(study.scenario, points, study.replications, study.measures)
    table = table_of(study, plan, runs, directory, workers, address, status=status)
    question = (design.ranges, design.n, design.seed, confidence, table)
    result = screened(*question) if method == "morris" else analysed(*question)
    table = result.effects if isinstance(result, Screening) else result.indices
    ranks, chart = csv_text(table).encode(), result.png(title=study.title)
    files.write_results(directory, result.runs)
    files.write_files(directory, {INDICES: ranks, CHART: chart})
    for measure, rows in table.groupby("measure", sort=False):
        _show(study.title, method, str(measure), rows)
    for sentence in result.sentences():
        click.echo(wrapped(sentence))
    click.echo(f"Saved in {directory}: {INDICES}, {CHART}, {files.RESULTS_CSV}")


def _show(title: str, method: str, measure: str, rows: pd.DataFrame) -> None:
    """Print the table of a measure, the most important parameter first."""
    from sendcap.study.replication.measure_names import in_words

    usual, by, columns = _LOOKS[method]
    ranked = rows.sort_values(by, ascending=False, kind="stable").to_dict("records")
    by_path = {row["path"]: row for row in ranked}
    write = partial(measure_text, measure) if method == "morris" else _share

    def text(path: str, name: str) -> str:
        row = by_path[path]
        ends = (row.get(f"{name}_low", math.nan), row.get(f"{name}_high", math.nan))
        return bracketed(row[name], *ends, write)

    show_grid(
        f"{title or usual}: {in_words(measure)}",
        "Parameter",
        list(by_path),
        columns,
        text,
    )


def _share(value: float) -> str:
    # No minus before a number that reads zero.
    return f"{value:z.2f}".replace("-", MINUS)
