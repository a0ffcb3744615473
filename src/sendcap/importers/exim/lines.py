"""Exim's logical lines: continuations, macros, conditions and included files.

The rules are those of ``get_config_line`` and ``macros_expand`` in ``src/src/readconf.c``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.reading import Entry, Including, Text
from sendcap.text.quoting import shown

_DEFINITION: Final = re.compile(r"([A-Z][A-Za-z0-9_]{0,63})\s*=(=?)\s*(.*)", re.ASCII | re.DOTALL)
_CONDITION: Final = re.compile(r"\.(ifdef|ifndef|elifdef|elifndef|else|endif)(?:\s|$)(.*)")
_INCLUDE: Final = re.compile(r"\.include(_if_exists)?\s+(.*)")
_BUILT_IN: Final = re.compile(r"(?<!\w)_[A-Z][A-Za-z0-9_]{1,80}", re.ASCII)
"""Macros that begin like this tell what an Exim has been built with."""

_LONGEST: Final = 100_000
"""Characters of a line in which macros have been replaced."""
_MOST_MACROS: Final = 2000


class Line(NamedTuple):
    """A logical line, and the place at which it begins."""

    text: Text
    number: int
    content: str

    @property
    def where(self) -> str:
        """The file and line of the place."""
        return self.text.where(self.number)


@dataclass
class Lines(Including):
    """The logical lines of a configuration, and what was found on the way."""

    assumed: dict[str, Entry] = field(default_factory=dict)  # built-in macros taken as defined
    _macros: dict[str, str] = field(default_factory=dict)
    _conditions: list[_Condition] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)  # of a line that continues
    _start: tuple[Text, int] | None = None

    def of(self, text: Text) -> Iterator[Line]:
        """Yield the logical lines of a file and those that it includes."""
        yield from self._physical(text, 0)
        if self._conditions:
            where = self._conditions[-1].where
            raise ConfigurationError(f"{where}: the condition has no .endif")
        if self._start is not None:
            yield from self._finished()

    def _physical(self, text: Text, depth: int) -> Iterator[Line]:
        self.files.append(text.name)
        # A line continues beyond the end of an included file.
        for number, physical in enumerate(text.content.removesuffix("\n").split("\n"), 1):
            line, found = self._with_macros(text, number, physical.strip())
            condition = _CONDITION.match(line)
            if line.startswith("#"):
                continue
            if condition is not None:
                self._decide(text, number, condition, found=found)
            elif self._conditions and not self._conditions[-1].holds:
                continue
            elif (include := _INCLUDE.fullmatch(line)) is not None:
                yield from self._included(text, number, include, depth)
            else:
                yield from self._logical(text, number, line)

    def _logical(self, text: Text, number: int, line: str) -> Iterator[Line]:
        """Add a line to the one that is read, which a backslash at the end continues."""
        if self._start is None:
            if not line:
                return
            self._start = text, number
        continues = line.endswith("\\")
        self._pieces.append(line.removesuffix("\\") if continues else line)
        if not continues:
            yield from self._finished()

    def _finished(self) -> Iterator[Line]:
        content, start = "".join(self._pieces).strip(), self._start
        self._pieces, self._start = [], None
        if not content or start is None:
            return
        line = Line(*start, content)
        definition = _DEFINITION.fullmatch(content)
        if definition is None:
            yield line
        else:
            self._define(line, *definition.groups())

    def _define(self, line: Line, name: str, again: str, value: str) -> None:
        if (name in self._macros) != bool(again):
            problem = (
                "is already defined; == defines it anew" if not again else "is not defined before"
            )
            raise line.text.error(line.number, f"macro {name} {problem}")
        if len(self._macros) >= _MOST_MACROS:
            raise line.text.error(line.number, f"has more than {_MOST_MACROS:,} macros before it")
        self._macros[name] = value.strip()

    def _with_macros(self, text: Text, number: int, line: str) -> tuple[str, bool]:
        """Replace macros wherever their names stand; tell whether there was one.

        The name that a line defines is not replaced.
        """
        kept, found = "", False
        if self._start is None and (definition := _DEFINITION.fullmatch(line)) is not None:
            kept, line = line[: definition.start(2)], line[definition.start(2) :]
        for name, value in self._macros.items():
            if name in line:
                found = True
                if len(line) + line.count(name) * len(value) > _LONGEST:
                    message = f"has more than {_LONGEST:,} characters with its macros replaced"
                    raise text.error(number, message)
                line = line.replace(name, value)
        return (kept + line).strip(), found

    def _decide(self, text: Text, number: int, match: re.Match[str], *, found: bool) -> None:
        word, rest = match.groups()
        if word.endswith("def"):
            for name in _BUILT_IN.findall(rest):
                found = True
                self.assumed.setdefault(name, Entry(name, where=text.where(number)))
        if word.startswith("if"):
            outer = not self._conditions or self._conditions[-1].holds
            holds = outer and found == (word == "ifdef")
            self._conditions.append(_Condition(text.where(number), holds, holds or not outer))
            return
        if not self._conditions:
            raise text.error(number, f".{word} without .ifdef before it")
        if word == "endif":
            self._conditions.pop()
            return
        condition = self._conditions[-1]
        wanted = word == "else" or found == (word == "elifdef")
        condition.holds = not condition.done and wanted
        condition.done = condition.done or condition.holds

    def _included(
        self, text: Text, number: int, match: re.Match[str], depth: int
    ) -> Iterator[Line]:
        name = match[2].strip()
        name = name[1:-1] if name.startswith('"') and name.endswith('"') else name
        entry, path = Entry("include", shown(name), text.where(number)), text.path.parent / name
        included = self.included(entry, path, "Exim configuration", depth)
        if included is not None:
            yield from self._physical(included, depth + 1)
        elif match[1] is not None:
            self.missing.pop()  # it may be missing


@dataclass
class _Condition:
    """A condition that has been begun."""

    where: str
    holds: bool  # whether the lines that follow are read
    done: bool  # whether a branch has been read, or none may be
