"""What Exim's SMTP transports limit: messages of a connection, and connections."""

from collections.abc import Mapping

from sendcap.importers.draft import Draft
from sendcap.importers.exim.report import NOT_SET
from sendcap.importers.exim.sections import Options, Sections
from sendcap.importers.exim.ways import clients_of, transport_of
from sendcap.importers.reading import Entry, whole
from sendcap.scenario.durations import format_duration

MESSAGES = "connection_max_messages"
_RUNNERS = "queue_run_max"
_DEFAULT_RUNNERS = "5"
MOST_RUNNERS = 10_000
"""More than ever run: those of an Exim without a limit."""
_DEFAULT_MESSAGES = 500
_ALL_HOSTS = ("*",)


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
        if other not in used and MESSAGES in clients[other]:
            why = f"transport {other}; the scenario has that of {', '.join(used)}"
            draft.overruled(clients[other][MESSAGES], why)
    _put_runners(draft, sections, interval_s)


def _put(draft: Draft, name: str, transport: str, options: Options) -> None:
    entry, why = options.get(MESSAGES, Entry(MESSAGES)), f"transport {transport}"
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
