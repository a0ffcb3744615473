"""Where Postfix sends mail: the transport and the next hop of a domain.

The order of the tables is that of ``src/trivial-rewrite``: ``transport_maps``, then
``sender_dependent_default_transport_maps`` or ``default_transport``, then ``relayhost``, then the
domain itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple, TypeVar

from sendcap.importers.plan import Group
from sendcap.importers.postfix.expansion import closing
from sendcap.importers.postfix.settings import Settings, logical_lines
from sendcap.importers.reading import Entry, Text, matched

_SEPARATORS: Final = " \t\n,"
_BEGINNINGS: Final = ("/", "!/")
_EXPRESSION: Final = re.compile(r"(!?/(?:[^/\\]|\\.)*/[A-Za-z]*)\s+(.*)", re.DOTALL)
_INLINE: Final = ("randmap", "static", "inline")
"""Types of tables whose contents stand in ``main.cf``."""

_Value = TypeVar("_Value")


class Route(NamedTuple):
    """The transport of a domain, and the host if it differs from the domain's own."""

    transport: str
    nexthop: str = ""


Routes = tuple[Route, ...]
"""One route, or those among which Postfix chooses at random for each message."""


class Path(NamedTuple):
    """The transports of a provider's mail, and where it goes."""

    group: Group
    domain: str  # that stands for the provider
    transports: tuple[str, ...]  # of several, one at random for each message
    nexthop: str  # the host that all of it goes to, or nothing: the domains' own hosts
    queues: int  # of each transport: one for each destination
    per_recipient: bool  # whether there is a queue for each recipient instead
    hosts: frozenset[str]  # next hops that are not the domains' own

    @property
    def destination(self) -> tuple[tuple[str, ...], str]:
        """What the limits of a destination are counted for."""
        return self.transports, self.nexthop


@dataclass
class Routing:
    """The routes of a configuration."""

    default: Routes  # what no table of transports decides
    every: Routes  # of a table that answers for each address, so that no other is asked
    by_domain: dict[str, Route]

    def of(self, domain: str) -> Routes:
        """Return the routes of a domain, each with its transport; no next hop is the domain's."""
        if self.every:
            return self._of_every
        own = route(self.by_domain, domain)
        return self.default if own is None else self._completed(own)

    @cached_property
    def usual(self) -> Routes:
        """The routes of a domain that no table names."""
        return self.of("")

    @cached_property
    def _of_every(self) -> Routes:
        return tuple(chain.from_iterable(map(self._completed, self.every)))

    def _completed(self, own: Route) -> Routes:
        """Fill in what a table leaves open (``transport(5)``, "Result format").

        A transport without a next hop means the domain, whatever the relay host; a next hop without
        a transport does not change the transport.
        """
        if own.transport:
            return (own,)
        if not own.nexthop:
            return self.default
        return tuple(each._replace(nexthop=own.nexthop) for each in self.default)


def routing_of(settings: Settings, by_domain: dict[str, Route]) -> Routing:
    """Return the routes, by the parameters and a map of transports that has been read."""
    relayhost = settings.first("relayhost").value
    senders = _for_any_sender(settings.first("sender_dependent_default_transport_maps"))
    named = senders or (settings.first("default_transport").value,)
    default = tuple(
        each._replace(nexthop=each.nexthop or relayhost.casefold()) for each in map(_route, named)
    )
    tables = tables_of(settings.first("transport_maps"))
    for kind, contents in tables:
        if kind in ("randmap", "static"):
            # They answer for the whole address, which is looked up before its domain.
            results = _words(contents) if kind == "randmap" else [contents.strip("{} ")]
            return Routing(default, tuple(map(_route, results)), by_domain)
    inline = {
        key: _route(result)
        for kind, contents in tables
        if kind == "inline"
        for key, result in _entries(contents).items()
    }
    return Routing(default, (), {**by_domain, **inline})


def looked_up(entry: Entry, domain: str) -> str:
    """Return the result for a domain in those tables of a parameter that stand in ``main.cf``."""
    for kind, contents in tables_of(entry):
        if kind == "static":
            return contents.strip("{} ")
        result = found_in(_entries(contents), domain) if kind == "inline" else None
        if result is not None:
            return result
    return ""


