"""Measured times: a list of durations in a scenario, or a column of a CSV file beside it."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import (
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from sendcap.scenario.durations import DURATION_SCHEMA, checked_duration, format_duration
from sendcap.scenario.random_time import RandomTime, Seconds
from sendcap.scenario.wording import did_you_mean, shown

_MOST_VALUES: Final = 1_000_000


class _Seconds(tuple[float, ...]):
    """Times already in seconds, as a file gives them."""

    __slots__ = ()


def from_file(table: dict[str, Any], folder: Path | None) -> tuple[float, ...]:
    """Read the times that a table with the keys ``file`` and ``column`` names.

    Parameters
    ----------
    table
        The table as it stands in the scenario.
    folder
        What the file's name is relative to; None for the working directory.

    Returns
    -------
    tuple of float
        Seconds. A cell without a unit is in seconds; empty cells are left out.

    Raises
    ------
    ValueError
        With a message that names the file and, where there is one, the line.
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
        with (folder or Path()).joinpath(name).open(encoding="utf-8-sig", newline="") as lines:
            seconds = _Seconds(_column(lines, name, column))
    except OSError as problem:
        raise ValueError(f"file {shown(name)}: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise ValueError(f"file {shown(name)} is not UTF-8 text") from None
    except csv.Error as problem:
        raise ValueError(f"file {shown(name)} is not CSV: {problem}") from None
    if not seconds:
        raise ValueError(f"file {shown(name)}: column {shown(column)} is empty")
    return seconds


def _column(lines: Iterable[str], name: str, column: str) -> Iterable[float]:
    rows = csv.DictReader(lines)
    columns = rows.fieldnames or []
    if column not in columns:
        hint = did_you_mean(column, columns) or f"; columns: {', '.join(columns)}"
        raise ValueError(f"file {shown(name)} has no column {shown(column)}{hint}")
    for number, row in enumerate(rows):
        if number >= _MOST_VALUES:
            raise ValueError(f"file {shown(name)} has more than {_MOST_VALUES:,} rows; sample it")
        cell = (row[column] or "").strip()
        if not cell:
            continue
        try:
            yield _cell(cell)
        except ValueError as problem:
            raise ValueError(f"file {shown(name)}, line {rows.line_num}: {problem}") from None


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
    if not isinstance(value, list | tuple) or not value:
        raise ValueError('must be a list of durations, for example ["1.2s", "800ms"]')
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
    schema["properties"] |= {"file": {"type": "string"}, "column": {"type": "string"}}
    schema["anyOf"] = [{"required": ["values"]}, {"required": ["file", "column"]}]
    schema["required"] = ["dist"]


class Empirical(RandomTime):
    """Measured times, each equally likely; listed, or read from a column of a CSV file.

    A file's name is relative to the scenario's folder. Its times become part of the scenario,
    which from then on is complete without the file.
    """

    model_config = ConfigDict(json_schema_extra=_or_from_a_file)

    dist: Literal["empirical"] = "empirical"
    values: Measured

    @model_validator(mode="before")
    @classmethod
    def _inline(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict) or not data.keys() & {"file", "column"}:
            return data
        folder = (info.context or {}).get("folder")
        return {
            **{key: value for key, value in data.items() if key not in {"file", "column"}},
            "values": from_file(data, folder),
        }

    @cached_property
    def _seconds(self) -> Seconds:
        return np.array(self.values)

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        """Draw ``size`` of the times with replacement, in seconds."""
        return self._seconds[rng.integers(len(self.values), size=size)]

    @property
    def mean_s(self) -> float:
        """Mean in seconds."""
        return math.fsum(self.values) / len(self.values)

    @property
    def second_moment_s2(self) -> float:
        """Mean of the square, in seconds squared."""
        return math.fsum(value**2 for value in self.values) / len(self.values)

    @property
    def lowest_s(self) -> float:
        """The shortest of the times, in seconds."""
        return min(self.values)
