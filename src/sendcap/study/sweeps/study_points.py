"""What is wrong with the points of a study, told before anything is simulated."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sendcap.errors import ScenarioError
from sendcap.scenario.edits import Edits
from sendcap.study.sweeps.designs import Design
from sendcap.text.quoting import visible

if TYPE_CHECKING:
    from sendcap.scenario import Range, Scenario
    from sendcap.study.sweeps.points import Over, Points


def point_problems(scenario: Scenario, over: Over, points: Points) -> list[str]:
    """Return what is surely a slip, a line each: values with which no point is a scenario.

    A combination of values that are possible each by itself is none: it becomes a failed run.
    """
    edits = Edits(scenario)
    if isinstance(over, Design):
        return [
            f"design.ranges.{_quoted(path)}: {line}"
            for path, line in range_problems(scenario, over.ranges)
        ]
    if isinstance(over, Mapping):
        return list(_of_grid(edits, over, points))
    where = (
        f"{visible(os.fspath(over))}: point" if isinstance(over, str | os.PathLike) else "points"
    )
    return [
        f"{where}[{number}]: {line}"
        for number, change in enumerate(points.changes)
        for line in _lines(edits, change)
    ]


def range_problems(scenario: Scenario, ranges: Mapping[str, Range]) -> list[tuple[str, str]]:
    """Return what is wrong with the ends of ranges, each tried by itself: its path and a line."""
    edits = Edits(scenario)
    return [
        (path, line)
        for path, its in ranges.items()
        for end in (its.low, its.high)
        for line in _lines(edits, {path: end}, path)
    ]


def _of_grid(edits: Edits, over: Mapping[str, Any], points: Points) -> Iterator[str]:
    """Yield what is wrong with the values of a grid, each tried by itself."""
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
        found = {
            number: suspects[path, number]
            for number, value in enumerate(values)
            if (path, number) in suspects and _text(value) not in possible[path]
        }
        told = {line for lines in found.values() for line in lines}
        if len(found) == len(values) and len(told) == 1:
            yield f"over.{_quoted(path)}: {told.pop()}"
            continue
        for number, lines in found.items():
            yield from (f"over.{_quoted(path)}[{number}]: {line}" for line in lines)


def _lines(edits: Edits, change: Mapping[str, Any], path: str = "") -> list[str]:
    """Return what is wrong with a point; the path that is named already is left out."""
    try:
        edits.updated(change)
    except ScenarioError as error:
        lines = str(error).replace("<updated>: ", "").split("\n")
        return [line.removeprefix(f"{path}: ") if path else line for line in lines]
    return []


def _quoted(path: str) -> str:
    return visible(json.dumps(path, ensure_ascii=False))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
