"""``sendcap sensitivity``: which parameters of a study decide its measures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sendcap.cli import options

if TYPE_CHECKING:
    from sendcap.study.sensitivity import Sensitivity
    from sendcap.study.study_file import Study

INDICES: Final = "sensitivity.csv"
CHART: Final = "sensitivity.png"
_DECIMALS: Final = 6


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
@click.option("--status", is_flag=True, help="Only tell how far it is.")
def sensitivity(
    source: str,
    out: Path | None,
    store: Path | None,
    confidence: str,
    workers: int | None,
    address: str | None,
    status: bool,
) -> None:
    """Tell which parameters decide the measures of a study: Sobol' indices with their intervals.

    STUDY.toml is one of `sendcap sweep` with a [design]: its ranges are the parameters, its points
    the base samples, a power of two. Each of these takes a run for every parameter and two more.
    DIR gets the indices, a chart and all runs. Whatever interrupts it, the same command goes on.
    """
    from sendcap.charts.sensitivity import sensitivity_chart
    from sendcap.charts.style import save_png
    from sendcap.cli.sweep import default_directory
    from sendcap.cli.sweeping import carried_out, computing, show_status
    from sendcap.errors import SendcapError
    from sendcap.study import results
    from sendcap.study.designs import Design
    from sendcap.study.sensitivity import analysed, sensitivity_plan
    from sendcap.study.shares import parse_share
    from sendcap.study.store import Store
    from sendcap.study.study_file import load_study

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
    plan = sensitivity_plan(
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
    found = analysed(design.ranges, design.n, design.seed, share, table)
    text = found.indices.round(_DECIMALS).to_csv(index=False, lineterminator="\n")
    chart = io.BytesIO()
    save_png(sensitivity_chart(found, study.title), chart)
    results.write_files(directory, {INDICES: text.encode(), CHART: chart.getvalue()})
    _show(found, study)
    click.echo(f"Saved in {directory}: {INDICES}, {CHART}, {results.RESULTS_CSV}")


def _show(found: Sensitivity, study: Study) -> None:
    """Print the indices of each measure, the most important parameter first."""
    from sendcap.cli.conduct import printable
    from sendcap.cli.numbers import bracketed
    from sendcap.cli.tables import console, heading, new_table

    screen = console()
    heading(screen, study.title or "Shares of the variance that each parameter decides")
    for name, rows in found.indices.groupby("measure", sort=False):
        table = new_table(str(name), ["By itself", "With all interactions"])
        for row in rows.sort_values("total_order", ascending=False).to_dict("records"):
            table.add_row(
                printable(row["path"]),
                *(
                    bracketed(row[key], row[f"{key}_low"], row[f"{key}_high"], _share)
                    for key in ("first_order", "total_order")
                ),
            )
        screen.print(table)
        screen.print()
    screen.print(f"{len(found.runs):,} runs; intervals of {found.confidence:.0%} by bootstrap.")


def _share(value: float) -> str:
    # No minus before a number that reads zero.
    return f"{value:z.2f}".replace("-", "\N{MINUS SIGN}")
