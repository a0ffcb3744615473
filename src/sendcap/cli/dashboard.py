"""``sendcap dashboard``: the Deployment dashboard of a saved run at a given time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.tables import cell, say, show_grid
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.text.clock import moment_text
from sendcap.text.quantities import elapsed

_FIGURES: Final = {
    "to_deliver": "To deliver",
    "relayed": "Relayed",
    "sent": "Sent",
    "failed": "Failed",
    "pending": "Pending",
    "delivered_pct": "Delivered %",
    "bounces_errors_pct": "Bounces + errors %",
    "open_rate_pct": "Open rate %",
    "click_through_pct": "Click-through rate %",
}


@click.command()
@options.saved
@options.moment("--at", "at", "Time: 3h from the start, or 17:00 by the clock (default: the end).")
@options.mode("the run's")
@options.delivery()
@options.flag("--compute-stats", "Compute the figures at T instead of the last refresh.")
def dashboard(
    directory: Path,
    at: float | str | None,
    modes: tuple[Mode, ...] | None,
    delivery: str | None,
    compute_stats: bool,
) -> None:
    """Show the dashboard of the run saved in DIR at a given time."""
    from sendcap.readings.sentences import delay_sentence
    from sendcap.scenario.clock import moment_s

    run = sendcap.open_run(directory)
    start = run.scenario.start
    time_s = run.ledger.end_s if at is None else moment_s(at, start, "--at")
    modes = modes or run.scenario.reporting.modes
    dashboards = [
        run.dashboard(time_s, mode, delivery or ALL_DELIVERIES, compute_stats=compute_stats)
        for mode in modes
    ]
    show_dashboards(dashboards, start)
    as_of, engagement = (
        _moment(seconds, start)
        for seconds in (dashboards[0].as_of_s, dashboards[0].engagement_as_of_s)
    )
    delayed = delay_sentence(run.ledger, delivery)
    ended = f"The simulation ends at {elapsed(run.ledger.end_s)}; the figures are those of then."
    say(
        f"As of {as_of}; opens and clicks as of {engagement}.",
        *([ended] if time_s > run.ledger.end_s else []),
        *([f"{delayed} This is of the whole run."] if delayed else []),
        *notes(dashboards),
    )


def _moment(seconds: float, start: datetime | None) -> str:
    """Return a moment since t = 0, and by the clock where there is one."""
    text = elapsed(seconds)
    return text if start is None else f"{text} ({moment_text(seconds, start)})"


def show_dashboards(dashboards: Sequence[sendcap.Dashboard], start: datetime | None) -> None:
    """Print the dashboards of one time and delivery, a column per mode."""
    first = dashboards[0]
    which = "all deliveries" if first.delivery == ALL_DELIVERIES else first.delivery
    show_grid(
        f"Deployment dashboard, {which}, at {_moment(first.time_s, start)}",
        "",
        _FIGURES,
        {dashboard: dashboard.mode for dashboard in dashboards},
        lambda name, dashboard: cell(name, getattr(dashboard, name)),
    )


def notes(dashboards: Sequence[sendcap.Dashboard]) -> list[str]:
    """Return the notes below dashboards."""
    from sendcap.readings.dashboard import EARLY_OPENS, opens_are_early

    lines = ["Times count from t = 0, the start of the simulation, not of a delivery."]
    early = [each.mode for each in dashboards if each.mode in ("efs", "legacy")]
    if early:
        lines.append(
            f"{', '.join(early)}: a soft-bounced message counts as Failed until its retry succeeds."
        )
    if any(map(opens_are_early, dashboards)):
        lines.append(EARLY_OPENS)
    return lines
