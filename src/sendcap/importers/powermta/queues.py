"""PowerMTA's queues: the queue of a domain, and the directives of a queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sendcap import mailbox_providers as known
from sendcap.importers.powermta.domains import Directives, Macros, Scope, directives
from sendcap.importers.powermta.syntax import Tag
from sendcap.importers.powermta.values import boolean
from sendcap.importers.reading import Entry


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
        self.followed: set[Entry] = set()  # ``queue-to`` directives that decided a queue
        self._hosts = hosts
        self._rollups = [
            entry.value.split()[:2]
            for tag in top.named("mx-rollup-list")
            for entry in tag.directives
            if entry.name == "mx" and len(entry.value.split()) >= 2
        ]
        shared = Scope(top, macros)
        self._scopes: list[tuple[Scope, ...]] = []
        for virtual_mta in self.virtual_mtas:
            name = virtual_mta.argument
            own = [Scope(pools[pool], macros) for pool in pools if name in members[pool]]
            self._scopes.append((shared, *own, Scope(virtual_mta, macros)))
        if not self._scopes:
            self._scopes = [(shared,)]

    @property
    def scopes(self) -> Sequence[Scope]:
        """Scopes of the first virtual MTA; the last one has precedence."""
        return self._scopes[0]

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
            for pattern, queue in self._rollups:
                suffix = pattern.casefold().removeprefix("[*.]").removeprefix("*.")
                wild = suffix != pattern.casefold()
                if host == suffix or (wild and host.endswith(f".{suffix}")):
                    return str(queue).casefold()
        return domain

    def has(self, queue: str) -> bool:
        """Tell whether a queue has an entry of its own."""
        return any(queue in scope.names for scope in self.scopes)

    def directives(self, queue: str) -> Directives:
        """Return the directives of a queue at the first virtual MTA; ``*`` is the general queue."""
        return directives(self.scopes, queue)

    def differing(self, queue: str, names: Sequence[str]) -> list[str]:
        """Return the virtual MTAs whose values differ from those of the first."""
        first = _values(self.directives(queue), names)
        return [
            virtual_mta.argument
            for virtual_mta, scopes in zip(self.virtual_mtas[1:], self._scopes[1:], strict=False)
            if _values(directives(scopes, queue), names) != first
        ]


def _members(pool: Tag) -> list[str]:
    return [entry.value for entry in pool.directives if entry.name == "virtual-mta"]


def _values(directives: Directives, names: Sequence[str]) -> list[str]:
    return [directives[name].value if name in directives else "" for name in names]
