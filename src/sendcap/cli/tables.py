"""Tables and sentences in the terminal."""

import math
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import click

from sendcap.cli.environment import has_escape_codes
from sendcap.text.quoting import printable
from sendcap.text.tables import Table

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


class _Fitted(NamedTuple):
    """A table with line breaks, or a part of one."""

    columns: Sequence[str]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def width(self) -> int:
        """Letters of the longest line."""
        columns = zip(self.headings, *self.rows, strict=True)
        widths = [max(_longest(text) for text in column) for column in columns]
        return sum(widths) + _GAP * (len(widths) - 1)


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *notes: str,
    words: Collection[str] = (),
    repeated: int = 1,
    together: int = 1,
) -> None:
    """Print a title, a table and notes below it.

    The first column and those in ``words`` are left-aligned, values right-aligned. In a table
    wider than `WIDTH`, headings, intervals and words go on in the next line. One with too many
    columns goes on below, where its first ones, as many as ``repeated``, stand again; of the
    others, as many as ``together`` make a group that is not parted.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    parts = [_text(part, words) for part in _parts(columns, cells, words, repeated, together)]
    headline(printable(title))
    # Not by click, which writes UTF-8 to a terminal that has ASCII alone.
    sys.stdout.write("\n".join(parts))
    say(*notes)


def _text(part: _Fitted, words: Collection[str]) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for number, (column, heading) in enumerate(zip(part.columns, part.headings, strict=True)):
        left = number == 0 or column in words
        table.add_column(Text(heading), justify="left" if left else "right", no_wrap=True)
    for row in part.rows:
        table.add_row(*row)
    # Names come from the user's files: what looks like markup in them is not.
    page = Console(file=sys.stdout, width=_UNLIMITED, markup=False, highlight=False, emoji=False)
    with page.capture() as capture:
        page.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _parts(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    words: Collection[str],
    repeated: int,
    together: int,
) -> list[_Fitted]:
    """Return a table in as few parts as fit, about equal; whole where no number of them does."""
    others = range(repeated, len(columns))
    groups = math.ceil(len(others) / together)
    for count in range(1, groups + 1):
        most = together * math.ceil(groups / count)
        parts = []
        for first in range(0, len(others), most):
            numbers = [*range(repeated), *others[first : first + most]]
            part = [[row[number] for number in numbers] for row in rows]
            parts.append(_fitted([columns[number] for number in numbers], part, words))
        if all(part.width <= WIDTH for part in parts):
            return parts
    return [_fitted(columns, [list(row) for row in rows], words)]


def _fitted(columns: Sequence[str], rows: list[list[str]], words: Collection[str]) -> _Fitted:
    """Return a table with line breaks, as few as make it fit; the cells are changed."""

    def longest(number: int) -> int:
        return max((_longest(row[number]) for row in rows), default=0)

    def fitted() -> _Fitted:
        return _Fitted(columns, headings, rows)

    wordy = [number for number, column in enumerate(columns) if column in words]
    headings = [printable(column) for column in columns]
    for most in range(2, _MOST_LINES + 1):
        if fitted().width <= WIDTH:
            break
        headings = [
            "\n".join(_broken(printable(column), longest(number), most))
            for number, column in enumerate(columns)
        ]
    if fitted().width > WIDTH:
        _break_intervals(rows, r"\1\n\2 \3")
    while fitted().width > WIDTH and wordy:
        widest = max(wordy, key=longest)
        width = longest(widest) - 1
        if width < 1:
            break
        for row in rows:
            tied = row[widest].replace(" %", _TIED)
            row[widest] = textwrap.fill(tied, width, break_long_words=False).replace(_TIED, " %")
        # A word is longer, or the column is narrow enough.
        if longest(widest) > width or width <= _LEAST_WORDS:
            wordy.remove(widest)
    if fitted().width > WIDTH:
        _break_intervals(rows, r"\1\n\2\n\3")
    return fitted()


def _longest(text: str) -> int:
    return max(map(len, text.split("\n")))


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


def show(table: Table, words: Collection[str] = ()) -> None:
    """Print a table."""
    show_table(table.title, table.columns, table.rows, *table.notes, words=words)


def show_grid(
    title: str,
    first: str,
    rows: Iterable[Any],
    columns: Iterable[Any],
    text: Callable[[Any, Any], str],
    *notes: str,
    **options: Any,
) -> None:
    """Print a table of the ``text`` for each row and column, named or in a mapping to labels.

    For the options see `show_table`.
    """
    row_labels, column_labels = (
        names if isinstance(names, dict) else {name: str(name) for name in names}
        for names in (rows, columns)
    )
    cells = [
        [label, *(text(row, column) for column in column_labels)]
        for row, label in row_labels.items()
    ]
    show_table(title, [first, *column_labels.values()], cells, *notes, **options)


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
    write = headline if bold else click.echo
    for text in texts:
        write(wrapped(text))
    click.echo()


def headline(text: str) -> None:
    """Print a text, bold on a terminal that can show it."""
    click.echo(click.style(text, bold=True) if has_escape_codes() else text)


def wrapped(text: str, first: str = "", later: str = "") -> str:
    """Return a text on lines that fit a terminal; ``first`` and ``later`` begin them."""
    lines = textwrap.fill(
        # A number and the sign after it stay together.
        printable(text).replace(" %", _TIED),
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace(_TIED, " %")
