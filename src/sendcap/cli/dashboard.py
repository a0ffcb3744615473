"""``sendcap dashboard``: the product's reports on a saved run at a given time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import sendcap
from sendcap.cli import dynamic_reporting, options, reports
from sendcap.cli.reports import Asked, in_words, which
from sendcap.cli.tables import say, show_grid
from sendcap.errors import SendcapError
from sendcap.files.single import require_free, save_text
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS, Mode
from sendcap.text.clock import counted_from
from sendcap.text.quantities import capital, listed
from sendcap.text.tables import cell

if TYPE_CHECKING:
    import pandas as pd


_REPORTS: Final = ("deployment", "dynamic", "throughput", "bounces", "alerts")
_MOST_STATES: Final = 8


@click.command()
@options.saved
@options.moment("--at", "at", "Time: 3h from the start, or 17:00 by the clock (default: the end).")
@options.mode("the run's")
@options.delivery()
@click.option(
    "--report",
    type=click.Choice(_REPORTS),
    metavar="REPORT",
    help=f"Report (default: deployment): {', '.join(_REPORTS)}.",
)
@options.flag("--explain", "Show deployment beside dynamic, and why they differ.")
@options.flag("--compute-stats", "Compute the figures at T instead of the last refresh.")
@options.csv_file
def dashboard(
    directory: Path,
    at: float | str | None,
    modes: tuple[Mode, ...] | None,
    delivery: str | None,
    report: str | None,
    explain: bool,
    compute_stats: bool,
    table: Path | None,
    force: bool,
) -> None:
    """Show the dashboard of the run saved in DIR, or another report."""
    from sendcap.files.tables import csv_text
    from sendcap.scenario.clock import moment_s

    shown = report or "deployment"
    _require_fit(shown, explain=explain, compute_stats=compute_stats, modes=modes)
    if explain and table is not None:
        raise SendcapError(
            "--csv: holds the figures of one report, not why two differ; leave it out"
        )
    run = sendcap.open_run(directory)
    time_s = run.ledger.end_s if at is None else moment_s(at, run.scenario.start, "--at")
    asked = Asked(
        run,
        time_s,
        modes or run.scenario.reporting.modes,
        delivery or ALL_DELIVERIES,
        # Without a moment it is the end, and not the last refresh before.
        compute_stats or (at is None and shown == "deployment"),
    )
    if table is not None:
        require_free(table, force=force)
    if explain:
        dynamic_reporting.explanations(asked)
    else:
        _SHOWN[shown](asked)
    if table is not None:
        save_text(table, csv_text(reports.figures(shown, asked)), force=force)
        click.echo(f"Saved in {table}")


def _require_fit(
    report: str, *, explain: bool, compute_stats: bool, modes: tuple[Mode, ...] | None
) -> None:
    """Refuse options that mean nothing to a report."""
    if explain and report not in ("deployment", "dynamic"):
        raise SendcapError(
            f"--explain: compares the reports deployment and dynamic, not {report}; "
            "leave out one of the two options"
        )
    if compute_stats and not explain and report != "deployment":
        raise SendcapError(
            f"--compute-stats: renews the report deployment, not {report}; leave it out"
        )
    if modes and report == "throughput":
        raise SendcapError("--mode: the throughput is the same in every mode; leave it out")


def _deployment(asked: Asked) -> None:
    """Print the Deployment dashboard."""
    from sendcap.readings.dashboard import EARLY_OPENS, opens_are_early
    from sendcap.readings.sentences import delay_sentence

    run = asked.run
    dashboards = [
        run.dashboard(asked.time_s, mode, asked.delivery, asked.compute_stats)
        for mode in asked.modes
    ]
    show_dashboards(dashboards, run.scenario.start)
    as_of, engagement = (
        in_words(seconds, run.scenario.start)
        for seconds in (dashboards[0].as_of_s, dashboards[0].engagement_as_of_s)
    )
    named = None if asked.delivery == ALL_DELIVERIES else asked.delivery
    # Delays are counted of the whole run, which at a moment before nobody knows.
    at_the_end = asked.time_s >= run.ledger.end_s
    delayed = delay_sentence(run.ledger, named) if at_the_end else ""
    say(
        f"As of {as_of}; opens and clicks as of {engagement}.",
        *_states(asked),
        *asked.ended(),
        *([delayed] if delayed else []),
        *notes(asked.modes, run.scenario.start),
        *([EARLY_OPENS] if any(map(opens_are_early, dashboards)) else []),
    )


def _states(asked: Asked) -> Iterator[str]:
    """Yield the states of a few deliveries, for each mode."""
    for mode in asked.modes:
        now = states_at(asked.run, asked.time_s, mode, asked.delivery)
        if len(now) > _MOST_STATES:
            return
        whose = now["delivery"] + " " if len(now) > 1 else ""
        yield f"State {MODE_LABELS[mode]}: {', '.join(whose + now['state'])}."


def states_at(run: sendcap.Run, time_s: float, mode: Mode, delivery: str) -> pd.DataFrame:
    """Return the rows of the states that deliveries are in at a moment."""
    states = run.states(mode, delivery)
    return states[(states["from_s"] <= time_s) & (time_s < states["until_s"])]


def show_dashboards(dashboards: Sequence[sendcap.Dashboard], start: datetime | None) -> None:
    """Print the dashboards of one time and delivery, a column per mode."""
    from sendcap.readings.dashboard import FIGURES

    first = dashboards[0]
    show_grid(
        f"Deployment dashboard, {which(first.delivery)}, at {in_words(first.time_s, start)}",
        "",
        FIGURES,
        {dashboard: MODE_LABELS[dashboard.mode] for dashboard in dashboards},
        lambda name, dashboard: cell(name, getattr(dashboard, name)),
    )


def notes(modes: Sequence[Mode], start: datetime | None) -> list[str]:
    """Return the notes below dashboards in some modes."""
    lines = [f"{counted_from(start)}, not of a delivery."]
    names = [MODE_LABELS[mode] for mode in modes if mode in ("efs", "legacy")]
    if names:
        early = capital(listed(names))
        lines.append(f"{early}: a soft-bounced message counts as Failed until its retry succeeds.")
    return lines


_SHOWN: Final[Mapping[str, Callable[[Asked], None]]] = {
    "deployment": _deployment,
    "dynamic": dynamic_reporting.dynamic,
    "throughput": reports.show_throughput,
    "bounces": reports.show_bounces,
    "alerts": reports.show_alerts,
}
