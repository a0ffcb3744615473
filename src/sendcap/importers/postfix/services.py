"""Postfix's services and transports: ``master.cf``, and the map of transports."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sendcap.importers.postfix.settings import logical_lines
from sendcap.importers.reading import Entry, Text
from sendcap.text.quoting import shown

_OPTION: Final = re.compile(r"-o (?:\{([^{}]*)\}|([^\s{}]+))")
_CLIENTS: Final = ("smtp", "lmtp", "relay")
_FIELDS: Final = 8


class Service(NamedTuple):
    """A client that delivers mail."""

    processes: int | None  # at most; None for ``default_process_limit``
    options: dict[str, Entry]  # parameters of this client alone
    where: str


class Route(NamedTuple):
    """The transport of a domain, and the host if it differs from the domain's own."""

    transport: str
    nexthop: str


def services_of(text: Text) -> dict[str, Service]:
    """Read the clients in a ``master.cf``."""
    services: dict[str, Service] = {}
    for number, line in logical_lines(text):
        fields = line.split(None, _FIELDS - 1)
        if len(fields) < _FIELDS:
            raise text.error(
                number,
                f"{shown(line)} is not a service; it has {len(fields)} of the eight fields from "
                f"name to command",
            )
        command, _, rest = fields[7].partition(" ")
        if fields[1] != "unix" or command not in _CLIENTS:
            continue
        where = text.where(number)
        options = {}
        for option in _OPTION.finditer(" ".join(rest.split())):
            name, equals, value = (option[1] or option[2]).partition("=")
            if equals:
                options[name.strip()] = Entry(name.strip(), value.strip(), where)
        processes = None
        if fields[6] != "-":
            if not fields[6].isdecimal():
                raise text.error(number, f"maxproc must be a number or -, not {shown(fields[6])}")
            # Zero is no limit.
            processes = int(fields[6][:9]) or None
        services[fields[0]] = Service(processes, options, where)
    return services


def routes_of(text: Text) -> dict[str, Route]:
    """Read a map of transports: ``gmail.com  slow:`` or ``.example.com  relay:[host]``."""
    routes: dict[str, Route] = {}
    for number, line in logical_lines(text):
        pattern, _, result = line.partition(" ") if " " in line else line.partition("\t")
        transport, colon, nexthop = result.strip().partition(":")
        if not colon:
            raise text.error(
                number, f"{shown(line)} is not a route; write a domain and transport:nexthop"
            )
        if "@" not in pattern:
            routes[pattern.casefold()] = Route(transport.strip(), nexthop.strip())
    return routes


def route(routes: dict[str, Route], domain: str) -> Route | None:
    """Return the route of a domain: by its own entry, that of a parent with a dot, or ``*``."""
    if domain in routes:
        return routes[domain]
    while "." in domain:
        domain = domain.partition(".")[2]
        if f".{domain}" in routes:
            return routes[f".{domain}"]
    return routes.get("*")
