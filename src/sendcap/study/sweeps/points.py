"""The points of a sweep: for each, values by dotted path in place of the scenario's own."""

import csv
import itertools
import json
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from sendcap.errors import ScenarioError, SendcapError
from sendcap.files.reading import table_lines
from sendcap.files.single import plain_words
from sendcap.files.tables import restored
from sendcap.scenario import Range, Scenario
from sendcap.scenario.edits import Edits
from sendcap.scenario.toml import value_of
from sendcap.study.sweeps.designs import Design
from sendcap.text.quoting import shown, visible

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
    """The points of a sweep, in order."""

    paths: tuple[str, ...]  # dotted, in the order of the table's columns
    changes: tuple[Mapping[str, Any], ...]  # a missing path leaves the scenario's value


def points_of(over: Over) -> Points:
    """Return the points of a grid, a table or a design; see `sendcap.sweep`.

    Of a grid the last path varies fastest.

    >>> points_of({"mta.ips": [4, 8], "relay.rate": ["none", "100/s"]}).changes[1]
    {'mta.ips': 4, 'relay.rate': '100/s'}
    """
    if isinstance(over, Design):
        points = Points(tuple(over.ranges), tuple(over.points()))
    elif isinstance(over, Mapping):
        points = _grid(over)
    elif isinstance(over, str | os.PathLike):
        points = _table(_read_csv(Path(over)))
    elif hasattr(over, "to_dict"):
        points = _table(over.to_dict("records"))
    elif isinstance(over, list | tuple) and all(isinstance(row, Mapping) for row in over):
        points = _table(over)
    else:
        raise SendcapError(
            f"over: give values by path, a table of points, the path of a CSV file or a design, "
            f"not {shown(over)}"
        )
    if "seed" in points.paths:
        raise SendcapError("over: seed: ask for replications; each of them has its own seed")
    return points


def cell(value: Any) -> Any:
    """Return a value for the table of results: tables and lists as JSON, on one line."""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _grid(over: Mapping[str, Iterable[Any]]) -> Points:
    lists = {str(path): _values(str(path), values) for path, values in over.items()}
    count = math.prod(map(len, lists.values()))
    if count > MOST_POINTS:
        raise SendcapError(
            f"over: {count:,} points are too many, at most {MOST_POINTS:,}; give fewer values, or "
            f"spread points over ranges with a design"
        )
    combinations = itertools.product(*lists.values())
    changes = tuple(dict(zip(lists, values, strict=True)) for values in combinations)
    return Points(tuple(lists), changes)


def _values(path: str, values: Iterable[Any]) -> list[Any]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise SendcapError(
            f"over: {visible(path)}: must be a list of values, such as [{shown(values)}], "
            f"not {shown(values)}"
        )
    plain = [_plain(value) for value in values]
    if not plain:
        raise SendcapError(f"over: {visible(path)}: needs at least one value")
    return plain


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
    """Return a value of NumPy or pandas as a Python number, text or list."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    # The empty cells of pandas.
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def _read_csv(path: Path) -> list[dict[str, Any]]:
    name = visible(str(path))
    try:
        with table_lines(path) as lines:
            rows = list(_rows(csv.reader(lines, strict=True), name))
    except OSError as error:
        raise SendcapError(f"{name}: cannot be read: {plain_words(error)}") from None
    except UnicodeDecodeError:
        raise SendcapError(f"{name}: is not UTF-8 text") from None
    except csv.Error as error:
        raise SendcapError(f"{name}: not a CSV file: {error}") from None
    if not rows:
        raise SendcapError(f"{name}: has no points; give one row at least below the paths")
    return rows


def _rows(lines: Any, name: str) -> Iterator[dict[str, Any]]:
    paths = [restored(path.strip()) for path in next(lines, [])]
    if not any(paths):
        raise SendcapError(f"{name}: line 1 must name the scenario paths, such as mta.ips")
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise SendcapError(f"{name}: line 1: {shown(twice)} appears twice")
    for cells in lines:
        if not any(text.strip() for text in cells):
            continue
        if len(cells) != len(paths):
            raise SendcapError(
                f"{name}: line {lines.line_num}: {len(cells)} cells, but {len(paths)} columns"
            )
        yield {path: _typed(text.strip()) for path, text in zip(paths, cells, strict=True)}


def _typed(text: str) -> Any:
    """Return a cell as a TOML value, or as text if it is none: 8, true, 10m, 1,000/h."""
    if not text or not set(text).isdisjoint(_CELLS_END):
        return text or None
    try:
        return value_of(text)
    except ValueError:
        return restored(text)


# Problems of points, before anything is simulated.


def point_problems(scenario: Scenario, over: Over, points: Points) -> list[str]:
    """Return a line for each value with which no point is a scenario.

    An impossible combination of values that are possible each by itself is not a problem: it
    becomes a failed run.
    """
    edits = Edits(scenario)
    if isinstance(over, Design):
        return [
            f"design.ranges.{_quoted(path)}: {line}"
            for path, line in range_problems(scenario, over.ranges)
        ]
    if isinstance(over, Mapping):
        return list(_grid_problems(edits, over, points))
    where = (
        f"{visible(os.fspath(over))}: point" if isinstance(over, str | os.PathLike) else "points"
    )
    return [
        f"{where}[{number}]: {line}"
        for number, change in enumerate(points.changes)
        for line in _lines(edits, change)
    ]


def range_problems(scenario: Scenario, ranges: Mapping[str, Range]) -> list[tuple[str, str]]:
    """Return path and problem for each impossible end of a range, each tried by itself."""
    edits = Edits(scenario)
    return [
        (path, line)
        for path, ends in ranges.items()
        for end in (ends.low, ends.high)
        for line in _lines(edits, {path: end}, path)
    ]


def _grid_problems(edits: Edits, over: Mapping[str, Any], points: Points) -> Iterator[str]:
    suspects = {
        (path, number): lines
        for path, values in over.items()
        for number, value in enumerate(values)
        if (lines := _lines(edits, {path: value}, path))
    }
    if not suspects:
        return
    # With another path's value it may be possible: a parameter of another retry policy.
    possible: dict[str, set[str]] = defaultdict(set)
    for change in points.changes:
        news = any(_text(change[path]) not in possible[path] for path, _ in suspects)
        if news and not _lines(edits, change):
            for path, value in change.items():
                possible[path].add(_text(value))
    for path, values in over.items():
        impossible = {
            number: suspects[path, number]
            for number, value in enumerate(values)
            if (path, number) in suspects and _text(value) not in possible[path]
        }
        problems = {line for lines in impossible.values() for line in lines}
        if len(impossible) == len(values) and len(problems) == 1:
            yield f"over.{_quoted(path)}: {problems.pop()}"
            continue
        for number, lines in impossible.items():
            yield from (f"over.{_quoted(path)}[{number}]: {line}" for line in lines)


def _lines(edits: Edits, change: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the problems of a point, without the path that the caller names."""
    try:
        edits.updated(change)
    except ScenarioError as error:
        lines = str(error).split("\n")
        return [line.removeprefix(f"{path}: ") if path else line for line in lines]
    return []


def _quoted(path: str) -> str:
    return visible(json.dumps(path, ensure_ascii=False))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
