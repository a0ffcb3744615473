"""Postfix's services and transports: ``master.cf``, and the map of transports."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sendcap.importers.postfix.settings import Parameter, logical_lines
from sendcap.importers.reading import Text
from sendcap.text.quoting import shown

_OPTION: Final = re.compile(r"-o (?:\{([^{}]*)\}|([^\s{}]+))")
_CLIENTS: Final = ("smtp", "lmtp", "relay")
_FIELDS: Final = 8


class Service(NamedTuple):
    """A client that delivers mail.

    Attributes
    ----------
    processes
        How many may run, or None for ``default_process_limit``.
    options
        Parameters that hold for it alone.
    """

    name: str
    processes: int | None
    options: dict[str, Parameter]
    where: str


class Route(NamedTuple):
    """By which transport a domain's mail goes, and to which host if not to the domain's own."""

    transport: str
    nexthop: str
    where: str


def services_of(text: Text) -> dict[str, Service]:
    """Read the clients in a ``master.cf``.

    Raises
    ------
    ConfigurationError
        For a line that is no service.
    """
    found: dict[str, Service] = {}
    for number, line in logical_lines(text):
        fields = line.split(None, _FIELDS - 1)
        if len(fields) < _FIELDS:
            raise text.error(
                number,
                f"{shown(line)} is no service; it has {len(fields)} of the eight fields from name "
                f"to command",
            )
        command, _, rest = fields[7].partition(" ")
        if fields[1] != "unix" or command not in _CLIENTS:
            continue
        where = text.where(number)
        options = {}
        for option in _OPTION.finditer(" ".join(rest.split())):
            name, equals, value = (option[1] or option[2]).partition("=")
            if equals:
                options[name.strip()] = Parameter(name.strip(), value.strip(), where)
        processes = None
        if fields[6] != "-":
            if not fields[6].isdecimal():
                raise text.error(number, f"maxproc is {shown(fields[6])}; it must be a number or -")
            # Zero is no limit.
            processes = int(fields[6][:9]) or None
        found[fields[0]] = Service(fields[0], processes, options, where)
    return found


def routes_of(text: Text) -> dict[str, Route]:
    """Read a map of transports: ``gmail.com  slow:`` or ``.example.com  relay:[host]``.

    Raises
    ------
    ConfigurationError
        For a line that is no entry of one.
    """
    found: dict[str, Route] = {}
    for number, line in logical_lines(text):
        pattern, _, result = line.partition(" ") if " " in line else line.partition("\t")
        transport, colon, nexthop = result.strip().partition(":")
        if not colon:
            raise text.error(
                number, f"{shown(line)} is no route; write a domain and transport:nexthop"
            )
        if "@" not in pattern:
            found[pattern.casefold()] = Route(
                transport.strip(), nexthop.strip(), text.where(number)
            )
    return found


def route(routes: dict[str, Route], domain: str) -> Route | None:
    """Return how a domain's mail goes: by its own entry, a parent's with a dot, or ``*``."""
    if domain in routes:
        return routes[domain]
    parent = domain
    while "." in parent:
        parent = parent.partition(".")[2]
        if f".{parent}" in routes:
            return routes[f".{parent}"]
    return routes.get("*")
