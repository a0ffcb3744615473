"""``sendcap dashboard``: the Deployment dashboard of a saved run at a given time."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from sendcap.cli import options


@click.command()
@options.saved
@click.option(
    "--at", "moment", metavar="T", help="Time since the start, e.g. 3h or 2d12h (default: the end)."
)
@options.mode()
@options.delivery
@click.option(
    "--compute-stats", is_flag=True, help="Compute the figures at T instead of the last refresh."
)
def dashboard(
    directory: Path,
    moment: str | None,
    modes: tuple[str, ...],
    delivery: str | None,
    compute_stats: bool,
) -> None:
    """Show the dashboard of the run saved in DIR at a given time."""
    from sendcap.cli.tables import console, notes, show_dashboard
    from sendcap.readings.modes import ALL_DELIVERIES, Mode
    from sendcap.run import open_run
    from sendcap.scenario.durations import as_seconds
    from sendcap.text.quantities import elapsed

    moment_s = None if moment is None else as_seconds(moment, "--at")
    run = open_run(directory)
    dashboards = [
        run.dashboard(
            run.ledger.end_s if moment_s is None else moment_s,
            cast("Mode", mode),
            delivery or ALL_DELIVERIES,
            compute_stats=compute_stats,
        )
        for mode in dict.fromkeys(modes or run.scenario.reporting.modes)
    ]
    show_dashboard(console(), dashboards)
    first = dashboards[0]
    click.echo(
        f"As of {elapsed(first.as_of_s)}; opens and clicks as of "
        f"{elapsed(first.engagement_as_of_s)}."
    )
    for note in notes([dashboard.mode for dashboard in dashboards]):
        click.echo(note)
