"""Which of PowerMTA's domain directives hold for which domain.

The most specific entry holds, whatever the order in the file, and entries that are more general
fill in: ``*``, ``[*.]example.com`` and ``*.example.com``, the domain by a macro, the domain itself.
A virtual MTA's domains come before those of its pool, and these before the global ones (User's
Guide 5.0, "<domain> directives" and "<virtual-mta-pool>"). That scope goes before what is specific,
so that ``<domain *>`` of a virtual MTA holds against a global ``<domain gmail.com>``, is how the
guide's order of inheritance is read here; the report tells where it makes a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.powermta.syntax import Directive, Tag
from sendcap.text.quoting import shown

_MACRO: Final = re.compile(r"\\?\$(\w{1,80})")
_MOST_DOMAINS: Final = 100_000
_LONGEST: Final = 300

Directives = dict[str, Directive]


class Macros:
    """The domain macros of a configuration.

    Parameters
    ----------
    top
        The configuration.
    """

    def __init__(self, top: Tag) -> None:
        self._lists: dict[str, Directive] = {}
        for its in top.directives:
            if its.name == "domain-macro":
                name, _, domains = its.value.replace("\t", " ").partition(" ")
                self._lists[name.casefold()] = Directive(name, domains, its.where)
        self._count = 0

    def expanded(self, pattern: str, where: str, within: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield the domains that a pattern with macros stands for.

        Raises
        ------
        ConfigurationError
            For a macro that is not there, or that is part of itself.
        """
        found = _MACRO.search(pattern)
        if len(pattern) > _LONGEST:
            raise ConfigurationError(f"{where}: {shown(pattern)} is too long for a domain")
        if found is None:
            self._count += 1
            if self._count > _MOST_DOMAINS:
                raise ConfigurationError(
                    f"{where}: domain macros stand for more than {_MOST_DOMAINS:,} domains"
                )
            yield pattern.replace("\\", "")
            return
        name = found[1].casefold()
        if name not in self._lists or name in within:
            trouble = "is part of itself" if name in within else "is not defined"
            raise ConfigurationError(f"{where}: the domain macro {shown(found[0])} {trouble}")
        for entry in self._lists[name].value.split(","):
            for domain in self.expanded(entry.strip(), self._lists[name].where, (*within, name)):
                full = pattern[: found.start()] + domain + pattern[found.end() :]
                # Of "yahoo.$tld" with ".com" as with "com".
                yield from self.expanded(full.replace("..", "."), where, within)


class _Entry(NamedTuple):
    rank: tuple[int, int]
    tag: Tag


class Scope:
    """The domain directives at one place: global, of a pool or of a virtual MTA.

    Parameters
    ----------
    tag
        What holds them.
    macros
        Those of the configuration.
    """

    def __init__(self, tag: Tag, macros: Macros) -> None:
        self._listed: dict[str, list[_Entry]] = {}
        self._patterns: dict[str, list[_Entry]] = {}
        for domain in tag.named("domain"):
            by_macro = "$" in domain.argument
            for name in macros.expanded(domain.argument.casefold(), domain.where):
                if name.startswith(("*", "[*.]")):
                    suffix = name.removeprefix("[*.]").removeprefix("*").removeprefix(".")
                    entry = _Entry((1, len(suffix)), domain)
                    self._patterns.setdefault(name, []).append(entry)
                else:
                    entry = _Entry((2 if by_macro else 3, 0), domain)
                    self._listed.setdefault(name, []).append(entry)

    @property
    def names(self) -> list[str]:
        """Domains that have entries of their own."""
        return list(self._listed)

    def tags(self, domain: str) -> list[Tag]:
        """Return the entries for a domain, the most specific last."""
        found = list(self._listed.get(domain, ()))
        parent = domain
        found += self._patterns.get("*", [])
        found += self._patterns.get(f"[*.]{domain}", [])
        while "." in parent:
            parent = parent.partition(".")[2]
            found += self._patterns.get(f"*.{parent}", [])
            found += self._patterns.get(f"[*.]{parent}", [])
        return [entry.tag for entry in sorted(found, key=lambda its: its.rank)]


def directives(scopes: Sequence[Scope], domain: str) -> Directives:
    """Return what holds for a domain; the scopes' most specific comes last."""
    found: Directives = {}
    for scope in scopes:
        for tag in scope.tags(domain):
            found |= {its.name: its for its in tag.directives}
    return found


def overruled(scopes: Sequence[Scope], domain: str, names: Mapping[str, object]) -> list[Directive]:
    """Return a global entry's directives that a virtual MTA's more general entry overrules."""
    holds = directives(scopes, domain)
    found = []
    for scope in scopes[:-1]:
        for tag in scope.tags(domain)[1:]:
            found += [
                its
                for its in tag.directives
                if its.name in names and holds[its.name].value != its.value
            ]
    return found
