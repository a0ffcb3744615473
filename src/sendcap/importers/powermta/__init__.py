"""Scenarios from PowerMTA's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.audience import mail_exchangers
from sendcap.importers.draft import Draft
from sendcap.importers.findings import DEFAULT, USED
from sendcap.importers.imported import Imported, imported
from sendcap.importers.plan import Group, Plan
from sendcap.importers.powermta.backoff import backoff_of, patterns_of
from sendcap.importers.powermta.domains import Directives, overruled
from sendcap.importers.powermta.queues import Queues
from sendcap.importers.powermta.rates import RATES, rates_of
from sendcap.importers.powermta.syntax import (
    Configuration,
    Directive,
    Tag,
    configuration_of,
)
from sendcap.importers.powermta.unused import why_tag_unused, why_unused
from sendcap.importers.powermta.values import (
    intervals,
    number_or_none,
    seconds,
    value_of,
)
from sendcap.importers.secrets import masked
from sendcap.scenario.durations import format_duration
from sendcap.text.quoting import did_you_mean, shown

__all__ = ["import_powermta"]

_DEFAULTS: Final = {
    "max-smtp-out": "20",
    "max-msg-per-connection": "0",
    "connection-idle-timeout": "0",
    "retry-after": "10m",
    "retry-recipients-after": "10m",
    "bounce-after": "4d12h",
}
_BACKOFF: Final = (
    "smtp-pattern-list",
    "backoff-max-msg-rate",
    "backoff-max-msg-per-hour",
    "backoff-max-smtp-out",
    "backoff-to-normal-after",
    "backoff-to-normal-after-delivery",
)
_RETRY: Final = ("retry-after", "retry-recipients-after", "bounce-after")
_HELD: Final = (*_DEFAULTS, *RATES, *_BACKOFF)


def import_powermta(
    configuration: str | Path,
    audience: str | Path | Mapping[str, float] | None = None,
    *,
    messages: int | None = None,
    base: str | Path = "quickstart",
    ips: int | None = None,
    other_domains: int | None = None,
    source: str | None = None,
    mx: str | Path | Mapping[str, Iterable[str]] | None = None,
) -> Imported:
    """Make a scenario of PowerMTA's configuration.

    Parameters
    ----------
    configuration
        Its main file; the files that it includes are read, too.
    audience, messages, base, other_domains, mx
        As for `sendcap.import_kumomta`; a name may also be that of a queue.
    ips
        Number of virtual MTAs; without, as many as the configuration has.
    source
        Name of a virtual MTA or a pool of them, if mail does not go out by all.

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
    PowerMTA 5.0 User's Guide, "Configuration directives" and "MX rollup".
    """
    plan = Plan(audience, messages, base, ips, other_domains)
    found = configuration_of(configuration)
    hosts = {} if mx is None else mail_exchangers(mx)
    queues = Queues(found.top, source, hosts)
    draft = Draft(plan)
    if source is not None:
        draft.named("virtual MTA or pool", source, queues.names)
    _Import(draft, found, queues).run()
    return imported(draft, "PowerMTA", found.files)


class _Import:
    def __init__(self, draft: Draft, found: Configuration, queues: Queues) -> None:
        self._draft = draft
        self._found = found
        self._queues = queues
        self._patterns = patterns_of(found.top)
        self._used: set[Directive] = set()
        self._told: set[Directive] = set()

    def run(self) -> None:
        draft = self._draft
        draft.data["mta"].pop("suspend", None)
        for its, problem in self._found.missing:
            draft.warn(its.name, its.value, its.where, f"is left out: {problem}")
        groups = draft.groups(self._group_of)
        number = max(1, len(self._queues.virtual_mtas))
        why = "limits hold for each queue of a virtual MTA"
        draft.source_addresses(number, "virtual MTAs", self._found.top.where, why)
        self._retry()
        for group in groups:
            self._provider(group)
        self._warn_of_the_total()
        self._report_the_rest()

    def _group_of(self, domain: str) -> str:
        queue = self._queues.of(domain)
        if queue != domain or self._queues.has(domain):
            return queue
        return next(iter(known.names_of(domain)), known.OTHER)

    def _queue_of(self, group: Group) -> str:
        if group.name == known.OTHER:
            return "*"
        if group.domains:
            return self._queues.of(group.heaviest)
        name = group.name.casefold()
        if self._queues.has(name):
            return self._queues.of(name)
        domain = known.domain_of(name) or (name if "." in name else None)
        if domain is None:
            names = [its for scope in self._queues.scopes for its in scope.names]
            hint = (
                did_you_mean(name, [*names, *known.NAMES]) or '; give a domain, a queue or "other"'
            )
            raise ConfigurationError(
                f"audience: {shown(group.name)} is neither a queue of the configuration nor a "
                f"domain{hint}"
            )
        return self._queues.of(domain)

    def _count(self, group: Group) -> int:
        if group.name == known.OTHER or not group.domains:
            return group.queues
        return len({self._queues.of(domain) for domain in group.domains})

    def _retry(self) -> None:
        found = self._queues.directives("*")
        after = self._get(found, "retry-after")
        least = self._get(found, "retry-recipients-after")
        least_s = value_of(least, seconds)
        delays_s = [max(its, least_s) for its in value_of(after, intervals)]
        delays = [format_duration(its) for its in delays_s]
        why = "for messages; PowerMTA walks the list for a queue"
        if delays_s != list(value_of(after, intervals)):
            why += f"; none is below retry-recipients-after {least.value}"
            self._used.add(least)
        self._draft.data["mta"]["retry"] = {"policy": "powermta"}
        place = ("mta", "retry")
        self._put((*place, "retry_after"), delays if len(delays) > 1 else delays[0], after, why)
        bounce = self._get(found, "bounce-after")
        self._put((*place, "bounce_after"), format_duration(value_of(bounce, seconds)), bounce)

    def _provider(self, group: Group) -> None:
        queue = self._queue_of(group)
        found = self._queues.directives(queue)
        count = self._count(group)
        place = ("providers", group.name)
        self._draft.provider(group, (*known.names_of(group.heaviest), *known.names_of(queue)))
        connections = self._get(found, "max-smtp-out")
        each = value_of(connections, number_or_none)
        if each is None:
            raise ConfigurationError(f"{connections.where}: max-smtp-out: there is no unlimited")
        why = f"{each} for each of {count} queues" if count > 1 else ""
        self._put((*place, "connections_per_ip"), each * count, connections, why)
        per_connection = self._get(found, "max-msg-per-connection")
        number = value_of(per_connection, number_or_none)
        self._put((*place, "messages_per_connection"), number or "unlimited", per_connection)
        idle = self._get(found, "connection-idle-timeout")
        self._put((*place, "idle_timeout"), format_duration(value_of(idle, seconds)), idle)
        self._rate(group, found, number, count)
        self._backoff(group, found, each, number, count)
        self._warn(group, queue)
        self._report_directives(group, found)

    def _rate(self, group: Group, found: Directives, number: int | None, count: int) -> None:
        rates = sorted(rates_of(found, number), key=lambda its: its.rate.per_s)
        self._used |= {its.directive for its in rates}
        if not rates:
            return
        best = rates[0]
        window = {
            "kind": "fixed-window",
            "limit": best.rate.limit * count,
            "window": format_duration(best.rate.period_s),
        }
        why = f"{best.rate.limit} for each of {count} queues" if count > 1 else ""
        place = ("providers", group.name, "rate")
        self._draft.set(place, window, best.name, best.given, best.directive.where, why)
        for its in rates[1:]:
            why = f"{best.name} = {best.given} is lower"
            self._draft.unused(f"{group.name}: {its.name}", its.given, its.directive.where, why)

    def _backoff(
        self, group: Group, found: Directives, connections: int, number: int | None, queues: int
    ) -> None:
        attempt_s = self._draft.mean_s(group, "transaction_time")
        if number is not None:
            attempt_s += self._draft.mean_s(group, "connect_time") / number
        its = backoff_of(found, self._patterns, connections, attempt_s, queues)
        place = ("providers", group.name, "suspend")
        named = found.get("smtp-pattern-list")
        if its.suspend is None:
            if named is not None:
                self._draft.unused(f"{group.name}: {named.name}", named.value, named.where, its.why)
            return
        self._used |= set(its.used)
        setting = ", ".join(directive.name for directive in its.used[1:]) or "backoff mode"
        given = f"{its.used[0].value}: " + ", ".join(d.value for d in its.used[1:])
        self._draft.set(place, its.suspend, setting, given, its.used[0].where, its.why)

    def _get(self, found: Directives, name: str) -> Directive:
        return found.get(name) or Directive(name, _DEFAULTS[name], "")

    def _put(self, place: tuple[str | int, ...], value: Any, its: Directive, why: str = "") -> None:
        self._used.add(its)
        status = USED if its.where else DEFAULT
        self._draft.set(place, value, its.name, its.value, its.where, why, status)

    def _warn(self, group: Group, queue: str) -> None:
        others = self._queues.differing(queue, _HELD)
        if others:
            first = self._queues.virtual_mtas[0].argument
            why = (
                f"virtual MTAs differ there; these are the limits of {first}, not of "
                f"{', '.join(others[:5])}{' …' if len(others) > 5 else ''}; choose with --source"
            )
            self._draft.warn(group.name, why=why)
        for its in overruled(self._queues.scopes, queue, dict.fromkeys(_HELD)):
            why = "a virtual MTA's own domain entry holds instead, though it is more general"
            self._draft.warn(f"{group.name}: {its.name}", its.value, its.where, why)

    def _warn_of_the_total(self) -> None:
        total = next(
            (its for its in self._found.top.directives if its.name == "total-max-smtp-out"), None
        )
        if total is None:
            return
        self._told.add(total)
        most = value_of(total, number_or_none)
        providers = self._draft.data["providers"].values()
        ips = self._draft.data["mta"]["ips"]
        together = ips * sum(its["connections_per_ip"] for its in providers)
        if most is not None and together > most:
            why = (
                f"the scenario's providers have {together:,} connections together; here is no total"
            )
            self._draft.warn(total.name, total.value, total.where, why)
        else:
            self._draft.unused(total.name, total.value, total.where, "the queues' limits are lower")

    def _report_directives(self, group: Group, found: Directives) -> None:
        for name, its in found.items():
            if its in self._used | self._told or name in _BACKOFF:
                continue
            self._told.add(its)
            why = why_unused(name)
            if name in _RETRY:
                why = (
                    f"the model has one retry policy, that of <domain *>, not one for {group.name}"
                )
            elif name in _HELD:
                why = "sets no limit"
            self._draft.unused(name, masked(name, its.value), its.where, why)

    def _report_the_rest(self) -> None:
        for its in self._found.top.directives:
            if its not in self._told:
                self._draft.unused(
                    its.name, masked(its.name, its.value), its.where, why_unused(its.name)
                )
        for tag in self._found.top.tags:
            if not self._any_used(tag):
                title = f"<{tag.name} {tag.argument}>" if tag.argument else f"<{tag.name}>"
                counted = tag in self._queues.virtual_mtas
                self._draft.unused(title, "", tag.where, why_tag_unused(tag, counted=counted))

    def _any_used(self, tag: Tag) -> bool:
        held = self._used | self._told | self._queues.followed
        return not held.isdisjoint(tag.directives) or any(map(self._any_used, tag.tags))
