"""What is told of Postfix's parameters: slips, and why a parameter is not used."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from sendcap.importers.draft import Draft
from sendcap.importers.postfix.configuration import Configuration
from sendcap.importers.postfix.master import (
    CLIENT,
    MANAGER,
    MASTER,
    OF_A_TRANSPORT,
    OF_THE_ROUTER,
    ROUTER,
    reader_of,
)
from sendcap.importers.postfix.misspelt import meant, mentioned
from sendcap.importers.postfix.routing import Path, expression_has, tables_of, unread
from sendcap.importers.postfix.settings import CLIENTS, DEFAULTS
from sendcap.importers.postfix.table import (
    BY_SENDER,
    DECIDES,
    ONE_RECIPIENT,
    REPLACED,
    UNUSED,
    WARNED,
)
from sendcap.importers.reading import Entry
from sendcap.importers.table import DECIDES_NOTHING, reason_unused
from sendcap.text.quoting import first_few

_READ: Final = ("randmap", "static")
_OF_OTHERS: Final = (
    *("smtpd_", "postscreen_", "tlsproxy_", "anvil_", "virtual_", "local_", "mailbox_", "message_"),
    *("header_", "body_", "mime_", "milter_", "address_verify_", "postlog", "queue_minfree", "tls"),
    *("line_length_", "hopcount_", "berkeley_", "lmdb_", "proxy", "ipc_", "max_use", "max_idle"),
    *("service_", "extract_", "duplicate_", "bounce_size", "fork_", "trigger_", "daemon_"),
)
_SOUNDS_LIKE_A_LIMIT: Final = ("_limit", "_delay", "_rate", "_lifetime", "_backoff_time")
_WITHOUT_EFFECT: Final = {
    MANAGER: "the queue manager reads it, from main.cf: at another program it has no effect",
    ROUTER: "trivial-rewrite reads it, from main.cf: at another program it has no effect",
    MASTER: "master reads it, from main.cf: with -o it has no effect",
    CLIENT: "the client reads it: at another program it has no effect",
}


def warn_of_slips(draft: Draft, configuration: Configuration) -> None:
    """Report what is probably a mistake, or decides more than the importer can see."""
    for entry in configuration.main.replaced:
        draft.warn(entry._replace(value=""), "set again later, and that value counts")
    found = (_relay_host, _options, _tables, _policies, _misspelt)
    for entry, why in chain.from_iterable(each(configuration) for each in found):
        draft.warn(entry, why)


def _relay_host(configuration: Configuration) -> Iterator[tuple[Entry, str]]:
    relayhost = configuration.router.first("relayhost")
    hops = {each.nexthop for each in configuration.routing.usual}
    if relayhost.value and relayhost.value.casefold() in hops:
        yield relayhost, "all mail goes to this host, so its limits apply to all providers together"


def _options(configuration: Configuration) -> Iterator[tuple[Entry, str]]:
    """Yield the options that are given to a program which does not read them."""
    for name, service in configuration.services.items():
        for entry in service.options.values():
            reader = reader_of(entry.name)
            if reader not in ("", service.program):
                yield entry.of(name), _WITHOUT_EFFECT[reader]


def _tables(configuration: Configuration) -> Iterator[tuple[Entry, str]]:
    """Yield the tables of routes that are not read, and those that make others void."""
    settings, routing = configuration.router, configuration.routing
    maps = settings.first("transport_maps")
    if routing.every and (configuration.routes or len(tables_of(maps)) > 1):
        yield (
            maps,
            "a table without keys answers for each address, so that no other table is asked",
        )
    if unread(maps) and not configuration.routes and not routing.every:
        why = "not read: give the table as text with --transport"
        yield maps._replace(value=first_few(unread(maps))), why
    for name in ("sender_dependent_default_transport_maps", "sender_dependent_relayhost_maps"):
        entry = settings.first(name)
        read = _READ if "default_transport" in name else ()
        by_sender = [f"{kind}:{table}" for kind, table in tables_of(entry) if kind not in read]
        if by_sender:
            yield entry._replace(value=first_few(by_sender)), BY_SENDER
    default = settings.first("default_transport")
    if default.value.startswith("randmap:"):
        instead = "transport_maps or sender_dependent_default_transport_maps"
        yield default, f"takes a transport and no table; write the table in {instead}"


def _policies(configuration: Configuration) -> Iterator[tuple[Entry, str]]:
    """Yield the tables of TLS policies that are not read."""
    for client in CLIENTS:
        entry = configuration.main.first(f"{client}_tls_policy_maps")
        if unread(entry):
            why = "not read: the scenario has the level of all others; write inline:{ … } here"
            yield entry._replace(value=first_few(unread(entry))), why


def _misspelt(configuration: Configuration) -> Iterator[tuple[Entry, str]]:
    """Yield the parameters that Postfix does not know, and that resemble one which decides."""
    main, services = configuration.main.entries.values(), configuration.services
    options = [(name, each) for name, own in services.items() for each in own.options.values()]
    own_names = mentioned(chain(main, (entry for _, entry in options)))
    for owner, entry in chain((("", entry) for entry in main), options):
        if entry.name not in own_names and not entry.name.startswith(_OF_OTHERS):
            why = meant(entry.name, services)
            if why:
                # Nobody knows what the value is: it may be a password.
                yield (entry.of(owner) if owner else entry)._replace(value=""), why


def report_the_rest(draft: Draft, configuration: Configuration, paths: list[Path]) -> None:
    """Report each parameter that is not in the scenario, and why."""
    sending = set(chain.from_iterable(path.transports for path in paths))
    clients = [configuration.client(name)[0] for name in sorted(sending)]
    left_out = {
        settings.first(name): why
        for name, why in WARNED.items()
        for settings in (clients if reader_of(name) == CLIENT else [configuration.main])
    }
    for entry, why in left_out.items():
        if entry.where and entry.value not in ("", "no"):
            draft.warn(entry, why)
    known = {(entry.name, entry.where) for entry in draft.used}
    known |= {(finding.setting, finding.where) for finding in draft.findings}
    for entry in configuration.main.entries.values():
        if (entry.name, entry.where) not in known:
            _report(draft, configuration, entry, sending)
    for name, service in configuration.services.items():
        own = name in sending or service.program != CLIENT
        for entry in service.options.values() if own else ():
            reads = reader_of(entry.name) in (service.program, "")
            own_entry = entry.of(name)
            told = known & {(each.name, each.where) for each in (entry, own_entry)}
            if reads and not told:
                _report(draft, configuration, own_entry, sending)
    for pattern in configuration.routes:
        if any(expression_has(pattern, path.domain) is None for path in paths):
            draft.warn(Entry("transport map", pattern), "whose mail it is for cannot be read here")
    _addresses(draft, configuration, paths)


def _report(draft: Draft, configuration: Configuration, entry: Entry, sending: set[str]) -> None:
    name = entry.name.rpartition(" ")[2]
    if name == "relayhost":
        draft.overruled(entry, REPLACED)
    elif name.endswith("_tls_policy_maps") or (name in OF_THE_ROUTER and name not in UNUSED):
        draft.decided(entry, "providers", DECIDES)
    elif name in configuration.main.references:
        draft.decided(entry, "providers", "is a part of another parameter's value")
    elif name.endswith(OF_A_TRANSPORT):
        ending = next(each for each in OF_A_TRANSPORT if name.endswith(each))
        owner = name.removesuffix(ending)
        replaced = owner in {"default", *sending, *configuration.services}
        other = f"no recipient in the audience uses transport {owner}"
        why = ONE_RECIPIENT if name.endswith("_recipient_limit") else ""
        draft.overruled(entry, why or (REPLACED if replaced else other))
    elif name in DEFAULTS:
        draft.overruled(entry, reason_unused(name, UNUSED, REPLACED))
    else:
        draft.unused(entry, reason_unused(name, UNUSED, _otherwise(name)))


def _otherwise(name: str) -> str:
    """Return why a parameter without a reason of its own is not used."""
    if name.endswith(_SOUNDS_LIKE_A_LIMIT) and not name.startswith(_OF_OTHERS):
        return "not understood: nothing of it is in the scenario"
    return DECIDES_NOTHING


def _addresses(draft: Draft, configuration: Configuration, paths: list[Path]) -> None:
    """Warn of clients with addresses of their own, by which no mail of the scenario goes."""
    sending = set(chain.from_iterable(path.transports for path in paths))
    others = {
        name: entry
        for name, service in configuration.services.items()
        if name not in sending
        for entry in service.options.values()
        if entry.name.endswith("_bind_address")
    }
    if len({entry.value for entry in others.values()}) > 1:
        draft.warn(
            next(iter(others.values()))._replace(value=""),
            f"transports {first_few(others)} leave from addresses of their own, and no mail of the "
            f"scenario goes by them; name them in --audience, or set --ips",
        )
