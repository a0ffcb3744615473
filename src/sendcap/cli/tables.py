"""Tables and sentences in the terminal."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import click

from sendcap.text.measures import measure_text
from sendcap.text.quantities import NOTHING
from sendcap.text.quoting import printable

WIDTH: Final = 80
"""Letters of a line. A table may be wider: no number is broken, and no name."""
_UNLIMITED: Final = 1_000_000
_GAP: Final = 2
"""Letters between two columns."""
_MOST_LINES: Final = 4
"""Of a heading."""
_LEAST_WORDS: Final = 14
"""Letters of a line in a column of words."""
_TIED: Final = "\N{NO-BREAK SPACE}%"
_BREAKS: Final = re.compile(r"(?<=\D )|(?<=\d )(?!%)|(?<=[._])(?=[a-z])|(?=/)")
"""Where a heading may go on in the next line: paths and names of columns are headings, too."""

_INTERVAL: Final = re.compile(r"^(\S.*)\s(\(\S.*) (to \S.*\))$", re.DOTALL)
"""A value, and the ends of an interval around it."""


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *notes: str,
    words: Collection[str] = (),
) -> None:
    """Print a title, a table and notes below it.

    The first column and those in ``words`` are left-aligned, values right-aligned. In a table
    wider than `WIDTH`, headings, intervals and words go on in the next line.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    cells = [[printable(cell) for cell in row] for row in rows]
    headings, cells = _fitted(columns, cells, words)
    for number, (column, heading) in enumerate(zip(columns, headings, strict=True)):
        left = number == 0 or column in words
        table.add_column(Text(heading), justify="left" if left else "right", no_wrap=True)
    for row in cells:
        table.add_row(*row)
    # Names come from the user's files: what looks like markup in them is not.
    page = Console(file=sys.stdout, width=_UNLIMITED, markup=False, highlight=False, emoji=False)
    with page.capture() as capture:
        page.print(table)
    click.secho(printable(title), bold=True)
    # Not by click, which writes UTF-8 to a terminal that has ASCII alone.
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))
    say(*notes)


def _fitted(
    columns: Sequence[str], rows: list[list[str]], words: Collection[str]
) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells with line breaks, as few as make a table fit."""

    def longest(number: int) -> int:
        return max((len(line) for row in rows for line in row[number].split("\n")), default=0)

    def excess() -> int:
        widths = [max(longest(number), *map(len, lines)) for number, lines in enumerate(headings)]
        return sum(widths) + _GAP * (len(widths) - 1) - WIDTH

    wordy = [number for number, column in enumerate(columns) if column in words]
    headings = [[printable(column)] for column in columns]
    for most in range(2, _MOST_LINES + 1):
        if excess() <= 0:
            break
        headings = [
            _broken(printable(column), longest(number), most)
            for number, column in enumerate(columns)
        ]
    if excess() > 0:
        _break_intervals(rows, r"\1\n\2 \3")
    while excess() > 0 and wordy:
        widest = max(wordy, key=longest)
        width = longest(widest) - 1
        for row in rows:
            tied = row[widest].replace(" %", _TIED)
            row[widest] = textwrap.fill(tied, width, break_long_words=False).replace(_TIED, " %")
        # A word is longer, or the column is narrow enough.
        if longest(widest) > width or width <= _LEAST_WORDS:
            wordy.remove(widest)
    if excess() > 0:
        _break_intervals(rows, r"\1\n\2\n\3")
    return ["\n".join(lines) for lines in headings], rows


def _break_intervals(rows: list[list[str]], form: str) -> None:
    """Give the intervals a form with line breaks; the first column has names."""
    for row in rows:
        row[1:] = [_INTERVAL.sub(form, cell) for cell in row[1:]]


def _broken(heading: str, least: int, most: int) -> list[str]:
    """Return the lines of a heading, ``most`` or fewer, as short as that allows."""
    pieces = [piece for piece in _BREAKS.split(heading) if piece]
    for width in range(max([least, *map(len, pieces)]), len(heading)):
        lines = [""]
        for piece in pieces:
            if lines[-1] and len((lines[-1] + piece).rstrip()) > width:
                lines.append("")
            lines[-1] += piece
        if len(lines) <= most:
            return [line.rstrip() for line in lines]
    return [heading]


def show_grid(
    title: str,
    first: str,
    rows: Iterable[Any],
    columns: Iterable[Any],
    text: Callable[[Any, Any], str],
    *notes: str,
    words: Collection[str] = (),
) -> None:
    """Print a table of the ``text`` for each row and column, named or in a mapping to labels.

    For ``words`` see `show_table`.
    """
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
        words=words,
    )


def show_list(entries: Mapping[str, str], width: int = 0, margin: str = "") -> None:
    """Print names, and what they mean beside them, in a column of its own.

    ``width`` is that of the names, where several lists have the same; ``margin`` begins each line.
    """
    width = max([width, *map(len, entries)]) + _GAP
    within = margin + " " * width
    for name, meaning in entries.items():
        line = f"{margin}{name:<{width}}{meaning}"
        click.echo(textwrap.fill(line, WIDTH, subsequent_indent=within, break_on_hyphens=False))


def say(*texts: str, bold: bool = False) -> None:
    """Print texts, each on lines of its own, and an empty line."""
    for text in texts:
        click.secho(wrapped(text), bold=bold)
    click.echo()


def wrapped(text: str) -> str:
    """Return a text on lines that fit a terminal."""
    # A number and the sign after it stay together.
    text = printable(text).replace(" %", _TIED)
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(_TIED, " %")


def cell(name: str, value: Any) -> str:
    """Return a value in the unit that the name of the column ends with.

    >>> cell("needs_s", 76.0), cell("share_pct", 23.4), cell("sent", 1250), cell("binding", "rate")
    ('1m 16s', '23.40', '1,250', 'rate')
    """
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else measure_text(name, float(value))
