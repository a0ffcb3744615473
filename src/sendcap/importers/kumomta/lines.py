"""On which line of a TOML file a key is: the standard parser does not tell."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

Place = tuple[str | int, ...]

_LONGEST: Final = 500
"""Characters: no heading and no key is longer; a line that is cannot keep us busy."""
_KEY: Final = re.compile(r"\s*((?:[A-Za-z0-9_-]{1,200}|\"[^\"\\]{1,200}\"|'[^']{1,200}')\s*)=")


def lines_of(text: str) -> dict[Place, int]:
    r"""Return the line of each table and each key in it, as far as they are told by lines.

    Parameters
    ----------
    text
        A TOML file that is valid.

    Examples
    --------
    >>> lines_of('["a.b"]\nc = 1\n[[rules]]\n[[rules]]\nd = 2')["rules", 1, "d"]
    5
    """
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.split("\n"), 1):
        start = line[:_LONGEST]
        if start.lstrip().startswith("["):
            heading = _heading(start)
            if heading is not None:
                table = _counted(*heading, counts)
                for depth in range(1, len(table) + 1):
                    found.setdefault(table[:depth], number)
        elif (key := _KEY.match(start)) is not None:
            name = key[1].strip()
            found.setdefault((*table, name.strip("\"'")), number)
    return found


def _heading(line: str) -> tuple[Place, bool] | None:
    """Return the table that a heading opens, and whether it is one of several."""
    try:
        content: Any = tomllib.loads(line)
    except (ValueError, RecursionError):
        return None
    place: list[str] = []
    while isinstance(content, dict) and content:
        name, content = next(iter(content.items()))
        place.append(name)
    return tuple(place), isinstance(content, list)


def _counted(place: Place, several: bool, counts: dict[Place, int]) -> Place:
    if not several:
        return place
    counts[place] = counts.get(place, -1) + 1
    return (*place, counts[place])
