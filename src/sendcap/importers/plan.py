"""The user's part of an import: audience, messages, base; and the providers that follow."""

import csv
import math
import os.path
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.files.reading import delimiter_of
from sendcap.importers.reading import Text, read
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.section import MOST
from sendcap.text.quoting import shown, visible

_FEW_DOMAINS: Final = 5
"""Number of domains behind ``other`` by default, as in the preset quickstart."""
_MOST_DOMAINS: Final = 100
"""Largest number for a long tail of domains: the MTA's limits for all of them come first."""
_MOST: Final = {"messages": MOST, "ips": 1_000_000, "other_domains": 100_000}
"""Of each number in a plan, as a scenario allows it."""

_GRAMMAR: Final = 'write NAME=SHARE,…, such as "gmail=0.6,yahoo=0.3,other=0.1", or name a CSV file'
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,15})?|\.\d{1,15}", re.ASCII)
_COUNT: Final = re.compile(r"\d{1,12}", re.ASCII)
_DOMAIN: Final = re.compile(r"[^\s@,;:/\\\"'<>()=]{1,253}")
_TOLERANCE: Final = 1e-6

AudienceSource = str | Path | Mapping[str, float]
"""Shares as text or mapping, or the path of a table."""
HostsSource = str | Path | Mapping[str, Iterable[str]]
"""MX hosts of domains: the path of a table, or a mapping."""


@dataclass(frozen=True)
class Plan:
    """Choices of the user beside the configuration."""

    audience: AudienceSource | None = None  # None for the base's
    messages: int | None = None  # None for the sum of the audience's counts, or the base's
    base: str | Path = "quickstart"  # scenario for everything that the configuration lacks
    ips: int | None = None  # source addresses; None for the configuration's, or the base's
    other_domains: int | None = None  # that share the limits of ``other``; None for an estimate

    def __post_init__(self) -> None:
        for key, most in _MOST.items():
            value = getattr(self, key)
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (is_whole and 1 <= value <= most):
                raise ConfigurationError(
                    f"{key} must be a whole number from 1 to {most:,}, not {shown(value)}"
                )


@dataclass(frozen=True)
class Group:
    """A provider of the scenario."""

    name: str
    share: float  # of all messages
    domains: Mapping[str, float]  # weights of the group's domains in an audience table; else empty
    queues: int = 1  # of the MTA, each with limits of its own, if the domains are unknown

    @property
    def heaviest(self) -> str:
        """The domain with most messages, or nothing."""
        return max(self.domains, key=lambda name: self.domains[name], default="")

    @property
    def domain(self) -> str:
        """The domain that stands for it."""
        return self.heaviest or known.domain_of(self.name) or _host(self.name)

    @property
    def own_domain(self) -> str:
        """The same, or nothing for the provider that stands for any other domain."""
        return "" if self.name == known.OTHER else self.domain

    def count(self, queue_of: Callable[[str], object]) -> int:
        """Return the number of queues, by a function from a domain to the MTA's queue."""
        if self.name == known.OTHER or not self.domains:
            return self.queues
        return len(set(map(queue_of, self.domains)))


class Addressed(NamedTuple):
    """The audience of the scenario."""

    groups: tuple[Group, ...]
    shares: dict[str, float] | None  # of every delivery; None for the base's
    messages: int | None  # of the only delivery; None for the base's


