"""``sendcap limits``: where a delivery is held up, and how far it can go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sendcap.cli.options import SOURCE, WholeNumber, directory, not_empty

if TYPE_CHECKING:
    from sendcap.analysis.limits import Limits

_DEFAULT: Final = "quickstart"
_HOME: Final = Path("runs")
_DECIMALS: Final = 6


@click.command()
@click.argument("source", metavar=f"[{SOURCE}]", callback=not_empty, default=_DEFAULT)
@click.option(
    "--out",
    callback=directory,
    metavar="DIR",
    help="Where to save the limits; by default a new directory under runs/.",
)
@click.option("--force", is_flag=True, help="Replace the saved limits in DIR.")
@click.option(
    "--seed", type=WholeNumber(min=0), metavar="N", help="Take this seed and not the scenario's."
)
# The searches for a capacity take their options here, after those of the single simulation.
def limits(source: str, out: Path | None, force: bool, seed: int | None) -> None:
    """Tell where a scenario's deliveries are held up.

    SCENARIO is a TOML file, PRESET one of `sendcap scenario list`; without either, it is the
    preset quickstart. For each stage (the relay, the MTA's ingress, each provider) a table tells
    what it can carry at most, and what came of it in a simulation. DIR gets the tables, the stages
    over time, a summary, the scenario and charts.
    """
    from sendcap import limits as limits_of
    from sendcap.cli.limits_tables import show_limits
    from sendcap.cli.progress import progress_bar
    from sendcap.cli.stops import cleaned_by
    from sendcap.cli.tables import console
    from sendcap.reporting.staging import LIMITS_OF_A_SCENARIO, Staging
    from sendcap.scenario import load

    scenario = load(source)
    if out is None:
        home = _HOME / f"{Path(source).stem if Path(source).is_file() else source}-limits"
        staging = Staging(home, numbered=True, contents=LIMITS_OF_A_SCENARIO)
    else:
        staging = Staging(out, force=force, contents=LIMITS_OF_A_SCENARIO)
    with cleaned_by(staging.abandon), staging as folder:
        with progress_bar() as progress:
            found = limits_of(scenario, seed=seed, progress=progress)
        _write(found, folder)
        files = sorted(entry.name for entry in folder.iterdir())
    show_limits(console(), found)
    click.echo(f"Saved in {staging.directory}: {', '.join(files)}")


def _write(found: Limits, folder: Path) -> None:
    """Write the limits' files into a directory that exists."""
    from sendcap.charts.backlog import backlog
    from sendcap.charts.queue_age import queue_age
    from sendcap.charts.style import save_png
    from sendcap.charts.throughput import throughput
    from sendcap.charts.utilisation import utilisation
    from sendcap.reporting import saved, staging
    from sendcap.scenario import dumps

    saved.write_text(folder / staging.SCENARIO, dumps(found.scenario))
    saved.write_summary(folder / staging.SUMMARY, found.summary())
    for name, table in ((staging.LIMITS, found.table()), (staging.OVER_TIME, found.over_time())):
        text = table.round(_DECIMALS).to_csv(index=False, lineterminator="\n")
        saved.write_text(folder / name, text)
    for name, chart in (
        ("backlog", backlog),
        ("queue-age", queue_age),
        ("throughput", throughput),
        ("utilisation", utilisation),
    ):
        save_png(chart(found), folder / f"{name}.png")
