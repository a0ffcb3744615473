"""Scenarios from PowerMTA's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.draft import Draft
from sendcap.importers.imported import Imported, reason_unused
from sendcap.importers.plan import Group, Plan, mail_exchangers
from sendcap.importers.powermta.backoff import Pattern, backoff_of, patterns_of
from sendcap.importers.powermta.queues import Directives, Queues, overruled
from sendcap.importers.powermta.syntax import (
    RATES,
    Configuration,
    Tag,
    configuration_of,
    intervals,
    number_or_none,
    rates_of,
    seconds,
)
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import format_duration
from sendcap.text.quoting import did_you_mean, shown

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
_LIMITS: Final = (*_DEFAULTS, *RATES, *_BACKOFF)
_OTHERWISE: Final = "does not decide how fast mail is sent"
_UNUSED: Final = {
    "queue-to": "decides which queue it is",
    "disable-mx-rollup": "decides which queue it is",
    "domain-macro": "stands for domains in other lines",
    "dkim": "signing is part of mta.ingress_rate",
    "dk-": "signing is part of mta.ingress_rate",
    "log": "about logs",
    "rcpt-per": "each message has one recipient",
    "rampup": "the model opens connections at once, up to the limit",
    "cold-virtual-mta": "the rest goes out by another virtual MTA; see the rate of kind warm-up",
    "backoff-retry-after": "retries in the model follow one policy, in backoff mode too",
    "volume": "messages in the model have no size",
    "notify": "the model sends no notices",
    "bounce-upon": "replies of the provider are shares in the model",
    "smtp-hosts": "the model has no hosts",
    "route": "the model has no hosts",
    "421": "the model has one MX",
}
_TAGS: Final = {
    "domain": "no recipient in the audience matches",
    "virtual-mta": "no mail goes out by it",
    "virtual-mta-pool": "no mail goes out by it",
    "smtp-pattern-list": "switches no queue of the audience to backoff mode",
    "source": "about incoming mail",
    "bounce-category-patterns": "names replies; their frequency is in logs only",
}


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
    """Make a scenario from PowerMTA's configuration.

    Parameters
    ----------
    configuration
        The main file; included files are read, too.
    audience, messages, base, other_domains, mx
        As for `sendcap.import_kumomta`; a name may also be that of a queue.
    ips
        Number of virtual MTAs; by default that of the configuration.
    source
        Name of a virtual MTA or a pool of them; by default all send.

    Raises
    ------
    SendcapError
        If a file, the base or the audience cannot be read, or the scenario is not valid.

    References
    ----------
    PowerMTA 5.0 User's Guide, "Configuration directives" and "MX rollup".
    """
    plan = Plan(audience, messages, base, ips, other_domains)
    contents = configuration_of(configuration)
    queues = Queues(contents.top, source, mail_exchangers(mx))
    draft = Draft(plan)
    if source is not None and source not in queues.names:
        have = ", ".join(map(shown, queues.names)) or "none"
        hint = did_you_mean(source, queues.names) or f"; it has {have}"
        raise ConfigurationError(
            f"the configuration has no virtual MTA or pool {shown(source)}{hint}"
        )
    _Import(draft, contents, queues).run()
    return draft.finished("PowerMTA", contents.files)


@dataclass
class _Import:
    draft: Draft
    contents: Configuration
    queues: Queues
    reported: set[Entry] = field(default_factory=set)  # of the entries that are not used

    @cached_property
    def patterns(self) -> dict[str, list[Pattern]]:
        return patterns_of(self.contents.top)

    def run(self) -> None:
        draft = self.draft
        draft.data["mta"].pop("suspend", None)
        for entry, problem in self.contents.missing:
            draft.warn(entry, f"is left out: {problem}")
        groups = draft.groups(self._group_of)
        number = max(1, len(self.queues.virtual_mtas))
        why = "limits are those of each queue of a virtual MTA"
        draft.source_addresses(why, Entry("virtual MTAs", number, self.contents.top.where))
        self._retry()
        for group in groups:
            self._provider(group)
        self._warn_of_the_total()
        self._report_the_rest()

    def _group_of(self, domain: str) -> str:
        queue = self.queues.of(domain)
        if queue != domain or self.queues.has(domain):
            return queue
        return next(iter(known.names_of(domain)), known.OTHER)

    def _queue_of(self, group: Group) -> str:
        if group.name == known.OTHER:
            return "*"
        if group.domains:
            return self.queues.of(group.heaviest)
        name = group.name.casefold()
        if self.queues.has(name):
            return self.queues.of(name)
        domain = known.domain_of(name) or (name if "." in name else None)
        if domain is None:
            queues = [queue for scope in self.queues.scopes for queue in scope.names]
            hint = did_you_mean(name, [*queues, *known.NAMES])
            raise ConfigurationError(
                f"audience: {shown(group.name)} is neither a queue of the configuration, nor a "
                f'domain, nor "other"{hint}'
            )
        return self.queues.of(domain)

    def _retry(self) -> None:
        directives = self.queues.directives("*")
        after = _entry(directives, "retry-after")
        least = _entry(directives, "retry-recipients-after")
        written_s, least_s = after.read(intervals), least.read(seconds)
        delays_s = tuple(max(delay_s, least_s) for delay_s in written_s)
        delays = [format_duration(delay_s) for delay_s in delays_s]
        why = "for messages; PowerMTA walks the list for a queue"
        if delays_s != written_s:
            why += f"; none is below retry-recipients-after {least.value}"
            self.draft.used.add(least)
        self.draft.data["mta"]["retry"] = {"policy": "powermta"}
        place = ("mta", "retry")
        value = delays if len(delays) > 1 else delays[0]
        self.draft.put((*place, "retry_after"), value, after, why)
        bounce = _entry(directives, "bounce-after")
        self.draft.put((*place, "bounce_after"), format_duration(bounce.read(seconds)), bounce)
        self.draft.lifetime(bounce.read(seconds), bounce)

    def _provider(self, group: Group) -> None:
        queue = self._queue_of(group)
        directives = self.queues.directives(queue)
        count = group.count(self.queues.of)
        self.draft.provider(group, (*known.names_of(group.heaviest), *known.names_of(queue)))
        connections = _entry(directives, "max-smtp-out")
        each = connections.read(number_or_none)
        if each is None:
            raise ConfigurationError(f"{connections.where}: max-smtp-out cannot be unlimited")
        why = f"{each} for each of {count} queues" if count > 1 else ""
        self.draft.limit(group, "connections_per_ip", each * count, connections, why)
        per_connection = _entry(directives, "max-msg-per-connection")
        number = per_connection.read(number_or_none)
        self.draft.limit(group, "messages_per_connection", number or "unlimited", per_connection)
        idle = _entry(directives, "connection-idle-timeout")
        self.draft.limit(group, "idle_timeout", format_duration(idle.read(seconds)), idle)
        self._rate(group, directives, number, count)
        self._backoff(group, directives, each, number, count)
        self._warn(group, queue)
        self._report_directives(group, directives)

    def _rate(self, group: Group, directives: Directives, number: int | None, count: int) -> None:
        rates = sorted(rates_of(directives, number), key=lambda each: each.rate.per_s)
        if not rates:
            return
        self.draft.used |= {each.directive for each in rates}
        lowest = rates[0]
        window = {
            "kind": "fixed-window",
            "limit": lowest.rate.limit * count,
            "window": format_duration(lowest.rate.period_s),
        }
        why = f"{lowest.rate.limit} for each of {count} queues" if count > 1 else ""
        self.draft.limit(group, "rate", window, lowest.shown, why)
        for each in rates[1:]:
            why = f"{lowest.shown.name} = {lowest.shown.value} is lower"
            self.draft.overruled(each.shown.of(group.name), why)

    def _backoff(
        self,
        group: Group,
        directives: Directives,
        connections: int,
        number: int | None,
        queues: int,
    ) -> None:
        attempt_s = self.draft.attempt_s(group, number)
        backoff = backoff_of(directives, self.patterns, connections, attempt_s, queues)
        named = directives.get("smtp-pattern-list")
        if backoff.suspend is None:
            if named is not None:
                self.draft.overruled(named.of(group.name), backoff.why)
            return
        trigger, *limits = backoff.used
        self.draft.used |= set(backoff.used)
        setting = ", ".join(entry.name for entry in limits) or "backoff mode"
        value = f"{trigger.value}: " + ", ".join(entry.value for entry in limits)
        entry = Entry(setting, value, trigger.where)
        self.draft.limit(group, "suspend", backoff.suspend, entry, backoff.why)

    def _warn(self, group: Group, queue: str) -> None:
        others = self.queues.differing(queue, _LIMITS)
        if others:
            first = self.queues.virtual_mtas[0].argument
            more = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
            why = (
                f"virtual MTAs differ here; the limits are those of {first}, not of {more}; "
                f"choose with --source"
            )
            self.draft.warn(Entry(group.name), why)
        for entry in overruled(self.queues.scopes, queue, _LIMITS):
            why = "replaced by a virtual MTA's own domain entry, though that is more general"
            self.draft.warn(entry.of(group.name), why)

    def _warn_of_the_total(self) -> None:
        directives = {entry.name: entry for entry in reversed(self.contents.top.directives)}
        total = directives.get("total-max-smtp-out")
        if total is None:
            return
        self.reported.add(total)
        most = total.read(number_or_none)
        providers = self.draft.data["providers"].values()
        ips = self.draft.data["mta"]["ips"]
        together = ips * sum(provider["connections_per_ip"] for provider in providers)
        if most is not None and together > most:
            why = f"the model has no total; the providers have {together:,} connections together"
            self.draft.warn(total, why)
        else:
            self.draft.overruled(total, "the limits of the queues are lower")

    def _report_directives(self, group: Group, directives: Directives) -> None:
        for name, entry in directives.items():
            if entry in self.draft.used | self.reported or name in _BACKOFF:
                continue
            self.reported.add(entry)
            report = self.draft.overruled if name in _LIMITS else self.draft.unused
            why = reason_unused(name, _UNUSED, _OTHERWISE)
            if name in _RETRY:
                why = f"the model has one retry policy, that of <domain *>, none for {group.name}"
            elif name in _LIMITS:
                why = "sets no limit"
            report(entry, why)

    def _report_the_rest(self) -> None:
        for entry in self.contents.top.directives:
            if entry not in self.reported:
                self.draft.unused(entry, reason_unused(entry.name, _UNUSED, _OTHERWISE))
        for tag in self.contents.top.tags:
            if not self._any_used(tag):
                # The argument of a tag that is not understood may be a password.
                named = tag.argument and tag.name in _TAGS
                title = f"<{tag.name} {tag.argument}>" if named else f"<{tag.name}>"
                why = _TAGS.get(tag.name, _OTHERWISE)
                if tag in self.queues.virtual_mtas:
                    why = "is one of the virtual MTAs; nothing in it is for the audience alone"
                self.draft.unused(Entry(title, "", tag.where), why)

    def _any_used(self, tag: Tag) -> bool:
        used = self.draft.used | self.reported | self.queues.followed
        return not used.isdisjoint(tag.directives) or any(map(self._any_used, tag.tags))


def _entry(directives: Directives, name: str) -> Entry:
    return directives.get(name) or Entry(name, _DEFAULTS[name])
