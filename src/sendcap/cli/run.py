"""``sendcap run``: simulate a scenario, show the results and save them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sendcap.cli import options

if TYPE_CHECKING:
    from sendcap.run import Run


@click.command()
@options.scenario_or_quickstart
@options.out_directory
@options.overrides
@options.mode()
@click.option(
    "--window",
    metavar="D",
    help="Length of the look-ahead windows, e.g. 60s; affects speed, not results.",
)
@click.option(
    "--sending-log",
    is_flag=True,
    help="Also write sending-log.parquet, a row per message and status change.",
)
def run(
    source: str,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    modes: tuple[str, ...],
    window: str | None,
    sending_log: bool,
) -> None:
    """Simulate a scenario and save the results.

    SCENARIO is a TOML file, PRESET a name from `sendcap scenario list` (default: quickstart). DIR
    gets the scenario, the ledger, the KPIs over time, a summary and a chart.
    """
    from sendcap.cli.edits import chosen
    from sendcap.cli.progress import progress_bar
    from sendcap.cli.saving import Results
    from sendcap.run import simulate, window_seconds
    from sendcap.saved import RUN, SENDING_LOG
    from sendcap.scenario import updated

    window_s = None if window is None else window_seconds(window, "--window")
    scenario = chosen(source, settings, seed)
    if modes:
        scenario = updated(scenario, {"reporting.modes": list(dict.fromkeys(modes))})
    results = Results(RUN, out, source, force=force)
    with results as folder:
        with progress_bar() as progress:
            finished = simulate(
                scenario,
                window=window_s,
                sending_log=folder / SENDING_LOG if sending_log else None,
                progress=progress,
            )
        finished.write(folder)
    _show(finished)
    results.announce()


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
    screen.print("50, 90, 99 %: time until this share of all accepted messages was accepted.")
    for note in notes(modes):
        screen.print(note)
    screen.print()
