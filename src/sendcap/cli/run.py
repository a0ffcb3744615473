"""``sendcap run``: simulate a scenario, show the results and save them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.beside_the_truth import show_key_moments
from sendcap.cli.calendar import show_deliveries
from sendcap.cli.dashboard import notes
from sendcap.cli.edits import chosen
from sendcap.cli.people import show_preparations
from sendcap.cli.progress import progress_bar
from sendcap.cli.saving import Results
from sendcap.cli.tables import cell, say, show_grid
from sendcap.text.clock import brief_moment

_EVENTS: Final = {
    "relay_failed": "Relay failed",
    "accepted": "Accepted",
    "hard": "Hard",
    "soft": "Soft",
    "expired": "Expired",
    "async_bounced": "Async",
}
_TIMES: Final = {
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

    say(finished.scenario.title or "Results", bold=True)
    for sentence in finished.sentences():
        say(sentence)
    written = finished.ledger.written
    if len(written) > 1:
        show_deliveries(finished)
    dashboards = show_key_moments(finished)
    if finished.ledger.people is not None:
        show_preparations(finished, _MOST_PREPARATIONS)
    summary = finished.summary()
    groups = {"Provider": summary["providers"]}
    if len(written) > 1:
        groups = {"Delivery": {name: summary["deliveries"][name] for name in written}, **groups}
    # Of several deliveries nobody counts from the start of the simulation.
    start = finished.scenario.start if len(written) > 1 else None
    for first, rows in groups.items():
        # When each delivery is accepted, the table of deliveries has said above.
        _show_totals(first, rows, summary["total"], start, timed=first == "Provider")
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
    first: str, rows: _Rows, total: Mapping[str, Any], start: datetime | None, *, timed: bool
) -> None:
    columns = _EVENTS | (_TIMES if timed else {})
    if not total["relay_failed"]:
        del columns["relay_failed"]
    moments_s = [each[key] for each in rows.values() for key in _TIMES]
    within_s = max((moment_s for moment_s in moments_s if moment_s is not None), default=0.0)

    def write(key: str, value: Any) -> str:
        if start is None or value is None or key not in _TIMES:
            return cell(key, value)
        return brief_moment(value, start, within_s)

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