def addressed_by(plan: Plan, base: Scenario, group_of: Callable[[str], str]) -> Addressed:
    """Return the audience; ``group_of`` leads from a domain of a table to a provider."""
    several = len(base.deliveries) > 1
    if plan.messages is not None and several:
        raise ConfigurationError(
            f"{visible(str(plan.base))} has {len(base.deliveries)} deliveries, so --messages is "
            f"ambiguous; remove it"
        )
    if plan.audience is None:
        counts = base.at_providers()
        groups = tuple(
            _group(plan, name, count / counts.total(), {}) for name, count in counts.items()
        )
        return Addressed(groups, None, plan.messages)
    audience = audience_of(plan.audience)
    domains: dict[str, dict[str, float]] = {}
    for name, weight in audience.weights.items():
        group = group_of(name) if audience.domains else name
        domains.setdefault(group, {})[name] = weight
    total = sum(audience.weights.values())
    shares = _summing_to_one({name: sum(each.values()) / total for name, each in domains.items()})
    groups = tuple(
        _group(plan, name, share, domains[name] if audience.domains else {})
        for name, share in shares.items()
    )
    return Addressed(groups, shares, plan.messages or (None if several else audience.messages))


def by_treatment(treatment_of: Callable[[str], object]) -> Callable[[str], str]:
    """Return the function from a domain to its provider: its own, if it is treated unlike most."""
    usual = treatment_of("")

    def group_of(domain: str) -> str:
        other = known.OTHER if treatment_of(domain) == usual else domain
        return next(iter(known.names_of(domain)), other)

    return group_of


def _group(plan: Plan, name: str, share: float, domains: Mapping[str, float]) -> Group:
    queues = 1
    if name == known.OTHER:
        queues = plan.other_domains or _FEW_DOMAINS
        if domains and plan.other_domains is None:
            queues = max(1, min(_MOST_DOMAINS, round(effective_number(domains.values()))))
    return Group(name, share, domains, queues)


def _summing_to_one(shares: dict[str, float]) -> dict[str, float]:
    """Round shares to nine digits; the largest takes up the rest."""
    rounded = {name: round(share, 9) for name, share in shares.items() if round(share, 9) > 0.0}
    largest = max(rounded, key=lambda name: rounded[name])
    rest = sum(share for name, share in rounded.items() if name != largest)
    return {**rounded, largest: round(1.0 - rest, 9)}


class Audience(NamedTuple):
    """An audience."""

    weights: dict[str, float]  # by provider or domain, above zero
    messages: int | None  # if the weights are counts
    domains: bool  # whether the names are domains of a table, to be grouped by provider


def audience_of(source: AudienceSource) -> Audience:
    """Read an audience.

    The source is ``"gmail=0.6,yahoo=0.3,other=0.1"`` or the same as a mapping: shares that sum to
    1, or counts, whole numbers that become shares. Or it is the path of a CSV file with a domain
    and a count in each row; a heading is optional.
    """
    if isinstance(source, Mapping):
        return _of_weights({str(name): float(weight) for name, weight in source.items()})
    # Path.exists raises an error for a text that is too long for a path.
    if isinstance(source, str) and "=" in source and not os.path.isfile(source):  # noqa: PTH113
        return _of_weights(_entries(source))
    if isinstance(source, str) and not source.strip():
        raise ConfigurationError(f"the audience is empty; {_GRAMMAR}")
    if isinstance(source, str) and not os.path.exists(source):  # noqa: PTH110
        raise ConfigurationError(
            f"audience: {shown(source)} is neither a file nor a list of shares; {_GRAMMAR}"
        )
    return _of_table(read(source, "audience"))


