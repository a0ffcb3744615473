"""PowerMTA's queues: the queue of a domain, and the directives that apply to it.

The most specific entry applies, whatever the order in the file, and more general ones fill in:
``*``, ``[*.]example.com`` and ``*.example.com``, the domain by a macro, the domain itself. Domains
of a virtual MTA precede those of the pool, and these the global ones (User's Guide 5.0, "<domain>
directives" and "<virtual-mta-pool>"). Here scope precedes specificity, so that ``<domain *>`` of a
virtual MTA beats a global ``<domain gmail.com>``: one reading of the guide's order of inheritance;
the report says where it makes a difference.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.powermta.addresses import Addresses, addresses_of, listed
from sendcap.importers.powermta.syntax import Tag, boolean
from sendcap.importers.reading import Entry
from sendcap.text.quoting import shown

_MACRO: Final = re.compile(r"\\?\$(\w{1,80})")
_MOST_DOMAINS: Final = 100_000
_LONGEST: Final = 300

Directives = dict[str, Entry]


class Macros:
    """The domain macros of a configuration."""

    def __init__(self, top: Tag) -> None:
        self._lists: dict[str, Entry] = {}
        for entry in top.directives:
            if entry.name == "domain-macro":
                name, _, domains = entry.value.replace("\t", " ").partition(" ")
                self._lists[name.casefold()] = Entry(name, domains, entry.where)
        self._count = 0

    def expanded(self, pattern: str, where: str, within: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield the domains of a pattern with macros."""
        macro = _MACRO.search(pattern)
        if len(pattern) > _LONGEST:
            raise ConfigurationError(f"{where}: {shown(pattern)} is too long for a domain")
        if macro is None:
            self._count += 1
            if self._count > _MOST_DOMAINS:
                raise ConfigurationError(
                    f"{where}: domain macros expand to more than {_MOST_DOMAINS:,} domains"
                )
            yield pattern.replace("\\", "")
            return
        name = macro[1].casefold()
        if name not in self._lists or name in within:
            problem = "contains itself" if name in within else "is not defined"
            raise ConfigurationError(f"{where}: domain macro {shown(macro[0])} {problem}")
        for entry in self._lists[name].value.split(","):
            for domain in self.expanded(entry.strip(), self._lists[name].where, (*within, name)):
                full = pattern[: macro.start()] + domain + pattern[macro.end() :]
                # "yahoo.$tld" takes ".com" and "com" alike.
                yield from self.expanded(full.replace("..", "."), where, within)


_Ranked = tuple[tuple[int, int], Tag]
"""A domain tag and how specific it is: the kind of pattern, and the length."""


class Scope:
    """The domain directives in one scope: global, a pool or a virtual MTA."""

    def __init__(self, tag: Tag, macros: Macros) -> None:
        self._listed: dict[str, list[_Ranked]] = {}
        self._patterns: dict[str, list[_Ranked]] = {}
        for domain in tag.named("domain"):
            by_macro = "$" in domain.argument
            for name in macros.expanded(domain.argument.casefold(), domain.where):
                if name.startswith(("*", "[*.]")):
                    suffix = name.removeprefix("[*.]").removeprefix("*").removeprefix(".")
                    self._patterns.setdefault(name, []).append(((1, len(suffix)), domain))
                else:
                    rank = (2 if by_macro else 3, 0)
                    self._listed.setdefault(name, []).append((rank, domain))

    @property
    def names(self) -> list[str]:
        """Domains with entries of their own."""
        return list(self._listed)

    def tags(self, domain: str) -> list[Tag]:
        """Return the entries for a domain, the most specific last."""
        entries = list(self._listed.get(domain, ()))
        entries += self._patterns.get("*", [])
        entries += self._patterns.get(f"[*.]{domain}", [])
        while "." in domain:
            domain = domain.partition(".")[2]
            entries += self._patterns.get(f"*.{domain}", [])
            entries += self._patterns.get(f"[*.]{domain}", [])
        return [tag for _, tag in sorted(entries, key=lambda entry: entry[0])]


def directives(scopes: Sequence[Scope], domain: str) -> Directives:
    """Return the directives for a domain; the last scope is the most specific."""
    return listed(
        [each for scope in scopes for tag in scope.tags(domain) for each in tag.directives]
    )


def replaced(scopes: Sequence[Scope], domain: str) -> Iterator[tuple[Entry, Entry]]:
    """Yield directives for a domain that a later one replaces, with that one."""
    applied = directives(scopes, domain)
    for scope in scopes:
        for tag in scope.tags(domain):
            for key, entry in listed(tag.directives).items():
                if applied[key] is not entry:
                    yield entry, applied[key]


