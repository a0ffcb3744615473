"""Whose server it was: the provider, by the relay host or else by the recipient's domain."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sendcap.errors import SendcapError
from sendcap.mailbox_providers import HOSTS, OTHER, provider_of

_MOST_REMEMBERED: Final = 200_000
_MOST_PROVIDERS: Final = 1000


class Providers:
    """Names the provider of an attempt, and numbers the providers as they come.

    Parameters
    ----------
    given
        Ends of host names or domains, and the providers' names; they come before the built-in
        ones.

    Attributes
    ----------
    names
        Of the providers so far, by number.
    """

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self._given = dict(given or {})
        self._of: dict[tuple[bytes, bytes], int] = {}
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def number(self, host: bytes, domain: bytes) -> int:
        """Return the provider's number.

        Parameters
        ----------
        host
            Name of the server, empty if unknown.
        domain
            Of the recipient, empty if unknown.
        """
        key = (host, domain)
        found = self._of.get(key)
        if found is None:
            if len(self._of) >= _MOST_REMEMBERED:
                self._of.clear()
            found = self._of[key] = self.number_of(self.name(host, domain))
        return found

    def name(self, host: bytes, domain: bytes) -> str:
        """Return the provider's name.

        Examples
        --------
        >>> its = Providers()
        >>> its.name(b"aspmx.l.google.com", b"example.org"), its.name(b"", b"Yahoo.co.uk")
        ('gmail', 'yahoo')
        """
        at, of = _plain(host), _plain(domain)
        return (
            _by_end(of, self._given)
            or _by_end(at, self._given)
            or _by_end(at, HOSTS)
            or provider_of(of)
            or OTHER
        )

    def number_of(self, name: str) -> int:
        """Return the number of a name, a new one if it has none."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]


def _plain(name: bytes) -> str:
    return name[:255].decode("ascii", "replace").rstrip(".").lower()


def _by_end(name: str, ends: Mapping[str, str]) -> str | None:
    """Return what is given for a name, or for one that it ends in at a dot."""
    while name:
        found = ends.get(name)
        if found is not None:
            return found
        name = name.partition(".")[2]
    return None


def read_map(path: Path) -> dict[str, str]:
    """Read a CSV file of two columns: the end of a host name or domain, and the provider.

    Raises
    ------
    SendcapError
        If it cannot be read, or a row is not like that.
    """
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, strict=True), 1):
                cells = [cell.strip() for cell in row]
                if not any(cells) or (number == 1 and cells[-1].lower() == "provider"):
                    continue
                if len(cells) != 2 or not all(cells):
                    raise SendcapError(
                        f"{path}: line {number} must have two cells, such as google.com,gmail"
                    )
                end = cells[0].lower().lstrip("*@.").rstrip(".")
                if not cells[1].isprintable() or cells[1] == "*" or not end:
                    raise SendcapError(
                        f"{path}: line {number}: give the end of a host name or domain, and a "
                        f"name for the provider"
                    )
                found[end] = cells[1]
    except OSError as error:
        raise SendcapError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error):
        raise SendcapError(f"{path}: is not a CSV file of text") from None
    if not found:
        raise SendcapError(f"{path}: is empty; write rows such as google.com,gmail")
    if len(set(found.values())) > _MOST_PROVIDERS:
        raise SendcapError(f"{path}: names more than {_MOST_PROVIDERS:,} providers")
    return found
