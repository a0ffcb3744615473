"""The sheets of a workbook: columns of figures with a format each, and texts that stay texts."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from sendcap.text.quantities import DAY_S

Kind = Literal["text", "words", "count", "percent", "moment", "duration"]

_MOMENT: Final = "ddd d mmm yyyy hh:mm"
_SECONDS: Final = ":ss"
"""After a moment that has some: the minute alone would be too early."""
_FORMATS: Final[dict[Kind, str]] = {
    "text": "@",
    "words": "@",
    "count": "#,##0",
    "percent": "0.00%",
    "moment": _MOMENT,
    # Above 24 hours, too.
    "duration": "[h]:mm:ss",
}
_WIDTHS: Final[dict[Kind, int]] = {
    "text": 26,
    "words": 90,
    "count": 13,
    "percent": 12,
    "moment": 24,
    "duration": 13,
}
_HALF: Final = {"x_scale": 0.5, "y_scale": 0.5}
"""Images have more points than a screen, so that print is sharp."""
_SENTENCE: Final = 110
"""Letters of a line of text."""


class Column(NamedTuple):
    """A column: a heading, the kind of its figures, and how a row gives its figure.

    A figure of *percent* is of 100, and one of *duration* in seconds; None leaves the cell empty.
    """

    heading: str
    kind: Kind
    of: Callable[[Any], Any]


class Sheets:
    """A workbook being written."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self._formats: dict[Kind, Format] = {
            kind: book.add_format({"num_format": code}) for kind, code in _FORMATS.items()
        }
        self._with_seconds = book.add_format({"num_format": _MOMENT + _SECONDS})

    def texts(self, name: str, title: str, paragraphs: Sequence[str]) -> None:
        """Add a sheet of a title and paragraphs."""
        sheet = self._book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, _SENTENCE)
        sheet.write_string(0, 0, title, self._title)
        for row, text in enumerate(paragraphs, start=2):
            sheet.write_string(row, 0, text, self._wrapped)
            sheet.set_row(row, 15 * math.ceil(len(text) / _SENTENCE) + 4)

    def table(
        self, name: str, columns: Sequence[Column], rows: Iterable[Any], notes: Sequence[str] = ()
    ) -> None:
        """Add a sheet of a table that can be filtered, whose heading stays in sight."""
        sheet = self._book.add_worksheet(name)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, _WIDTHS[column.kind])
            sheet.write_string(0, number, column.heading, self._bold)
        last = 0
        for last, row in enumerate(rows, start=1):
            for number, column in enumerate(columns):
                self._write(sheet, last, number, column.kind, column.of(row))
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)
        for below, note in enumerate(notes, start=last + 2):
            sheet.write_string(below, 0, note)

    def _write(self, sheet: Worksheet, row: int, number: int, kind: Kind, value: Any) -> None:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return
        form = self._formats[kind]
        if kind in ("text", "words"):
            sheet.write_string(row, number, value, form)
        elif kind == "moment":
            # A cell has no zone: it shows the clock of the scenario.
            moment: datetime = value
            form = self._with_seconds if moment.second else form
            sheet.write_datetime(row, number, moment.replace(tzinfo=None), form)
        else:
            share = {"percent": 100.0, "duration": DAY_S}.get(kind, 1.0)
            sheet.write_number(row, number, value / share, form)

    def pictures(self, name: str, pictures: Iterable[tuple[Any, float, str]]) -> None:
        """Add a sheet of PNG images one below the other: stream, height in pixels, title."""
        sheet = self._book.add_worksheet(name)
        sheet.hide_gridlines(2)
        row = 0
        for stream, height, title in pictures:
            sheet.write_string(row, 0, title, self._title)
            sheet.insert_image(row + 1, 0, f"{title}.png", {"image_data": stream, **_HALF})
            row += 3 + math.ceil(height * _HALF["y_scale"] / 20.0)
