"""KumoMTA's files of tables, TOML or JSON: lines of the keys, and readers of the values."""

import json
import re
import tomllib
from typing import Any, Final

from sendcap.errors import ConfigurationError
from sendcap.importers.reading import Entry, Text
from sendcap.scenario.durations import parse_duration
from sendcap.scenario.files import parsed
from sendcap.scenario.section import Place
from sendcap.text.quoting import dotted, shown

_LONGEST_KEY: Final = 500
"""Characters of a line that may contain a heading or a key, so that a long line costs little."""
_KEY: Final = re.compile(r"\s*((?:[A-Za-z0-9_-]{1,200}|\"[^\"\\]{1,200}\"|'[^']{1,200}')\s*)=")
_LIMIT: Final = re.compile(r"(?:local:)?(\d[\d_,]{0,30})", re.ASCII)


Settings = dict[str, Entry]


class KumomtaFile:
    """A file of tables: JSON if the name ends in ``.json``, otherwise TOML."""

    def __init__(self, text: Text) -> None:
        self._text = text
        is_json = text.path.suffix == ".json"
        self.data = _json(text) if is_json else parsed(text.content, text.name, "KumoMTA shaping")
        if not self.data:
            raise text.nothing()
        self._lines: dict[Place, int] = {} if is_json else lines_of(text.content)

    def where(self, place: Place) -> str:
        """Return file and line of a key, or of the nearest table around it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._text.where(self._lines[place]) if place else self._text.name

    def error(self, place: Place, message: str) -> ConfigurationError:
        """Return the error for a key."""
        return ConfigurationError(f"{self.where(place)}: {dotted(place)}: {message}")

    def table(self, value: Any, place: Place) -> dict[str, Any]:
        """Return a value that must be a table, or raise a `ConfigurationError`."""
        if not isinstance(value, dict):
            raise self.error(place, f"must be a table, not {_kind(value)}")
        return value

    def entries(self, value: Any, place: Place) -> list[Any]:
        """Return a value that must be a list, or raise a `ConfigurationError`."""
        if not isinstance(value, list):
            raise self.error(place, f"must be a list, not {_kind(value)}")
        return value


def _kind(value: Any) -> str:
    """Return what a value is, without the value: it may be a password."""
    kinds = {str: "a text", bool: "true or false", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a number")


def _json(text: Text) -> dict[str, Any]:
    try:
        content = json.loads(text.content)
    except ValueError as problem:
        raise ConfigurationError(f"{text.name}: not valid JSON: {problem}") from None
    except RecursionError:
        raise ConfigurationError(f"{text.name}: not valid JSON: nested too deeply") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{text.name}: must be a table, not {_kind(content)}")
    return content


def lines_of(text: str) -> dict[Place, int]:
    r"""Return the line of each table and of each key on a line of its own in a valid TOML file.

    The standard parser gives no lines.

    >>> lines_of('["a.b"]\nc = 1\n[[rules]]\n[[rules]]\nd = 2')["rules", 1, "d"]
    5
    """
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.split("\n"), 1):
        start = line[:_LONGEST_KEY]
        if start.lstrip().startswith("["):
            heading = _heading(start)
            if heading is not None:
                table, several = heading
                if several:
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, counts[table])
                for depth in range(1, len(table) + 1):
                    lines.setdefault(table[:depth], number)
        elif (key := _KEY.match(start)) is not None:
            name = key[1].strip()
            lines.setdefault((*table, name.strip("\"'")), number)
    return lines


def _heading(line: str) -> tuple[Place, bool] | None:
    """Return the table of a heading, and whether it is one of several."""
    try:
        content: Any = tomllib.loads(line)
    except (ValueError, RecursionError):
        return None
    place: list[str] = []
    while isinstance(content, dict) and content:
        name, content = next(iter(content.items()))
        place.append(name)
    return tuple(place), isinstance(content, list)


def limit_of(value: Any) -> int:
    """Read a limit: a number, or ``"local:5"`` or ``"1,000"`` as text.

    Source: KumoMTA, ``crates/throttle/src/lib.rs`` (``LimitSpec``).

    >>> limit_of(10), limit_of("local:1,000")
    (10, 1000)
    """
    number = value
    if isinstance(value, str):
        match = _LIMIT.fullmatch(value)
        number = int(re.sub("[_,]", "", match[1])) if match else None
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"must be a whole number from 1, not {shown(value)}")
    return number


def seconds_of(value: Any) -> float:
    """Read a duration, such as ``"90m"`` or ``"2 hours"``; a bare number is seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e10:
        return float(value)
    return parse_duration(value)
