"""``sendcap run``: simulate a scenario, show what comes of it and save it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sendcap.cli.options import (
    RUNS,
    SOURCE,
    WholeNumber,
    directory,
    mode_option,
    name_of,
    not_empty,
)

if TYPE_CHECKING:
    from sendcap.run import Run

_DEFAULT: Final = "quickstart"


@click.command()
@click.argument("source", metavar=f"[{SOURCE}]", callback=not_empty, default=_DEFAULT)
@click.option(
    "--out",
    callback=directory,
    metavar="DIR",
    help="Where to save the run; by default a new directory under runs/.",
)
@click.option("--force", is_flag=True, help="Replace the saved run in DIR.")
@click.option(
    "--seed", type=WholeNumber(min=0), metavar="N", help="Take this seed and not the scenario's."
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
    from sendcap.files.directory import Staging
    from sendcap.run import simulate, window_seconds
    from sendcap.saved import RUN, SENDING_LOG
    from sendcap.scenario import load, updated

    window_s = None if window is None else window_seconds(window, "--window")
    scenario = load(source)
    if seed is not None:
        scenario = scenario.with_seed(seed)
    if modes:
        scenario = updated(scenario, {"reporting.modes": list(dict.fromkeys(modes))})
    if out is None:
        staging = Staging(RUNS / name_of(source), RUN, numbered=True)
    else:
        staging = Staging(out, RUN, force=force)
    with staging as folder:
        with progress_bar() as progress:
            finished = simulate(
                scenario,
                window=window_s,
                sending_log=folder / SENDING_LOG if sending_log else None,
                progress=progress,
            )
        finished.write(folder)
        files = sorted(entry.name for entry in folder.iterdir())
    _show(finished)
    click.echo(f"Saved in {staging.directory}: {', '.join(files)}")


def _show(finished: Run) -> None:
    from sendcap.cli.tables import console, notes, show_dashboard, show_totals

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
    failed = "Hard + Expired + Async"
    if summary["total"]["relay_failed"]:
        failed = f"Relay failed + {failed}"
    screen.print(f"Once all messages are final, Failed is {failed}.")
    screen.print("Soft counts attempts, the other columns messages.")
    screen.print("50, 90, 99 %: when this share of all that was ever accepted had been accepted.")
    for note in notes(modes):
        screen.print(note)
    screen.print()
