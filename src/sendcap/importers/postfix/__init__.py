"""Scenarios from Postfix's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sendcap import mailbox_providers as known
from sendcap.importers.draft import Draft
from sendcap.importers.imported import Imported, reason_unused
from sendcap.importers.plan import Group, Plan
from sendcap.importers.postfix.settings import (
    DEFAULTS,
    Route,
    Service,
    Settings,
    route,
    routes_of,
    seconds,
    services_of,
    settings_of,
)
from sendcap.importers.reading import Entry, read_configuration, whole, yes
from sendcap.scenario.durations import format_duration

_BACKOFF: Final = {
    "minimal_backoff_time": "s",
    "maximal_backoff_time": "s",
    "queue_run_delay": "s",
    "maximal_queue_lifetime": "d",
}
_INSTANCE: Final = "the limits are those of all source addresses together"
_REPLACED: Final = "another parameter replaces it"
_UNUSED: Final = {
    "concurrency_feedback": "the model opens connections at once, up to the limit",
    "initial_destination_concurrency": "the model opens connections at once, up to the limit",
    "failed_cohort_limit": "the model's queue continues when a host is unreachable",
    "recipient_limit": "each message has one recipient",
    "bounce_queue_lifetime": "for mail without a sender only",
    "delay_warning_time": "the model sends no mail about delays",
    "smtpd": "about incoming mail",
    "smtp_connection_reuse_time_limit": "connections of the model have a count, no age",
    "qmgr": "the model's queue manager has room for any number of messages",
}


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
        ``master.cf``: numbers of processes, and options of single transports.
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
    _Import(draft, settings, services, routes).run()
    files = [str(file) for file in (main_cf, master_cf, transport) if file is not None]
    return draft.finished("Postfix", files)


@dataclass
class _Import:
    draft: Draft
    settings: Settings
    services: dict[str, Service]
    routes: dict[str, Route]
    shared: dict[str, int] = field(default_factory=dict)  # connections of each transport

    def run(self) -> None:
        draft = self.draft
        for entry in self.settings.replaced:
            draft.warn(entry._replace(value=""), "set again later, and that value counts")
        relayhost = self.settings.first("relayhost")
        if relayhost.value:
            why = "all mail goes to this host, so its limits apply to all providers together"
            draft.warn(relayhost, why)
        groups = draft.groups(self._group_of)
        draft.source_addresses(_INSTANCE, Entry("Postfix instances", 1))
        self._retry()
        why = "a 4xx reply does not slow down a queue"
        draft.put(("mta", "suspend"), "none", Entry("suspend"), why)
        for group in groups:
            self._provider(group)
        self._warn_of_processes()
        self._report_the_rest()

    @property
    def _default_transport(self) -> str:
        return str(self.settings.first("default_transport").value).partition(":")[0]

    def _group_of(self, domain: str) -> str:
        own = route(self.routes, domain)
        if own is not None and own.transport and own.transport != self._default_transport:
            return own.transport
        return next(iter(known.names_of(domain)), known.OTHER)

    def _transport_of(self, group: Group) -> str:
        own = route(self.routes, _domain_of(group))
        if own is not None and own.transport:
            return own.transport
        named = any(name.startswith(f"{group.name}_") for name in self.settings.entries)
        is_transport = group.name in self.services or named
        return group.name if is_transport else self._default_transport

    def _destination_of(self, domain: str) -> str:
        own = route(self.routes, domain)
        return own.nexthop if own is not None and own.nexthop else domain

    def _settings_of(self, transport: str) -> Settings:
        service = self.services.get(transport)
        return self.settings if service is None else self.settings.with_options(service.options)

    def _retry(self) -> None:
        self.draft.data["mta"]["retry"] = {"policy": "postfix"}
        longest_s = 0.0
        for name, unit in _BACKOFF.items():
            entry = self.settings.first(name)
            value_s, why = entry.read(seconds(unit)), ""
            if value_s == 0.0 and name == "maximal_queue_lifetime":
                value_s, why = 0.001, "one attempt, then a bounce"
            self.draft.put(("mta", "retry", name), format_duration(value_s), entry, why)
            longest_s += value_s if name != "minimal_backoff_time" else 0.0
        why = "a message bounces at the first failure after it, up to a backoff and a scan later"
        self.draft.lifetime(longest_s, self.settings.first("maximal_queue_lifetime"), why)

    def _provider(self, group: Group) -> None:
        transport = self._transport_of(group)
        settings = self._settings_of(transport)

        def first(ending: str) -> Entry:
            return settings.first(f"{transport}_{ending}", f"default_{ending}")

        limit = first("destination_concurrency_limit")
        delays = [first("destination_rate_delay"), first("transport_rate_delay")]
        delay = max(delays, key=lambda entry: entry.read(seconds()))
        limit.read(whole)
        delay_s = delay.read(seconds())
        self.draft.provider(group, known.names_of(group.heaviest))
        queues = group.count(self._destination_of)
        if delay_s > 0.0:
            self._pause(group, delay, delay_s, queues)
        else:
            self._connections(group, transport, settings, limit, queues)
        self._reuse(group, settings)
        recipients = first("destination_recipient_limit")
        if recipients.read(whole) == 1 and recipients.where:
            why = (
                f"with 1, the limits of transport {transport} apply to each recipient instead of "
                f"each domain: Postfix sends the provider more than the limit"
            )
            self.draft.warn(recipients, why)
            self.draft.used.add(recipients)

    def _pause(self, group: Group, delay: Entry, delay_s: float, queues: int) -> None:
        why = "one delivery at a time, then the pause"
        if queues > 1:
            why += f"; for each of {queues} destinations, here for all of them"
        self.draft.limit(group, "connections_per_ip", 1, delay, why)
        pause = {"kind": "gap", "pause": format_duration(delay_s)}
        self.draft.limit(group, "rate", pause, delay, why)

    def _connections(
        self, group: Group, transport: str, settings: Settings, limit: Entry, queues: int
    ) -> None:
        processes, most = self._processes(transport, settings)
        each = limit.read(whole)
        count = each * queues
        # Zero is no limit.
        if each == 0 or count > most > 0:
            count = max(most, 1)
            why = f"as many as transport {transport} has processes"
            self.draft.limit(group, "connections_per_ip", count, processes, why)
            self.draft.used.add(limit)
            self.draft.overruled(limit, f"{processes.name} = {most} is lower")
        else:
            why = f"{each} for each of {queues} domains" if queues > 1 else ""
            self.draft.limit(group, "connections_per_ip", count, limit, why)
        self.shared[transport] = self.shared.get(transport, 0) + count

    def _processes(self, transport: str, settings: Settings) -> tuple[Entry, int]:
        """Return the entry for the number of a transport's processes, and the number."""
        service = self.services.get(transport)
        if service is not None and service.processes is not None:
            entry = Entry(f"{transport} maxproc", str(service.processes), service.where)
            return entry, service.processes
        entry = settings.first("default_process_limit")
        return entry, entry.read(whole)

    def _reuse(self, group: Group, settings: Settings) -> None:
        on_demand = settings.first("smtp_connection_cache_on_demand")
        always = settings.first("smtp_connection_cache_destinations")
        if not on_demand.read(yes) and not _is_listed(group, always.value):
            self.draft.limit(
                group, "messages_per_connection", 1, on_demand, "no connection is reused"
            )
        else:
            count = settings.first("smtp_connection_reuse_count_limit")
            self.draft.limit(
                group, "messages_per_connection", count.read(whole) or "unlimited", count
            )
        idle = settings.first("smtp_connection_cache_time_limit")
        self.draft.limit(group, "idle_timeout", format_duration(idle.read(seconds())), idle)

    def _warn_of_processes(self) -> None:
        for transport, count in self.shared.items():
            entry, most = self._processes(transport, self.settings)
            if count > most > 0:
                service = self.services.get(transport)
                where = entry.where if service is None else service.where
                why = (
                    f"transport {transport} has {most} processes for all destinations; the "
                    f"providers of the scenario have {count} connections together"
                )
                self.draft.warn(Entry("process limit", str(most), where), why)

    def _report_the_rest(self) -> None:
        used = {"relayhost", "default_transport"}
        used |= {entry.name for entry in self.draft.used if entry.where}
        transports = {"default", *self.shared, *self.services}
        for name, entry in self.settings.entries.items():
            if name in used:
                continue
            otherwise = _REPLACED if name in DEFAULTS else "does not decide how fast mail is sent"
            why = reason_unused(name, _UNUSED, otherwise)
            report = self.draft.overruled if name in DEFAULTS else self.draft.unused
            if name.endswith(("_destination_concurrency_limit", "_rate_delay")):
                report = self.draft.overruled
                owner = name.partition("_destination")[0].partition("_transport_rate")[0]
                why = f"no recipient in the audience uses transport {owner}"
                if owner in transports:
                    why = _REPLACED
            report(entry, why)


def _domain_of(group: Group) -> str:
    return group.heaviest or known.domain_of(group.name) or group.name.casefold()


def _is_listed(group: Group, destinations: str) -> bool:
    """Tell whether a list of destinations has a provider; a lookup table may have every one."""
    names = destinations.replace(",", " ").casefold().split()
    domain = _domain_of(group)
    own = {domain, f"[{domain}]", *known.mx_of(domain)}
    return not own.isdisjoint(names) or any(":" in name or "/" in name for name in names)