def _entries(contents: str) -> dict[str, str]:
    """Return the entries of an inline table: ``{ key = result, … }``."""
    pairs = (each.partition("=")[::2] for each in _words(contents))
    return {key.strip().casefold(): result.strip() for key, result in pairs}


def _for_any_sender(entry: Entry) -> tuple[str, ...]:
    """Return the results of a table that has the same for each sender, if it is the first one."""
    tables = tables_of(entry)
    kind, contents = tables[0] if tables else ("", "")
    if kind == "static":
        return (contents.strip("{} "),)
    return tuple(_words(contents)) if kind == "randmap" else ()


def tables_of(entry: Entry) -> list[tuple[str, str]]:
    """Return the lookup tables of a parameter: the type of each, and its name or contents."""
    return entry.read(_tables)


def _tables(text: str) -> list[tuple[str, str]]:
    return [(kind, name) for kind, _, name in (each.partition(":") for each in _words(text))]


def _words(text: str) -> list[str]:
    """Split at spaces and commas that are not in braces; outer braces are left out."""
    text = text.strip()
    if text.startswith("{") and closing(text, 0) == len(text) - 1:
        text = text[1:-1]
    words, position = list[str](), 0
    while position < len(text):
        if text[position] in _SEPARATORS:
            position += 1
            continue
        start = position
        while position < len(text) and text[position] not in _SEPARATORS:
            position = closing(text, position) + 1 if text[position] == "{" else position + 1
        word = text[start:position]
        words.append(word[1:-1] if word.startswith("{") and word.endswith("}") else word)
    return words


def unread(entry: Entry) -> list[str]:
    """Return the tables of a parameter whose contents are not in ``main.cf``."""
    return [f"{kind}:{name}" for kind, name in tables_of(entry) if kind not in _INLINE]


def _route(result: str) -> Route:
    transport, _, nexthop = result.strip().partition(":")
    return Route(transport.strip(), nexthop.strip().casefold())


def routes_of(text: Text) -> dict[str, Route]:
    """Read a map of transports: ``gmail.com  slow:``, ``.example.com  relay:[host]``, ``/re/  x:``.

    What is for a single address is left out.
    """
    routes: dict[str, Route] = {}
    for number, line in logical_lines(text):
        expression = _EXPRESSION.fullmatch(line) if line.startswith(_BEGINNINGS) else None
        pattern, result = (*line.split(None, 1), "")[:2]
        if expression is not None:
            pattern, result = expression[1], expression[2]
        if ":" not in result or (pattern.startswith(("if", "endif")) and "/" in line[:4]):
            raise text.error(number, "is not a route; write a domain and transport:nexthop")
        if expression is not None:
            routes.setdefault(pattern, _route(result))
        elif "@" not in pattern:
            routes[pattern.casefold()] = _route(result)
    return routes


def route(routes: dict[str, Route], domain: str) -> Route | None:
    """Return the route of a domain: its own, or that of ``*``."""
    found = own_route(routes, domain)
    return routes.get("*") if found is None else found


def own_route(routes: dict[str, Route], domain: str) -> Route | None:
    """Return the route of a domain: by an expression, its entry, or that of a parent with a dot."""
    # A table has expressions or keys, never both; one of keys may be long.
    if next(iter(routes), "").startswith(_BEGINNINGS):
        every = (each for pattern, each in routes.items() if expression_has(pattern, domain))
        return next(every, None)
    return found_in(routes, domain)


def expression_has(pattern: str, domain: str) -> bool | None:
    """Return whether an expression matches the addresses of a domain; None if nobody can tell.

    It is applied to a whole address; ``i`` makes it distinguish small letters from large ones
    (``regexp_table(5)``).
    """
    if not pattern.startswith(_BEGINNINGS):
        return False
    expression, _, flags = pattern.removeprefix("!").removeprefix("/").rpartition("/")
    if flags not in ("", "i"):
        return None
    found = matched(expression, f"someone@{domain}", ignore_case=not flags)
    return found if found is None else found != pattern.startswith("!")


def found_in(table: Mapping[str, _Value], domain: str) -> _Value | None:
    """Return the entry of a domain, or that of a parent with a dot."""
    if domain in table:
        return table[domain]
    while "." in domain:
        domain = domain.partition(".")[2]
        if f".{domain}" in table:
            return table[f".{domain}"]
    return None
