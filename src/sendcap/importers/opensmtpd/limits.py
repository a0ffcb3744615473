"""Limits of each provider: connections, the time between them, and how long they are used.

A *route* is a source address and a host, a *connector* a source address and a relay, a *relay* all
mail to a domain, or by a relay host (``mta_connect`` and ``mta_find_route`` in ``mta.c``).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from sendcap import mailbox_providers as known
from sendcap.importers.draft import Draft
from sendcap.importers.opensmtpd.configuration import Configuration, Limits
from sendcap.importers.opensmtpd.table import CONNECTIONS, DELAYS, OF_AN_ADDRESS
from sendcap.importers.plan import Group
from sendcap.importers.reading import Entry, whole
from sendcap.scenario.durations import format_duration

_TAIL: Final = len(("route", "connector"))
"""The delays of each source address come first."""


def put_limits(
    draft: Draft, found: Configuration, groups: Sequence[Group], domains: Mapping[str, str]
) -> None:
    """Put the limits of each provider, and those that several share."""
    relays: dict[str, list[tuple[Group, Limits, int]]] = {}
    for group in groups:
        domain = domains[group.name]
        action, limits = found.action_of(domain), found.limits_of(domain)
        host = action.host if action is not None else ""
        draft.provider(group, known.names_of(group.heaviest))
        count = 1 if host or group.name != known.OTHER else group.queues
        _put(draft, group, limits, count)
        relays.setdefault(host or f" {group.name}", []).append((group, limits, count))
    for host, each in relays.items():
        _put_together(draft, host.strip(), each)
    entry = found.limits[""]["max-conn-per-source"]
    most = entry.read(_positive)
    total = sum(_least(each[0][1]).read(whole) * each[0][2] for each in relays.values())
    if total > most:
        value = {"connections": most * draft.addresses}
        draft.shared_limit("source", value, entry, "over all providers, for each address")
    elif entry.where:
        draft.overruled(entry, f"the providers have {total} connections of an address together")


def _positive(text: str) -> int:
    number = whole(text)
    if not number:
        raise ValueError("with 0 OpenSMTPD sends nothing; give at least 1")
    return number


def _least(limits: Limits) -> Entry:
    return min((limits[name] for name in CONNECTIONS), key=lambda entry: entry.read(_positive))


def _put(draft: Draft, group: Group, limits: Limits, count: int) -> None:
    """Put the limits that a provider has for each source address."""
    least = _least(limits)
    why = f"{least.value} for each of {count} domains" if count > 1 else "the lowest limit"
    number = least.read(whole) * count
    # A message is bound to no connection before this is ready, so that none bounces.
    accepted = draft.data["providers"][group.name].pop("accepts_connections", "none")
    if accepted != "none" and accepted < number:
        number, why = accepted, "the provider accepts no more, and a refusal bounces no message"
    draft.limit(group, "connections_per_ip", number, least, why)
    _put_delay(draft, group, limits, count)
    _put_pause(draft, group, limits)
    messages, idle = limits["session-mail-max"], limits["session-keepalive"]
    draft.limit(group, "messages_per_connection", messages.read(_positive), messages)
    draft.limit(group, "idle_timeout", f"{idle.read(whole)}s", idle, "of the last connection")


def _put_together(draft: Draft, host: str, each: Sequence[tuple[Group, Limits, int]]) -> None:
    """Put the limit of a relay over all source addresses, and over providers that share it."""
    names, (_, limits, count) = [group.name for group, *_ in each], each[0]
    over_all = [limits[name] for name in CONNECTIONS if name not in OF_AN_ADDRESS]
    entry, why = min(over_all, key=lambda entry: entry.read(whole)), "of all source addresses"
    least = _least(limits)
    if least.read(whole) * draft.addresses <= entry.read(whole):
        entry, why = least, "for each source address"
        count *= draft.addresses
        if len(names) == 1:
            return
    value = {"connections": entry.read(whole) * count}
    why += ", by one relay host" if len(names) > 1 else ""
    draft.shared_limit(f"to {host}", value, entry, why, providers=names)


def _put_delay(draft: Draft, group: Group, limits: Limits, count: int) -> None:
    """Put the time between two connections of a source address."""
    shares = {
        name: limits[name].read(whole) * (1 if place < _TAIL else draft.addresses)
        for place, name in enumerate(DELAYS)
    }
    longest = max(shares, key=lambda name: shares[name])
    if not shares[longest]:
        return
    entry, several = limits[longest], shares[longest] > limits[longest].read(whole)
    why = f"a share of it for each of {draft.addresses} addresses" if several else "the longest"
    rate = f"{count}/{shares[longest]}s,max_burst=1"
    draft.limit(group, "connection_rate", rate, entry, why)


def _put_pause(draft: Draft, group: Group, limits: Limits) -> None:
    """Let a connection take longer to make by the pause after another one has ended."""
    entry = limits["reconn-delay-route"]
    pause_s = entry.read(whole)
    if not pause_s:
        return
    connect = draft.time(group, "connect_time")
    mean_s = connect.mean_s + pause_s
    spread_s = math.sqrt(max(connect.second_moment_s2 - connect.mean_s**2, 0.0))
    value: str | dict[str, str | float] = format_duration(mean_s)
    if spread_s > 1e-6 * mean_s:
        mean = format_duration(mean_s)
        value = {"dist": "lognormal", "mean": mean, "cv": round(spread_s / mean_s, 6)}
    why = f"beside {format_duration(connect.mean_s)}: for so long no other connection is made"
    draft.limit(group, "connect_time", value, entry, why)
