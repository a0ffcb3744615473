"""``sendcap run``: simulate a scenario, show the results and save them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.dashboard import notes, show_dashboards
from sendcap.cli.edits import chosen
from sendcap.cli.people import say_what_became, show_preparations
from sendcap.cli.progress import progress_bar
from sendcap.cli.saving import Results
from sendcap.cli.tables import cell, say, show_grid
from sendcap.text.clock import brief_moment

_TOTALS: Final = {
    "relay_failed": "Relay failed",
    "accepted": "Accepted",
    "hard": "Hard",
    "soft": "Soft",
    "expired": "Expired",
    "async_bounced": "Async",
    "accepted_50_pct_s": "50 %",
    "accepted_90_pct_s": "90 %",
    "accepted_99_pct_s": "99 %",
}

_MOST_PREPARATIONS: Final = 12
"""`sendcap people` shows more of them."""
_Rows = Mapping[str, Mapping[str, Any]]


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
@options.flag(
    "--sending-log", "Also write sending-log.parquet, a row per message and status change."
)
def run(
    source: str,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    modes: tuple[str, ...] | None,
    window: str | None,
    sending_log: bool,
) -> None:
    """Simulate a scenario and save the results.

    SCENARIO is a TOML file, PRESET a name from `sendcap scenario list` (default: quickstart). DIR
    gets the scenario, the ledger, the KPIs over time, a summary and a chart.
    """
    from sendcap.model.engine import simulate_ledger
    from sendcap.run import window_seconds
    from sendcap.saved import RUN, SENDING_LOG

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
                scenario, window_s=window_s, sending_log=log, progress=progress
            )
        finished = sendcap.Run(scenario, ledger)
        finished.write(folder)
    _show(finished)
    results.announce()


def _show(finished: sendcap.Run) -> None:
    from sendcap.scenario.later_days import later_days

    modes, end_s = finished.scenario.reporting.modes, finished.ledger.end_s
    dashboards = [finished.dashboard(end_s, mode, compute_stats=True) for mode in modes]
    show_dashboards(dashboards, finished.scenario.start)
    if finished.ledger.people is not None:
        show_preparations(finished, _MOST_PREPARATIONS)
        say_what_became(finished)
    summary = finished.summary()
    groups = {"Provider": summary["providers"]}
    written = finished.ledger.written
    if len(written) > 1:
        groups = {"Delivery": {name: summary["deliveries"][name] for name in written}, **groups}
    # Of several deliveries nobody counts from the start of the simulation.
    start = finished.scenario.start if len(written) > 1 else None
    for first, rows in groups.items():
        _show_totals(first, rows, summary["total"], start, end_s)
    for first, rows in groups.items():
        _show_delays(first, rows, summary["total"])
    failed = "Relay failed + Hard" if summary["total"]["relay_failed"] else "Hard"
    say(
        f"Once all messages are final, Failed is {failed} + Expired + Async.",
        "Soft counts attempts, the other columns messages.",
        f"50, 90, 99 %: {'time until' if start is None else 'when'} this share of all accepted "
        "messages was accepted.",
        "Delays last from when a message may be relayed to its acceptance, with all waits and "
        "retries; p95: 95 % take no longer.",
        *notes(dashboards, finished.scenario.start),
        *later_days(finished.scenario),
    )


def _show_totals(
    first: str, rows: _Rows, total: Mapping[str, Any], start: datetime | None, end_s: float
) -> None:
    columns = {key: text for key, text in _TOTALS.items() if key != "relay_failed" or total[key]}

    def write(key: str, value: Any) -> str:
        if start is None or value is None or not key.endswith("_pct_s"):
            return cell(key, value)
        return brief_moment(value, start, end_s)

    _show_rows("messages at the MTA", first, rows, total, columns, write)


def _show_delays(first: str, rows: _Rows, total: Mapping[str, Any]) -> None:
    from sendcap.readings.delays import DELAY_FIGURES

    _show_rows("delay from ready to accepted", first, rows, total, DELAY_FIGURES)


def _show_rows(
    what: str,
    first: str,
    rows: _Rows,
    total: Mapping[str, Any],
    columns: Mapping[str, str],
    write: Callable[[str, Any], str] = cell,
) -> None:
    """Print a row per provider or delivery, and one for all."""
    rows = {**rows, "all": total}
    plural = {"Delivery": "Deliveries", "Provider": "Providers"}[first]
    show_grid(
        f"{plural}: {what}",
        first,
        list(rows),
        columns,
        lambda name, key: write(key, rows[name][key]),
    )
