"""The source addresses of virtual MTAs, and the limits of a queue for single addresses.

A virtual MTA has those of its ``smtp-source-host``, or the global ones, and takes them in turn. A
queue's other limits are over all of its addresses (User's Guide 5.0, 3.3.1.16 and 8.2).
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sendcap.errors import ConfigurationError
from sendcap.importers.powermta.syntax import Tag
from sendcap.importers.reading import Entry
from sendcap.text.quoting import shown

_OLD: Final = {"source-ip-max-smtp-out": "max-smtp-out-per-source-ip"}
"""Older names, which may be without a range: that is of all addresses."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Limit = TypeVar("Limit")

BY_ADDRESS: Final = (
    "source-ip-max-smtp-out",
    "source-ip-max-msg-rate",
    "source-ip-max-connect-rate",
)
"""Directives with an address or a range of them before the limit; they may be repeated."""


def network_of(text: str) -> Network:
    """Read an address or a range, also a short one.

    >>> network_of("10/8"), network_of("0/0")
    (IPv4Network('10.0.0.0/8'), IPv4Network('0.0.0.0/0'))
    """
    address, slash, length = text.partition("/")
    if ":" not in address and address.count(".") < 3 and slash:
        address += ".0" * (3 - address.count("."))
    try:
        return ipaddress.ip_network(f"{address}{slash}{length}", strict=False)
    except ValueError:
        raise ValueError(f"{shown(text)} is neither an IP address nor a range of them") from None


class Addresses(NamedTuple):
    """The source addresses of a virtual MTA."""

    networks: tuple[Network | None, ...]  # one each, or a range; None for one that is not known
    entries: tuple[Entry, ...]

    @property
    def number(self) -> int:
        """Number of addresses; a range counts as one."""
        return len(self.networks)

    @property
    def ranges(self) -> bool:
        """Whether the number of addresses is not known: those of the machine in a range."""
        return any(each is not None and each.num_addresses > 1 for each in self.networks)


def addresses_of(top: Tag, virtual_mta: Tag | None) -> Addresses:
    """Return the source addresses of a virtual MTA: its own, or the global ones."""
    for tag in (virtual_mta, top):
        hosts = [each for each in tag.directives if each.name == "smtp-source-host"] if tag else []
        if hosts:
            return Addresses(tuple(_network_in(each.value) for each in hosts), tuple(hosts))
    return Addresses((None,), ())


def _network_in(value: str) -> Network | None:
    """Return the address of a host, or None: a template may have a name in its place."""
    for word in value.split()[:2]:
        try:
            return network_of(word)
        except ValueError:
            continue
    return None


class ByAddress(NamedTuple, Generic[Limit]):
    """A queue's limits for single addresses: each address with its limit."""

    limits: tuple[Limit, ...]  # one for each address; empty where one of them has none
    entries: tuple[Entry, ...]  # behind the limits, or all that do not limit
    why_not: str

    @property
    def shown(self) -> Entry:
        """The entries as one, for the report."""
        name, values = self.entries[0].name, dict.fromkeys(entry.value for entry in self.entries)
        return Entry(name, ", ".join(values), self.entries[0].where)


def by_address(
    directives: Mapping[str, Entry],
    name: str,
    reader: Callable[[str], Limit | None],
    addresses: Addresses,
) -> ByAddress[Limit] | None:
    """Return the limits of a queue by address; None if it has no such directive."""
    names = (name, _OLD.get(name))
    entries = tuple(entry for entry in directives.values() if entry.name in names)
    if not entries:
        return None
    found = [_limit_of(entry, reader) for entry in entries]
    limits: list[Limit] = []
    used: list[Entry] = []
    for address in addresses.networks:
        own = [each for each in found if _covers(each[0], address)]
        if not own:
            which = "the source address" if address is None else str(address).partition("/")[0]
            why = f"{which} is not in the range, or not known, so that the queue has no such limit"
            return ByAddress((), entries, why)
        _, limit, entry = max(own, key=lambda each: each[0].prefixlen)
        if limit is None:
            return ByAddress((), entries, "sets no limit")
        limits.append(limit)
        used.append(entry)
    return ByAddress(tuple(limits), tuple(dict.fromkeys(used)), "")


def _limit_of(entry: Entry, reader: Callable[[str], Any]) -> tuple[Network, Any, Entry]:
    words = entry.value.split()
    if entry.name in _OLD.values() and len(words) == 1:
        words = ["0/0", *words]
    if len(words) != 2:
        raise ConfigurationError(
            f"{entry.where}: {entry.name}: write an address or a range and a limit, such as "
            f"192.0.2.1 10"
        )
    network = entry._replace(value=words[0]).read(network_of)
    return network, entry._replace(value=words[1]).read(reader), entry


def _covers(network: Network, address: Network | None) -> bool:
    if network.prefixlen == 0:
        return True
    if address is None or address.version != network.version:
        return False
    return bool(address.subnet_of(network))  # type: ignore[arg-type]


def listed(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Return directives by name; those for single addresses by their range as well."""
    return {_key(entry): entry for entry in entries}


def _key(entry: Entry) -> str:
    if entry.name not in BY_ADDRESS:
        return str(entry.name)
    return f"{entry.name} {(entry.value.split() or [''])[0]}"
