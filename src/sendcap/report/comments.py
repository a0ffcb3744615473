"""The comments of a scenario file, by the value that each stands behind."""

import re
from collections import Counter
from typing import Any, Final

from sendcap.scenario.section import Place
from sendcap.scenario.toml import table_of

_STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'[^']*'")
_OVER_LINES: Final = ('"""', "'''")


def comments(text: str) -> dict[Place, str]:
    """Return the comments behind the values and headings of a valid TOML file, by their places.

    A comment behind an entry of a list that has a line of its own is the entry's. A file with a
    text over several lines has none: a # in it could be anything.
    """
    if any(quotes in text for quotes in _OVER_LINES):
        return {}
    found: dict[Place, str] = {}
    tables: Counter[Place] = Counter()
    table: Place = ()
    value: Place = ()
    depth = entries = 0
    for line in text.splitlines():
        # As long as the line, and without the signs that stand in a string.
        code = _STRING.sub(lambda string: "x" * len(string[0]), line).partition("#")[0]
        written, comment = line[: len(code)].strip(), line[len(code) + 1 :].strip()
        if not written:
            continue
        if depth:
            entries += written.startswith("{")
            place = (*value, max(entries - 1, 0)) if written.startswith("{") else value
        elif written.startswith("["):
            place = table = _heading(written, tables)
        else:
            place = value = (*table, *_path(table_of(f"{line[: code.index('=')]} = 0")))
            entries = 0
        depth += sum(map(code.count, "[{")) - sum(map(code.count, "]}"))
        if comment:
            found[place] = comment
    return found


def _heading(written: str, tables: Counter[Place]) -> Place:
    """Return the place of a table; those of a list are numbered by the order of their headings."""
    place: list[str | int] = []
    is_entry = written.startswith("[[")
    keys = _path(table_of(written))
    for number, key in enumerate(keys, start=1):
        place.append(key)
        here = tuple(place)
        if is_entry and number == len(keys):
            tables[here] += 1
        if tables[here]:
            place.append(tables[here] - 1)
    return tuple(place)


def _path(table: dict[str, Any]) -> Place:
    """Return the keys of a table that has one at each level."""
    keys: list[str] = []
    inner: Any = table
    while inner and isinstance(inner, dict | list):
        inner = inner[0] if isinstance(inner, list) else inner
        if not inner:
            break
        (key,) = inner
        keys.append(key)
        inner = inner[key]
    return tuple(keys)
