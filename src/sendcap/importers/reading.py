"""Configurations as text: lines with file and line number, entries, and common values."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TypeVar

from sendcap.errors import ConfigurationError, SendcapError
from sendcap.files.kinds import as_file, mistaken
from sendcap.files.single import plain_words
from sendcap.scenario.files import read_text
from sendcap.scenario.pools import MOST_WEIGHT
from sendcap.text.quantities import UNITS
from sendcap.text.quoting import shown, visible

UNITS_S: Final = {"w": 604_800, **dict(UNITS)}
"""Units of durations, in seconds."""
_WHOLE: Final = re.compile(r"\d{1,12}", re.ASCII)
_MOST_REPEATS: Final = 3
_LONGEST_EXPRESSION: Final = 200
_LONGEST_MATCHED: Final = 300
_MOST_FILES: Final = 200
_DEEPEST: Final = 20

_Value = TypeVar("_Value")


class Text(NamedTuple):
    """The text of a file."""

    path: Path
    name: str  # in messages
    content: str  # with line feeds as line ends

    def where(self, line: int) -> str:
        """Return file and line for a report; lines count from 1."""
        return f"{self.name}:{line}"

    def error(self, line: int, message: str) -> ConfigurationError:
        """Return the error for a line."""
        return line_error(self.name, line, message)

    def nothing(self) -> ConfigurationError:
        """Return the error for a file without a setting."""
        return ConfigurationError(
            f"{self.name}: nothing was read: it is empty or has only comments; give a file with "
            f"settings"
        )


class Entry(NamedTuple):
    """A setting in a configuration, with file and line; a default has no place."""

    name: str
    value: Any = ""
    where: str = ""

    def read(self, reader: Callable[[Any], _Value]) -> _Value:
        """Return the value by a reader that raises a `ValueError` with an explanation."""
        try:
            return reader(self.value)
        except ValueError as problem:
            where = self.where or "default"
            raise ConfigurationError(f"{where}: {self.name}: {problem}") from None

    def of(self, owner: str) -> Self:
        """Return the entry with an owner before the name."""
        return self._replace(name=f"{owner}: {self.name}")


def line_error(name: str, line: int, message: str) -> ConfigurationError:
    """Return the error for a line of a file."""
    return ConfigurationError(f"{name}: line {line}: {message}")


@contextmanager
def opening(name: str, kind: str) -> Iterator[None]:
    """Say in plain words why a file of a kind, such as ``"audience"``, cannot be opened."""
    if not name:
        raise ConfigurationError(f"the name of {as_file(kind)} is empty")
    try:
        yield
    except OSError as problem:
        raise ConfigurationError(f"{name}: {plain_words(problem)}") from None
    except ValueError:  # a path with a NUL
        raise ConfigurationError(f"{name}: is not a valid file name") from None


def whole(text: str) -> int:
    """Read a whole number."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a whole number")
    return int(text)


def yes(text: str) -> bool:
    """Read yes or no."""
    if text.casefold() not in ("yes", "no"):
        raise ValueError(f"{shown(text)} is neither yes nor no")
    return text.casefold() == "yes"


def matched(expression: str, text: str, *, ignore_case: bool = True) -> bool | None:
    """Return whether a simple regular expression is in a text; None if nobody can tell.

    PCRE has much that Python's expressions have not, and each more repetition makes the longest
    search as many times longer.
    """
    repeats = sum(expression.count(sign) for sign in "*+{")
    if len(expression) > _LONGEST_EXPRESSION or repeats > _MOST_REPEATS or "(?" in expression:
        return None
    try:
        flags = re.IGNORECASE if ignore_case else re.NOFLAG
        return re.search(expression, text[:_LONGEST_MATCHED], flags) is not None
    except (re.error, OverflowError, RecursionError):
        return None


def read_configuration(source: str | Path, kind: str) -> Text:
    """Read a file of an MTA.

    Refuse one without a setting: most often, the command that was to write it has failed.
    """
    text = read(source, kind)
    lines = map(str.strip, text.content.split("\n"))
    if all(not line or line.startswith("#") for line in lines):
        raise text.nothing()
    return text


@dataclass
class Including:
    """Reads a configuration whose files may include others."""

    files: list[str] = field(default_factory=list)
    missing: list[tuple[Entry, str]] = field(default_factory=list)  # includes, and the reason

    def included(self, include: Entry, path: Path, kind: str, depth: int) -> Text | None:
        """Return an included file; None for a missing one."""
        if depth >= _DEEPEST or len(self.files) >= _MOST_FILES:
            name, _, line = include.where.rpartition(":")
            raise line_error(name, int(line), "too many nested includes; is there a cycle?")
        try:
            return read_configuration(path, kind)
        except SendcapError as error:
            self.missing.append((include, str(error)))
            return None


def read(source: str | Path, kind: str) -> Text:
    """Read a configuration file of a kind, such as ``"Postfix configuration"``."""
    path, name = Path(source), visible(str(source))
    with opening(name, kind):
        content = read_text(path, name, kind)
    position = content.find("\0")
    if position >= 0:
        line = content.count("\n", 0, position) + 1
        raise ConfigurationError(
            f"{name}: line {line} has a NUL character, so it is not {as_file(kind)}; "
            f"give it as the MTA reads it"
        )
    problem = mistaken(content, kind)
    if problem is not None:
        raise ConfigurationError(f"{name}: {problem}")
    return Text(path, name, re.sub(r"\r\n?", "\n", content))


def in_lowest_terms(weights: Sequence[int]) -> list[int]:
    """Return weights above zero as whole parts, in lowest terms and at most those of the model.

    >>> in_lowest_terms([4, 2]), in_lowest_terms([])
    ([2, 1], [])
    """
    turns = [weight // math.gcd(*weights) for weight in weights]
    most = max(turns, default=1)
    if most <= MOST_WEIGHT:
        return turns
    return [max(1, round(turn * MOST_WEIGHT / most)) for turn in turns]
