"""``sendcap dashboard``: the Deployment dashboard of a saved run at a moment."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from sendcap.cli import options


@click.command()
@click.argument("directory", metavar="DIR", callback=options.directory)
@click.option(
    "--at", "moment", metavar="T", help="The moment, such as 3h or 2d12h; by default the end."
)
@options.mode_option("Report in this mode and not in the scenario's; may be repeated.")
@click.option("--delivery", default="*", metavar="NAME", help="Of this delivery only.")
@click.option(
    "--compute-stats", is_flag=True, help="Figures as of T itself, not as last refreshed."
)
def dashboard(
    directory: Path,
    moment: str | None,
    modes: tuple[str, ...],
    delivery: str,
    compute_stats: bool,
) -> None:
    """Show the dashboard of the run saved in DIR as it looks at a moment."""
    from sendcap.cli.tables import console, notes, show_dashboard
    from sendcap.readings.modes import Mode
    from sendcap.run import open_run
    from sendcap.scenario.durations import as_seconds
    from sendcap.text.quantities import elapsed

    moment_s = None if moment is None else as_seconds(moment, "--at")
    run = open_run(directory)
    dashboards = [
        run.dashboard(
            run.ledger.end_s if moment_s is None else moment_s,
            cast("Mode", mode),
            delivery,
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
    for note in notes([its.mode for its in dashboards]):
        click.echo(note)
