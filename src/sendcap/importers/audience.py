"""The audience: shares of providers, or a table of domains and counts."""

from __future__ import annotations

import csv
import math
import os.path
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.reading import Text, read
from sendcap.text.quoting import shown

_GRAMMAR: Final = 'write NAME=SHARE,…, such as "gmail=0.6,yahoo=0.3,other=0.1", or name a CSV file'
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,15})?|\.\d{1,15}", re.ASCII)
_COUNT: Final = re.compile(r"\d{1,12}", re.ASCII)
_DOMAIN: Final = re.compile(r"[^\s@,;:/\\\"'<>()=]{1,253}")
_TOLERANCE: Final = 1e-6

AudienceSource = str | Path | Mapping[str, float]
"""Shares as text or mapping, or the path of a table."""
HostsSource = str | Path | Mapping[str, Iterable[str]]
"""MX hosts of domains: the path of a table, or a mapping."""


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
    try:
        for number, row in enumerate(csv.reader(text.content.splitlines()), 1):
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
    return name.strip().rstrip(".").casefold()


def effective_number(weights: Iterable[float]) -> float:
    """Return the effective number of weights, the inverse of Simpson's index: (Σw)² / Σw².

    >>> effective_number([1, 1, 1, 1]), round(effective_number([97, 1, 1, 1]), 2)
    (4.0, 1.06)
    """
    values = list(weights)
    return math.fsum(values) ** 2 / math.fsum(value * value for value in values)
