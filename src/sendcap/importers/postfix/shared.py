"""Limits over several providers: one next hop, one transport, the processes of a transport."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from sendcap.importers.postfix.limits import PAUSE, Limits, gap
from sendcap.importers.postfix.routing import Path
from sendcap.importers.reading import Entry
from sendcap.text.quantities import listed
from sendcap.text.quoting import visible, without_addresses

_LONGEST = 100

_Key = TypeVar("_Key", bound=Hashable)


def put_shared(limits: Limits) -> None:
    """Put the limits over several providers into the scenario."""
    for paths in _by(limits.paths, lambda path: path.destination).values():
        for several in (paths,) if paths[0].nexthop else [[path] for path in paths]:
            _put_destination(limits, several)
    for paths in _by(limits.paths, lambda path: path.transports).values():
        _put_delay(limits, paths)
        _put_processes(limits, paths)
        _warn_of_hosts(limits, paths)


def _by(paths: list[Path], key_of: Callable[[Path], _Key]) -> dict[_Key, list[Path]]:
    found: dict[_Key, list[Path]] = {}
    for path in paths:
        found.setdefault(key_of(path), []).append(path)
    return found


def _put_destination(limits: Limits, paths: list[Path]) -> None:
    """Put the limit of a destination that several providers share, or that is not per address."""
    path = paths[0]
    name = f"to {path.nexthop or path.group.name} by {listed(path.transports)}"
    why = f"all mail {name}"
    delay, delay_s = limits.delay(path, "destination_rate_delay")
    if delay_s > 0.0 and not path.per_recipient:
        if limits.is_shared(path):
            _put(limits, name, {"rate": gap(delay_s)}, delay, f"{why}: one at a time", paths)
        return
    total, entries, _ = limits.configuration.connections(path)
    if len(paths) > 1 or total % limits.addresses:
        connections = {"connections": total * limits.instances}
        _put(limits, name, connections, entries[0], why, paths)


def _put_delay(limits: Limits, paths: list[Path]) -> None:
    """Put the pause between all deliveries of a transport."""
    path = paths[0]
    delay, delay_s = limits.delay(path, "transport_rate_delay")
    if delay_s == 0.0 or limits.is_alone(path):
        return
    number = len(path.transports)
    if number > 1:
        why = f"each of {number} transports has this pause; the scenario has a share of it for all"
        limits.draft.warn(delay, why)
    _put(limits, _named(path), {"rate": gap(delay_s / number)}, delay, PAUSE, paths)


def _put_processes(limits: Limits, paths: list[Path]) -> None:
    """Put the number of processes, where the providers have more connections together."""
    path = paths[0]
    found = [limits.configuration.processes(transport) for transport in path.transports]
    most = sum(count for _, count in found)
    together = sum(
        _together(limits, each)
        for each in _by(
            paths, lambda path: path.nexthop or f"the domains of {path.group.name}"
        ).values()
    )
    if together <= most or not all(count for _, count in found):
        return
    entry = found[0][0]
    service = limits.configuration.services.get(path.transports[0])
    why = (
        f"transport {listed(path.transports)} has {most} processes for all destinations; the "
        f"providers of the scenario have {together} connections together"
    )
    where = entry.where if service is None else service.where
    limits.draft.warn(Entry("process limit", str(most), where), why)
    if len(paths) > 1:
        name = f"{_named(path)} processes"
        connections = {"connections": most * limits.instances}
        _put(limits, name, connections, entry, "for all destinations together", paths)


def _warn_of_hosts(limits: Limits, paths: list[Path]) -> None:
    """Tell of hosts that providers share for some of their domains only."""
    for host in sorted(frozenset().union(*(path.hosts for path in paths))):
        sharing = [path for path in paths if host in path.hosts]
        if len(sharing) > 1 and any(not path.nexthop for path in sharing):
            names = listed([path.group.name for path in sharing])
            why = f"mail to {names} goes to this host in part; the scenario limits each by itself"
            limits.draft.warn(Entry("next hop", host), why)


def _together(limits: Limits, paths: list[Path]) -> int:
    """Return the connections to a destination."""
    delays = ("destination_rate_delay", "transport_rate_delay")
    if any(limits.delay(paths[0], each)[1] > 0.0 for each in delays):
        return len(paths[0].transports)
    return limits.configuration.connections(paths[0])[0]


def _named(path: Path) -> str:
    return f"transport {listed(path.transports)}"


def _put(
    limits: Limits, name: str, value: Mapping[str, Any], entry: Entry, why: str, paths: list[Path]
) -> None:
    if "rate" in value and limits.instances > 1:
        why_more = f"the scenario has one such pause for all {limits.instances} instances"
        limits.draft.warn(entry, why_more)
    short = without_addresses(visible(name))[:_LONGEST].strip()
    providers = [path.group.name for path in paths]
    limits.draft.shared_limit(short, value, entry, why, providers=providers)
