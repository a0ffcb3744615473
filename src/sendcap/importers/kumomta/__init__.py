"""Scenarios from KumoMTA's traffic shaping files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.draft import Draft
from sendcap.importers.imported import Imported
from sendcap.importers.kumomta.automation import (
    Candidate,
    Carrier,
    candidate_of,
    chosen,
)
from sendcap.importers.kumomta.blocks import Shaping, shaping_of
from sendcap.importers.kumomta.limits import LIMITS, NamedLimits, PathLimits
from sendcap.importers.kumomta.paths import EgressPath, Paths
from sendcap.importers.kumomta.pools import Sending, pools_of
from sendcap.importers.kumomta.queues import Queues, queues_of
from sendcap.importers.kumomta.scheduled import Scheduled
from sendcap.importers.kumomta.settings import MISPLACED, NOT_KNOWN, PATH
from sendcap.importers.kumomta.slips import slips
from sendcap.importers.plan import Group, Plan, mail_exchangers
from sendcap.importers.reading import Entry
from sendcap.importers.table import tell_unused
from sendcap.text.quoting import did_you_mean, shown
from sendcap.text.shares import rounded_share


def import_kumomta(
    paths: str | Path | Sequence[str | Path],
    audience: str | Path | Mapping[str, float] | None = None,
    *,
    messages: int | None = None,
    base: str | Path = "quickstart",
    ips: int | None = None,
    other_domains: int | None = None,
    source: str | None = None,
    mx: str | Path | Mapping[str, Iterable[str]] | None = None,
    queue: str | Path | Sequence[str | Path] = (),
    pools: str | Path | Sequence[str | Path] = (),
) -> Imported:
    """Make a scenario from KumoMTA's traffic shaping files.

    Parameters
    ----------
    paths
        Shaping files, TOML or JSON, merged in this order.
    audience
        Shares such as ``"gmail=0.6,yahoo=0.3,other=0.1"``, or the same as a mapping; names are
        those of provider blocks, domains and well-known providers, and ``other`` for the default
        block. Or a CSV file of domains and counts (default: the base's audience).
    messages
        Number of messages (default: the sum of counts, or the base's number).
    base
        Scenario file or preset for everything that shaping files lack.
    ips
        Number of egress sources (default: those of the pools, or the base's).
    other_domains
        Number of domains whose limits ``other`` has together.
    source
        Egress source whose own settings apply.
    mx
        MX hosts of domains: a CSV file of domain and host, or a mapping.
    queue
        Files of the queue helper, with retries and rates, merged in this order.
    pools
        Files of the sources helper, with egress pools, merged in this order.

    Raises
    ------
    SendcapError
        If a file, the base or the audience cannot be read, or the scenario is not valid.

    References
    ----------
    KumoMTA, ``crates/kumo-api-types/src/shaping.rs``, and "Traffic shaping" in its user guide.
    """
    files, queue_files, pool_files = _each(paths), _each(queue), _each(pools)
    if not files:
        raise ConfigurationError("no shaping file; give one or more")
    shaping = shaping_of(files)
    egress = Paths(shaping, mail_exchangers(mx), source)
    draft = Draft(Plan(audience, messages, base, ips, other_domains))
    queues = queues_of(queue_files)
    sending = Sending(draft, pools_of(pool_files), queues)
    _Import(draft, shaping, egress, source, queues, sending).run()
    return draft.finished("KumoMTA", [str(file) for file in (*files, *queue_files, *pool_files)])


def _each(paths: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)


@dataclass
class _Import:
    draft: Draft
    shaping: Shaping
    paths: Paths
    source: str | None
    queues: Queues
    sending: Sending
    used: set[str] = field(default_factory=set)  # titles of blocks

    def run(self) -> None:
        draft = self.draft
        draft.findings += slips(self.shaping, self.paths)
        groups = draft.groups(self._group_of)
        self.sending.put()
        draft.data["mta"].pop("suspend", None)
        paths = [self._path_of(group) for group in groups]
        limits = [
            PathLimits(path.settings, group.count(self.paths.site))
            for group, path in zip(groups, paths, strict=True)
        ]
        named = NamedLimits({group.name: each for group, each in zip(groups, limits, strict=True)})
        for group, path, each in zip(groups, paths, limits, strict=True):
            self._provider(group, path, each, named)
            self._warn_of_unknown_hosts(group)
        named.put(draft)
        used = self.sending.said.values()
        Scheduled(draft, self.queues, self._domains_of, used).run(groups)
        self._report_source()
        self._report_blocks()

    def _group_of(self, domain: str) -> str:
        providers = self.paths.providers_of(domain)
        if providers:
            return providers[-1].name
        block = self.paths.block_of(domain)
        return known.OTHER if block is None else block.name

    def _path_of(self, group: Group) -> EgressPath:
        if group.name == known.OTHER:
            return self.paths.default()
        if group.domains:
            return self.paths.of_domain(group.heaviest)
        provider = self.shaping.providers.get(group.name)
        if provider is not None and provider.matches:
            return self.paths.of_provider(provider)
        domain = known.domain_of(group.name)
        if domain is None and "." in group.name:
            domain = group.name.casefold()
        if domain is None:
            names = [name for name, each in self.shaping.providers.items() if each.matches]
            hint = did_you_mean(group.name, [*names, *known.NAMES])
            hint = hint or f"; it has {', '.join(names) or 'none'}"
            raise ConfigurationError(
                f"audience: {shown(group.name)} is neither a provider of the configuration, nor a "
                f'domain, nor "other"{hint}'
            )
        if not self.paths.hosts(domain) and self.paths.block_of(domain) is None:
            why = "no provider matches, because the MX hosts are unknown; add them with --mx"
            self.draft.warn(Entry(group.name), why)
        return self.paths.of_domain(domain)

    def _warn_of_unknown_hosts(self, group: Group) -> None:
        unknown = [domain for domain in group.domains if not self.paths.hosts(domain)]
        if unknown:
            weight = sum(group.domains[domain] for domain in unknown)
            share = weight / sum(group.domains.values()) * group.share
            why = (
                f"no provider matches {len(unknown):,} of the domains, "
                f"{rounded_share(share, 1)} of all messages, because their MX hosts are "
                f"unknown; add them with --mx"
            )
            self.draft.warn(Entry(group.name), why)

    def _domains_of(self, group: Group) -> Mapping[str, float]:
        if group.name == known.OTHER:
            return {}
        if group.domains:
            return group.domains
        if group.name in self.shaping.providers:
            names = self.queues.domains.within
            return {name: 1.0 for name in names if self._group_of(name) == group.name}
        return {known.domain_of(group.name) or group.name.casefold(): 1.0}

    def _provider(
        self, group: Group, path: EgressPath, limits: PathLimits, named: NamedLimits
    ) -> None:
        block = path.provider
        also = () if block is None else (block.name, *known.names_of(block.name))
        self.draft.provider(group, also)
        self.used |= {block.title for block in path.blocks}
        alone = named.alone(limits)
        for key, each in limits.own(alone):
            self.draft.limits(group, key, each)
        for entry, why in limits.not_reached(alone):
            self.draft.overruled(entry.of(group.name), why)
        for key, entry in path.settings.items():
            if key not in LIMITS:
                tell_unused(self.draft, entry, key, PATH | MISPLACED, NOT_KNOWN, LIMITS)
        self._suspend(group, path, limits)

    def _suspend(self, group: Group, path: EgressPath, limits: PathLimits) -> None:
        provider = self.draft.data["providers"][group.name]
        candidates = self._candidates(path, self._carrier(group, limits))
        best, together = chosen(candidates)
        if best is None:
            if "suspend" in self.draft.data["mta"]:
                provider["suspend"] = "none"
            return
        where = PurePath(best.rule.where).name
        why = f"the model has throttled answers of one kind; what {group.name} does is in {where}"
        for candidate in chain.from_iterable(candidates):
            if candidate not in together:
                self.draft.overruled(candidate.rule.entry, why)
        rules: Any = [each.suspend for each in together]
        rules = rules if len(rules) > 1 else rules[0]
        mtas = self.draft.data["mta"].get("suspend", rules) == rules
        shared = mtas and all(each.rule.block == "default" for each in together)
        place = ("mta", "suspend") if shared else ("providers", group.name, "suspend")
        self.draft.put_each(
            place,
            [
                (each.suspend, each.rule.entry, "; ".join(filter(None, (each.why, self._sharing))))
                for each in together
            ],
        )

    @property
    def _sharing(self) -> str:
        """What a rule leaves out where several sources share a queue."""
        if self.draft.addresses == 1 or self.draft.data["mta"].get("queues") == "per-ip":
            return ""
        return 'KumoMTA follows it for each source by itself, as with mta.queues = "per-ip"'

    def _carrier(self, group: Group, limits: PathLimits) -> Carrier:
        attempt_s = self.draft.attempt_s(group, limits.deliveries)
        rate_per_s = limits.per_s
        if attempt_s > 0.0:
            connections = self.draft.data["providers"][group.name]["connections_per_ip"]
            rate_per_s = min(rate_per_s, connections / attempt_s)
        return Carrier(attempt_s, limits.deliveries, rate_per_s)

    def _candidates(self, path: EgressPath, carrier: Carrier) -> list[list[Candidate]]:
        """Return the rules of each block that the model can have; report the others."""
        levels: list[list[Candidate]] = []
        for block in path.blocks:
            level = []
            for rule in block.rules:
                candidate = candidate_of(rule, carrier)
                if isinstance(candidate, str):
                    self.draft.overruled(rule.entry, candidate)
                elif len(rule.slipped_escapes) < len(rule.patterns):
                    level.append(candidate)
            levels.append(level)
        return levels

    def _report_source(self) -> None:
        blocks = self.shaping.blocks()
        named = dict.fromkeys(name for block in blocks for name in block.sources)
        if self.source is not None and self.source not in named:
            names = ", ".join(named) or "none"
            hint = did_you_mean(self.source, named) or f"; the files have {names}"
            self.draft.warn(Entry("source", self.source), f"no block has settings for it{hint}")
        for block in blocks:
            for name in block.sources:
                if name != self.source:
                    why = "for this egress source only; choose it with --source"
                    title = f"{block.title} source {shown(name)}"
                    self.draft.unused(Entry(title, "", block.where), why)

    def _report_blocks(self) -> None:
        for names in self.paths.aliases.values():
            # The blocks of one site are one block.
            titles = {self.shaping.domains[name, True].title for name in names}
            if not titles.isdisjoint(self.used):
                self.used |= titles
        for block in self.shaping.blocks():
            if block.title not in self.used:
                lost = block.kind == "provider" and not block.matches
                why = "never applies" if lost else "no recipient in the audience matches"
                self.draft.unused(Entry(block.title, "", block.where), why)
        for entry in self.shaping.bounces.values():
            self.draft.unused(entry, "names replies; their frequency is in logs only")
