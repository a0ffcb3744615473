"""Scenarios from Postfix's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sendcap import mailbox_providers as known
from sendcap.importers.draft import Draft
from sendcap.importers.findings import DEFAULT, USED
from sendcap.importers.imported import Imported, imported
from sendcap.importers.plan import Group, Plan
from sendcap.importers.postfix.services import Route, Service, route, routes_of, services_of
from sendcap.importers.postfix.settings import (
    Parameter,
    Settings,
    seconds,
    value_of,
    whole,
    yes,
)
from sendcap.importers.postfix.unused import why_unused
from sendcap.importers.reading import read
from sendcap.importers.secrets import masked
from sendcap.scenario.durations import format_duration

__all__ = ["import_postfix"]

_BACKOFF: Final = {
    "minimal_backoff_time": "s",
    "maximal_backoff_time": "s",
    "queue_run_delay": "s",
    "maximal_queue_lifetime": "d",
}
_INSTANCE: Final = "its limits hold for all of its source addresses together"


class _Limits(NamedTuple):
    connections: Parameter
    most: int
    rate_delay: Parameter
    delay_s: float
    service: Service | None
    settings: Settings


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
    """Make a scenario of Postfix's configuration.

    Parameters
    ----------
    main_cf
        ``main.cf``, or what ``postconf -n`` prints.
    audience
        As for `sendcap.import_kumomta`; a name may also be that of a transport.
    master_cf
        ``master.cf``: numbers of processes, and options of single transports.
    transport
        The map of transports, as text: which domain goes by which.
    messages, base, other_domains
        As for `sendcap.import_kumomta`.
    ips
        How many such Postfix instances there are; without, one.

    Returns
    -------
    Imported
        The scenario, its file and the report.

    Raises
    ------
    SendcapError
        If a file, the base or the audience cannot be read, or the values make no scenario.

    References
    ----------
    Postfix, ``src/global/mail_params.h``, ``src/qmgr``, and ``postconf(5)``.
    """
    plan = Plan(audience, messages, base, ips, other_domains)
    settings = Settings(read(main_cf, "Postfix configuration"))
    services = {} if master_cf is None else services_of(read(master_cf, "Postfix master.cf"))
    routes = {} if transport is None else routes_of(read(transport, "Postfix transport map"))
    draft = _Import(Draft(plan), settings, services, routes).run()
    files = [str(its) for its in (main_cf, master_cf, transport) if its is not None]
    return imported(draft, "Postfix", files)


class _Import:
    def __init__(
        self,
        draft: Draft,
        settings: Settings,
        services: dict[str, Service],
        routes: dict[str, Route],
    ) -> None:
        self._draft = draft
        self._settings = settings
        self._services = services
        self._routes = routes
        self._used: set[str] = set()
        self._shared: dict[str, int] = {}

    def run(self) -> Draft:
        draft = self._draft
        for its in self._settings.replaced:
            draft.warn(its.name, its.value, its.where, "is there again later; that one holds")
        self._warn_of_a_relayhost()
        groups = draft.groups(self._group_of)
        draft.source_addresses(1, "Postfix instances", "", _INSTANCE)
        self._retry()
        draft.default(("mta", "suspend"), "none", "suspend", "a 4xx reply slows no queue down")
        for group in groups:
            self._provider(group)
        self._warn_of_processes()
        self._report_the_rest()
        return draft

    def _warn_of_a_relayhost(self) -> None:
        its = self._settings.first("relayhost")
        if its.value:
            why = (
                "all mail goes to this host: the limits towards it hold for all providers together"
            )
            self._draft.warn(its.name, its.value, its.where, why)

    @property
    def _default_transport(self) -> str:
        return self._settings.first("default_transport").value.partition(":")[0]

    def _group_of(self, domain: str) -> str:
        its = route(self._routes, domain)
        if its is not None and its.transport and its.transport != self._default_transport:
            return its.transport
        return next(iter(known.names_of(domain)), known.OTHER)

    def _transport_of(self, group: Group) -> str:
        domain = group.heaviest or known.domain_of(group.name) or group.name.casefold()
        its = route(self._routes, domain)
        if its is not None and its.transport:
            return its.transport
        named = any(name.startswith(f"{group.name}_") for name in self._settings.given)
        is_transport = group.name in self._services or named
        return group.name if is_transport else self._default_transport

    def _queues(self, group: Group) -> int:
        """Return how many destinations, each with limits of its own, a provider has."""
        if group.name == known.OTHER or not group.domains:
            return group.queues
        found = [(route(self._routes, domain), domain) for domain in group.domains]
        return len({its.nexthop if its and its.nexthop else domain for its, domain in found})

    def _limits(self, transport: str) -> _Limits:
        service = self._services.get(transport)
        settings = self._settings
        if service is not None:
            settings = settings.with_options(service.options)
        names = (
            f"{transport}_destination_concurrency_limit",
            "default_destination_concurrency_limit",
        )
        connections = settings.first(*names)
        delays = [
            settings.first(f"{transport}_destination_rate_delay", "default_destination_rate_delay"),
            settings.first(f"{transport}_transport_rate_delay", "default_transport_rate_delay"),
        ]
        rate_delay = max(delays, key=lambda its: value_of(its, seconds()))
        count = value_of(connections, whole)
        delay_s = value_of(rate_delay, seconds())
        return _Limits(connections, count, rate_delay, delay_s, service, settings)

    def _retry(self) -> None:
        self._draft.data["mta"]["retry"] = {"policy": "postfix"}
        for name, unit in _BACKOFF.items():
            its = self._settings.first(name)
            value_s = value_of(its, seconds(unit))
            why = ""
            if value_s == 0.0 and name == "maximal_queue_lifetime":
                value_s, why = 0.001, "one attempt, then it bounces"
            self._put(("mta", "retry", name), format_duration(value_s), its, why)

    def _provider(self, group: Group) -> None:
        transport = self._transport_of(group)
        its = self._limits(transport)
        place = ("providers", group.name)
        self._draft.provider(group, known.names_of(group.heaviest))
        queues = self._queues(group)
        if its.delay_s > 0.0:
            why = "one delivery at a time, then the pause"
            if queues > 1:
                why += f"; that is for each of {queues} destinations, here for all of them"
            self._put((*place, "connections_per_ip"), 1, its.rate_delay, why)
            pause = {"kind": "gap", "pause": format_duration(its.delay_s)}
            self._put((*place, "rate"), pause, its.rate_delay, why)
        else:
            self._connections(group, transport, its, queues)
        self._reuse(group, its)
        self._warn_of_single_recipients(transport, its.settings)

    def _connections(self, group: Group, transport: str, its: _Limits, queues: int) -> None:
        place = ("providers", group.name, "connections_per_ip")
        processes = its.settings.first("default_process_limit")
        most = value_of(processes, whole)
        if its.service is not None and its.service.processes is not None:
            most = its.service.processes
            processes = Parameter(f"{transport} maxproc", str(most), its.service.where)
        wanted = its.most * queues
        # Zero is no limit.
        if its.most == 0 or wanted > most > 0:
            why = f"as many processes as transport {transport} has"
            self._put(place, max(most, 1), processes, why)
            self._used.add(its.connections.name)
            self._draft.unused(
                its.connections.name, its.connections.value, its.connections.where,
                f"{processes.name} = {most} is lower",
            )  # fmt: skip
        else:
            why = f"{its.most} for each of {queues} domains" if queues > 1 else ""
            self._put(place, wanted, its.connections, why)
        count: int = self._draft.data["providers"][group.name]["connections_per_ip"]
        self._shared[transport] = self._shared.get(transport, 0) + count

    def _reuse(self, group: Group, its: _Limits) -> None:
        place = ("providers", group.name)
        on_demand = its.settings.first("smtp_connection_cache_on_demand")
        always = its.settings.first("smtp_connection_cache_destinations")
        count = its.settings.first("smtp_connection_reuse_count_limit")
        if not value_of(on_demand, yes) and not self._is_listed(group, always.value):
            self._put((*place, "messages_per_connection"), 1, on_demand, "no connection is kept")
        else:
            number = value_of(count, whole)
            self._put((*place, "messages_per_connection"), number or "unlimited", count)
        idle = its.settings.first("smtp_connection_cache_time_limit")
        self._put((*place, "idle_timeout"), format_duration(value_of(idle, seconds())), idle)

    def _is_listed(self, group: Group, destinations: str) -> bool:
        """Tell whether a list of destinations has a provider's; of a table nobody knows it."""
        names = destinations.replace(",", " ").casefold().split()
        domain = group.heaviest or known.domain_of(group.name) or group.name.casefold()
        own = {domain, f"[{domain}]", *known.mx_of(domain)}
        return not own.isdisjoint(names) or any(":" in its or "/" in its for its in names)

    def _put(
        self, place: tuple[str | int, ...], value: object, its: Parameter, why: str = ""
    ) -> None:
        self._used.add(its.name)
        status = USED if its.where else DEFAULT
        self._draft.set(place, value, its.name, its.value, its.where, why, status)

    def _warn_of_single_recipients(self, transport: str, settings: Settings) -> None:
        names = (f"{transport}_destination_recipient_limit", "default_destination_recipient_limit")
        its = settings.first(*names)
        if value_of(its, whole) == 1 and its.where:
            why = (
                f"with 1, Postfix's limits of transport {transport} hold for each recipient and "
                f"not for each domain: the provider is sent more than its limit"
            )
            self._draft.warn(its.name, its.value, its.where, why)
            self._used.add(its.name)

    def _warn_of_processes(self) -> None:
        for transport, count in self._shared.items():
            service = self._services.get(transport)
            its = self._settings.first("default_process_limit")
            most = value_of(its, whole)
            if service is not None and service.processes is not None:
                most = service.processes
            if count > most > 0:
                where = service.where if service is not None else its.where
                why = (
                    f"transport {transport} has {most} processes for all its destinations; the "
                    f"scenario lets its providers have {count} connections together"
                )
                self._draft.warn("process limit", str(most), where, why)

    def _report_the_rest(self) -> None:
        transports = {*self._shared, *self._services}
        for name, its in self._settings.given.items():
            if name in self._used or name in ("relayhost", "default_transport"):
                continue
            why = why_unused(name)
            if name.endswith(("_destination_concurrency_limit", "_rate_delay")):
                owner = name.partition("_destination")[0].partition("_transport_rate")[0]
                why = f"nobody of the audience goes by transport {owner}"
                if owner == "default" or owner in transports:
                    why = "another parameter holds"
            self._draft.unused(name, masked(name, its.value), its.where, why)
