"""PowerMTA's configuration files: directives, one a line, in tags that may be nested."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from sendcap.errors import ConfigurationError, SendcapError
from sendcap.importers.reading import Text, read
from sendcap.text.quoting import shown

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,80}")
_LISTS: Final = ("pattern-list", "patterns")
"""Ends of the names of tags whose lines may begin with a pattern: ``/spam/ spam-related``."""
_MOST_FILES: Final = 200
_DEEPEST: Final = 20


class Directive(NamedTuple):
    """A directive as it is written, and where; the line of a list of patterns has no name."""

    name: str
    value: str
    where: str


@dataclass
class Tag:
    """What is between ``<name argument>`` and ``</name>``.

    Attributes
    ----------
    directives
        In order; a directive may be there several times.
    tags
        Those within it.
    """

    name: str
    argument: str
    where: str
    directives: list[Directive] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)

    def named(self, name: str) -> Iterator[Tag]:
        """Yield the tags of a name that are directly within it."""
        return (tag for tag in self.tags if tag.name == name)


class Configuration(NamedTuple):
    """All of a configuration: ``top`` has what is in no tag; ``missing`` are includes not read."""

    top: Tag
    missing: list[tuple[Directive, str]]
    files: list[str]


def configuration_of(source: str | Path) -> Configuration:
    """Read a configuration with the files that it includes.

    Raises
    ------
    SendcapError
        If it cannot be read, or a tag is not closed.
    """
    text = read(source, "PowerMTA configuration")
    found = Configuration(Tag("", "", text.name), [], [])
    _Reader(found).read(text, [found.top], 0)
    return found


class _Reader:
    def __init__(self, found: Configuration) -> None:
        self._found = found

    def read(self, text: Text, opened: list[Tag], depth: int) -> None:
        self._found.files.append(text.name)
        base = len(opened)
        for number, line in _lines(text):
            condition = line.endswith("<pattern-list>") and opened[-1].name.endswith(_LISTS)
            if line.startswith("<") or condition:
                # Behind a condition, a list of patterns holds for what meets it.
                name, argument = _tag(text, number, line[line.index("<") :] if condition else line)
                if name.startswith("/"):
                    self._close(text, number, name[1:], opened, base)
                else:
                    its = Tag(name, argument, text.where(number))
                    opened[-1].tags.append(its)
                    opened.append(its)
            elif line[0] in "/*" and opened[-1].name.endswith(_LISTS):
                opened[-1].directives.append(Directive("", line, text.where(number)))
            else:
                name, _, value = line.partition(" ") if " " in line else line.partition("\t")
                value = value.strip()
                if not value.startswith("/"):
                    value = value.strip('"')
                if not _NAME.fullmatch(name.strip()):
                    raise text.error(number, f"{shown(line)} is no directive; write name value")
                its_own = Directive(name.strip().casefold(), value, text.where(number))
                if its_own.name == "include":
                    self._include(its_own, text, opened, depth)
                else:
                    opened[-1].directives.append(its_own)
        if len(opened) > base:
            left = opened[-1]
            raise ConfigurationError(f"{left.where}: <{left.name}> is never closed")

    @staticmethod
    def _close(text: Text, number: int, name: str, opened: list[Tag], base: int) -> None:
        if len(opened) <= base:
            raise text.error(number, f"</{name}> closes nothing")
        if opened[-1].name != name:
            begun = f"<{opened[-1].name}> of {opened[-1].where}"
            raise text.error(number, f"</{name}> is in {begun}, which is still open")
        opened.pop()

    def _include(self, its: Directive, text: Text, opened: list[Tag], depth: int) -> None:
        if depth >= _DEEPEST or len(self._found.files) >= _MOST_FILES:
            raise ConfigurationError(f"{its.where}: includes too many files; do they go round?")
        pattern = str(text.path.parent / its.value)
        paths = sorted(glob.glob(pattern)) if glob.has_magic(its.value) else [pattern]  # noqa: PTH207
        for path in paths:
            try:
                included = read(path, "PowerMTA configuration")
            except SendcapError as problem:
                self._found.missing.append((its, str(problem)))
            else:
                self.read(included, opened, depth + 1)


def _tag(text: Text, number: int, line: str) -> tuple[str, str]:
    """Return the name of a tag, with a slash where it closes one, and its argument."""
    words = line.strip("<>").replace("/ ", "/").split(None, 1)
    name = words[0].casefold() if words else ""
    if not line.endswith(">") or not _NAME.fullmatch(name.removeprefix("/")):
        raise text.error(number, f"{shown(line)} is no tag; write <domain gmail.com>")
    return name, words[1].strip().strip('"') if len(words) > 1 else ""


def _lines(text: Text) -> Iterator[tuple[int, str]]:
    """Yield lines without comments, those that end with a backslash joined."""
    first, pieces = 0, list[str]()
    for number, line in enumerate(text.content.split("\n"), 1):
        code = line.partition("#")[0].strip()
        if not pieces:
            first = number
        if code.endswith("\\"):
            pieces.append(code[:-1].rstrip())
            continue
        pieces.append(code)
        joined = " ".join(filter(None, pieces))
        if joined:
            yield first, joined
        pieces = []
    if any(pieces):
        yield first, " ".join(filter(None, pieces))
