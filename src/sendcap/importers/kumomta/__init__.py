"""Scenarios from KumoMTA's traffic shaping files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Final

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError
from sendcap.importers.audience import mail_exchangers
from sendcap.importers.draft import Draft
from sendcap.importers.findings import UNUSED, Finding
from sendcap.importers.imported import Imported, imported
from sendcap.importers.kumomta.automation import Candidate, Carrier, candidate_of, chosen
from sendcap.importers.kumomta.blocks import Block, Setting, Shaping, shaping_of
from sendcap.importers.kumomta.limits import HELD, PathLimits
from sendcap.importers.kumomta.paths import EgressPath, Paths
from sendcap.importers.kumomta.queues import Queues, queues_of
from sendcap.importers.kumomta.slips import slips
from sendcap.importers.plan import Group, Plan
from sendcap.importers.secrets import masked
from sendcap.text.quoting import did_you_mean, shown

__all__ = ["import_kumomta"]

_NOT_FOR_RATES: Final = "decides how and where mail is sent, not how fast"
_UNUSED: Final = {
    "tls": "TLS takes no time of its own in the model; it is part of the connect time",
    "timeout": "the model's servers always answer; an outage is a provider's own key",
    "max_ready": "the model's queues have no limit of their own",
    "consecutive_connection_failures_before_delay": "connections fail only in outages",
    "reconnect_strategy": "the model's connections do not break",
    "refresh": "limits do not change during a run",
    "wakeup": "the model's queue is worked off at once",
    "max_recipients_per_batch": "each message has one recipient",
    "smtp_auth": _NOT_FOR_RATES,
    "memory": "the model's MTA has memory enough",
    "shutdown": "the model's MTA is not shut down",
}
_RETRY: Final = {"retry_interval": "20m", "max_retry_interval": None, "max_age": "7d"}
"""KumoMTA's own: it doubles the interval without an end."""


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
) -> Imported:
    """Make a scenario of KumoMTA's traffic shaping files.

    Parameters
    ----------
    paths
        The files, TOML or JSON, merged in this order.
    audience
        Who is sent to: ``"gmail=0.6,yahoo=0.3,other=0.1"`` or the same as a mapping; names are
        those of provider blocks, of domains, of well-known providers, and ``other`` for what the
        default block holds for. Or a CSV file of domains and counts. Without, the base's own.
    messages
        How many messages there are; without, the sum of counts, or the base's.
    base
        A scenario file or preset: all that shaping files do not hold is taken from it.
    ips
        Number of egress sources; without, as the base has it.
    other_domains
        How many domains' limits ``other`` has together.
    source
        Egress source whose own settings hold.
    mx
        MX hosts of domains: a CSV file of domain and host, or a mapping.
    queue
        Files of the queue helper, merged in this order: how often a message is tried again.

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
    KumoMTA, ``crates/kumo-api-types/src/shaping.rs``, and "Traffic shaping" in its user guide.
    """
    files = _each(paths)
    if not files:
        raise ConfigurationError("no shaping file; give one or more")
    plan = Plan(audience, messages, base, ips, other_domains)
    shaping = shaping_of(files)
    found = Paths(shaping, {} if mx is None else mail_exchangers(mx), source)
    queues = queues_of(_each(queue))
    draft = _Import(Draft(plan), shaping, found, source, queues).run()
    return imported(draft, "KumoMTA", [str(its) for its in (*files, *_each(queue))])


def _each(paths: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)


