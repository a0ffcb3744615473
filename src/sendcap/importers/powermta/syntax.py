"""PowerMTA's configuration files: one directive per line, in nested tags; directives' values."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sendcap.errors import ConfigurationError
from sendcap.importers.reading import Entry, Including, Text, read_configuration, whole, yes
from sendcap.scenario.durations import parse_duration
from sendcap.scenario.rates import Rate
from sendcap.scenario.section import MOST
from sendcap.text.quoting import shown

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,80}")
_DOMAINS: Final = re.compile(r"[\w.$-]{1,253}(?:\s*,\s*[\w.$-]{1,253})*\s*,?")
_LISTS: Final = ("pattern-list", "patterns")
"""Suffixes of tags whose lines may begin with a pattern: ``/spam/ spam-related``."""

_RATE: Final = re.compile(r"(\d{1,12})/(\d{0,6})(d|day|h|hr|m|min|s|sec)", re.IGNORECASE | re.ASCII)
_UNIT_S: Final = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass
class Tag:
    """The content of ``<name argument>`` … ``</name>``."""

    name: str
    argument: str
    where: str
    # In order, possibly repeated; the line of a list of patterns has no name.
    directives: list[Entry] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)

    def named(self, name: str) -> Iterator[Tag]:
        """Yield the nested tags of a name."""
        return (tag for tag in self.tags if tag.name == name)


class Configuration(Including):
    """A configuration, with the files that it includes; ``top`` holds everything."""

    def __init__(self, source: str | Path) -> None:
        super().__init__()
        text = read_configuration(source, "PowerMTA configuration")
        self.top = Tag("", "", text.name)
        self._read(text, [self.top], 0)

    def _read(self, text: Text, opened: list[Tag], depth: int) -> None:
        self.files.append(text.name)
        base = len(opened)
        for number, line in _lines(text):
            condition = line.endswith("<pattern-list>") and opened[-1].name.endswith(_LISTS)
            if line.startswith("<") or condition:
                # A condition may come before a list of patterns.
                name, argument = _tag(text, number, line[line.index("<") :] if condition else line)
                if name.startswith("/"):
                    self._close(text, number, name[1:], opened, base)
                else:
                    tag = Tag(name, argument, text.where(number))
                    opened[-1].tags.append(tag)
                    opened.append(tag)
            elif line[0] in "/*" and opened[-1].name.endswith(_LISTS):
                opened[-1].directives.append(Entry("", line, text.where(number)))
            else:
                self._directive(text, number, line, opened, depth)
        if len(opened) > base:
            left = opened[-1]
            raise ConfigurationError(f"{left.where}: <{left.name}> is never closed")

    def _directive(self, text: Text, number: int, line: str, opened: list[Tag], depth: int) -> None:
        before = opened[-1].directives
        if before and before[-1].name == "domain-macro" and _goes_on(before[-1].value, line):
            before[-1] = before[-1]._replace(value=f"{before[-1].value} {line}")
            return
        name, *rest = line.split(None, 1)
        value = rest[0].strip() if rest else ""
        if not value.startswith("/"):
            value = value.strip('"')
        if not _NAME.fullmatch(name):
            raise text.error(number, "is not a directive; write name value")
        entry = Entry(name.casefold(), value, text.where(number))
        if entry.name == "include":
            self._include(entry, text, opened, depth)
        else:
            before.append(entry)

    @staticmethod
    def _close(text: Text, number: int, name: str, opened: list[Tag], base: int) -> None:
        if len(opened) <= base:
            raise text.error(number, f"</{name}> closes nothing")
        if opened[-1].name != name:
            still_open = f"<{opened[-1].name}> of {opened[-1].where}"
            raise text.error(number, f"</{name}>: {still_open} is still open")
        opened.pop()

    def _include(self, entry: Entry, text: Text, opened: list[Tag], depth: int) -> None:
        pattern = str(text.path.parent / entry.value)
        paths = sorted(glob.glob(pattern)) if glob.has_magic(entry.value) else [pattern]  # noqa: PTH207
        for path in paths:
            included = self.included(entry, Path(path), "PowerMTA configuration", depth)
            if included is not None:
                self._read(included, opened, depth + 1)


def _lines(text: Text) -> Iterator[tuple[int, str]]:
    """Yield the lines without comments; a backslash at the end joins the next one."""
    first, pieces = 0, list[str]()
    for number, line in enumerate((*text.content.split("\n"), ""), 1):
        code = line.partition("#")[0].strip()
        if not pieces:
            first = number
        pieces.append(code.removesuffix("\\").rstrip())
        if not code.endswith("\\"):
            joined = " ".join(filter(None, pieces))
            if joined:
                yield first, joined
            pieces = []


def _tag(text: Text, number: int, line: str) -> tuple[str, str]:
    """Return the name, with a slash for a closing tag, and the argument."""
    words = line.strip("<>").replace("/ ", "/").split(None, 1)
    name = words[0].casefold() if words else ""
    if not line.endswith(">") or not _NAME.fullmatch(name.removeprefix("/")):
        raise text.error(number, "is not a tag; write <domain gmail.com>")
    return name, words[1].strip().strip('"') if len(words) > 1 else ""


def _goes_on(macro: str, line: str) -> bool:
    """Return whether a line is more of a macro's domains: people wrap long lists."""
    unfinished = macro.endswith(",") or len(macro.split()) < 2
    return unfinished and _DOMAINS.fullmatch(line) is not None


