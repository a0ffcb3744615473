"""Tables in files: CSV, with the rounding rule of all figures.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula and may run
it. Names come from users and from logs, so such a text gets an apostrophe in every CSV file that is
written, and loses it in every one that is read. Source: OWASP, "CSV Injection".
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pandas as pd
from pandas.api.types import is_numeric_dtype

from sendcap.files.figures import DECIMALS
from sendcap.files.single import write_text

_APOSTROPHE: Final = "'"
# A text with an apostrophe of its own before the sign gets another one, so that both come back.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NEGATIVE: Final = re.compile(r"[+-](\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def neutral(value: Any) -> Any:
    """Return a value as a CSV file holds it: a text that looks like a formula is made a text.

    >>> neutral("=1+1"), neutral("-1.5"), neutral("gmail"), neutral(-1.5)
    ("'=1+1", '-1.5', 'gmail', -1.5)
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _NEGATIVE.fullmatch(value):
        return value
    return _APOSTROPHE + value


def restored(value: Any) -> Any:
    """Return a value of a CSV file without the apostrophe of `neutral`.

    >>> restored("'=1+1"), restored("'quoted'")
    ('=1+1', "'quoted'")
    """
    if not isinstance(value, str) or not value.startswith(_APOSTROPHE):
        return value
    return value[1:] if _FORMULA.match(value) else value


def csv_text(table: pd.DataFrame, *, exact: bool = False) -> str:
    """Return a table as CSV, without an index; ``exact`` for tables that are also input."""
    rounded = table if exact else table.round(DECIMALS)
    return str(_changed(rounded, neutral).to_csv(index=False, lineterminator="\n"))


def read_table(path: Path, texts: Iterable[str]) -> pd.DataFrame:
    """Read a CSV file of `csv_text`; the columns ``texts`` hold texts, whatever they look like."""
    return _changed(pd.read_csv(path, dtype=dict.fromkeys(texts, str)), restored)


def _changed(table: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    """Return a table with changed names of columns and texts; numbers keep their type."""
    columns = {
        change(name): column if is_numeric_dtype(column) else _changed_texts(column, change)
        for name, column in table.items()
    }
    return pd.DataFrame(columns, index=table.index)


def _changed_texts(column: pd.Series, change: Callable[[Any], Any]) -> pd.Series:
    # A column of a million rows has a few names, and nearly always none of them changes.
    changes = {value: change(value) for value in column.unique() if change(value) is not value}
    if not changes:
        return column
    return pd.Series([changes.get(each, each) for each in column], column.index, column.dtype)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, into a directory being made."""
    write_text(path, csv_text(table))
