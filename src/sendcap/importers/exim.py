"""Scenarios from Exim's configuration: retry rules, and messages per connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.draft import Draft
from sendcap.importers.imported import Imported, reason_unused
from sendcap.importers.plan import Group, Plan
from sendcap.importers.reading import Entry, Text, joined_lines, read_configuration, whole
from sendcap.scenario.retry import EximRetry

_BEGIN: Final = re.compile(r"begin\s+(\w{1,50})\s*", re.ASCII)
_OPTION: Final = re.compile(r"(?:hide\s+)?([a-z][a-z0-9_]{0,80})\s*=\s*(.*)", re.ASCII | re.DOTALL)
_TRANSPORT: Final = re.compile(r"([A-Za-z0-9_-]{1,80}):", re.ASCII)
_MESSAGES: Final = "connection_max_messages"
_DEFAULT_MESSAGES: Final = 500
_LONGEST_INTERVAL: Final = "retry_interval_max"
_DEFAULT_INTERVAL: Final = "24h"
_ERROR: Final = re.compile(r"\*|[A-Za-z][A-Za-z0-9_]{2,40}(?::\S{1,40})?", re.ASCII)
_FOR_ALL: Final = ("*", "*@*")
_TEMPORARY: Final = ("*", "rcpt_4xx", "mail_4xx", "data_4xx")
_UNUSED: Final = {
    "remote_max_parallel": "for recipients of one message; here each message has one",
    "queue_run_max": "the model tries a message when it is due, without queue runners",
    "retry_data_expire": "the model remembers the retries of a message until it leaves",
}


class _Rule(NamedTuple):
    pattern: str
    error: str
    senders: str
    schedule: str
    where: str
    line: int

    @property
    def entry(self) -> Entry:
        title = " ".join(filter(None, ("retry", self.pattern, self.error, self.senders)))
        return Entry(title, self.schedule, self.where)

    @property
    def is_general(self) -> bool:
        """Whether the rule is for all mail, and for temporary errors."""
        temporary = self.error.partition(":")[0] in _TEMPORARY
        return self.pattern in _FOR_ALL and temporary and not self.senders


_Options = dict[str, Entry]


class _Configuration(NamedTuple):
    rules: list[_Rule]
    options: _Options
    transports: dict[str, _Options]

    def clients(self) -> list[tuple[str, _Options]]:
        """Return the transports that deliver to other servers."""
        return [
            (name, options)
            for name, options in self.transports.items()
            if "driver" in options and options["driver"].value == "smtp"
        ]


def import_exim(
    configuration: str | Path,
    audience: str | Path | Mapping[str, float] | None = None,
    *,
    messages: int | None = None,
    base: str | Path = "quickstart",
    ips: int | None = None,
    other_domains: int | None = None,
) -> Imported:
    """Make a scenario from Exim's retry rules.

    Exim has no limits of connections or rates per destination, so the base's limits stay.

    Parameters
    ----------
    configuration
        Exim's configuration file, or a file of retry rules alone.
    audience, messages, base, ips, other_domains
        As for `sendcap.import_kumomta`; names are those of the base's providers, or well known.

    Raises
    ------
    SendcapError
        If a file, the base or the audience cannot be read, or the scenario is not valid.

    References
    ----------
    Exim specification, chapter "Retry configuration"; ``src/src/retry.c``.
    """
    text = read_configuration(configuration, "Exim configuration")
    contents = _configuration(text)
    draft = Draft(Plan(audience, messages, base, ips, other_domains))
    groups = draft.groups(lambda domain: next(iter(known.names_of(domain)), known.OTHER))
    for group in groups:
        draft.provider(group, limits=True)
    _messages_per_connection(draft, groups, contents.clients())
    draft.source_addresses("Exim has no limits per source address.")
    _retry(draft, text, contents)
    for entry in contents.options.values():
        if entry.name != _LONGEST_INTERVAL:
            why = reason_unused(entry.name, _UNUSED, "does not decide when mail is tried again")
            draft.unused(entry, why)
    return draft.finished("Exim", [str(configuration)])


def _messages_per_connection(
    draft: Draft, groups: tuple[Group, ...], clients: list[tuple[str, _Options]]
) -> None:
    """Take the limit of the first SMTP transport; a file of rules alone has none."""
    if not clients:
        return
    name, options = clients[0]
    entry = options.get(_MESSAGES, Entry(_MESSAGES))
    # Zero is no limit.
    number = entry.read(whole) or "unlimited" if entry.where else _DEFAULT_MESSAGES
    for group in groups:
        draft.limit(group, "messages_per_connection", number, entry, f"transport {name}")
    for other, more in clients[1:]:
        if _MESSAGES in more:
            draft.overruled(more[_MESSAGES], f"transport {other}; the scenario has that of {name}")


def _retry(draft: Draft, text: Text, contents: _Configuration) -> None:
    best = next((rule for rule in contents.rules if rule.is_general), None)
    if best is None:
        raise ConfigurationError(
            f"{text.name}: has no retry rule for all mail; write one, such as "
            f'"* * F,2h,15m; G,16h,1h,1.5; F,4d,6h"'
        )
    if not best.schedule:
        raise text.error(best.line, "this rule retries nothing, which the model cannot do")
    place = ("mta", "retry")
    longest = contents.options.get(_LONGEST_INTERVAL, Entry(_LONGEST_INTERVAL))
    draft.data["mta"]["retry"] = {"policy": "exim"}
    draft.put((*place, "rule"), best.schedule, best.entry)
    interval = longest.value if longest.where else _DEFAULT_INTERVAL
    draft.put((*place, longest.name), interval, longest)
    try:
        policy = EximRetry.model_validate(draft.data["mta"]["retry"])
    except ValidationError as error:
        problem = error.errors()[0]
        in_rule = not longest.where or problem["loc"] == ("rule",)
        message = problem["msg"].removeprefix("Value error, ")
        key = ".".join(map(str, problem["loc"]))
        where = best.entry.where if in_rule else longest.where
        raise ConfigurationError(f"{where}: {key}: {message}") from None
    why = "a message bounces at the first failure after the last cutoff, up to a delay later"
    draft.lifetime(policy.steps[-1].cutoff_s + policy.retry_interval_max, best.entry, why)
    for rule in contents.rules:
        if rule is not best:
            why = f"the model has one retry policy, that for all mail in {best.entry.where}"
            draft.overruled(rule.entry, why)


def _configuration(text: Text) -> _Configuration:
    lines = list(joined_lines(text, _without_comment, ""))
    sections = any(_BEGIN.fullmatch(line) for _, line in lines)
    rules: list[_Rule] = []
    options: _Options = {}
    transports: dict[str, _Options] = {}
    target: _Options | None = options
    section = "main" if sections else "retry"
    for number, line in lines:
        begin = _BEGIN.fullmatch(line)
        if begin is not None:
            section, target = begin[1], None
        elif section == "retry":
            rules.append(_rule(text, number, line))
        elif section == "transports" and (transport := _TRANSPORT.fullmatch(line)) is not None:
            target = transports.setdefault(transport[1], {})
        elif target is not None and (option := _OPTION.fullmatch(line)) is not None:
            target[option[1]] = Entry(option[1], option[2].strip(), text.where(number))
    return _Configuration(rules, options, transports)


def _without_comment(line: str) -> str | None:
    """Return a line, or None for a comment or a condition."""
    stripped = line.strip()
    skipped = stripped.startswith(("#", ".if", ".el", ".endif", ".include"))
    return None if skipped else stripped


def _rule(text: Text, number: int, line: str) -> _Rule:
    if line.startswith('"'):
        pattern, quote, rest = line[1:].partition('"')
        if not quote:
            raise text.error(number, "unclosed quotation mark")
    else:
        pattern, rest = _word(line)
    error, rest = _word(rest)
    if not _ERROR.fullmatch(error):
        form = "write pattern, error and F,2h,15m; …"
        raise text.error(number, f"is not a retry rule; {form}")
    senders = ""
    if rest.startswith("senders="):
        senders, rest = _word(rest)
    schedule = "; ".join(step.strip() for step in rest.strip().removesuffix(";").split(";"))
    return _Rule(pattern, error, senders, schedule, text.where(number), number)


def _word(text: str) -> tuple[str, str]:
    """Split off the first word."""
    pieces = text.split(None, 1)
    return (pieces[0] if pieces else "", pieces[1] if len(pieces) > 1 else "")
