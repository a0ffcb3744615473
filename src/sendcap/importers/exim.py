"""Scenarios from Exim's configuration: its retry rules, and messages per connection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.draft import Draft
from sendcap.importers.imported import Imported, imported
from sendcap.importers.plan import Plan
from sendcap.importers.reading import Text, read
from sendcap.importers.secrets import masked
from sendcap.scenario.retry import EximRetry
from sendcap.text.quoting import shown

__all__ = ["import_exim"]

_BEGIN: Final = re.compile(r"begin\s+(\w{1,50})\s*", re.ASCII)
_OPTION: Final = re.compile(r"(?:hide\s+)?([a-z][a-z0-9_]{0,80})\s*=\s*(.*)", re.ASCII | re.DOTALL)
_TRANSPORT: Final = re.compile(r"([A-Za-z0-9_-]{1,80}):", re.ASCII)
_MESSAGES: Final = "connection_max_messages"
_DEFAULT_MESSAGES: Final = 500
_FOR_ALL: Final = ("*", "*@*")
_TRANSIENT: Final = ("*", "rcpt_4xx", "mail_4xx", "data_4xx")
_UNUSED: Final = {
    "remote_max_parallel": "of one message's recipients; here each message has one",
    "queue_run_max": "the model tries a message when it is due, not when a queue runner comes by",
    "retry_data_expire": "the model keeps what it knows of a message as long as it has it",
    "timeout": "the model's servers always answer; an outage is a provider's own key",
}


class _Rule(NamedTuple):
    pattern: str
    error: str
    senders: str
    schedule: str
    where: str
    line: int

    @property
    def title(self) -> str:
        return " ".join(filter(None, ("retry", self.pattern, self.error, self.senders)))


_Options = dict[str, tuple[str, str]]
"""Values of options, and where they are."""


class _Configuration(NamedTuple):
    rules: list[_Rule]
    options: _Options
    transports: dict[str, _Options]

    def clients(self) -> list[tuple[str, _Options]]:
        """Return the transports that deliver to other servers."""
        found = self.transports.items()
        return [(name, its) for name, its in found if its.get("driver", ("",))[0] == "smtp"]


def import_exim(
    configuration: str | Path,
    audience: str | Path | Mapping[str, float] | None = None,
    *,
    messages: int | None = None,
    base: str | Path = "quickstart",
    ips: int | None = None,
    other_domains: int | None = None,
) -> Imported:
    """Make a scenario of Exim's retry rules.

    Exim has no limits of connections or rates for a destination, so the providers keep the base's.

    Parameters
    ----------
    configuration
        Exim's configuration file, or its retry rules alone.
    audience, messages, base, ips, other_domains
        As for `sendcap.import_kumomta`; names are those of the base's providers, or well known.

    Returns
    -------
    Imported
        The scenario, its file and the report.

    Raises
    ------
    SendcapError
        If a file, the base or the audience cannot be read, or the values make no scenario.

    References
    ----------
    Exim specification, chapter "Retry configuration"; ``src/src/retry.c``.
    """
    plan = Plan(audience, messages, base, ips, other_domains)
    text = read(configuration, "Exim configuration")
    found = _configuration(text)
    draft = Draft(plan)
    groups = draft.groups(lambda domain: next(iter(known.names_of(domain)), known.OTHER))
    for group in groups:
        draft.provider(group, limits=True)
    _messages_per_connection(draft, [its.name for its in groups], found.clients())
    draft.source_addresses(None, "", "", "Exim has no limits for a source address.")
    _retry(draft, text, found)
    for name, (value, where) in found.options.items():
        why = next((its for part, its in _UNUSED.items() if part in name), None)
        if name != "retry_interval_max":
            shown_value = masked(name, value)
            draft.unused(
                name, shown_value, where, why or "does not decide when mail is tried again"
            )
    return imported(draft, "Exim", [str(configuration)])


def _messages_per_connection(
    draft: Draft, providers: list[str], clients: list[tuple[str, _Options]]
) -> None:
    """Put what the first SMTP transport says; a file of rules alone says nothing of it."""
    if not clients:
        return
    name, options = clients[0]
    value, where = options.get(_MESSAGES, (str(_DEFAULT_MESSAGES), ""))
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise ConfigurationError(f"{where}: {_MESSAGES}: {shown(value)} is no whole number")
    # Zero is no limit.
    number = int(value) or "unlimited"
    for provider in providers:
        place = ("providers", provider, "messages_per_connection")
        if where:
            draft.set(place, number, _MESSAGES, value, where, f"of transport {name}")
        else:
            draft.default(place, number, _MESSAGES, f"of transport {name}")
    for other, its in clients[1:]:
        if _MESSAGES in its:
            draft.unused(_MESSAGES, *its[_MESSAGES], f"of transport {other}; that of {name} holds")


def _retry(draft: Draft, text: Text, found: _Configuration) -> None:
    general = [
        its
        for its in found.rules
        if its.pattern in _FOR_ALL and its.error.partition(":")[0] in _TRANSIENT and not its.senders
    ]
    if not general:
        raise ConfigurationError(
            f"{text.name}: has no retry rule for all mail, such as "
            f'"* * F,2h,15m; G,16h,1h,1.5; F,4d,6h", so what Exim does is not clear'
        )
    best = general[0]
    if not best.schedule:
        raise text.error(best.line, "means no retry at all; the model has no such policy")
    place = ("mta", "retry")
    draft.data["mta"]["retry"] = {"policy": "exim"}
    draft.set((*place, "rule"), best.schedule, best.title, best.schedule, best.where)
    if "retry_interval_max" in found.options:
        value, where = found.options["retry_interval_max"]
        draft.set((*place, "retry_interval_max"), value, "retry_interval_max", value, where)
    else:
        value = "24h"
        draft.default((*place, "retry_interval_max"), value, "retry_interval_max", "")
    try:
        EximRetry.model_validate(draft.data["mta"]["retry"])
    except ValidationError as error:
        problem = error.errors()[0]
        where = (
            best.where if problem["loc"] == ("rule",) else found.options["retry_interval_max"][1]
        )
        message = problem["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"{where}: {'.'.join(map(str, problem['loc']))}: {message}"
        ) from None
    for its in found.rules:
        if its is not best:
            why = f"the model has one retry policy, that for all mail in {best.where}"
            draft.unused(its.title, its.schedule, its.where, why)


def _configuration(text: Text) -> _Configuration:
    lines = list(_logical_lines(text))
    sections = any(_BEGIN.fullmatch(line) for _, line in lines)
    rules: list[_Rule] = []
    options: _Options = {}
    transports: dict[str, _Options] = {}
    within: _Options = {}
    section = "main" if sections else "retry"
    for number, line in lines:
        begin = _BEGIN.fullmatch(line)
        if begin is not None:
            section = begin[1]
        elif section == "retry":
            rules.append(_rule(text, number, line))
        elif section == "main" and (option := _OPTION.fullmatch(line)) is not None:
            # What is hidden there is not shown here either.
            value = "(not shown)" if line.startswith("hide") else option[2].strip()
            options[option[1]] = (value, text.where(number))
        elif section == "transports" and (transport := _TRANSPORT.fullmatch(line)) is not None:
            within = transports.setdefault(transport[1], {})
        elif section == "transports" and (option := _OPTION.fullmatch(line)) is not None:
            within[option[1]] = (option[2].strip(), text.where(number))
    return _Configuration(rules, options, transports)


def _logical_lines(text: Text) -> Iterator[tuple[int, str]]:
    """Yield lines without comments and conditions, those that end with a backslash joined."""
    first, pieces = 0, list[str]()
    for number, line in enumerate(text.content.split("\n"), 1):
        stripped = line.strip()
        if stripped.startswith(("#", ".if", ".el", ".endif", ".include")):
            continue
        if not pieces:
            first = number
        if stripped.endswith("\\"):
            pieces.append(stripped[:-1].rstrip())
            continue
        pieces.append(stripped)
        joined = "".join(pieces)
        if joined:
            yield first, joined
        pieces = []
    if "".join(pieces):
        yield first, "".join(pieces)


def _rule(text: Text, number: int, line: str) -> _Rule:
    if line.startswith('"'):
        pattern, quote, rest = line[1:].partition('"')
        if not quote:
            raise text.error(number, f"{shown(line)} has a quotation mark that nothing closes")
    else:
        pattern, _, rest = _word(line)
    error, _, rest = _word(rest)
    if not error:
        raise text.error(
            number, f"{shown(line)} is no retry rule; write pattern, error and F,2h,15m; …"
        )
    senders = ""
    if rest.startswith("senders="):
        senders, _, rest = _word(rest)
    schedule = "; ".join(step.strip() for step in rest.strip().removesuffix(";").split(";"))
    return _Rule(pattern, error, senders, schedule, text.where(number), number)


def _word(text: str) -> tuple[str, str, str]:
    """Split off the first word."""
    pieces = text.split(None, 1)
    return (pieces[0] if pieces else "", "", pieces[1] if len(pieces) > 1 else "")
