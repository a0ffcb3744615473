"""The points of a sweep: for each, the values that replace a scenario's own, by dotted path."""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sendcap.errors import SendcapError
from sendcap.files.failures import plain_words
from sendcap.study.sweeps.designs import Design
from sendcap.text.quoting import shown, visible

if TYPE_CHECKING:
    import pandas as pd

    Over = (
        Mapping[str, Iterable[Any]]
        | Sequence[Mapping[str, Any]]
        | Design
        | str
        | os.PathLike[str]
        | pd.DataFrame
    )
    """What to sweep over: a grid, a table or the path of one, or a design."""

MOST_POINTS: Final = 1_000_000
_CELLS_END: Final = "\n\r"


@dataclass(frozen=True)
class Points:
    """The points of a sweep, in order.

    Attributes
    ----------
    paths
        Dotted scenario paths, in the order of the table's columns.
    changes
        For each point its values by path. A path that is not there keeps the scenario's own value.
    """

    paths: tuple[str, ...]
    changes: tuple[Mapping[str, Any], ...]


def points_of(over: Over) -> Points:
    """Return the points that are described.

    Parameters
    ----------
    over
        A mapping from path to a list of values is a grid: all combinations, the last path varies
        fastest. A DataFrame, a list of mappings or the path of a CSV file is a table with a point
        in each row; where a cell is empty, None or NaN, the scenario's own value stays. A design
        spreads points over ranges.

    Raises
    ------
    SendcapError
        If it describes no points, or too many.

    Examples
    --------
    >>> points_of({"mta.ips": [4, 8], "relay.rate": ["none", "100/s"]}).changes[1]
    {'mta.ips': 4, 'relay.rate': '100/s'}
    """
    if isinstance(over, Design):
        found = Points(tuple(over.ranges), tuple(over.points()))
    elif isinstance(over, Mapping):
        found = _grid(over)
    elif isinstance(over, str | os.PathLike):
        found = _table(_read_csv(Path(over)))
    elif hasattr(over, "to_dict"):
        found = _table(over.to_dict("records"))
    elif isinstance(over, list | tuple) and all(isinstance(row, Mapping) for row in over):
        found = _table(over)
    else:
        raise SendcapError(
            f"over: give values by path, a table of points, the path of a CSV file or a design, "
            f"not {shown(over)}"
        )
    if "seed" in found.paths:
        raise SendcapError("over: seed: ask for replications; each of them has its own seed")
    return found


def cell(value: Any) -> Any:
    """Return a value as the table of results shows it: tables and lists as JSON, on one line."""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _grid(over: Mapping[str, Iterable[Any]]) -> Points:
    values = {str(path): _values(str(path), its) for path, its in over.items()}
    count = math.prod(map(len, values.values()))
    if count > MOST_POINTS:
        raise SendcapError(
            f"over: {count:,} points are too many, at most {MOST_POINTS:,}; give fewer values, or "
            f"spread points over ranges with a design"
        )
    combinations = itertools.product(*values.values())
    return Points(tuple(values), tuple(dict(zip(values, its, strict=True)) for its in combinations))


def _values(path: str, values: Iterable[Any]) -> list[Any]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise SendcapError(
            f"over: {visible(path)}: must be a list of values, such as [{shown(values)}], "
            f"not {shown(values)}"
        )
    found = [_plain(value) for value in values]
    if not found:
        raise SendcapError(f"over: {visible(path)}: needs at least one value")
    return found


def _table(rows: Sequence[Mapping[Any, Any]]) -> Points:
    if not rows:
        raise SendcapError("over: the table has no points; give one row at least")
    if len(rows) > MOST_POINTS:
        raise SendcapError(f"over: {len(rows):,} points are too many, at most {MOST_POINTS:,}")
    plain = [{str(path): _plain(value) for path, value in row.items()} for row in rows]
    paths = dict.fromkeys(path for row in plain for path in row)
    filled = [{path: value for path, value in row.items() if not _is_empty(value)} for row in plain]
    return Points(tuple(paths), tuple(filled))


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """Return what NumPy and pandas give as Python's own number, text or list."""
    import numpy as np

    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    # What pandas puts where nothing is.
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def _read_csv(path: Path) -> list[dict[str, Any]]:
    name = visible(str(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(_rows(csv.reader(stream, strict=True), name))
    except OSError as error:
        raise SendcapError(f"{name}: cannot be read: {plain_words(error)}") from None
    except UnicodeDecodeError:
        raise SendcapError(f"{name}: is not UTF-8 text") from None
    except csv.Error as error:
        raise SendcapError(f"{name}: not a CSV file: {error}") from None


def _rows(lines: Any, name: str) -> Iterator[dict[str, Any]]:
    paths = [path.strip() for path in next(lines, [])]
    if not any(paths):
        raise SendcapError(f"{name}: line 1 must name the scenario paths, such as mta.ips")
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise SendcapError(f"{name}: line 1: {shown(twice)} is there twice")
    for cells in lines:
        if not any(its.strip() for its in cells):
            continue
        if len(cells) != len(paths):
            raise SendcapError(
                f"{name}: line {lines.line_num}: {len(cells)} cells, but {len(paths)} columns"
            )
        yield {path: _typed(its.strip()) for path, its in zip(paths, cells, strict=True)}


def _typed(text: str) -> Any:
    """Read a cell as TOML would, and as text if that is no value of TOML: 8, true, 10m, 1,000/h."""
    if not text or not set(text).isdisjoint(_CELLS_END):
        return text or None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text
