"""Postfix's parameters: ``main.cf``, and what ``postconf`` prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

from sendcap.errors import ConfigurationError
from sendcap.importers.reading import Text
from sendcap.text.quoting import shown

DEFAULTS: Final = {
    "default_transport": "smtp",
    "relayhost": "",
    "default_process_limit": "100",
    "default_destination_concurrency_limit": "20",
    "default_destination_recipient_limit": "50",
    "default_destination_rate_delay": "0s",
    "default_transport_rate_delay": "0s",
    "minimal_backoff_time": "300s",
    "maximal_backoff_time": "4000s",
    "queue_run_delay": "300s",
    "maximal_queue_lifetime": "5d",
    "smtp_connection_cache_on_demand": "yes",
    "smtp_connection_cache_destinations": "",
    "smtp_connection_cache_time_limit": "2s",
    "smtp_connection_reuse_time_limit": "300s",
    "smtp_connection_reuse_count_limit": "0",
}
"""What Postfix does where its files do not say (``src/global/mail_params.h``)."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_REFERENCE: Final = re.compile(
    r"\$(?:\$|([A-Za-z0-9_]{1,200})|\{([^{}$]{1,300})\}|\(([^()$]{1,300})\))"
)
_DEEPEST: Final = 50
_LONGEST: Final = 10_000
_TIME: Final = re.compile(r"(\d{1,12})([smhdw]?)")
_WHOLE: Final = re.compile(r"\d{1,12}")

_Value = TypeVar("_Value")


class Parameter(NamedTuple):
    """A parameter as it is written, and where; it is a default where there is no place."""

    name: str
    value: str
    where: str = ""


def logical_lines(text: Text) -> Iterator[tuple[int, str]]:
    """Yield the lines of a Postfix file without comments, each with those that continue it.

    A line that begins with a space continues the one before; comments and empty lines between
    them do not count.
    """
    first, pieces = 0, list[str]()
    for number, line in enumerate(text.content.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if line[0] in " \t":
            if not pieces:
                raise text.error(number, "begins with a space, but there is no line to continue")
            pieces.append(stripped)
            continue
        if pieces:
            yield first, " ".join(pieces)
        first, pieces = number, [stripped]
    if pieces:
        yield first, " ".join(pieces)


class Settings:
    """The parameters of a configuration.

    Parameters
    ----------
    text
        ``main.cf``, or what ``postconf -n`` or ``postconf`` prints.

    Attributes
    ----------
    given
        The parameters that the file has, by name.
    replaced
        Those that are there again later.

    Raises
    ------
    ConfigurationError
        For a line that is no parameter.
    """

    def __init__(self, text: Text) -> None:
        self.given: dict[str, Parameter] = {}
        self.replaced: list[Parameter] = []
        self._known: dict[str, str] = {}
        for number, line in logical_lines(text):
            if line.startswith("postconf: warning: "):
                # What postconf says beside its output, where both went into one file.
                continue
            name, equals, value = line.partition("=")
            name = name.strip()
            if not equals or not _NAME.fullmatch(name):
                raise text.error(number, f"{shown(line)} is no parameter; write name = value")
            if name in self.given:
                self.replaced.append(self.given[name])
            self.given[name] = Parameter(name, value.strip(), text.where(number))

    def with_options(self, options: Mapping[str, Parameter]) -> Settings:
        """Return the parameters that hold for a service with options of its own."""
        its = object.__new__(Settings)
        its.given, its.replaced, its._known = {**self.given, **options}, [], {}
        return its

    def first(self, *names: str) -> Parameter:
        """Return the first of some parameters that is given, expanded; else the last's default."""
        name = next((name for name in names if name in self.given), names[-1])
        its = self._parameter(name)
        return its._replace(value=self._expanded(its, ()).strip())

    def _parameter(self, name: str) -> Parameter:
        return self.given.get(name) or Parameter(name, DEFAULTS.get(name, ""))

    def _expanded(self, its: Parameter, within: tuple[str, ...]) -> str:
        """Put the values of other parameters in place of their names."""
        if its.name in within or len(within) > _DEEPEST:
            # Of a default, the place that refers to it.
            where = its.where or self._parameter(within[0]).where
            raise ConfigurationError(f"{where}: {its.name}: refers to itself")
        if its.name in self._known:
            return self._known[its.name]

        def put(found: re.Match[str]) -> str:
            reference = next(filter(None, found.groups()), None)
            if reference is None:
                return "$"
            name, sign, text = _parts(reference)
            other = self._expanded(self._parameter(name), (*within, its.name))
            if sign:
                return text if (sign == "?") == bool(other) else ""
            return other

        value = _REFERENCE.sub(put, its.value)
        if len(value) > _LONGEST:
            raise ConfigurationError(
                f"{its.where}: {its.name}: grows to more than {_LONGEST:,} characters"
            )
        self._known[its.name] = value
        return value


def _parts(reference: str) -> tuple[str, str, str]:
    """Split ``name``, ``name?text`` or ``name:text``."""
    found = re.fullmatch(r"\s*([A-Za-z0-9_]+)\s*([?:]?)(.*)", reference, re.DOTALL)
    return (found[1], found[2], found[3].strip()) if found else (reference, "", "")


def value_of(its: Parameter, read: Callable[[str], _Value]) -> _Value:
    """Read the value of a parameter.

    Raises
    ------
    ConfigurationError
        If it cannot be read.
    """
    try:
        return read(its.value)
    except ValueError as problem:
        where = its.where or "default"
        raise ConfigurationError(f"{where}: {its.name}: {problem}") from None


def seconds(default_unit: str = "s") -> Callable[[str], float]:
    """Return a reader of times, such as ``"300s"``; a bare number has the default unit."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}

    def read(text: str) -> float:
        found = _TIME.fullmatch(text)
        if found is None:
            raise ValueError(f"{shown(text)} is no time; write a whole number with s, m, h, d or w")
        return int(found[1]) * units[found[2] or default_unit]

    return read


def whole(text: str) -> int:
    """Read a whole number."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{shown(text)} is no whole number")
    return int(text)


def yes(text: str) -> bool:
    """Read yes or no."""
    if text.casefold() not in ("yes", "no"):
        raise ValueError(f"{shown(text)} is neither yes nor no")
    return text.casefold() == "yes"
