"""Exim's SMTP transports: which one has the mail of a domain, and what it limits.

That is the transport of the first router that takes the domain and has an SMTP transport.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from sendcap.importers.draft import Draft
from sendcap.importers.exim.lists import has_domain
from sendcap.importers.exim.sections import Options, Sections
from sendcap.importers.exim.table import FALLBACK
from sendcap.importers.reading import Entry, whole
from sendcap.scenario.durations import format_duration

_REMOTE: Final = ("dnslookup", "manualroute", "queryprogram", "ipliteral", "iplookup")
_CONDITIONS: Final = ("condition", "senders", "local_parts", "require_files", "address_data")
_SMTP: Final = ("smtp", "lmtp")
_MESSAGES: Final = "connection_max_messages"
_RUNNERS: Final = "queue_run_max"
_DEFAULT_RUNNERS: Final = "5"
MOST_RUNNERS: Final = 10_000
"""More than ever run: those of an Exim without a limit."""
_DEFAULT_MESSAGES: Final = 500
_ALL_HOSTS: Final = ("*",)
NOT_SET: Final = ("false", "no", "0")
"""Values of an option that does nothing."""


def clients_of(sections: Sections) -> dict[str, Options]:
    """Return the transports that deliver to other servers."""
    return {
        name: options
        for name, options in sections.transports.items()
        if "driver" in options and options["driver"].value in _SMTP
    }


def transport_of(sections: Sections, domain: str) -> str | None:
    """Return the transport of a domain, or the first one; None for a file of rules alone."""
    router = _router_of(sections, domain)
    if router is not None:
        return str(sections.routers[router]["transport"].value)
    return next(iter(clients_of(sections)), None)


def _router_of(sections: Sections, domain: str) -> str | None:
    """Return the first router that takes mail to a domain, or of which nobody can tell."""
    unclear = None
    for name, options in _remote(sections):
        listed = options.get("domains")
        takes = listed is None or has_domain(listed.value, domain, sections.lists)
        if takes and not any(condition in options for condition in _CONDITIONS):
            return name
        if takes is not False:
            unclear = unclear or name
    return unclear


def left_out_of_routers(
    sections: Sections, domains: Mapping[str, object]
) -> Iterator[tuple[Entry, str]]:
    """Yield what routers do that is not in the scenario, or cannot be read."""
    taken = {_router_of(sections, domain) for domain in domains}
    transports = {transport_of(sections, domain) for domain in domains}
    for name, options in _remote(sections):
        transport = options["transport"]
        if "fallback_hosts" in options:
            yield options["fallback_hosts"].of(f"router {name}"), FALLBACK
        found = [each for each in _CONDITIONS if each in options]
        listed = options.get("domains")
        known = listed is None or None not in {
            has_domain(listed.value, domain, sections.lists) for domain in domains
        }
        if name not in taken and transports == {transport.value}:
            continue  # all mail has this transport by another router
        if found or not known:
            does = (
                "so that mail which no other router takes goes by this one in the scenario"
                if name in taken
                else "so that no mail of the scenario goes by this router"
            )
            yield (
                Entry(f"router {name}", transport.value, transport.where),
                f"its {found[0] if found else 'domains'} cannot be read here, {does}",
            )


def _remote(sections: Sections) -> Iterator[tuple[str, Options]]:
    clients = clients_of(sections)
    for name, options in sections.routers.items():
        driver = options.get("driver", Entry("driver")).value
        transport = options.get("transport", Entry("transport")).value
        if driver in _REMOTE and transport in clients:
            yield name, options


def put_limits(
    draft: Draft, sections: Sections, domains: Mapping[str, str], interval_s: float | None
) -> None:
    """Put the limits of each provider's transport, and of queue runners.

    A file of rules alone has none of a transport.

    Sources: ``src/src/transports/smtp.c`` and the specification, chapter "The smtp transport".
    """
    clients, used = clients_of(sections), dict[str, list[str]]()
    for name, domain in domains.items():
        transport = transport_of(sections, domain)
        if transport is not None:
            used.setdefault(transport, []).append(name)
    for transport, names in used.items():
        for name in names:
            _put(draft, name, transport, clients[transport])
        _put_parallel(draft, transport, clients[transport], names)
    for other in clients:
        if other not in used and _MESSAGES in clients[other]:
            why = f"transport {other}; the scenario has that of {', '.join(used)}"
            draft.overruled(clients[other][_MESSAGES], why)
    _put_runners(draft, sections, interval_s)


def _put(draft: Draft, name: str, transport: str, options: Options) -> None:
    entry, why = options.get(_MESSAGES, Entry(_MESSAGES)), f"transport {transport}"
    # Zero is no limit.
    number = entry.read(whole) or "unlimited" if entry.where else _DEFAULT_MESSAGES
    kept = options.get("hosts_nopass_tls")
    if kept is not None and kept.value in _ALL_HOSTS:
        entry, number, why = kept, 1, "a connection with TLS is not used again"
    draft.put(("providers", name, "messages_per_connection"), number, entry, why)
    why = "a connection without a message is closed"
    draft.data["providers"][name]["idle_timeout"] = "0s"
    draft.keep("idle connections", ("providers", name, "idle_timeout"), "0s", why)
    _put_accepted(draft, name)
    serial = options.get("serialize_hosts")
    if serial is not None and serial.value in _ALL_HOSTS:
        why = "one connection at a time to each host; the provider is taken to have one host"
        draft.put(("providers", name, "connections_per_ip"), 1, serial, why)


def _put_accepted(draft: Draft, name: str) -> None:
    """Let the messages of refused connections wait for one that is open.

    On a connection with an accepted message those go, too, that wait for the host, due or not.

    Source: ``transport_check_waiting`` in ``src/src/transport.c``.
    """
    own = draft.data["providers"][name]
    accepted = own.pop("accepts_connections", "none")
    if accepted != "none" and accepted < own["connections_per_ip"]:
        own["connections_per_ip"] = accepted
        why = "the provider accepts no more, and open connections go on with what it has refused"
        draft.keep(
            "accepted connections", ("providers", name, "connections_per_ip"), str(accepted), why
        )


def _put_parallel(draft: Draft, transport: str, options: Options, names: list[str]) -> None:
    entry = options.get("max_parallel")
    if entry is None or not entry.value.isdecimal():
        return
    most = entry.read(whole)
    if most > 0:
        why = f"transport {transport}, for all destinations together"
        name = f"transport {transport}"
        draft.shared_limit(name, {"connections": most}, entry, why, providers=names)


def _put_runners(draft: Draft, sections: Sections, interval_s: float | None) -> None:
    """Put the queue runners: each sends one message at a time, and each run starts one.

    They send what is due again, and all mail where they alone send it. Nobody knows whether retries
    wait for them where the interval of the runs is not given.

    Source: ``daemon_qrun`` in ``src/src/daemon.c``, ``queue_run`` in ``src/src/queue.c``.
    """
    only = sections.options.get("queue_only")
    sends_all = only is not None and only.value not in NOT_SET
    if interval_s is None:
        why = "what is due waits for no queue run: set their interval (-q30m) with --queue-interval"
        draft.keep("queue runs", ("mta", "retry"), "", why)
    if interval_s is None and not sends_all:
        return
    entry = sections.options.get(_RUNNERS, Entry(_RUNNERS, _DEFAULT_RUNNERS))
    if not entry.value.isdecimal():
        entry = Entry(_RUNNERS, _DEFAULT_RUNNERS)  # the expression is in the report
    # Zero is no limit.
    most = entry.read(whole) or MOST_RUNNERS
    if most == MOST_RUNNERS and interval_s is None:
        return
    why = "each queue runner sends one message at a time"
    draft.shared_limit("queue runners", {"connections": most}, entry, why)
    others = dict[str, tuple[str, str]]()
    if not sends_all:
        others["attempts"] = "retries", "what has not been tried is sent at once"
    if interval_s is not None:
        every = format_duration(interval_s)
        others["one_more_every"] = every, "each run starts one more (--queue-interval)"
    for key, (value, why) in others.items():
        draft.data["limits"][-1][key] = value
        draft.keep("queue runners", ("limits", len(draft.data["limits"]) - 1, key), value, why)
