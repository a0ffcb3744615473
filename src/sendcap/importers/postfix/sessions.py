"""How many messages a connection of Postfix carries: reuse, and TLS, which forbids it."""

from typing import Final, NamedTuple

from sendcap import mailbox_providers as known
from sendcap.importers.postfix.routing import looked_up
from sendcap.importers.postfix.settings import Settings
from sendcap.importers.reading import Entry, whole, yes
from sendcap.text.quoting import shown

_LEVELS: Final = (
    *("none", "may", "encrypt", "dane", "dane-only", "half-dane"),
    *("fingerprint", "verify", "secure"),
)


class Reuse(NamedTuple):
    """The messages of a connection, what says so, and what else was read."""

    messages: int | str
    entry: Entry
    why: str = ""
    also: tuple[Entry, ...] = ()


class Tls(NamedTuple):
    """Whether connections have TLS, and whether one with TLS is used again."""

    on: bool
    reused: bool
    entry: Entry


def reuse_of(settings: Settings, client: str, domain: str, nexthop: str) -> Reuse:
    """Return how often a connection of a client is used.

    ``smtp_connect.c`` keeps a connection if the queue manager sees more mail for it, or if it is
    listed; ``smtp_proto.c`` keeps none with TLS unless ``smtp_tls_connection_reuse`` is set.
    """
    on_demand = settings.first(f"{client}_connection_cache_on_demand")
    always = settings.first(f"{client}_connection_cache_destinations")
    count = settings.first(f"{client}_connection_reuse_count_limit")
    # It counts the reuses: with a limit of N, a connection is used up to N + 1 times (postconf(5)).
    reuses = count.read(whole)
    number: int | str = reuses + 1 if reuses else "unlimited"
    if not on_demand.read(yes) and not _is_listed(domain, nexthop, always.value):
        return Reuse(1, on_demand, "no connection is reused")
    tls = tls_of(settings, client, nexthop or domain)
    if not tls.on:
        return Reuse(number, count, "the first message, and so many after it" if reuses else "")
    setting = settings.first(f"{client}_tls_connection_reuse")
    if tls.reused:
        return Reuse(number, count, "with TLS, too", (setting, tls.entry))
    why = (
        f"a connection with TLS is not kept for another message unless {setting.name} = yes; the "
        f"provider is taken to offer TLS"
    )
    return Reuse(1, tls.entry, why, (setting,))


def tls_of(settings: Settings, client: str, destination: str) -> Tls:
    """Return what TLS a client uses, by ``global_tls_level`` of ``smtp_tls_policy.c``.

    A level other than none means TLS, since the large providers offer it.
    """
    entry, on = settings.first(f"{client}_tls_security_level"), False
    if entry.value:
        on = entry.read(_level) != "none"
    else:
        for name in ("enforce_tls", "use_tls"):
            older = settings.first(f"{client}_{name}")
            if older.read(yes):
                entry, on = older, True
                break
    reused = settings.first(f"{client}_tls_connection_reuse").read(yes)
    policies = settings.first(f"{client}_tls_policy_maps")
    policy = looked_up(policies, destination)
    if policy:
        level, *attributes = policy.casefold().replace(",", " ").split()
        chosen = dict(each.partition("=")[::2] for each in attributes).get("connection_reuse")
        reused = reused if chosen is None else chosen == "yes"
        return Tls(policies._replace(value=level).read(_level) != "none", reused, policies)
    return Tls(on, reused, entry)


def _level(text: str) -> str:
    if text.casefold() not in _LEVELS:
        raise ValueError(f"{shown(text)} is no TLS security level, such as none, may or encrypt")
    return text.casefold()


def _is_listed(domain: str, nexthop: str, destinations: str) -> bool:
    """Tell whether a list of destinations has one; a lookup table may have every one."""
    names = destinations.replace(",", " ").casefold().split()
    own = {domain, f"[{domain}]", *known.mx_of(domain), nexthop, _host(nexthop)}
    return not own.isdisjoint(names) or any(":" in name or "/" in name for name in names)


def _host(nexthop: str) -> str:
    """Return a relay host without brackets and port, as it is listed (``postconf(5)``)."""
    return nexthop.removeprefix("[").partition("]")[0].partition(":")[0]
