"""What Exim's SMTP transports limit: messages of a connection, and connections."""

from collections.abc import Mapping

from sendcap.importers.draft import Draft
from sendcap.importers.exim.report import NOT_SET
from sendcap.importers.exim.sections import Options, Sections
from sendcap.importers.exim.ways import clients_of, transport_of
from sendcap.importers.reading import Entry, whole

MESSAGES = "connection_max_messages"
_RUNNERS = "queue_run_max"
_DEFAULT_RUNNERS = "5"
_DEFAULT_MESSAGES = 500
_ALL_HOSTS = ("*",)


def put_limits(draft: Draft, sections: Sections, domains: Mapping[str, str]) -> None:
    """Put the limits of each provider's transport; a file of rules alone has none.

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
    _put_runners(draft, sections)


def _put(draft: Draft, name: str, transport: str, options: Options) -> None:
    """Put the limits of one provider."""
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
    serial = options.get("serialize_hosts")
    if serial is not None and serial.value in _ALL_HOSTS:
        why = "one connection at a time to each host; the provider is taken to have one host"
        draft.put(("providers", name, "connections_per_ip"), 1, serial, why)


def _put_parallel(draft: Draft, transport: str, options: Options, names: list[str]) -> None:
    entry = options.get("max_parallel")
    if entry is None or not entry.value.isdecimal():
        return
    most = entry.read(whole)
    if most > 0:
        why = f"transport {transport}, for all destinations together"
        name = f"transport {transport}"
        draft.shared_limit(name, {"connections": most}, entry, why, providers=names)


def _put_runners(draft: Draft, sections: Sections) -> None:
    """Put the number of queue runners where they alone send mail: each sends one at a time.

    Source: ``daemon_qrun`` in ``src/src/daemon.c``.
    """
    only = sections.options.get("queue_only")
    if only is None or only.value in NOT_SET:
        return
    entry = sections.options.get(_RUNNERS, Entry(_RUNNERS, _DEFAULT_RUNNERS))
    # Zero is no limit; an expression is in the report.
    if entry.value.isdecimal() and (most := entry.read(whole)) > 0:
        why = "each queue runner sends one message at a time; the next one starts at the next run"
        draft.shared_limit("queue runners", {"connections": most}, entry, why)
