"""KumoMTA's files of tables, TOML or JSON: lines of the keys, and readers of the values."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.reading import Text
from sendcap.scenario.durations import parse_duration
from sendcap.scenario.files import parsed
from sendcap.text.quoting import dotted, shown

Place = tuple[str | int, ...]
"""Keys and positions that lead to a value."""

_LONGEST_LINE: Final = 20_000
_LONGEST_KEY: Final = 500
"""Characters of a line that may contain a heading or a key, so that a long line costs little."""
_KEY: Final = re.compile(r"\s*((?:[A-Za-z0-9_-]{1,200}|\"[^\"\\]{1,200}\"|'[^']{1,200}')\s*)=")
_LIMIT: Final = re.compile(r"(?:local:)?(\d[\d_,]{0,30})", re.ASCII)


class Setting(NamedTuple):
    """A value in a file, with file and line."""

    value: Any
    where: str

    def read(self, name: str, reader: Callable[[Any], Any]) -> Any:
        """Return the value by a reader that raises a `ValueError` with an explanation.

        Raises
        ------
        ConfigurationError
            If the value cannot be read.
        """
        try:
            return reader(self.value)
        except ValueError as problem:
            raise ConfigurationError(f"{self.where}: {name}: {problem}") from None


Settings = dict[str, Setting]


class KumomtaFile:
    """A file of tables.

    Parameters
    ----------
    text
        Text of the file; JSON if the name ends in ``.json``, otherwise TOML.

    Attributes
    ----------
    data
        Tables of the file.

    Raises
    ------
    ConfigurationError
        If the file is not valid.
    """

    def __init__(self, text: Text) -> None:
        self._text = text
        is_json = text.path.suffix == ".json"
        self.data = _json(text) if is_json else _toml(text)
        self._lines: dict[Place, int] = {} if is_json else lines_of(text.content)

    def where(self, place: Place) -> str:
        """Return file and line of a key, or of the nearest table around it."""
        for depth in range(len(place), 0, -1):
            if place[:depth] in self._lines:
                return self._text.where(self._lines[place[:depth]])
        return self._text.name

    def error(self, place: Place, message: str) -> ConfigurationError:
        """Return the error for a key."""
        return ConfigurationError(f"{self.where(place)}: {dotted(place)}: {message}")

    def table(self, value: Any, place: Place) -> dict[str, Any]:
        """Return a value that must be a table, or raise a `ConfigurationError`."""
        if not isinstance(value, dict):
            raise self.error(place, f"must be a table, not {shown(value)}")
        return value

    def entries(self, value: Any, place: Place) -> list[Any]:
        """Return a value that must be a list, or raise a `ConfigurationError`."""
        if not isinstance(value, list):
            raise self.error(place, f"must be a list, not {shown(value)}")
        return value


def _toml(text: Text) -> dict[str, Any]:
    for number, line in enumerate(text.content.split("\n"), 1):
        # The time of the parser grows with the square of the number of parts in a key.
        if len(line) > _LONGEST_LINE:
            raise text.error(number, f"has more than {_LONGEST_LINE:,} characters; break it up")
    return parsed(text.content, text.name)


def _json(text: Text) -> dict[str, Any]:
    try:
        content = json.loads(text.content)
    except ValueError as problem:
        raise ConfigurationError(f"{text.name}: not valid JSON: {problem}") from None
    except RecursionError:
        raise ConfigurationError(f"{text.name}: not valid JSON: nested too deeply") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{text.name}: must be a table, not {shown(content)}")
    return content


def lines_of(text: str) -> dict[Place, int]:
    r"""Return the line of each table and of each key on a line of its own.

    Parameters
    ----------
    text
        A valid TOML file; the standard parser gives no lines.

    Examples
    --------
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
                table = _counted(*heading, counts)
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


def _counted(place: Place, several: bool, counts: dict[Place, int]) -> Place:
    if not several:
        return place
    counts[place] = counts.get(place, -1) + 1
    return (*place, counts[place])


def limit_of(value: Any) -> int:
    """Read a limit: a number, or ``"local:5"`` or ``"1,000"`` as text.

    Raises
    ------
    ValueError
        For anything else.

    References
    ----------
    KumoMTA, ``crates/throttle/src/lib.rs`` (``LimitSpec``).

    Examples
    --------
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
