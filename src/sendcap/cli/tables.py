"""Tables and sentences in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

import click

from sendcap.text.measures import measure_text
from sendcap.text.quantities import NOTHING
from sendcap.text.quoting import printable

_UNLIMITED: Final = 1_000_000
"""Columns: a line may be longer than the terminal, but no number is broken."""


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *notes: str,
    words: Collection[str] = (),
) -> None:
    """Print a title, a table and notes below it.

    The first column and those in ``words`` are left-aligned, values right-aligned.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            # rich would exit with 1; `conduct` knows better.
            raise BrokenPipeError

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        left = number == 0 or column in words
        table.add_column(Text(printable(column)), justify="left" if left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(printable, row))
    # Names come from the user's files: what looks like markup in them is not.
    screen = Screen(file=sys.stdout, width=_UNLIMITED, markup=False, highlight=False, emoji=False)
    screen.print(printable(title), style="bold")
    screen.print(table)
    say(*notes)


def show_grid(
    title: str,
    first: str,
    rows: Iterable[Any],
    columns: Iterable[Any],
    text: Callable[[Any, Any], str],
    *notes: str,
) -> None:
    """Print a table of the ``text`` for each row and column, named or in a mapping to labels."""
    row_labels, column_labels = (
        names if isinstance(names, dict) else {name: str(name) for name in names}
        for names in (rows, columns)
    )
    show_table(
        title,
        [first, *column_labels.values()],
        [
            [label, *(text(row, column) for column in column_labels)]
            for row, label in row_labels.items()
        ],
        *notes,
    )


def say(*texts: str, bold: bool = False) -> None:
    """Print texts, each on a line, and an empty line."""
    for text in texts:
        click.secho(printable(text), bold=bold)
    click.echo()


def cell(name: str, value: Any) -> str:
    """Return a value in the unit that the name of the column ends with.

    >>> cell("needs_s", 76.0), cell("share_pct", 23.4), cell("sent", 1250), cell("binding", "rate")
    ('1m 16s', '23.40', '1,250', 'rate')
    """
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else measure_text(name, float(value))