def _entries(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for entry in text.split(","):
        name, equals, number = (part.strip() for part in entry.partition("="))
        if not (name and equals and _NUMBER.fullmatch(number)):
            raise ConfigurationError(f"audience: {shown(entry.strip())} is not a share; {_GRAMMAR}")
        if name in weights:
            raise ConfigurationError(f"audience: {shown(name)} appears twice")
        weights[name] = float(number)
    return weights


def _of_weights(weights: dict[str, float]) -> Audience:
    if not weights:
        raise ConfigurationError(f"the audience is empty; {_GRAMMAR}")
    for name, weight in weights.items():
        if "@" in name:
            # No message may contain an address.
            raise ConfigurationError("audience: has an address; write domains or providers")
        if not (math.isfinite(weight) and weight > 0.0):
            raise ConfigurationError(
                f"audience: {shown(name)} has {shown(weight)}; write more than 0, or leave it out"
            )
    total = math.fsum(weights.values())
    if abs(total - 1.0) <= _TOLERANCE:
        return Audience(weights, None, domains=False)
    if all(weight.is_integer() for weight in weights.values()):
        return Audience(weights, int(total), domains=False)
    raise ConfigurationError(
        f"audience: the shares sum to {total:.9g}; they must sum to 1, or be counts (whole numbers)"
    )


def _rows(text: Text) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV file that are not blank, with their numbers."""
    lines = text.content.splitlines()
    delimiter = delimiter_of(lines[0] if lines else "")
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            if any(cell.strip() for cell in row):
                yield number, row
    except csv.Error as problem:
        raise ConfigurationError(f"{text.name}: not a CSV file: {problem}") from None


def _of_table(text: Text) -> Audience:
    weights: dict[str, float] = {}
    for number, row in _rows(text):
        cells = [cell.strip() for cell in row]
        if number == 1 and len(cells) >= 2 and not any(map(str.isdigit, cells[1])):
            continue  # a heading
        domain, count = _domain_and_count(text, number, cells)
        weights[domain] = weights.get(domain, 0.0) + count
    weights = {domain: count for domain, count in weights.items() if count}
    if not weights:
        raise ConfigurationError(
            f"{text.name}: has no domains; write a domain and a count in each row: gmail.com,62000"
        )
    return Audience(weights, int(math.fsum(weights.values())), domains=True)


def _domain_and_count(text: Text, number: int, cells: list[str]) -> tuple[str, int]:
    if len(cells) < 2:
        raise text.error(number, "has one column; write a domain and a count: gmail.com,62000")
    domain, count = _host(cells[0]), cells[1]
    if "@" in domain:
        # No message may contain an address.
        raise text.error(number, "has an address; write domains and their counts only")
    if not _DOMAIN.fullmatch(domain) or not domain.isprintable():
        raise text.error(number, f"{shown(cells[0])} is not a domain")
    if not _COUNT.fullmatch(count):
        raise text.error(number, f"the count {shown(count)} is not a whole number")
    return domain, int(count)


def mail_exchangers(source: HostsSource | None) -> dict[str, tuple[str, ...]]:
    """Read the mail exchangers of domains.

    A table is a CSV file with a domain and one MX host in each row; a domain may have several rows.
    """
    if source is None:
        return {}
    if isinstance(source, Mapping):
        return {_host(name): tuple(map(_host, hosts)) for name, hosts in source.items()}
    text = read(source, "mail-exchanger")
    exchangers: dict[str, list[str]] = {}
    for number, row in _rows(text):
        cells = [cell.strip() for cell in row if cell.strip()]
        if [cell.casefold() for cell in cells[:2]] == ["domain", "mx"]:
            continue
        if len(cells) != 2 or not all(map(_DOMAIN.fullmatch, cells)):
            raise text.error(
                number,
                "is not a domain and a host; write gmail.com,gmail-smtp-in.l.google.com",
            )
        exchangers.setdefault(_host(cells[0]), []).append(_host(cells[1]))
    if not exchangers:
        raise ConfigurationError(
            f"{text.name}: has no hosts; write rows such as gmail.com,gmail-smtp-in.l.google.com"
        )
    return {domain: tuple(hosts) for domain, hosts in exchangers.items()}


def _host(name: str) -> str:
    return known.spelt(name.strip().rstrip(".").casefold())


def effective_number(weights: Iterable[float]) -> float:
    """Return the effective number of weights, the inverse of Simpson's index: (Σw)² / Σw².

    >>> effective_number([1, 1, 1, 1]), round(effective_number([97, 1, 1, 1]), 2)
    (4.0, 1.06)
    """
    values = list(weights)
    return math.fsum(values) ** 2 / math.fsum(value * value for value in values)
