"""What a configuration of OpenSMTPD holds: limits, actions, and which mail goes by which action."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sendcap.importers.opensmtpd.statements import Statement
from sendcap.importers.opensmtpd.table import DEFAULTS
from sendcap.importers.reading import UNITS_S, Entry, whole
from sendcap.text.quoting import did_you_mean, shown

_TIME: Final = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_RELAY_URL: Final = re.compile(r"(?:[a-z+]{1,20}://)?(?:[^@]*@)?(\[[^]]*\]|[^:]*).*", re.DOTALL)
_FAMILIES: Final = ("inet4", "inet6")
_UNREADABLE: Final = ("mail-from", "rcpt-to", "helo", "tag", "tagged")
"""Conditions of a match that a message decides."""

_WORDS: Final = frozenset(
    {
        *("action", "admd", "bounce", "ca", "filter", "include", "listen", "match", "mda", "mta"),
        *("pki", "proc", "queue", "scheduler", "smtp", "srs", "table"),
        *("accept", "expire", "limit", "max-message-size", "reject"),  # until 6.4
    }
)
"""First words of statements."""

Limits = dict[str, Entry]


def seconds(text: str) -> float:
    """Read a delay, such as ``4d`` (``delaytonum``)."""
    match = _TIME.fullmatch(text)
    if match is None or not int(match[1]):
        raise ValueError(f"{shown(text)} is not a delay; write a whole number and s, m, h or d")
    return float(int(match[1]) * UNITS_S[match[2]])


@dataclass
class Action:
    """An action that relays mail."""

    entry: Entry
    host: str = ""  # that takes all of it
    ttl: Entry | None = None
    src: Entry | None = None  # with the addresses
    left: list[str] = field(default_factory=list)  # other words


@dataclass(frozen=True)
class Match:
    """A rule: which mail goes by an action."""

    entry: Entry
    action: str
    domains: tuple[str, ...] | None  # None if only OpenSMTPD can read it
    inverted: bool

    def takes(self, domain: str) -> bool | None:
        """Return whether mail to a domain goes by the rule; None if nobody can tell."""
        if self.domains is None:
            return None
        found = any(
            each in ("*", domain) or (each.startswith("*.") and domain.endswith(each[1:]))
            for each in self.domains
        )
        return found != self.inverted


@dataclass
class Configuration:
    """The settings."""

    ttl: Entry = Entry("queue ttl", "4d")  # noqa: RUF009 (a tuple)
    limits: dict[str, Limits] = field(default_factory=dict)  # by domain or host; "" for all others
    actions: dict[str, Action | None] = field(default_factory=dict)  # None for local delivery
    matches: list[Match] = field(default_factory=list)
    tables: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    others: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limits[""] = {
            name: Entry(f"mta limit {name}", str(value)) for name, value in DEFAULTS.items()
        }

    def action_of(self, domain: str) -> Action | None:
        """Return the action by which mail to a domain is relayed; None if there is none."""
        for match in self.matches:
            action = self.actions.get(match.action)
            if action is not None and match.takes(domain):
                return action
        relays = [action for action in self.actions.values() if action is not None]
        return relays[0] if relays and not self.matches else None

    def limits_of(self, domain: str) -> Limits:
        """Return the limits of mail to a domain: those of its relay host, if it has one."""
        action = self.action_of(domain)
        relay = action.host if action is not None and action.host else domain
        return self.limits.get(relay, self.limits[""])

    def members(self, words: Iterable[str]) -> tuple[str, ...] | None:
        """Return what a table in a statement holds, by name, as a list or as a single word."""
        inner = tuple(word for word in words if word not in ("{", "}", "<", ">", ","))
        if tuple(words)[:1] == ("<",):
            return self.tables.get(inner[0]) if inner else None
        return inner


def configuration_of(statements: Iterable[Statement]) -> Configuration:
    """Read the statements."""
    found = Configuration()
    readers = {
        ("mta", "limit"): _limit,
        ("queue", "ttl"): _ttl,
        ("table",): _table,
        ("action",): _action,
        ("match",): _match,
    }
    every = list(statements)
    if every and _WORDS.isdisjoint(statement.words[0] for statement in every):
        # Any words are statements by their form.
        word = shown(every[0].words[0])
        message = f"neither {word} nor any other first word begins a statement of OpenSMTPD"
        raise every[0].text.error(every[0].line, message)
    for statement in every:
        words = statement.words
        reader = readers.get(words[:2], readers.get(words[:1], _other))
        reader(found, statement)
    return found


def _limit(found: Configuration, statement: Statement) -> None:
    """Read ``mta limit`` (``limits_mta`` and ``limit_mta_set``)."""
    words, title, key = list(statement.words[2:]), "mta limit", ""
    if words[:2] == ["for", "domain"]:
        key, title = (
            (words[2].casefold(), f"{title} for domain {words[2]}") if words[2:] else ("", "")
        )
        words = words[3:]
    limits = found.limits.setdefault(key, dict(found.limits[""]))
    while words:
        name = words.pop(0)
        if name in _FAMILIES:
            found.others.append(Entry(f"{title} {name}", where=statement.where))
            continue
        if name not in DEFAULTS or not words:
            message = f"{shown(name)} is not a limit{did_you_mean(name, DEFAULTS)}"
            if name in DEFAULTS:
                message = f"{title} {name}: needs a whole number"
            raise statement.text.error(statement.line, message)
        limits[name] = Entry(f"{title} {name}", words.pop(0), statement.where)
        limits[name].read(whole)


def _ttl(found: Configuration, statement: Statement) -> None:
    found.ttl = Entry("queue ttl", " ".join(statement.words[2:]), statement.where)


def _table(found: Configuration, statement: Statement) -> None:
    name, inner = statement.words[1:2], statement.words[2:]
    if name:
        # A table of keys and values has a sign in it, and any other is a file.
        listed = inner[:1] == ("{",) and "=" not in inner
        found.tables[name[0]] = found.members(inner) if listed else None


def _action(found: Configuration, statement: Statement) -> None:
    words = statement.words
    if "relay" not in words[2:3]:
        if len(words) > 1:
            found.actions[words[1]] = None
        return
    action = Action(Entry(f"action {words[1]}", "relay", statement.where))
    rest = list(words[3:])
    while rest:
        name = rest.pop(0)
        value = _taken(rest) if name in ("host", "ttl", "src") else ()
        entry = Entry(f"action {words[1]}: {name}", " ".join(value), statement.where)
        if name == "host":
            hosts = found.members(value)
            match = _RELAY_URL.fullmatch(hosts[0]) if hosts and len(hosts) == 1 else None
            action.host = match[1].casefold() if match else ""
        elif name == "ttl":
            action.ttl = entry
        elif name == "src":
            action.src = entry
        else:
            action.left.append(name)
    found.actions[words[1]] = action


def _taken(words: list[str]) -> tuple[str, ...]:
    """Take the value of an option: a word, or a table in braces or brackets."""
    end = {"{": "}", "<": ">"}.get(words[0] if words else "")
    count = words.index(end) + 1 if end in words else 1
    value = tuple(words[:count])
    del words[:count]
    return value


def _match(found: Configuration, statement: Statement) -> None:
    words = list(statement.words)
    if "action" not in words[:-1]:
        return
    place = words.index("for") if "for" in words else 0
    # Without "for" a rule is for local mail.
    domains: tuple[str, ...] | None = ()
    if words[place + 1 : place + 2] == ["any"]:
        domains = ("*",)
    elif words[place + 1 : place + 2] == ["domain"]:
        rest = words[place + 2 :]
        members = None if rest[:1] == ["regex"] else found.members(_taken(rest))
        domains = None if members is None else tuple(map(str.casefold, members))
    if any(each in words for each in _UNREADABLE):
        domains = None
    inverted = place > 0 and words[place - 1] == "!"
    action = words[words.index("action") + 1]
    entry = Entry(f"match action {action}", " ".join(words[1:]), statement.where)
    found.matches.append(Match(entry, action, domains, inverted))


def _other(found: Configuration, statement: Statement) -> None:
    """Keep the name of what decides nothing here: without values, of which some are secret."""
    words = statement.words
    known = {"mta": 2, "smtp": 2, "scheduler": 2, "queue": 2, "listen": 1, "bounce": 2}
    count = known.get(words[0], 1)
    if words[1:2] == ("limit",):
        for name in words[2::2]:
            found.others.append(Entry(" ".join((*words[:2], name)), "…", statement.where))
        return
    found.others.append(Entry(" ".join(words[:count]), "…", statement.where))
