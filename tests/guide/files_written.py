"""Compares the tables that commands have written with the page that describes them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

_SECTION = re.compile(
    r"^### `(?P<file>[\w-]+\.(?:csv|parquet))`.*?\n(?P<body>.*?)(?=^##|\Z)",
    re.MULTILINE | re.DOTALL,
)
_ROW = re.compile(r"^\| `(?P<column>[^`]+)`", re.MULTILINE)


def documented(page: str) -> dict[str, list[list[str]]]:
    """Columns by file; a name may belong to files of several commands."""
    result: dict[str, list[list[str]]] = {}
    for section in _SECTION.finditer(page):
        columns = [row["column"] for row in _ROW.finditer(section["body"])]
        result.setdefault(section["file"], []).append(columns)
    return result


def assert_documented(directory: Path, page: str) -> None:
    known = documented(page)
    for file in sorted(directory.rglob("*")):
        if file.suffix in (".csv", ".parquet") and len(file.relative_to(directory).parts) > 1:
            if "store" in file.parts or "points" in file.parts:
                continue
            columns = _columns(file)
            assert any(_same(columns, table) for table in known.get(file.name, [])), (
                f"{file.relative_to(directory)}: {columns}, documented: {known.get(file.name)}"
            )


def _same(columns: list[str], documented: list[str]) -> bool:
    """Whether the columns are those documented; PATH and MEASURE stand for any of a study."""
    free = {"PATH", "MEASURE", "LEVER"} & set(documented)
    fixed = [column for column in documented if column not in free]
    rest = [column for column in columns if column not in fixed]
    return set(fixed) <= set(columns) and (bool(free) or not rest)


def _columns(file: Path) -> list[str]:
    if file.suffix == ".parquet":
        return list(pq.read_schema(file).names)
    return list(pd.read_csv(file, nrows=1).columns)
