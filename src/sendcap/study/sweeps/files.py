"""The directory of a sweep: the study file, the results, and the store of runs."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Final

import pandas as pd

from sendcap.errors import SendcapError
from sendcap.files.directory import LITTER
from sendcap.files.single import is_temporary, not_written, plain_words, put, require_writable
from sendcap.files.tables import csv_text
from sendcap.scenario import Scenario, dumps
from sendcap.scenario.files import SCENARIO

STORE: Final = "store"
STUDY: Final = "study.toml"
RESULTS_CSV: Final = "results.csv"
RESULTS_PARQUET: Final = "results.parquet"

_TIMES: Final = ("wall_s", "cpu_s")
_OWN: Final = frozenset({STORE, STUDY, SCENARIO, RESULTS_CSV, RESULTS_PARQUET}) | LITTER


def require_sweep_directory(directory: Path, more: frozenset[str] = frozenset()) -> None:
    """Refuse a directory with files other than a sweep's, and ``more``."""
    try:
        foreign = sorted(
            path.name
            for path in directory.iterdir()
            if path.name not in _OWN | more and not is_temporary(path)
        )
    except FileNotFoundError:
        return
    except OSError as error:
        raise SendcapError(f"{directory}: cannot be read: {plain_words(error)}") from error
    if foreign:
        raise SendcapError(
            f"{directory}: holds {foreign[0]!r}, which no sweep has written; give another directory"
        )


def begin(directory: Path, study: str, scenario: Scenario) -> None:
    """Make the directory and write study file and scenario, before anything is computed."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        require_writable(directory)
    except OSError as error:
        raise SendcapError(not_written(directory, error)) from error
    write_files(directory, {STUDY: study.encode(), SCENARIO: dumps(scenario).encode()})


def write_results(directory: Path, table: pd.DataFrame) -> None:
    """Write the table of a sweep.

    ``results.parquet`` has all of it. ``results.csv`` lacks the times that runs took: so the same
    study gives the same bytes, however often it was interrupted.
    """
    content = io.BytesIO()
    _of_one_type(table).to_parquet(content, index=False)
    text = csv_text(table.drop(columns=list(_TIMES)), exact=True)
    write_files(directory, {RESULTS_PARQUET: content.getvalue(), RESULTS_CSV: text.encode()})


def write_files(directory: Path, contents: dict[str, bytes]) -> None:
    """Write files into the directory of a sweep, each complete or absent."""
    try:
        for name, content in contents.items():
            put(directory / name, content)
    except OSError as error:
        raise SendcapError(not_written(directory, error)) from error


def _of_one_type(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which columns of numbers and words are all words, as Parquet wants it."""
    columns = {}
    for name in table.columns:
        column = table[name]
        kinds = {type(value) for value in column if not (value is None or value != value)}
        if column.dtype == object and (len(kinds) > 1 or kinds - {str, bool}):
            columns[name] = pd.Series([_text(value) for value in column], dtype=object)
    return table.assign(**columns)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    with suppress(TypeError):
        return json.dumps(value)
    return str(value)
