"""The audience: shares of providers, or a table of domains and counts."""

from __future__ import annotations

import csv
import math
import os.path
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.reading import Text, read
from sendcap.text.quoting import shown, visible

_GRAMMAR: Final = 'write NAME=SHARE,…, such as "gmail=0.6,yahoo=0.3,other=0.1", or name a CSV file'
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,15})?|\.\d{1,15}", re.ASCII)
_COUNT: Final = re.compile(r"\d{1,12}", re.ASCII)
_DOMAIN: Final = re.compile(r"[^\s@,;:/\\\"'<>()=]{1,253}")
_TOLERANCE: Final = 1e-6

AudienceSource = str | Path | Mapping[str, float]


class Audience(NamedTuple):
    """An audience.

    Attributes
    ----------
    weights
        Provider or domain to weight, above zero.
    messages
        Number of messages, if the weights are counts.
    domains
        Whether the names are domains of a table, to be grouped by provider.
    """

    weights: dict[str, float]
    messages: int | None
    domains: bool


def audience_of(source: AudienceSource) -> Audience:
    """Read an audience.

    Parameters
    ----------
    source
        ``"gmail=0.6,yahoo=0.3,other=0.1"``, or the same as a mapping: shares that sum to 1, or
        counts, whole numbers that become shares. Or the path of a CSV file with a domain and a
        count in each row; a heading is optional.

    Raises
    ------
    SendcapError
        For anything else.
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
    return _of_table(read(source, "domain table"))


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


def _of_table(text: Text) -> Audience:
    weights: dict[str, float] = {}
    try:
        for number, row in enumerate(csv.reader(text.content.splitlines()), 1):
            cells = [cell.strip() for cell in row]
            if not any(cells) or (number == 1 and _is_heading(cells)):
                continue
            domain, count = _row(text, number, cells)
            weights[domain] = weights.get(domain, 0.0) + count
    except csv.Error as problem:
        raise ConfigurationError(f"{text.name}: not a CSV file: {problem}") from None
    weights = {domain: count for domain, count in weights.items() if count}
    if not weights:
        raise ConfigurationError(
            f"{text.name}: has no domains; write a domain and a count in each row: gmail.com,62000"
        )
    return Audience(weights, int(math.fsum(weights.values())), domains=True)


def _is_heading(cells: list[str]) -> bool:
    return len(cells) >= 2 and not any(letter.isdigit() for letter in cells[1])


def _row(text: Text, number: int, cells: list[str]) -> tuple[str, int]:
    if len(cells) < 2:
        raise text.error(number, "has one column; write a domain and a count: gmail.com,62000")
    domain, count = cells[0].rstrip(".").casefold(), cells[1]
    if "@" in domain:
        # No message may contain an address.
        raise text.error(number, "has an address; write domains and their counts only")
    if not _DOMAIN.fullmatch(domain) or not domain.isprintable():
        raise text.error(number, f"{shown(cells[0])} is not a domain")
    if not _COUNT.fullmatch(count):
        raise text.error(number, f"the count {shown(count)} is not a whole number")
    return domain, int(count)


def mail_exchangers(
    source: str | Path | Mapping[str, Iterable[str]] | None,
) -> dict[str, tuple[str, ...]]:
    """Read the mail exchangers of domains.

    Parameters
    ----------
    source
        A CSV file with a domain and one MX host in each row (a domain may have several rows), a
        mapping of domains to hosts, or None.

    Raises
    ------
    SendcapError
        For anything else.
    """
    if source is None:
        return {}
    if isinstance(source, Mapping):
        return {_host(name): tuple(map(_host, hosts)) for name, hosts in source.items()}
    text = read(source, "table of MX hosts")
    exchangers: dict[str, list[str]] = {}
    try:
        for number, row in enumerate(csv.reader(text.content.splitlines()), 1):
            cells = [cell.strip() for cell in row if cell.strip()]
            if not cells or [cell.casefold() for cell in cells[:2]] == ["domain", "mx"]:
                continue
            if len(cells) != 2 or not all(map(_DOMAIN.fullmatch, cells)):
                raise text.error(
                    number,
                    f"{shown(visible(','.join(row)))} is not a domain and a host; write "
                    f"gmail.com,gmail-smtp-in.l.google.com",
                )
            exchangers.setdefault(_host(cells[0]), []).append(_host(cells[1]))
    except csv.Error as problem:
        raise ConfigurationError(f"{text.name}: not a CSV file: {problem}") from None
    return {domain: tuple(hosts) for domain, hosts in exchangers.items()}


def _host(name: str) -> str:
    return name.strip().rstrip(".").casefold()


def effective_number(weights: Iterable[float]) -> float:
    """Return the effective number of weights, the inverse of Simpson's index: (Σw)² / Σw².

    It is 1 if one weight has everything, and n for n equal weights.

    Examples
    --------
    >>> effective_number([1, 1, 1, 1]), round(effective_number([97, 1, 1, 1]), 2)
    (4.0, 1.06)
    """
    values = list(weights)
    return math.fsum(values) ** 2 / math.fsum(value * value for value in values)
