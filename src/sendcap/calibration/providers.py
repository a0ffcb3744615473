"""The provider of an attempt, by the relay host or else by the domain of the recipient."""

import csv
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Final

from sendcap.errors import SendcapError
from sendcap.files.reading import delimiter_of, table_lines
from sendcap.mailbox_providers import HOSTS, OTHER, provider_of, spelt

_MOST_REMEMBERED: Final = 200_000
_MOST_PROVIDERS: Final = 1000
_EXAMPLE: Final = "google.com,gmail"


class Providers:
    """Names and numbers the providers of attempts; the user's own suffixes come first."""

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        self._own = {spelt(end.lower()): provider for end, provider in (own or {}).items()}
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []  # by number
        self.number = lru_cache(_MOST_REMEMBERED)(self._number)

    def _number(self, host: bytes, domain: bytes) -> int:
        """Return the number of the provider of a server, or else of a domain; empty if unknown."""
        return self.number_of(self.name(host, domain))

    def name(self, host: bytes, domain: bytes) -> str:
        """Return the name of the provider.

        >>> providers = Providers()
        >>> providers.name(b"aspmx.l.google.com", b"example.org"), providers.name(b"", b"Aol.com")
        ('gmail', 'yahoo')
        """
        at, of = _plain(host), _plain(domain)
        return (
            _by_end(of, self._own)
            or _by_end(at, self._own)
            or _by_end(at, HOSTS)
            or provider_of(of)
            or OTHER
        )

    def number_of(self, name: str) -> int:
        """Return the number of a name; a new name gets the next one."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]


def _plain(name: bytes) -> str:
    return spelt(name[:255].decode("utf-8", "replace").rstrip(".").lower())


def _by_end(name: str, ends: Mapping[str, str]) -> str | None:
    """Return the value of a name or of the longest suffix after a dot."""
    while name and name not in ends:
        name = name.partition(".")[2]
    return ends.get(name)


def read_map(path: Path) -> dict[str, str]:
    """Read a CSV file of two columns: host or domain suffix, and provider."""
    try:
        with table_lines(path) as lines:
            providers = _by_ends(path, lines)
    except OSError as error:
        raise SendcapError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error):
        raise SendcapError(f"{path}: is not a CSV file") from None
    if not providers:
        raise SendcapError(f"{path}: is empty; write rows such as {_EXAMPLE}")
    if len(set(providers.values())) > _MOST_PROVIDERS:
        raise SendcapError(f"{path}: has more than {_MOST_PROVIDERS:,} providers")
    return providers


def _by_ends(path: Path, lines: Iterator[str]) -> dict[str, str]:
    providers: dict[str, str] = {}
    first = next(lines, "")
    rows = csv.reader(chain([first], lines), delimiter=delimiter_of(first), strict=True)
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[-1].lower() == "provider"):
            continue
        if len(cells) != 2 or not all(cells):
            raise SendcapError(f"{path}: line {number}: write two cells: {_EXAMPLE}")
        end = cells[0].lower().lstrip("*@.").rstrip(".")
        named = cells[1].isprintable() and cells[1] != "*" and "@" not in cells[1]
        if not named or not end:
            raise SendcapError(
                f"{path}: line {number}: write a host or domain suffix and a provider: {_EXAMPLE}"
            )
        providers[end] = cells[1]
    return providers
