"""``sendcap run``: simulate a scenario, show the results and save them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.calendar import show_deliveries
from sendcap.cli.dashboard import notes
from sendcap.cli.edits import chosen
from sendcap.cli.people import show_preparations
from sendcap.cli.progress import progress_bar
from sendcap.cli.saving import Results
from sendcap.cli.tables import say, show
from sendcap.text.quantities import elapsed

_MOST_PREPARATIONS: Final = 12
"""`sendcap people` shows more of them."""


@click.command()
@options.scenario_or_quickstart
@options.out_directory
@options.overrides
@options.mode()
@click.option(
    "--window",
    metavar="D",
    help="Length of the windows in which time is simulated, e.g. 60s; affects speed, not results.",
)
@options.number(
    "--threads",
    "Threads for the relay and queues that share nothing (default: one); affects only speed.",
    most=16,
    default=1,
)
@options.flag(
    "--sending-log", "Also write sending-log.parquet, a row per message and status change."
)
@options.excel
def run(
    source: str,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    modes: tuple[str, ...] | None,
    window: str | None,
    threads: int,
    sending_log: bool,
    excel: bool,
) -> None:
    """Simulate a scenario and save the results.

    SCENARIO is a TOML file, PRESET a name from `sendcap scenario list` (default: quickstart). DIR
    gets the scenario, the ledger, the KPIs over time, a summary and a chart.
    """
    from sendcap.model.engine import simulate_ledger
    from sendcap.run import window_seconds
    from sendcap.saved import RUN, SENDING_LOG, WORKBOOK

    window_s = None if window is None else window_seconds(window, "--window")
    scenario = chosen(source, settings, seed)
    if modes:
        scenario = sendcap.updated(scenario, {"reporting.modes": list(modes)})
    results = Results(RUN, out, source, force=force)
    with results as folder:
        with progress_bar() as progress:
            # The directory is complete or absent, so the log in it need not be.
            log = folder / SENDING_LOG if sending_log else None
            ledger = simulate_ledger(
                scenario, window_s=window_s, threads=threads, sending_log=log, progress=progress
            )
        finished = sendcap.Run(scenario, ledger)
        finished.write(folder)
        if excel:
            sendcap.write_workbook(finished, folder / WORKBOOK)
    _show(finished)
    results.announce()


def _show(finished: sendcap.Run) -> None:
    """Print the answers first, then each delivery, the dashboard, and tables of all messages."""
    from sendcap.readings.tables import beside_the_truth, delays_tables, totals_tables
    from sendcap.scenario.notes import later_days

    say(finished.scenario.title or "Results", bold=True)
    for sentence in finished.sentences():
        say(sentence)
    if len(finished.scenario.deliveries) > 1:
        show_deliveries(finished)
    show(beside_the_truth(finished))
    if finished.ledger.people is not None:
        show_preparations(finished, _MOST_PREPARATIONS)
    summary = finished.summary()
    for table in (*totals_tables(finished, summary), *delays_tables(finished, summary)):
        show(table)
    relay_failed = finished.ledger.total("relay_failed", clock="happened")
    by_the_clock = finished.scenario.common_start is not None
    say(
        f"Once all messages are final, Failed is {'Relay failed + ' if relay_failed else ''}Hard + "
        "Expired + Async.",
        "Soft counts attempts, the other columns messages.",
        f"50, 90, 99 %: {'when' if by_the_clock else 'time until'} this share of all that is "
        "ever accepted was accepted.",
        f"Moments are the ends of bins of {elapsed(finished.ledger.bin_s)} (time.bin): by then it "
        "has happened.",
        "Delays last from when a message may be relayed to its acceptance, with all waits and "
        "retries; p95: 95 % take no longer.",
        *notes(finished.scenario.reporting.modes, finished.scenario.start),
        *later_days(finished.scenario),
    )
