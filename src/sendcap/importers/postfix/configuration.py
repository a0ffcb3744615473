"""A whole configuration of Postfix: each parameter as the program reads it that needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sendcap import mailbox_providers as known
from sendcap.importers.plan import Group
from sendcap.importers.postfix.master import MANAGER, ROUTER, Service
from sendcap.importers.postfix.routing import Path, Route, Routes, Routing, own_route, routing_of
from sendcap.importers.postfix.settings import CLIENTS, Settings
from sendcap.importers.reading import Entry, whole


@dataclass
class Configuration:
    """The parameters, the programs and the routes."""

    main: Settings
    services: Mapping[str, Service]
    routes: dict[str, Route]

    @cached_property
    def manager(self) -> Settings:
        """The parameters as the queue manager reads them."""
        return self._of(MANAGER)

    @cached_property
    def router(self) -> Settings:
        """The parameters as trivial-rewrite reads them."""
        return self._of(ROUTER)

    @cached_property
    def routing(self) -> Routing:
        """The routes of domains."""
        return routing_of(self.router, self.routes)

    def _of(self, program: str) -> Settings:
        options = [each.options for each in self.services.values() if each.program == program]
        return self.main.with_options(options[0]) if options else self.main

    def client(self, transport: str) -> tuple[Settings, str]:
        """Return a client's parameters, and the word that its own begin with."""
        service = self.services.get(transport)
        if service is None:
            return self.main, transport if transport in CLIENTS else CLIENTS[0]
        command = service.command if service.command in CLIENTS else CLIENTS[0]
        return self.main.with_options(service.options), command

    def named(self, transport: str, ending: str) -> Entry:
        """Return a parameter that the queue manager has for each transport, or its default."""
        return self.manager.first(f"{transport}_{ending}", f"default_{ending}")

    def processes(self, transport: str) -> tuple[Entry, int]:
        """Return the entry for the number of a transport's processes, and the number, or 0."""
        service = self.services.get(transport)
        if service is not None and service.processes is not None:
            entry = Entry(f"{transport} maxproc", str(service.processes), service.where)
            return entry, service.processes
        entry = self.main.first("default_process_limit")
        return entry, entry.read(whole)

    def connections(self, path: Path) -> tuple[int, list[Entry], bool]:
        """Return the connections of a provider, what says so, and whether that is the processes.

        Of each transport: its limit for each destination, and its processes at most.
        """
        total, entries, bound = 0, list[Entry](), False
        for transport in path.transports:
            limit = self.named(transport, "destination_concurrency_limit")
            processes, most = self.processes(transport)
            # With zero there is no limit, and with one recipient there is one for each recipient.
            count = limit.read(whole) * path.queues
            if count == 0 or path.per_recipient or count > most > 0:
                count, bound = max(most, 1), True
                entries.append(processes)
            else:
                entries.append(limit)
            total += count
        return total, entries, bound

    def group_of(self, domain: str) -> str:
        """Return the provider of a domain: its transport, if it is not the usual one."""
        routes, usual = self.routing.of(domain), self.routing.usual
        if routes != usual:
            names = {each.transport for each in routes}
            if len(names) == 1 and names != {each.transport for each in usual}:
                return names.pop()
        return next(iter(known.names_of(domain)), known.OTHER)

    def path_of(self, group: Group) -> Path:
        """Return how the mail of a provider leaves."""
        domain = group.domain
        routes = self._routes(group, domain)
        transports = tuple(dict.fromkeys(each.transport for each in routes))
        nexthop, queues = routes[0].nexthop, group.queues
        hosts = frozenset(filter(None, [nexthop]))
        if group.name != known.OTHER and group.domains:
            found = [(each, self.routing.of(each)[0].nexthop) for each in group.domains]
            hops = {hop or each for each, hop in found}
            hosts = frozenset(hop for _, hop in found if hop)
            nexthop, queues = nexthop if hops == {nexthop} else "", len(hops)
        elif nexthop:
            queues = 1
        recipients = self.named(transports[0], "destination_recipient_limit")
        alone = recipients.read(whole) == 1
        return Path(group, domain, transports, nexthop, queues, alone, hosts)

    def _routes(self, group: Group, domain: str) -> Routes:
        """Return the routes of a provider, which may be called like a transport."""
        own = None if self.routing.every else own_route(self.routing.by_domain, domain)
        if own is None and self._is_transport(group.name):
            return (Route(group.name),)
        return self.routing.of(domain)

    def _is_transport(self, name: str) -> bool:
        named = any(each.startswith(f"{name}_") for each in self.main.entries)
        return name in self.services or named
