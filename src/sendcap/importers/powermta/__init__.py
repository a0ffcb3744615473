"""Scenarios from PowerMTA's configuration."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePath
from typing import Final

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.draft import Draft
from sendcap.importers.imported import Imported
from sendcap.importers.plan import Group, Plan, mail_exchangers
from sendcap.importers.powermta.backoff import Pattern, Reactions, patterns_of
from sendcap.importers.powermta.leftovers import Leftovers
from sendcap.importers.powermta.limits import QueueLimits, entry_of
from sendcap.importers.powermta.queues import Directives, Queues, overruled, replaced
from sendcap.importers.powermta.settings import OF_QUEUES
from sendcap.importers.powermta.several import ADDED, Several, together
from sendcap.importers.powermta.syntax import Configuration, intervals, lifetime, seconds
from sendcap.importers.powermta.totals import put_totals
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import format_duration
from sendcap.scenario.section import Place
from sendcap.text.quantities import listed
from sendcap.text.quoting import did_you_mean, shown

_LEAST_S: Final = 1.0
"""Shortest interval of the model."""
_RETRY: Final = ("retry-after", "retry-recipients-after", "bounce-after")


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
    contents = Configuration(configuration)
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
    longest_s: float = 0.0  # lifetime of a message
    longest: Entry = field(default_factory=lambda: Entry("bounce-after"))

    @cached_property
    def patterns(self) -> dict[str, list[Pattern]]:
        return patterns_of(self.contents.top)

    @cached_property
    def leftovers(self) -> Leftovers:
        return Leftovers(self.draft, self.queues)

    def run(self) -> None:
        draft = self.draft
        draft.data["mta"].pop("suspend", None)
        for entry, problem in self.contents.missing:
            draft.warn(entry, f"is left out: {problem}")
        groups = draft.groups(self._group_of)
        self._addresses()
        usual = self.queues.directives("*")
        self._retry(("mta", "retry"), usual)
        for group in groups:
            self._provider(group, usual)
        draft.lifetime(self.longest_s, self.longest)
        top, queues = self.contents.top, self.queues
        reported = put_totals(draft, top, queues.virtual_mtas, queues.pools)
        self.leftovers.reported |= set(reported)
        for group in groups:
            for entry, other in replaced(queues.scopes, self._queue_of(group)):
                where = PurePath(other.where).name
                self.leftovers.overruled(entry, f"{other.name} of {where} replaces it")
        self.leftovers.rest(top)

    def _addresses(self) -> None:
        number = max(1, len(self.queues.virtual_mtas))
        why = "limits are those of each queue of a virtual MTA"
        entry = Entry("virtual MTAs", number, self.contents.top.where)
        self.draft.source_addresses(why, entry)
        addresses = self.queues.addresses
        if addresses.ranges:
            why = "is a range: how many addresses the machine has in it, is not known; 1 is assumed"
            self.draft.warn(addresses.entries[0], why)

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

    def _retry(self, place: Place, directives: Directives) -> None:
        after, least = entry_of(directives, _RETRY[0]), entry_of(directives, _RETRY[1])
        written_s, least_s = after.read(intervals), least.read(seconds)
        delays_s = tuple(max(delay_s, least_s, _LEAST_S) for delay_s in written_s)
        delays = [format_duration(delay_s) for delay_s in delays_s]
        why = "for messages; PowerMTA walks the list for a queue"
        if delays_s != written_s:
            why += f"; none is below retry-recipients-after {least.value}"
            self.draft.used.add(least)
        value = delays if len(delays) > 1 else delays[0]
        bounce = entry_of(directives, "bounce-after")
        lifetime_s = bounce.read(lifetime)
        self.draft.put_table(
            place,
            {"policy": "powermta"},
            [
                ("retry_after", value, after, why),
                ("bounce_after", format_duration(lifetime_s), bounce, ""),
            ],
        )
        if lifetime_s > self.longest_s:
            self.longest_s, self.longest = lifetime_s, bounce

    def _provider(self, group: Group, usual: Directives) -> None:
        queue = self._queue_of(group)
        directives = self.queues.directives(queue)
        count = group.count(self.queues.of)
        self.draft.provider(group, (*known.names_of(group.heaviest), *known.names_of(queue)))
        limits = QueueLimits(directives, self.queues.addresses, count)
        several = self._put_limits(group, queue, limits, count)
        if [entry_of(directives, name) for name in _RETRY] != [
            entry_of(usual, name) for name in _RETRY
        ]:
            self._retry(("providers", group.name, "retry"), directives)
        attempt_s = self.draft.attempt_s(group, limits.messages)
        reactions = Reactions(
            directives, self.patterns, limits, self.queues.addresses, attempt_s, count
        )
        if reactions.rules:
            rules = [(rule.suspend, rule.entry, rule.why) for rule in reactions.rules]
            self.draft.limits(group, "suspend", rules)
            self.draft.used |= {entry for rule in reactions.rules for entry in rule.behind}
            self.draft.used.add(directives["smtp-pattern-list"])
        self._warn(group, queue, several.remarks)
        for entry, why in (*limits.not_used, *reactions.not_used):
            self.draft.overruled(entry.of(group.name), why)
            self.leftovers.reported.add(entry)
        for entry in directives.values():
            self.leftovers.unused(entry)

    def _put_limits(self, group: Group, queue: str, limits: QueueLimits, count: int) -> Several:
        """Put the limits of a queue into the scenario, those of all virtual MTAs together."""
        of_each = {
            name: QueueLimits(directives, addresses, count)
            for name, directives, addresses in self.queues.at_each(queue)
        }
        several = together(of_each or {"": limits})
        for key, each in several.by_key.items():
            if each:
                self.draft.limits(group, key, [(one.value, one.entry, one.why) for one in each])
                self.draft.used |= {entry for one in each for entry in one.behind}
        most = several.connections
        if most is not None:
            value = {"connections": most.value * self.draft.addresses // len(of_each)}
            name = f"{group.name}, all virtual MTAs"
            self.draft.shared_limit(name, value, most.entry, most.why, providers=[group.name])
        return several

    def _warn(self, group: Group, queue: str, remarks: Sequence[str]) -> None:
        differing = self.queues.differing(queue, [name for name in OF_QUEUES if name not in ADDED])
        if differing:
            names = listed(list(dict.fromkeys(chain.from_iterable(differing.values()))))
            first, others = self.queues.virtual_mtas[0].argument, list(differing)
            more = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
            are = "are those" if " and " in names else "is that"
            remarks = [
                *remarks,
                f"virtual MTAs differ here: {names} {are} of {first}, not of {more}",
            ]
        if remarks:
            why = "; ".join([*remarks, "choose with --source"])
            self.draft.warn(Entry(group.name), why)
        for entry in overruled(self.queues.scopes, queue, OF_QUEUES):
            why = "replaced by a virtual MTA's own domain entry, though that is more general"
            self.draft.warn(entry.of(group.name), why)
