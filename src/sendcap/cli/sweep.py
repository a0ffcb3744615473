"""``sendcap sweep``: carry out a study, and go on with it where it was interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sendcap.cli import options

if TYPE_CHECKING:
    pass


def _list_measures(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from sendcap.study.replication.measures import MEASURES

    width = max(map(len, MEASURES))
    for its in MEASURES.values():
        click.echo(f"{its.name:<{width}}  {its.meaning}")
    context.exit()


@click.command()
@click.argument("source", metavar="STUDY.toml", callback=options.not_empty)
@click.option(
    "--out",
    callback=options.directory,
    metavar="DIR",
    help="Where the results go; by default runs/STUDY-sweep. What is done there is not done again.",
)
@click.option(
    "--store",
    callback=options.directory,
    metavar="DIR",
    help="Where to keep each run; by default in --out. Sweeps may share it at the same time.",
)
@options.workers_option
@click.option(
    "--dask",
    "address",
    metavar="ADDRESS",
    help="Compute on a Dask cluster, such as tcp://host:8786.",
)
@click.option("--status", is_flag=True, help="Only tell how far it is.")
@click.option(
    "--list-measures",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_measures,
    help="List what a study can keep of each run, and exit.",
)
def sweep(
    source: str,
    out: Path | None,
    store: Path | None,
    workers: int | None,
    address: str | None,
    status: bool,
) -> None:
    """Simulate a scenario at many points, and measure each run.

    STUDY.toml names a scenario, what varies ([over] for a grid, points for a table, [design] for
    points spread over ranges), how many replications and which measures. DIR gets results.csv and
    results.parquet, a row for each point and replication. Whatever interrupts it, the same command
    goes on from there: only runs that were under way are lost.
    """
    from sendcap.cli.sweep_tables import show_results
    from sendcap.cli.sweeping import carried_out, computing, show_status
    from sendcap.study.sweeps import results
    from sendcap.study.sweeps.store import Store
    from sendcap.study.sweeps.study_file import load_study

    study = load_study(source)
    directory = out or default_directory(source, "sweep")
    results.require_sweep_directory(directory)
    kept = Store(store or directory / results.STORE)
    if status:
        show_status(study.plan, kept)
        return
    with computing(workers, address) as there:
        results.begin(directory, study)
        outcomes = carried_out(study.plan, there, kept, str(directory))
    table = study.plan.table(outcomes)
    results.write_results(directory, table)
    show_results(study, table)
    click.echo(f"Saved in {directory}: {results.RESULTS_CSV}, {results.RESULTS_PARQUET}")


def default_directory(source: str, command: str) -> Path:
    """Return where the results of a study go: the same place each time, so that it goes on."""
    return options.RUNS / f"{options.name_of(source)}-{command}"