class _Import:
    def __init__(
        self, draft: Draft, shaping: Shaping, paths: Paths, source: str | None, queues: Queues
    ) -> None:
        self._draft = draft
        self._queues = queues
        self._shaping = shaping
        self._paths = paths
        self._source = source
        self._held: set[str] = set()

    def run(self) -> Draft:
        draft = self._draft
        draft.findings += slips(self._shaping, self._paths)
        groups = draft.groups(self._group_of)
        draft.source_addresses(None, "", "", "KumoMTA's limits hold for each egress source.")
        self._mta()
        for group in groups:
            self._provider(group)
            self._warn_of_unknown_hosts(group)
        self._report_source()
        self._report_blocks()
        return draft

    def _group_of(self, domain: str) -> str:
        providers = self._paths.providers_of(domain)
        if providers:
            return providers[-1].name
        block = self._paths.block_of(domain)
        return known.OTHER if block is None else block.name

    def _path_of(self, group: Group) -> EgressPath:
        if group.domains and group.name != known.OTHER:
            return self._paths.of_domain(group.heaviest)
        if group.name == known.OTHER:
            return self._paths.default()
        provider = self._shaping.providers.get(group.name)
        if provider is not None and provider.matches:
            return self._paths.of_provider(provider)
        domain = known.domain_of(group.name)
        if domain is None and "." in group.name:
            domain = group.name.casefold()
        if domain is None:
            names = [name for name, its in self._shaping.providers.items() if its.matches]
            hint = did_you_mean(group.name, [*names, *known.NAMES])
            hint = hint or f"; it has {', '.join(names) or 'none'}"
            raise ConfigurationError(
                f"audience: {shown(group.name)} is neither a provider of the configuration nor a "
                f'domain{hint}. "other" is everything else'
            )
        if not self._paths.hosts(domain) and self._paths.block_of(domain) is None:
            self._draft.warn(
                group.name, why="its MX hosts are not known here, so no provider matches; see --mx"
            )
        return self._paths.of_domain(domain)

    def _warn_of_unknown_hosts(self, group: Group) -> None:
        unknown = [its for its in group.domains if not self._paths.hosts(its)]
        if unknown:
            share = sum(group.domains[its] for its in unknown) / sum(group.domains.values())
            why = (
                f"{len(unknown):,} of its domains, {share * group.share:.1%} of all messages, have "
                f"MX hosts that are not known here, so no provider matches them; give them by --mx"
            )
            self._draft.warn(group.name, why=why)

    def _sites(self, group: Group) -> int:
        if group.name == known.OTHER or not group.domains:
            return group.queues
        return len({self._paths.site(domain) for domain in group.domains})

    def _mta(self) -> None:
        self._draft.data["mta"].pop("suspend", None)
        self._draft.data["mta"]["retry"] = {"policy": "kumomta"}
        why = "shaping files do not hold it, the queue helper's do (--queue); KumoMTA's own"
        for key, default in _RETRY.items():
            its = self._queues.retry.get(key)
            place = ("mta", "retry", key)
            if its is not None:
                self._draft.set(place, its.value, key, its.value, its.where)
            elif default is not None:
                self._draft.default(place, default, key, why)
        for unused in self._queues.unused:
            self._draft.unused(*unused)
        why = "KumoMTA expires a message at the failure after which no retry fits"
        self._draft.default(("mta", "expire"), "on-failure", "max_age", why)

    def _provider(self, group: Group) -> None:
        path = self._path_of(group)
        block = path.provider
        also = () if block is None else (block.name, *known.names_of(block.name))
        self._draft.provider(group, also)
        limits = PathLimits(path.settings, self._sites(group))
        self._held |= {block.title for block in path.blocks}
        for its in limits.all:
            self._draft.set(
                ("providers", group.name, its.key),
                its.value, its.setting, its.given, its.where, its.why, its.status,
            )  # fmt: skip
        for its in limits.not_reached():
            self._draft.unused(f"{group.name}: {its.setting}", its.given, its.where, its.why)
        self._report_settings(path.settings)
        self._suspend(group, path, limits)

    def _suspend(self, group: Group, path: EgressPath, limits: PathLimits) -> None:
        provider = self._draft.data["providers"][group.name]
        attempt_s = self._draft.mean_s(group, "transaction_time")
        attempt_s += self._draft.mean_s(group, "connect_time") / limits.deliveries
        rate_per_s = (
            limits.rates[0].value.per_s * limits.rates[0].each if limits.rates else float("inf")
        )
        if attempt_s > 0.0:
            rate_per_s = min(rate_per_s, provider["connections_per_ip"] / attempt_s)
        carrier = Carrier(attempt_s, limits.deliveries, rate_per_s)
        levels: list[list[Candidate]] = []
        for block in path.blocks:
            level = []
            for rule in block.rules:
                its = candidate_of(rule, carrier)
                if isinstance(its, str):
                    self._draft.unused(rule.title, str(rule), rule.where, its)
                elif len(rule.slipped_escapes) < len(rule.patterns):
                    level.append(its)
            levels.append(level)
        best = chosen(levels)
        if best is None:
            if "suspend" in self._draft.data["mta"]:
                provider["suspend"] = "none"
            return
        for its in (its for level in levels for its in level if its is not best):
            where = PurePath(best.rule.where).name
            why = f"the model has one rule for a provider; {group.name} got that in {where}"
            self._draft.unused(its.rule.title, str(its.rule), its.rule.where, why)
        mtas = self._draft.data["mta"].get("suspend", best.suspend) == best.suspend
        shared = mtas and best.rule.block == "default"
        self._draft.set(
            ("mta", "suspend") if shared else ("providers", group.name, "suspend"),
            best.suspend, best.rule.title, str(best.rule), best.rule.where, best.why,
        )  # fmt: skip

    def _report_settings(self, settings: Mapping[str, Setting]) -> None:
        for key, its in settings.items():
            if key not in HELD:
                value = masked(key, its.value)
                self._draft.unused(key, value, its.where, _why_unused(key))

    def _report_source(self) -> None:
        blocks = self._shaping.blocks()
        named = dict.fromkeys(name for block in blocks for name in block.sources)
        if self._source is not None and self._source not in named:
            have = did_you_mean(self._source, named) or f"; there are {', '.join(named) or 'none'}"
            self._draft.warn("source", self._source, why=f"no block has settings for it{have}")
        for block in blocks:
            for name in block.sources:
                if name != self._source:
                    why = "holds for this egress source only; choose it with --source"
                    self._draft.unused(f"{block.title} source {shown(name)}", "", block.where, why)

    def _report_blocks(self) -> None:
        for names in self._paths.aliases.values():
            # The blocks of one site are one block.
            titles = {self._shaping.domains[name, True].title for name in names}
            if not titles.isdisjoint(self._held):
                self._held |= titles
        for block in self._shaping.blocks():
            if block.title not in self._held:
                self._draft.unused(block.title, "", block.where, _why_not_held(block))
        for kind, where in self._shaping.bounces.items():
            why = "names answers, it does not tell how many there are; only logs do"
            self._draft.findings.append(Finding(UNUSED, f"rules {kind}", "", where, why=why))


def _why_unused(key: str) -> str:
    return next((why for part, why in _UNUSED.items() if part in key), _NOT_FOR_RATES)


def _why_not_held(block: Block) -> str:
    if block.kind == "provider" and not block.matches:
        return "never applies"
    return "nobody of the audience is there"
