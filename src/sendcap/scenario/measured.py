"""Measured times: a list of durations in a scenario, or a column of a CSV file beside it."""

import csv
import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import (
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from sendcap.files.reading import table_lines
from sendcap.scenario.durations import DURATION_SCHEMA, checked_duration, format_duration
from sendcap.scenario.random_time import RandomTime, Seconds
from sendcap.text.quoting import did_you_mean, shown

_MOST_VALUES: Final = 1_000_000
_MOST_NAMES: Final = 10


class _Seconds(tuple[float, ...]):
    """Times already in seconds, as a file gives them."""

    __slots__ = ()


def from_file(table: dict[str, Any], folder: Path | None) -> tuple[float, ...]:
    """Read the times that a table with the keys ``file`` and ``column`` names, in seconds.

    A cell without a unit is in seconds; empty cells are left out. The file's name is relative to
    the folder, or to the working directory.
    """
    if "values" in table:
        raise ValueError("needs either values, or file and column, and not both")
    missing = next((key for key in ("file", "column") if key not in table), None)
    if missing:
        raise ValueError(f"{missing} is missing: a file of times is given by file and column")
    name, column = table["file"], table["column"]
    if not isinstance(name, str) or not isinstance(column, str):
        raise ValueError("file and column must both be text")  # noqa: TRY004 (pydantic)
    try:
        with table_lines((folder or Path()).joinpath(name)) as lines:
            return _Seconds(_column(_rows(lines), column))
    except OSError as problem:
        raise ValueError(f"file {shown(name)}: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise ValueError(f"file {shown(name)} is not UTF-8 text") from None
    except _BadLine as problem:
        raise ValueError(f"file {shown(name)}, line {problem.line}: {problem}") from None


class _BadLine(Exception):  # noqa: N818 (it never leaves this module)
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its first line."""
    # By default the csv module takes what follows an unclosed quote for one long cell.
    rows = csv.reader(lines, strict=True)
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as problem:
            # What follows an open quote is one cell, to the end or to the longest that is read.
            unclosed = any(words in str(problem) for words in ("end of data", "field limit"))
            why = "a quote is opened and never closed" if unclosed else str(problem)
            raise _BadLine(line, f"not CSV: {why}") from None
        if row is None:
            return
        if row:
            yield line, row


def _column(rows: Iterator[tuple[int, list[str]]], column: str) -> Iterator[float]:
    first, header = next(rows, (1, []))
    if not header:
        raise _BadLine(1, f"is empty; it needs a header with the column {shown(column)}")
    if column not in header:
        known = ", ".join(shown(name) for name in header[:_MOST_NAMES])
        known += ", …" if len(header) > _MOST_NAMES else ""
        hint = did_you_mean(column, header) or f"; columns: {known}"
        raise _BadLine(first, f"no column {shown(column)}{hint}")
    if (namesakes := header.count(column)) > 1:
        message = f"{namesakes} columns are called {shown(column)}; give each its own name"
        raise _BadLine(first, message)
    where = header.index(column)
    empty = True
    for number, (line, row) in enumerate(rows):
        if number >= _MOST_VALUES:
            raise _BadLine(line, f"more than {_MOST_VALUES:,} rows; sample them")
        # A cell too few or too many shifts the others into columns that are not theirs.
        if len(row) != len(header):
            cells = f"{len(row)} cell{'s' if len(row) != 1 else ''}"
            raise _BadLine(line, f"{cells}, where the header has {len(header)}")
        cell = row[where].strip()
        if not cell:
            continue
        empty = False
        try:
            seconds = _cell(cell)
        except ValueError as problem:
            raise _BadLine(line, str(problem)) from None
        yield seconds
    if empty:
        raise _BadLine(first, f"column {shown(column)} has no times below it")


def _cell(cell: str) -> float:
    try:
        seconds = float(cell)
    except ValueError:
        return checked_duration(cell)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{shown(cell)} is not a duration; it must be finite and zero or more")
    return seconds


def _listed(value: Any) -> tuple[float, ...]:
    if isinstance(value, _Seconds):
        return tuple(value)
    instead = 'a list of durations, such as ["1.2s", "800ms"], or file and column of a CSV file'
    if value is None:
        raise ValueError(f"missing; give {instead}")
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{shown(value)} is not possible; give {instead}")
    seconds = []
    for position, item in enumerate(value):
        try:
            seconds.append(checked_duration(item))
        except ValueError as problem:
            raise ValueError(f"entry {position}: {problem}") from None
    return tuple(seconds)


Measured = Annotated[
    tuple[float, ...],
    BeforeValidator(_listed),
    PlainSerializer(lambda values: [format_duration(value) for value in values], return_type=list),
    WithJsonSchema({"type": "array", "items": DURATION_SCHEMA, "minItems": 1}),
]
"""Seconds, at least one value; a list of durations in a scenario file."""


def _or_from_a_file(schema: dict[str, Any]) -> None:
    schema["properties"] |= {
        "file": {"type": "string", "description": "CSV file, relative to the scenario's folder."},
        "column": {"type": "string", "description": "Column of the file."},
    }
    schema["anyOf"] = [{"required": ["values"]}, {"required": ["file", "column"]}]
    schema["required"] = ["dist"]


class _Arrays:
    """Times as arrays, in an object of their own: pydantic compares whatever a model has cached."""

    def __init__(self, values: tuple[float, ...]) -> None:
        self.seconds: Seconds = np.array(values)

    @cached_property
    def ascending(self) -> Seconds:
        return np.sort(self.seconds)


class Empirical(RandomTime):
    """Measured times, each equally likely; listed, or read from a column of a CSV file.

    A file's name is relative to the scenario's folder. Its times become part of the scenario,
    which from then on is complete without the file.
    """

    model_config = ConfigDict(json_schema_extra=_or_from_a_file)
    read_away: ClassVar[tuple[str, ...]] = ("file", "column")

    dist: Literal["empirical"] = "empirical"
    """Name of the distribution."""
    values: Measured
    """Measured times; alternatively give ``file`` and ``column``, a CSV file and a column."""

    @model_validator(mode="before")
    @classmethod
    def _inline(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict):
            return data
        if not data.keys() & {"file", "column"}:
            # pydantic's own message for a missing key knows of no other way.
            return {"values": None, **data}
        folder = (info.context or {}).get("folder")
        return {
            **{key: value for key, value in data.items() if key not in {"file", "column"}},
            "values": from_file(data, folder),
        }

    @cached_property
    def _arrays(self) -> _Arrays:
        return _Arrays(self.values)

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        return self._arrays.seconds[rng.integers(len(self.values), size=size)]

    def cdf(self, within_s: Seconds) -> Seconds:
        below = np.searchsorted(self._arrays.ascending, within_s, side="right")
        return below / len(self.values)

    @property
    def mean_s(self) -> float:
        return math.fsum(self.values) / len(self.values)

    @property
    def second_moment_s2(self) -> float:
        return math.fsum(value**2 for value in self.values) / len(self.values)

    @property
    def lowest_s(self) -> float:
        return min(self.values)
