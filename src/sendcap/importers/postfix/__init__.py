"""Scenarios from Postfix's configuration."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sendcap.importers.draft import Draft
from sendcap.importers.imported import Imported
from sendcap.importers.plan import Plan
from sendcap.importers.postfix.configuration import Configuration
from sendcap.importers.postfix.limits import Limits
from sendcap.importers.postfix.master import Service, services_of
from sendcap.importers.postfix.report import report_the_rest, warn_of_slips
from sendcap.importers.postfix.routing import Route, routes_of
from sendcap.importers.postfix.settings import seconds, settings_of
from sendcap.importers.postfix.shared import put_shared
from sendcap.importers.reading import Entry, in_lowest_terms, read_configuration, whole
from sendcap.scenario.durations import format_duration

_BACKOFF: Final = {
    "minimal_backoff_time": "s",
    "maximal_backoff_time": "s",
    "queue_run_delay": "s",
    "maximal_queue_lifetime": "d",
}
_BY_SENDER: Final = "sender_dependent_default_transport_maps"
_INSTANCE: Final = "the limits are those of all source addresses together"


def import_postfix(
    main_cf: str | Path,
    audience: str | Path | Mapping[str, float] | None = None,
    *,
    master_cf: str | Path | None = None,
    transport: str | Path | None = None,
    messages: int | None = None,
    base: str | Path = "quickstart",
    ips: int | None = None,
    other_domains: int | None = None,
) -> Imported:
    """Make a scenario from Postfix's configuration.

    Parameters
    ----------
    main_cf
        ``main.cf``, or the output of ``postconf -n``.
    audience
        As for `sendcap.import_kumomta`; a name may also be that of a transport.
    master_cf
        ``master.cf``: numbers of processes, and options of single programs.
    transport
        Transport map as text: the transport of each domain.
    messages, base, other_domains
        As for `sendcap.import_kumomta`.
    ips
        Number of such Postfix instances; by default one.

    Raises
    ------
    SendcapError
        If a file, the base or the audience cannot be read, or the scenario is not valid.

    References
    ----------
    Postfix, ``src/global/mail_params.h``, ``src/qmgr``, and ``postconf(5)``.
    """
    plan = Plan(audience, messages, base, ips, other_domains)
    settings = settings_of(read_configuration(main_cf, "Postfix configuration"))
    services, routes = dict[str, Service](), dict[str, Route]()
    if master_cf is not None:
        services = services_of(read_configuration(master_cf, "Postfix master.cf"))
    if transport is not None:
        routes = routes_of(read_configuration(transport, "Postfix transport map"))
    draft = Draft(plan)
    _fill(draft, Configuration(settings, services, routes))
    files = [str(file) for file in (main_cf, master_cf, transport) if file is not None]
    return draft.finished("Postfix", files)


def _fill(draft: Draft, configuration: Configuration) -> None:
    warn_of_slips(draft, configuration)
    groups = draft.groups(configuration.group_of)
    paths = [configuration.path_of(group) for group in groups]
    addresses = max(len(path.transports) for path in paths)
    _source_addresses(draft, configuration, addresses)
    _retry(draft, configuration)
    why = "a 4xx reply does not slow down a queue"
    draft.put(("mta", "suspend"), "none", Entry("suspend"), why)
    active = configuration.manager.first("qmgr_message_active_limit")
    why = "so many messages are tried at a time: a slow provider can hold up the others"
    draft.put(("mta", "active"), max(active.read(whole), 1), active, why)
    limits = Limits(draft, configuration, paths, addresses, draft.plan.ips or 1)
    for path in paths:
        limits.put(path)
    put_shared(limits)
    report_the_rest(draft, configuration, paths)


def _source_addresses(draft: Draft, configuration: Configuration, addresses: int) -> None:
    """Put the number of addresses: of the instances, and of the transports chosen at random."""
    if addresses == 1:
        draft.source_addresses(_INSTANCE, Entry("Postfix instances", 1))
        return
    name = "transport_maps" if configuration.routing.every else _BY_SENDER
    entry = configuration.router.first(name)
    turns = Counter(each.transport for each in configuration.routing.usual)
    instances, weights = draft.plan.ips or 1, in_lowest_terms(list(turns.values()))
    why = f"{addresses} transports, one of them at random for each message"
    draft.without_addresses_of_its_own()
    if len(set(weights)) == 1:
        draft.put(("mta", "ips"), addresses * instances, entry, why)
    else:
        parts = ", ".join(f"{name} {count}" for name, count in turns.items())
        pool = {"ips": addresses * instances, "weights": weights * instances}
        why = f"{why}, as often as it is named: {parts}"
        draft.put(("mta", "pools", "transports"), pool, entry, why)
    why = "each transport has queues of its own"
    draft.put(("mta", "queues"), "per-ip", entry, why)


def _retry(draft: Draft, configuration: Configuration) -> None:
    settings = configuration.manager
    draft.data["mta"]["retry"] = {"policy": "postfix"}
    longest_s = 0.0
    for name, unit in _BACKOFF.items():
        entry = settings.first(name)
        value_s, why = entry.read(seconds(unit)), ""
        if value_s == 0.0 and name == "maximal_queue_lifetime":
            value_s, why = 0.001, "one attempt, then a bounce"
        draft.put(("mta", "retry", name), format_duration(value_s), entry, why)
        longest_s += value_s if name != "minimal_backoff_time" else 0.0
    why = "a message bounces at the first failure after it, up to a backoff and a scan later"
    draft.lifetime(longest_s, settings.first("maximal_queue_lifetime"), why)