def overruled(scopes: Sequence[Scope], domain: str, names: Sequence[str]) -> list[Entry]:
    """Return global directives replaced by a more general entry of a virtual MTA."""
    applied = directives(scopes, domain)
    return [
        entry
        for scope in scopes[:-1]
        for tag in scope.tags(domain)
        if tag.argument != "*"
        for entry in tag.directives
        if entry.name in names and entry.value not in _values(applied, entry.name)
    ]


class Queues:
    """The queues of the sending virtual MTAs: those of a virtual MTA or a pool, or all."""

    def __init__(self, top: Tag, source: str | None, hosts: Mapping[str, tuple[str, ...]]) -> None:
        macros = Macros(top)
        all_of_them = {tag.argument: tag for tag in top.named("virtual-mta")}
        pools = {tag.argument: tag for tag in top.named("virtual-mta-pool")}
        self.names = (*all_of_them, *pools)  # valid for ``source``
        members = {name: _members(pool) for name, pool in pools.items()}
        sending = list(all_of_them)
        if source is not None and source in self.names:
            sending = [source] if source in all_of_them else members[source]
        self.virtual_mtas = [all_of_them[name] for name in sending if name in all_of_them]
        self.followed: set[Entry] = set()  # directives that decided a queue
        self._hosts = hosts
        self._rollups = [
            (entry, *entry.value.split()[:2])
            for tag in top.named("mx-rollup-list")
            for entry in tag.directives
            if entry.name == "mx" and len(entry.value.split()) >= 2
        ]
        shared = Scope(top, macros)
        self._scopes: list[tuple[Scope, ...]] = []
        self.pools: list[list[Tag]] = []  # of each virtual MTA
        for virtual_mta in self.virtual_mtas:
            name = virtual_mta.argument
            self.pools.append([tag for pool, tag in pools.items() if name in members[pool]])
            own = [Scope(tag, macros) for tag in self.pools[-1]]
            self._scopes.append((shared, *own, Scope(virtual_mta, macros)))
        if not self._scopes:
            self._scopes = [(shared,)]
        self._addresses = [addresses_of(top, each) for each in self.virtual_mtas or (None,)]

    @property
    def scopes(self) -> Sequence[Scope]:
        """Scopes of the first virtual MTA; the last one has precedence."""
        return self._scopes[0]

    @property
    def addresses(self) -> Addresses:
        """Source addresses of the first virtual MTA."""
        return self._addresses[0]

    def of(self, domain: str) -> str:
        """Return a domain's queue: by ``queue-to``, a rollup of the MX, or the domain itself."""
        own = directives(self.scopes, domain)
        if "queue-to" in own and own["queue-to"].value:
            self.followed.add(own["queue-to"])
            return str(own["queue-to"].value).casefold()
        disabled = own.get("disable-mx-rollup")
        if disabled is not None and disabled.read(boolean):
            return domain
        for host in self._hosts.get(domain) or known.mx_of(domain):
            for entry, pattern, queue in self._rollups:
                suffix = pattern.casefold().removeprefix("[*.]").removeprefix("*.")
                wild = suffix != pattern.casefold()
                if host == suffix or (wild and host.endswith(f".{suffix}")):
                    self.followed.add(entry)
                    return str(queue).casefold()
        return domain

    def has(self, queue: str) -> bool:
        """Tell whether a queue has an entry of its own."""
        return any(queue in scope.names for scope in self.scopes)

    def directives(self, queue: str) -> Directives:
        """Return the directives of a queue at the first virtual MTA; ``*`` is the general queue."""
        return directives(self.scopes, queue)

    def at_each(self, queue: str) -> Iterator[tuple[str, Directives, Addresses]]:
        """Yield the directives of a queue at each virtual MTA, and the addresses of that."""
        for virtual_mta, scopes, addresses in zip(
            self.virtual_mtas, self._scopes, self._addresses, strict=False
        ):
            yield virtual_mta.argument, directives(scopes, queue), addresses

    def differing(self, queue: str, names: Sequence[str]) -> dict[str, list[str]]:
        """Return the virtual MTAs that differ from the first, and which of the directives do."""
        first = self.directives(queue)
        found = {
            virtual_mta: [name for name in names if _values(own, name) != _values(first, name)]
            for virtual_mta, own, _ in self.at_each(queue)
        }
        return {virtual_mta: each for virtual_mta, each in found.items() if each}


def _members(pool: Tag) -> list[str]:
    return [entry.value for entry in pool.directives if entry.name == "virtual-mta"]


def _values(directives: Directives, name: str) -> list[str]:
    return [entry.value for entry in directives.values() if entry.name == name]
