"""``sendcap sensitivity``: which parameters of a study decide its measures."""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli import options

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.study.sweeps.study_file import Study

INDICES: Final = "sensitivity.csv"
CHART: Final = "sensitivity.png"


@click.command()
@click.argument("source", metavar="STUDY.toml", callback=options.not_empty)
@click.option(
    "--out",
    callback=options.directory,
    metavar="DIR",
    help="Where the results go; by default runs/STUDY-sensitivity. "
    "What is done there is not done again.",
)
@click.option(
    "--store",
    callback=options.directory,
    metavar="DIR",
    help="Where to keep each run; by default in --out. Sweeps may share it at the same time.",
)
@options.confidence_option
@options.workers_option
@click.option(
    "--dask",
    "address",
    metavar="ADDRESS",
    help="Compute on a Dask cluster, such as tcp://host:8786.",
)
@click.option(
    "--method",
    type=click.Choice(["sobol", "morris"]),
    default="sobol",
    show_default=True,
    help="Sobol' indices tell shares of the variance; Morris' screening, with far fewer runs, "
    "which of many parameters matter at all.",
)
@click.option("--status", is_flag=True, help="Only tell how far it is.")
def sensitivity(
    source: str,
    out: Path | None,
    store: Path | None,
    confidence: str,
    workers: int | None,
    address: str | None,
    method: str,
    status: bool,
) -> None:
    """Tell which parameters decide the measures of a study: Sobol' indices with their intervals.

    STUDY.toml is one of `sendcap sweep` with a [design]: its ranges are the parameters, its points
    the base samples, a power of two. Each of these takes a run for every parameter and two more.
    With --method morris its points are walks, of which 10 to 50 will do, and each takes a run for
    every parameter and one more. DIR gets a table, a chart and all runs. Whatever interrupts it,
    the same command goes on.
    """
    from sendcap.charts.style import save_png
    from sendcap.cli.sweep import default_directory
    from sendcap.cli.sweeping import carried_out, computing, show_status
    from sendcap.errors import SendcapError
    from sendcap.files.tables import csv_text
    from sendcap.study.sweeps import results
    from sendcap.study.sweeps.charts.sensitivity import screening_chart, sensitivity_chart
    from sendcap.study.sweeps.designs import Design
    from sendcap.study.sweeps.sensitivity.screening import screened, screening_plan
    from sendcap.study.sweeps.sensitivity.sobol import analysed, sensitivity_plan
    from sendcap.study.sweeps.store import Store
    from sendcap.study.sweeps.study_file import load_study
    from sendcap.text.shares import parse_share, share_text

    share = parse_share(confidence, "--confidence", whole=False)
    study = load_study(source)
    design = study.over
    if not isinstance(design, Design):
        raise SendcapError(
            f"{study.name}: a sensitivity needs ranges; give a [design] instead of values"
        )
    directory = out or default_directory(source, "sensitivity")
    results.require_sweep_directory(directory, frozenset({INDICES, CHART}))
    kept = Store(store or directory / results.STORE)
    planned = screening_plan if method == "morris" else sensitivity_plan
    plan = planned(
        study.scenario, design.ranges, design.n, study.measures, study.replications, design.seed
    )
    if status:
        show_status(plan, kept)
        return
    with computing(workers, address) as there:
        results.begin(directory, study)
        outcomes = carried_out(plan, there, kept, str(directory))
    table = plan.table(outcomes)
    results.write_results(directory, table)
    asked = (design.ranges, design.n, design.seed, share, table)
    chart = io.BytesIO()
    if method == "morris":
        screening = screened(*asked)
        found = screening.effects
        save_png(screening_chart(screening, study.title), chart)
    else:
        indices = analysed(*asked)
        found = indices.indices
        save_png(sensitivity_chart(indices, study.title), chart)
    indices_csv = csv_text(found).encode()
    results.write_files(directory, {INDICES: indices_csv, CHART: chart.getvalue()})
    _show(found, study, method)
    click.echo(f"{len(table):,} runs; intervals of {share_text(share)} by bootstrap.")
    click.echo(f"Saved in {directory}: {INDICES}, {CHART}, {results.RESULTS_CSV}")


def _show(found: pd.DataFrame, study: Study, method: str) -> None:
    """Print what is told of each measure, the most important parameter first."""
    from sendcap.cli.conduct import printable
    from sendcap.cli.tables import console, heading, new_table

    screen = console()
    by = "mu_star" if method == "morris" else "total_order"
    columns, title, cells = _LOOKS[method]
    heading(screen, study.title or title)
    for name, rows in found.groupby("measure", sort=False):
        table = new_table(str(name), columns)
        for row in rows.sort_values(by, ascending=False, kind="stable").to_dict("records"):
            table.add_row(printable(row["path"]), *cells(row))
        screen.print(table)
        screen.print()


def _shares(row: Mapping[Hashable, Any]) -> list[str]:
    from sendcap.cli.numbers import bracketed

    return [
        bracketed(row[key], row[f"{key}_low"], row[f"{key}_high"], _share)
        for key in ("first_order", "total_order")
    ]


def _effects(row: Mapping[Hashable, Any]) -> list[str]:
    from sendcap.cli.numbers import bracketed
    from sendcap.cli.sweep_tables import written

    def write(value: float) -> str:
        return written(row["measure"], value)

    effect = bracketed(row["mu_star"], row["mu_star_low"], row["mu_star_high"], write)
    return [effect, write(row["sigma"])]


_LOOKS: Final[dict[str, tuple[list[str], str, Callable[[Mapping[Hashable, Any]], list[str]]]]] = {
    "sobol": (
        ["By itself", "With all interactions"],
        "Shares of the variance that each parameter decides",
        _shares,
    ),
    "morris": (
        ["Effect of the whole range (mu*)", "Spread (sigma)"],
        "How much each parameter changes the measures",
        _effects,
    ),
}


def _share(value: float) -> str:
    # No minus before a number that reads zero.
    return f"{value:z.2f}".replace("-", "\N{MINUS SIGN}")
