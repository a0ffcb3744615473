"""``sendcap run``: simulate a scenario, show what comes of it and save it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sendcap.cli.options import SOURCE, mode_option

if TYPE_CHECKING:
    from sendcap.run import Run

_DEFAULT: Final = "quickstart"
_HOME: Final = Path("runs")


@click.command()
@click.argument("source", metavar=f"[{SOURCE}]", default=_DEFAULT)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to save the run; by default a new directory under runs/.",
)
@click.option("--force", is_flag=True, help="Replace the saved run in DIR.")
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", help="Take this seed and not the scenario's."
)
@mode_option("Report in this mode and not in the scenario's; may be repeated.")
@click.option(
    "--window",
    metavar="D",
    help="Length of the look-ahead windows, such as 60s: changes the speed, never the result.",
)
@click.option(
    "--sending-log",
    is_flag=True,
    help="Also write one row per message and status change, to sending-log.parquet.",
)
def run(
    source: str,
    out: Path | None,
    force: bool,
    seed: int | None,
    modes: tuple[str, ...],
    window: str | None,
    sending_log: bool,
) -> None:
    """Simulate a scenario and save what comes of it.

    SCENARIO is a TOML file, PRESET one of `sendcap scenario list`; without either, the preset
    quickstart is run. DIR gets the scenario, the ledger, the KPIs over time, a summary and a
    chart.
    """
    from sendcap.cli.progress import progress_bar
    from sendcap.reporting.staging import SENDING_LOG, staged
    from sendcap.run import simulate
    from sendcap.scenario import load, updated

    scenario = load(source)
    if seed is not None:
        scenario = scenario.with_seed(seed)
    if modes:
        scenario = updated(scenario, {"reporting.modes": list(dict.fromkeys(modes))})
    directory = _free_directory(source) if out is None else out
    with staged(directory, force=force) as folder:
        with progress_bar() as progress:
            finished = simulate(
                scenario,
                window=window,
                sending_log=folder / SENDING_LOG if sending_log else None,
                progress=progress,
            )
        finished.write(folder)
        files = sorted(entry.name for entry in folder.iterdir())
    _show(finished)
    click.echo(f"Saved in {directory}: {', '.join(files)}")


def _free_directory(source: str) -> Path:
    """Return the first of runs/NAME, runs/NAME-2, … that does not exist."""
    name = Path(source).stem if Path(source).is_file() else source
    directory = _HOME / name
    number = 1
    while directory.exists() or directory.is_symlink():
        number += 1
        directory = _HOME / f"{name}-{number}"
    return directory


def _show(finished: Run) -> None:
    from sendcap.cli.tables import console, show_dashboard, show_totals

    modes = finished.scenario.reporting.modes
    at_end = [finished.dashboard(finished.ledger.end_s, mode, compute_stats=True) for mode in modes]
    summary = finished.summary()
    screen = console()
    show_dashboard(screen, at_end)
    all_together = {"all": summary["total"]}
    if len(summary["deliveries"]) > 1:
        screen.print()
        rows = {**summary["deliveries"], **all_together}
        show_totals(screen, "Deliveries: messages at the MTA", "Delivery", rows)
    screen.print()
    rows = {**summary["providers"], **all_together}
    show_totals(screen, "Providers: messages at the MTA", "Provider", rows)
    screen.print("50, 90, 99 %: when this much of all that was ever accepted had been accepted.")
    screen.print()
