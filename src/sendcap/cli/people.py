"""``sendcap people``: whom deliveries went to, and what became of the list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.tables import say, show, show_table
from sendcap.text.clock import brief_moment
from sendcap.text.tables import table_of

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS: Final = 40
_PREPARATIONS: Final = {
    "sending": "Delivery",
    "time_s": "Prepared",
    "targeted": "Targeted",
    "denylisted": "Denylisted",
    "quarantined": "Quarantined",
    "control_group": "Control group",
    "fatigue": "Fatigue",
    "to_deliver": "To deliver",
}
_HEALTH: Final = {
    "time_s": "At",
    "people": "On the list",
    "good": "Good",
    "erroneous": "With errors",
    "quarantined": "Quarantined",
    "denylisted": "Denylisted",
    "dead_unknown": "Dead, not known",
    "quarantined_by_mistake": "Quarantined by mistake",
}
_MOST_MESSAGES: Final = 7
_EVENTS: Final = {
    "soft": "soft bounce",
    "hard": "hard bounce",
    "async_bounced": "bounced later",
}
"""Events of the ledger in words; others are words already."""


@click.command()
@options.saved
@options.number(
    "--profile",
    "The history of one person instead, by number; simulates the run again;",
    least=0,
)
def people(directory: Path, profile: int | None) -> None:
    """Show whom the deliveries of a run went to.

    DIR is a saved run of a scenario with a [population]. The tables tell how many people each
    delivery targeted, how many were excluded and why, the state of the list at the end of each
    week, and how many people got how many messages in each week.
    """
    from sendcap.readings.people import people_sentences

    run = sendcap.open_run(directory)
    if profile is not None:
        _show_profile(run, profile)
        return
    show_preparations(run)
    _show(run, "The list", run.list_health(), _HEALTH)
    _show_weeks(run, run.messages_per_week())
    say(*people_sentences(run))


def show_preparations(run: sendcap.Run, most: int = _MOST_ROWS) -> None:
    """Print whom each delivery went to."""
    title = "Preparations: people targeted, excluded, and to deliver"
    _show(run, title, run.preparations(), _PREPARATIONS, most)


def _show(
    run: sendcap.Run,
    title: str,
    table: pd.DataFrame,
    columns: dict[str, str],
    most: int = _MOST_ROWS,
) -> None:
    """Print a table; of very many rows the last ones."""
    start, within_s = run.scenario.start, float(table["time_s"].max())
    shown = table.tail(most)
    notes = [f"The last {len(shown)} of {len(table)} rows."] if len(shown) < len(table) else []
    shown = shown.assign(time_s=[brief_moment(at_s, start, within_s) for at_s in shown["time_s"]])
    show(table_of(title, shown, columns)._replace(notes=notes))


def _show_profile(run: sendcap.Run, number: int) -> None:
    """Print what happened to a person."""
    person, start = sendcap.profile(run.scenario, number), run.scenario.start

    def moment(seconds: float) -> str:
        return brief_moment(seconds, start, run.ledger.end_s)

    rows = [
        [
            moment(row["known_s"]),
            row["delivery"],
            f"{row['event']}: {row['reason']}" if row["reason"] else row["event"],
            row["state"],
            str(row["errors"]),
        ]
        for row in person.history.replace({"event": _EVENTS}).to_dict("records")
    ]
    columns = ["Known", "Delivery", "What", "In Campaign", "Errors"]
    words = {"Delivery", "What", "In Campaign"}
    show_table(f"Profile {number:,}, at {person.provider}", columns, rows, words=words)
    since = f"since {moment(person.joined_s)}" if person.joined_s else "from the start"
    notes = [f"On the list {since}."]
    if person.wrong:
        notes.append(f"Wrong with the address from then on: {person.wrong}.")
    if person.dies_s <= run.ledger.end_s:
        notes.append(f"The address dies at {moment(person.dies_s)}.")
    say(*notes, "Errors: significant soft bounces since the last accepted message.")


def _show_weeks(run: sendcap.Run, table: pd.DataFrame) -> None:
    """Print how many people got 0, 1, 2 ... messages in each week."""
    if table.empty:
        return
    counts = table.assign(messages=table["messages"].clip(upper=_MOST_MESSAGES))
    wide = counts.pivot_table(
        index="week_s", columns="messages", values="people", aggfunc="sum", fill_value=0
    )
    start, within_s = run.scenario.start, float(table["week_s"].max())
    headings = [
        f"{number} or more" if number == _MOST_MESSAGES else f"{number}"
        for number in map(int, wide.columns)
    ]
    rows = [
        [brief_moment(week_s, start, within_s), *(f"{count:,}" for count in row)]
        for week_s, row in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    show_table(
        "People by the messages that they got in a week",
        ["Week from", *headings],
        rows[-_MOST_ROWS:],
    )
