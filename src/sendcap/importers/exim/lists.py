"""Exim's lists of domains and addresses: whether one has a domain.

Exim specification, chapter "Domain, host, address, and local part lists". An item that only Exim
can look up is not understood: nobody then knows whether the list has the domain.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from sendcap.importers.reading import matched

_DEEPEST: Final = 20
_LONGEST: Final = 10_000
_ITEM: Final = re.compile(r"[A-Za-z0-9._*+@-]{1,253}", re.ASCII)


@lru_cache(maxsize=1000)
def items_of(text: str) -> tuple[str, ...]:
    """Split a list at its colons, or at the separator that it begins with (``<;``)."""
    text = text.strip()
    separator = ":"
    if text.startswith("<") and len(text) > 1:
        separator, text = text[1], text[2:]
    doubled = separator * 2
    pieces = text[:_LONGEST].replace(doubled, "\0").split(separator)
    items = (piece.replace("\0", separator).strip() for piece in pieces)
    return tuple(filter(None, items))


def has_domain(text: str, domain: str, lists: Mapping[str, str]) -> bool | None:
    """Return whether a list of domains has one; None if nobody can tell.

    The first item that matches decides; if none does, the list has what its last item negates.
    """
    return _decided(items_of(text), domain, lists, 0)


def matches(pattern: str, domain: str, lists: Mapping[str, str]) -> bool | None:
    """Return whether an item of an address list holds for any address of a domain.

    A domain alone stands for all its addresses; an item for one local part holds for one address.
    """
    negated = pattern.startswith("!")
    item = pattern.removeprefix("!").strip()
    found = _address(item, domain, lists)
    return found if found is None else found != negated


def _address(item: str, domain: str, lists: Mapping[str, str]) -> bool | None:
    if item.startswith(("^", "\\N^")):
        return matched(item.replace("\\N", ""), f"someone@{domain}")
    local, at, rest = item.rpartition("@")
    if at and local not in ("", "*"):
        return False
    return _item(rest if at else item, domain, lists, 0)


def _decided(
    items: tuple[str, ...], domain: str, lists: Mapping[str, str], depth: int
) -> bool | None:
    unknown = False
    for item in items:
        negated = item.startswith("!")
        found = _item(item.removeprefix("!").strip(), domain, lists, depth)
        if found:
            return None if unknown else not negated
        unknown = unknown or found is None
    if unknown:
        return None
    return bool(items) and items[-1].startswith("!")


def _item(item: str, domain: str, lists: Mapping[str, str], depth: int) -> bool | None:
    item = item.casefold() if not item.startswith(("^", "\\N")) else item
    if item.startswith("+"):
        named = lists.get(item[1:])
        if named is None or depth >= _DEEPEST:
            return None
        return _decided(items_of(named), domain, lists, depth + 1)
    if item.startswith(("^", "\\N^")):
        return matched(item.replace("\\N", ""), domain)
    if item.startswith("@"):
        # The names and addresses of the machine itself.
        return False
    if not _ITEM.fullmatch(item):
        return None
    if item.startswith("*"):
        return domain.endswith(item[1:])
    return item == domain
