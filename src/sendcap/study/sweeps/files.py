"""The directory of a sweep: the study file, the results, and the store of runs."""

import hashlib
import io
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import pandas as pd

from sendcap.errors import SendcapError
from sendcap.files.checksums import SUMMARY, recorded, sealed
from sendcap.files.directory import LITTER
from sendcap.files.single import not_written, plain_words, put, require_writable
from sendcap.files.tables import csv_text
from sendcap.files.temporary import alone_in, is_temporary, tidy
from sendcap.scenario import Scenario, dumps
from sendcap.scenario.files import SCENARIO

STORE: Final = "store"
STUDY: Final = "study.toml"
RESULTS_CSV: Final = "results.csv"
RESULTS_PARQUET: Final = "results.parquet"

_TIMES: Final = ("wall_s", "cpu_s")
_OWN: Final = frozenset({STORE, STUDY, SCENARIO, RESULTS_CSV, RESULTS_PARQUET, SUMMARY}) | LITTER


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
        tidy(directory)
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
    _of_one_type(table).to_parquet(content, index=False, write_page_checksum=True)
    text = csv_text(table.drop(columns=list(_TIMES)), exact=True)
    write_files(directory, {RESULTS_PARQUET: content.getvalue(), RESULTS_CSV: text.encode()})


def write_files(directory: Path, contents: Mapping[str, bytes | None]) -> None:
    """Write files into the directory of a sweep, each complete or absent; None removes one.

    At every moment a file either is that of the checksum, or has none.
    """
    new = {
        name: None if content is None else hashlib.sha256(content).hexdigest()
        for name, content in contents.items()
    }
    try:
        with alone_in(directory):
            figures, before = recorded(directory)
            same = {name: value for name, value in before.items() if new.get(name, value) == value}
            if same != before:
                put(directory / SUMMARY, sealed(figures, same).encode())
            for name, content in contents.items():
                if content is None:
                    (directory / name).unlink(missing_ok=True)
                else:
                    put(directory / name, content)
            present = {name: value for name, value in new.items() if value is not None}
            put(directory / SUMMARY, sealed(figures, same | present).encode())
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
