"""Tables in the terminal: the console, and the dashboard and totals of a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sendcap.cli.conduct import printable
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import elapsed
from sendcap.text.shares import percentage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sendcap.readings.dashboard import Dashboard
    from sendcap.readings.modes import Mode

_COUNTS: Final = {
    "to_deliver": "To deliver",
    "relayed": "Relayed",
    "sent": "Sent",
    "failed": "Failed",
    "pending": "Pending",
}
_PERCENTAGES: Final = {
    "delivered_pct": "Delivered %",
    "bounces_errors_pct": "Bounces + errors %",
    "open_rate_pct": "Open rate %",
    "click_through_pct": "Click-through rate %",
}
_TOTALS: Final = {
    "relay_failed": "Relay failed",
    "accepted": "Accepted",
    "hard": "Hard",
    "soft": "Soft",
    "expired": "Expired",
    "async_bounced": "Async",
}
_MOMENTS: Final = {
    "accepted_50_pct_s": "50 %",
    "accepted_90_pct_s": "90 %",
    "accepted_99_pct_s": "99 %",
}
_UNLIMITED: Final = 1_000_000
"""Columns: a line may be longer than the terminal, but no number is broken."""


def console() -> Console:
    """Return the console that writes to stdout."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            # rich would exit with 1; `conduct` knows better.
            raise BrokenPipeError

    # Names come from the user's files: what looks like markup in them is not.
    return Screen(file=sys.stdout, width=_UNLIMITED, markup=False, highlight=False, emoji=False)


def new_table(first: str, columns: Sequence[str]) -> Table:
    """Return a table with left-aligned names and right-aligned values."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column(Text(printable(first)), no_wrap=True)
    for column in columns:
        table.add_column(Text(printable(column)), justify="right", no_wrap=True)
    return table


def show_dashboard(screen: Console, dashboards: Sequence[Dashboard]) -> None:
    """Print the dashboards of one time and delivery, a column per mode."""
    first = dashboards[0]
    which = "all deliveries" if first.delivery == ALL_DELIVERIES else first.delivery
    table = new_table("", [dashboard.mode for dashboard in dashboards])
    for name, label in _COUNTS.items():
        table.add_row(label, *(f"{getattr(dashboard, name):,}" for dashboard in dashboards))
    for name, label in _PERCENTAGES.items():
        table.add_row(label, *(percentage(getattr(dashboard, name)) for dashboard in dashboards))
    heading(screen, f"Deployment dashboard, {which}, at {elapsed(first.time_s)}")
    screen.print(table)


def show_totals(
    screen: Console, title: str, first: str, rows: Mapping[str, Mapping[str, Any]]
) -> None:
    """Print the totals of a run, a row per provider or delivery.

    Parameters
    ----------
    first
        Heading of the names.
    rows
        Name to `sendcap.Run.summary`.
    """
    shown = {
        key: label
        for key, label in _TOTALS.items()
        if key != "relay_failed" or any(totals[key] for totals in rows.values())
    }
    table = new_table(first, [*shown.values(), *_MOMENTS.values()])
    for name, totals in rows.items():
        moments = [totals[key] for key in _MOMENTS]
        table.add_row(
            printable(name),
            *(f"{totals[key]:,}" for key in shown),
            *("–" if moment is None else elapsed(moment) for moment in moments),
        )
    heading(screen, title)
    screen.print(table)


def notes(modes: Sequence[Mode]) -> list[str]:
    """Return the notes below the tables, a line each."""
    lines = ["Times count from t = 0, the start of the simulation, not of a delivery."]
    early = [mode for mode in modes if mode in ("efs", "legacy")]
    if early:
        lines.append(
            f"{', '.join(early)}: a soft-bounced message counts as Failed until its retry succeeds."
        )
    return lines


def heading(screen: Console, text: str) -> None:
    """Print a heading."""
    screen.print(printable(text), style="bold")
