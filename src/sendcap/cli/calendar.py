"""``sendcap calendar``: a programme of deliveries as a table and a chart."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.computing import simulations
from sendcap.cli.dashboard import states_at
from sendcap.cli.edits import chosen
from sendcap.cli.progress import progress_bar
from sendcap.cli.saving import Results
from sendcap.cli.tables import say, show, show_table
from sendcap.readings.modes import MODE_LABELS
from sendcap.text.clock import after, dated, moment_text
from sendcap.text.quantities import counted, elapsed
from sendcap.text.quoting import first_few
from sendcap.text.shares import parse_share, share_text
from sendcap.text.tables import Table, cell

if TYPE_CHECKING:
    from sendcap.study.calendar.deadline import Verdict

_OF_A_RUN: Final = ("50 % accepted", "90 % accepted", "Delivered %")
"""Columns of a run for which a calendar has no room."""
_OF_A_CALENDAR: Final = ("Messages", "Beside")
"""Columns of a calendar that a run leaves out: another table has the messages."""


@click.command()
@options.scenario
@options.out_directory
@options.overrides
@options.moment(
    "--deadline", "deadline", "Moment by which all has to be accepted, e.g. 6h or 'Fri 12:00'."
)
@options.moment("--at", "at", "Also show the dashboard of each delivery at a time, e.g. 17:00.")
@click.option(
    "--share", metavar="P", help="Share of each delivery that has to be accepted (default: 99%)."
)
@options.number("--replications", "Simulations for the deadline (default: 20).")
@options.confidence(preset=False)
@options.processes
def calendar(
    source: str,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    deadline: float | str | None,
    at: float | str | None,
    share: str | None,
    replications: int | None,
    confidence: float | None,
    workers: int | None,
    address: str | None,
) -> None:
    """Show when each delivery is sent and accepted.

    SCENARIO is a TOML file, PRESET a name from `sendcap scenario list`. A row for each delivery
    says when it starts, when it is relayed, when its messages are accepted, when its Delivered %
    is settled, and what is sent beside it. With --deadline many simulations tell how probably each
    delivery is accepted by then, and which changes make one hold. DIR gets the tables, the
    scenario and a chart.
    """
    from sendcap.scenario.clock import moment_s
    from sendcap.study.calendar.calendar import CALENDAR_OF_A_SCENARIO

    of_many = ("--replications", "--confidence", "--workers", "--dask")
    for name, value in zip(of_many, (replications, confidence, workers, address), strict=True):
        if value is not None and deadline is None:
            raise click.UsageError(f"{name} goes with --deadline")
    accepted = parse_share(share or "99%", "--share")
    scenario = chosen(source, settings, seed)
    at_s = None if at is None else moment_s(at, scenario.start, "--at")
    results = Results(CALENDAR_OF_A_SCENARIO, out, source, "calendar", force=force)
    with results as folder:
        if deadline is None:
            with progress_bar() as progress:
                found = sendcap.calendar(scenario, share=accepted, seen=progress)
        else:
            with simulations(workers, address) as means:
                found = sendcap.calendar(
                    scenario,
                    deadline,
                    share=accepted,
                    replications=replications or 20,
                    confidence=confidence or 0.95,
                    **means,
                )
        found.write(folder)
    show_calendar(found)
    if at_s is not None:
        _show_dashboards(found, at_s)
    if found.verdicts:
        _show_verdicts(found, confidence or 0.95)
    results.announce()


def show_calendar(found: sendcap.Calendar) -> None:
    """Print the calendar of a programme."""
    from sendcap.study.calendar.rows import deliveries_table

    asked = f"{share_text(found.share)} accepted"
    table = deliveries_table(found, [name for name in _OF_A_RUN if name != asked])
    more = ["calendar.csv has a row for each."] if "First" in table.columns else []
    _show(found, table._replace(title=found.scenario.title or "Calendar"), *more)


def show_deliveries(run: sendcap.Run) -> None:
    """Print when each delivery of a run is sent, accepted and settled, and how it ends."""
    from sendcap.study.calendar.calendar import calendar_of
    from sendcap.study.calendar.rows import deliveries_table

    found = calendar_of(run)
    title = "Deliveries: when each is relayed, accepted and settled"
    _show(found, deliveries_table(found, _OF_A_CALENDAR)._replace(title=title))


def _show(found: sendcap.Calendar, table: Table, *more: str) -> None:
    from sendcap.scenario.notes import later_days
    from sendcap.study.calendar.rows import longest_of

    show(
        table._replace(notes=[*table.notes, *more, *later_days(found.scenario)]),
        {longest_of(found), "Latest", "Held up by", "Beside"},
    )


def _show_dashboards(found: sendcap.Calendar, at_s: float) -> None:
    """Print what Campaign shows of each delivery at a moment."""
    run, modes = found.run, found.scenario.reporting.modes
    rows = []
    for name in run.ledger.written:
        shown = [run.dashboard(at_s, mode, name) for mode in modes]
        cells = [f"{shown[0].relayed:,}"]
        for dashboard in shown:
            now = states_at(run, at_s, dashboard.mode, name)["state"].unique()
            cells += [cell("delivered_pct", dashboard.delivered_pct), ", ".join(now)]
        rows.append([name, *cells])
    columns = [
        (f"Delivered %, {MODE_LABELS[mode]}", f"State, {MODE_LABELS[mode]}") for mode in modes
    ]
    show_table(
        f"The dashboard at {moment_text(at_s, found.scenario.start)}",
        ["Delivery", "Relayed", *(column for pair in columns for column in pair)],
        rows,
        words=tuple(state for _, state in columns),
        together=2,
        repeated=2,
    )


def _show_verdicts(found: sendcap.Calendar, confidence: float) -> None:
    assert found.deadline_s is not None
    start = found.scenario.start
    # With the date: a day of the week may have been understood as that of the next one.
    deadline = elapsed(found.deadline_s)
    if start is not None:
        deadline = dated(after(start, found.deadline_s))
    rows = []
    for each in found.verdicts:
        times = [
            _apart(accepted_s - found.deadline_s)
            for accepted_s in (each.accepted_median_s, each.accepted_90_pct_s)
        ]
        low, high = (f"{100.0 * end:.0f}" for end in (each.low, each.high))
        holds = f"{100.0 * each.probability:.0f} % ({low} to {high} %)"
        rows.append([each.delivery, holds, *times])
    replications = found.verdicts[0].replications
    show_table(
        f"Deadline {deadline}: {share_text(found.share)} accepted by then, in "
        f"{counted(replications, 'simulation')}",
        ["Delivery", "Holds", "Half of them", "90 % of them"],
        rows,
        f"In brackets: the {share_text(confidence)} interval of the probability.",
        "Half of them, 90 %: how early or late at the most, in so many of the simulations.",
    )
    sentences = [_sentence(each) for each in found.verdicts if each.probability < 1.0]
    if found.left_out:
        names = first_few(found.left_out)
        sentences.append(f"Left out, as they are not all ready before the deadline: {names}.")
    if sentences:
        say(*sentences)


def _apart(late_s: float) -> str:
    """Return how late something is, or how early."""
    if late_s == math.inf:
        return "never"
    return f"{elapsed(abs(late_s))} {'late' if late_s > 0.0 else 'early'}"


def _sentence(verdict: Verdict) -> str:
    """Return what would make a delivery hold, in words."""
    if not verdict.remedies:
        return f"{verdict.delivery}: nothing that was tried makes it hold."
    texts = [remedy.in_full for remedy in verdict.remedies]
    return f"{verdict.delivery} holds if {', or if '.join(texts)}."
