"""Into which of PowerMTA's queues a domain's mail goes, and what holds there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sendcap import mailbox_providers as known
from sendcap.importers.powermta.domains import Directives, Macros, Scope, directives
from sendcap.importers.powermta.syntax import Directive, Tag
from sendcap.importers.powermta.values import value_of, yes


class Queues:
    """The queues of the virtual MTAs that mail goes out by.

    Parameters
    ----------
    top
        The configuration.
    source
        Name of a virtual MTA or a pool; None for all.
    hosts
        MX hosts by domain; for others those of well-known domains are taken.

    Attributes
    ----------
    virtual_mtas
        The virtual MTAs.
    followed
        The ``queue-to`` that a queue was found by.
    names
        Names that ``source`` may be.
    """

    def __init__(self, top: Tag, source: str | None, hosts: Mapping[str, tuple[str, ...]]) -> None:
        macros = Macros(top)
        all_of_them = {its.argument: its for its in top.named("virtual-mta")}
        pools = {its.argument: its for its in top.named("virtual-mta-pool")}
        self.names = (*all_of_them, *pools)
        pool = pools.get(source or "")
        if source in all_of_them:
            self.virtual_mtas = [all_of_them[source]]
        elif pool is not None:
            members = [its.value for its in pool.directives if its.name == "virtual-mta"]
            self.virtual_mtas = [all_of_them[name] for name in members if name in all_of_them]
        else:
            self.virtual_mtas = list(all_of_them.values())
        self.followed: set[Directive] = set()
        self._hosts = hosts
        self._rollups = [
            its.value.split()[:2]
            for tag in top.named("mx-rollup-list")
            for its in tag.directives
            if its.name == "mx" and len(its.value.split()) >= 2
        ]
        shared = Scope(top, macros)
        self._scopes: list[tuple[Scope, ...]] = []
        for virtual_mta in self.virtual_mtas:
            within = [
                Scope(its, macros)
                for its in pools.values()
                if any(
                    d.name == "virtual-mta" and d.value == virtual_mta.argument
                    for d in its.directives
                )
            ]
            self._scopes.append((shared, *within, Scope(virtual_mta, macros)))
        if not self._scopes:
            self._scopes = [(shared,)]

    @property
    def scopes(self) -> Sequence[Scope]:
        """Where the first virtual MTA's directives are, the last scope holds."""
        return self._scopes[0]

    def of(self, domain: str) -> str:
        """Return a domain's queue: that of ``queue-to`` or a rollup of its MX, else its own."""
        own = directives(self.scopes, domain)
        if "queue-to" in own and own["queue-to"].value:
            self.followed.add(own["queue-to"])
            return own["queue-to"].value.casefold()
        disabled = own.get("disable-mx-rollup")
        if disabled is not None and value_of(disabled, yes):
            return domain
        for host in self._hosts.get(domain) or known.mx_of(domain):
            for pattern, queue in self._rollups:
                suffix = pattern.casefold().removeprefix("[*.]").removeprefix("*.")
                wild = suffix != pattern.casefold()
                if host == suffix or (wild and host.endswith(f".{suffix}")):
                    return queue.casefold()
        return domain

    def has(self, queue: str) -> bool:
        """Tell whether a queue has an entry of its own."""
        return any(queue in scope.names for scope in self.scopes)

    def directives(self, queue: str) -> Directives:
        """Return what holds for a queue at the first virtual MTA; ``*`` is that of all others."""
        return directives(self.scopes, queue)

    def differing(self, queue: str, names: Sequence[str]) -> list[str]:
        """Return the virtual MTAs for which something else holds than for the first."""
        first = _values(self.directives(queue), names)
        return [
            its.argument
            for its, scopes in zip(self.virtual_mtas[1:], self._scopes[1:], strict=False)
            if _values(directives(scopes, queue), names) != first
        ]


def _values(found: Directives, names: Sequence[str]) -> list[str]:
    return [found[name].value if name in found else "" for name in names]