def rate_or_none(text: str) -> Rate | None:
    """Read a rate such as ``83/10m``; None for ``unlimited`` and 0.

    >>> rate_or_none("83/10m"), rate_or_none("unlimited")
    (Rate(limit=83, period_s=600.0, burst=None), None)
    """
    if text.casefold() in ("unlimited", "0"):
        return None
    match = _RATE.fullmatch(text)
    times = int(match[2] or 1) if match else 0
    if match is None or times == 0 or int(match[1]) == 0:
        raise ValueError(f"{shown(text)} is not a rate; write N/[M]d, h, m or s, such as 83/10m")
    return Rate(_not_too_many(int(match[1])), times * _UNIT_S[match[3][0].casefold()])


def per_hour_or_none(text: str) -> Rate | None:
    """Read a number per hour, as in older directives."""
    count = number_or_none(text)
    return None if count is None else Rate(count, 3600.0)


def number_or_none(text: str) -> int | None:
    """Read a whole number; None for ``unlimited`` and 0."""
    return None if text.casefold() == "unlimited" else _not_too_many(whole(text)) or None


def _not_too_many(number: int) -> int:
    if number > MOST:
        raise ValueError(f"{number:,} is too many; write unlimited, or at most {MOST:,}")
    return number


def boolean(text: str) -> bool:
    """Read yes or no, or true or false."""
    return yes({"true": "yes", "false": "no"}.get(text.casefold(), text))


def seconds(text: str) -> float:
    """Read a duration such as ``4d12h``; a bare 0 is allowed."""
    return 0.0 if text == "0" else parse_duration(text.casefold())


def lifetime(text: str) -> float:
    """Read a duration that is not zero."""
    if seconds(text) <= 0.0:
        raise ValueError(f"{shown(text)} leaves no time for an attempt; write 4d12h, or what it is")
    return seconds(text)


def intervals(text: str) -> tuple[float, ...]:
    """Read a list of durations, such as ``10m,10m,1h``."""
    return tuple(seconds(entry.strip()) for entry in text.split(","))


def message_rates(
    directives: Mapping[str, Entry], prefix: str = ""
) -> Iterator[tuple[Rate, Entry]]:
    """Yield the rates of ``max-msg-rate`` and ``max-msg-per-hour``, or those with a prefix."""
    for name, reader in (("max-msg-rate", rate_or_none), ("max-msg-per-hour", per_hour_or_none)):
        own = directives.get(prefix + name)
        if own is not None and (rate := own.read(reader)) is not None:
            yield rate, own
