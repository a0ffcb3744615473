"""KumoMTA's files of tables, TOML or JSON, with the lines of their keys."""

from __future__ import annotations

import json
from typing import Any, Final

from sendcap.errors import ConfigurationError
from sendcap.importers.kumomta.lines import Place, lines_of
from sendcap.importers.reading import Text
from sendcap.scenario.files import parsed
from sendcap.text.quoting import dotted, shown

_LONGEST_LINE: Final = 20_000


class KumomtaFile:
    """A file.

    Parameters
    ----------
    text
        Its text; it is JSON where its name says so.

    Attributes
    ----------
    data
        Its tables.

    Raises
    ------
    ConfigurationError
        If it is not valid.
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
        """Return the error that something is wrong with a key."""
        return ConfigurationError(f"{self.where(place)}: {dotted(place)}: {message}")

    def table(self, value: Any, place: Place) -> dict[str, Any]:
        """Return a value that must be a table.

        Raises
        ------
        ConfigurationError
            If it is none.
        """
        if not isinstance(value, dict):
            raise self.error(place, f"must be a table, not {shown(value)}")
        return value

    def entries(self, value: Any, place: Place) -> list[Any]:
        """Return a value that must be a list.

        Raises
        ------
        ConfigurationError
            If it is none.
        """
        if not isinstance(value, list):
            raise self.error(place, f"must be a list, not {shown(value)}")
        return value


def _toml(text: Text) -> dict[str, Any]:
    for number, line in enumerate(text.content.split("\n"), 1):
        # For a key of very many parts, the parser takes a time that grows as its square.
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
