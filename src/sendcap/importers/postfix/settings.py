"""Postfix's files: ``main.cf`` or the output of ``postconf``, ``master.cf``, and transports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.reading import Entry, Text
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
"""Postfix's defaults (``src/global/mail_params.h``)."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_REFERENCE: Final = re.compile(
    r"\$(?:\$|([A-Za-z0-9_]{1,200})|\{([^{}$]{1,300})\}|\(([^()$]{1,300})\))"
)
_DEEPEST: Final = 50
_LONGEST: Final = 10_000
_TIME: Final = re.compile(r"(\d{1,12})([smhdw]?)")
_OPTION: Final = re.compile(r"-o (?:\{([^{}]*)\}|([^\s{}]+))")
_CLIENTS: Final = ("smtp", "lmtp", "relay")
_FIELDS: Final = 8


def logical_lines(text: Text) -> Iterator[tuple[int, str]]:
    """Yield the lines of a Postfix file without comments, continuations joined.

    A line that begins with a space continues the previous one, also across comments and empty
    lines.
    """
    first, pieces = 0, list[str]()
    for number, line in enumerate(text.content.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if line[0] in " \t":
            if not pieces:
                raise text.error(number, "begins with a space, but no line comes before")
            pieces.append(stripped)
            continue
        if pieces:
            yield first, " ".join(pieces)
        first, pieces = number, [stripped]
    if pieces:
        yield first, " ".join(pieces)


def settings_of(text: Text) -> Settings:
    """Read a ``main.cf``, or the output of ``postconf -n`` or ``postconf``."""
    settings = Settings({})
    for number, line in logical_lines(text):
        if line.startswith("postconf: warning: "):
            # A warning of postconf, redirected into the same file.
            continue
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals or not _NAME.fullmatch(name):
            raise text.error(number, "is not a parameter; write name = value")
        if name in settings.entries:
            settings.replaced.append(settings.entries[name])
        settings.entries[name] = Entry(name, value.strip(), text.where(number))
    if not settings.entries:
        raise text.nothing()
    return settings


@dataclass
class Settings:
    """The parameters of a configuration, by name."""

    entries: dict[str, Entry]
    replaced: list[Entry] = field(default_factory=list)  # set again later in the file
    _expansions: dict[str, str] = field(default_factory=dict)

    def with_options(self, options: Mapping[str, Entry]) -> Settings:
        """Return the parameters of a service with options of its own."""
        return Settings({**self.entries, **options})

    def first(self, *names: str) -> Entry:
        """Return the first of some parameters in the file, or the last's default, expanded."""
        name = next((name for name in names if name in self.entries), names[-1])
        entry = self._entry(name)
        return entry._replace(value=self._expanded(entry, ()).strip())

    def _entry(self, name: str) -> Entry:
        return self.entries.get(name) or Entry(name, DEFAULTS.get(name, ""))

    def _expanded(self, entry: Entry, within: tuple[str, ...]) -> str:
        """Replace the names of other parameters by their values."""
        if entry.name in within or len(within) > _DEEPEST:
            # A default has no place of its own: use that of the first reference.
            where = entry.where or self._entry(within[0]).where
            raise ConfigurationError(f"{where}: {entry.name}: refers to itself")
        if entry.name in self._expansions:
            return self._expansions[entry.name]

        def value_at(match: re.Match[str]) -> str:
            reference = next(filter(None, match.groups()), None)
            if reference is None:
                return "$"
            name, sign, text = _parts(reference)
            other = self._expanded(self._entry(name), (*within, entry.name))
            if sign:
                return text if (sign == "?") == bool(other) else ""
            return other

        value = _REFERENCE.sub(value_at, entry.value)
        if len(value) > _LONGEST:
            raise ConfigurationError(
                f"{entry.where}: {entry.name}: expands to more than {_LONGEST:,} characters"
            )
        self._expansions[entry.name] = value
        return value


def _parts(reference: str) -> tuple[str, str, str]:
    """Split ``name``, ``name?text`` or ``name:text``."""
    match = re.fullmatch(r"\s*([A-Za-z0-9_]+)\s*([?:]?)(.*)", reference, re.DOTALL)
    return (match[1], match[2], match[3].strip()) if match else (reference, "", "")


def seconds(default_unit: str = "s") -> Callable[[str], float]:
    """Return a reader of durations, such as ``"300s"``; a bare number has the default unit."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}

    def read(text: str) -> float:
        match = _TIME.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{shown(text)} is not a duration; write a whole number and s, m, h, d or w"
            )
        return int(match[1]) * units[match[2] or default_unit]

    return read


class Service(NamedTuple):
    """A client that delivers mail."""

    processes: int | None  # at most; None for ``default_process_limit``
    options: dict[str, Entry]  # parameters of this client alone
    where: str


class Route(NamedTuple):
    """The transport of a domain, and the host if it differs from the domain's own."""

    transport: str
    nexthop: str


def services_of(text: Text) -> dict[str, Service]:
    """Read the clients in a ``master.cf``."""
    services: dict[str, Service] = {}
    for number, line in logical_lines(text):
        fields = line.split(None, _FIELDS - 1)
        if len(fields) < _FIELDS:
            raise text.error(
                number,
                f"is not a service; it has {len(fields)} of the eight fields from name to command",
            )
        command, _, rest = fields[7].partition(" ")
        if fields[1] != "unix" or command not in _CLIENTS:
            continue
        where = text.where(number)
        options = {}
        for option in _OPTION.finditer(" ".join(rest.split())):
            name, equals, value = (option[1] or option[2]).partition("=")
            if equals:
                options[name.strip()] = Entry(name.strip(), value.strip(), where)
        processes = None
        if fields[6] != "-":
            if not fields[6].isdecimal():
                raise text.error(number, f"maxproc must be a number or -, not {shown(fields[6])}")
            # Zero is no limit.
            processes = int(fields[6][:9]) or None
        services[fields[0]] = Service(processes, options, where)
    return services


def routes_of(text: Text) -> dict[str, Route]:
    """Read a map of transports: ``gmail.com  slow:`` or ``.example.com  relay:[host]``."""
    routes: dict[str, Route] = {}
    for number, line in logical_lines(text):
        pattern, _, result = line.partition(" ") if " " in line else line.partition("\t")
        transport, colon, nexthop = result.strip().partition(":")
        if not colon:
            raise text.error(number, "is not a route; write a domain and transport:nexthop")
        if "@" not in pattern:
            routes[pattern.casefold()] = Route(transport.strip(), nexthop.strip())
    return routes


def route(routes: dict[str, Route], domain: str) -> Route | None:
    """Return the route of a domain: by its own entry, that of a parent with a dot, or ``*``."""
    if domain in routes:
        return routes[domain]
    while "." in domain:
        domain = domain.partition(".")[2]
        if f".{domain}" in routes:
            return routes[f".{domain}"]
    return routes.get("*")
