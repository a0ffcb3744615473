"""Tables in words, for the terminal, a notebook or a page alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendcap.text.measures import measure_text
from sendcap.text.quantities import NOTHING, capital

if TYPE_CHECKING:
    import pandas as pd

_UNITS: Final = {"_per_s": "/s", "_per_hour": "/h", "_pct": " %", "_pt": " (points)", "_s": ""}
"""Ends of the names of measures, and what a heading says instead."""

_COUNTS: Final = frozenset({"n", "at", "replications"})
"""Columns that are numbers, whatever the measure of the row."""


class Table(NamedTuple):
    """A table whose cells are texts; the first column names the rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def cell(name: str, value: Any) -> str:
    """Return a value in the unit that the name of the column ends with.

    >>> cell("needs_s", 76.0), cell("share_pct", 23.4), cell("sent", 1250), cell("binding", "rate")
    ('1m 16s', '23.40', '1,250', 'rate')
    """
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else measure_text(name, float(value))


def heading(name: str) -> str:
    """Return the name of a column of figures as words.

    >>> heading("ceiling_per_s"), heading("delivered_pct"), heading("delay_p95_s")
    ('Ceiling/s', 'Delivered %', 'Delay p95')
    """
    ending = next((end for end in _UNITS if name.endswith(end)), "")
    words = (
        re.sub(r"_(50|90|95|99)_pct", r" \1 %", name.removesuffix(ending))
        .replace("_", " ")
        .replace(" pct", " %")
    )
    return capital(words) + _UNITS.get(ending, "")


def table_of(title: str, frame: pd.DataFrame, columns: Mapping[str, str] | None = None) -> Table:
    """Return a table of figures in words; ``columns`` are those to show, with headings.

    A figure whose column tells no unit has that of the measure in the column ``name``.
    """
    shown = columns or {str(name): heading(str(name)) for name in frame.columns}
    rows = [
        [_text(name, row[name], row.get("name")) for name in shown]
        for row in frame.to_dict("records")
    ]
    return Table(title, list(shown.values()), rows)


def _text(name: str, value: Any, measure: Any) -> str:
    if value is None or isinstance(value, str | bool) or not isinstance(value, int | float):
        return NOTHING if value is None else str(value)
    known = any(name.endswith(end) for end in _UNITS) or not isinstance(measure, str)
    return cell(name if known or name in _COUNTS else measure, value)
