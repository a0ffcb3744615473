"""Postfix's parameters: ``main.cf`` or the output of ``postconf``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sendcap.errors import ConfigurationError
from sendcap.importers.postfix.expansion import expanded
from sendcap.importers.reading import UNITS_S, Entry, Text
from sendcap.text.quoting import shown

CLIENTS: Final = ("smtp", "lmtp")
"""Programs that send mail; each has parameters of its own, which begin with its name."""

_OF_A_CLIENT: Final = {
    "connection_cache_on_demand": "yes",
    "connection_cache_destinations": "",
    "connection_cache_time_limit": "2s",
    "connection_reuse_time_limit": "300s",
    "connection_reuse_count_limit": "0",
    "tls_connection_reuse": "no",
    "enforce_tls": "no",
    "use_tls": "no",
    "tls_policy_maps": "",
    "bind_address": "",
}
DEFAULTS: Final = {
    "compatibility_level": "0",
    "mydomain": "localdomain",
    "myhostname": "localhost.$mydomain",
    "myorigin": "$myhostname",
    "default_transport": "smtp",
    "transport_maps": "",
    "sender_dependent_default_transport_maps": "",
    "sender_dependent_relayhost_maps": "",
    "relayhost": "",
    "default_process_limit": "100",
    "initial_destination_concurrency": "5",
    "default_destination_concurrency_positive_feedback": "1",
    "default_destination_concurrency_negative_feedback": "1",
    "default_destination_concurrency_limit": "20",
    "default_destination_recipient_limit": "50",
    "default_destination_rate_delay": "0s",
    "default_transport_rate_delay": "0s",
    "minimal_backoff_time": "300s",
    "maximal_backoff_time": "4000s",
    "queue_run_delay": "300s",
    "maximal_queue_lifetime": "5d",
    "qmgr_message_active_limit": "20000",
    "connection_cache_ttl_limit": "2s",
    "smtp_tls_security_level": "${{$compatibility_level} <level {3.11} ? {} : {may}}",
    "lmtp_tls_security_level": "",
    **{f"{client}_{name}": value for client in CLIENTS for name, value in _OF_A_CLIENT.items()},
}
"""Postfix's defaults (``src/global/mail_params.h``)."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_DEEPEST: Final = 50
_LONGEST: Final = 10_000
_TIME: Final = re.compile(r"(\d{1,12})([smhdw]?)")


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
    references: set[str] = field(default_factory=set)  # names within values that have been read
    _expansions: dict[str, str] = field(default_factory=dict)

    def with_options(self, options: Mapping[str, Entry]) -> Settings:
        """Return the parameters of a service with options of its own."""
        return Settings({**self.entries, **options}, references=self.references)

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

        def value_of(name: str) -> str:
            self.references.add(name)
            return self._expanded(self._entry(name), (*within, entry.name))

        # Longer texts take long to expand, and no parameter that decides a rate has one.
        value: str = entry.value
        if len(value) <= _LONGEST:
            value = entry.read(lambda text: expanded(text, value_of))
        if len(value) > _LONGEST:
            raise ConfigurationError(
                f"{entry.where}: {entry.name}: expands to more than {_LONGEST:,} characters"
            )
        self._expansions[entry.name] = value
        return value


def seconds(default_unit: str = "s") -> Callable[[str], float]:
    """Return a reader of durations, such as ``"300s"``; a bare number has the default unit."""

    def read(text: str) -> float:
        match = _TIME.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{shown(text)} is not a duration; write a whole number and s, m, h, d or w"
            )
        return float(int(match[1]) * UNITS_S[match[2] or default_unit])

    return read
