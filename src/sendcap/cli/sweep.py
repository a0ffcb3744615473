"""``sendcap sweep``: run a study, and resume it after an interruption."""

from __future__ import annotations

from pathlib import Path

import click

from sendcap.cli import options


def _list_measures(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from sendcap.study.replication.measures import MEASURES

    width = max(map(len, MEASURES))
    for measure in MEASURES.values():
        click.echo(f"{measure.name:<{width}}  {measure.meaning}")
    context.exit()


@click.command()
@options.study
@options.resumable("sweep")
@options.overrides
@options.processes
@options.status
@click.option(
    "--list-measures",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_measures,
    help="List the measures of a study and exit.",
)
def sweep(
    source: str,
    out: Path | None,
    store: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    workers: int | None,
    address: str | None,
    status: bool,
) -> None:
    """Simulate a scenario at many points and measure each run.

    STUDY.toml names a scenario, the values that vary ([over] for a grid, points for a table,
    [design] for points across ranges), the replications and the measures. DIR gets results.csv and
    results.parquet with a row per point and replication. If interrupted, run the same command
    again to resume; only unfinished runs are repeated.
    """
    from sendcap.cli.computing import carried_out, computing, show_status
    from sendcap.cli.edits import study_edits
    from sendcap.cli.sweep_tables import show_results
    from sendcap.study.sweeps import files
    from sendcap.study.sweeps.store import Store
    from sendcap.study.sweeps.study_file import load_study

    study = load_study(source, study_edits(settings, seed))
    directory = out or options.study_directory(source, "sweep")
    files.require_sweep_directory(directory)
    runs = Store(store or directory / files.STORE)
    if status:
        show_status(study.plan, runs)
        return
    with computing(workers, address) as execution:
        files.begin(directory, study.text, study.scenario)
        outcomes = carried_out(study.plan, execution, runs, str(directory))
    table = study.plan.table(outcomes)
    files.write_results(directory, table)
    show_results(study, table)
    click.echo(f"Saved in {directory}: {files.RESULTS_CSV}, {files.RESULTS_PARQUET}")
