"""The settings of a domain in KumoMTA's traffic shaping, in the order of KumoMTA's code.

The order is: default, matching providers (in order of the files), their settings for the egress
source, the site (domain blocks rolled up to their MX hosts), the domain itself, the site's settings
for the source, the domain's settings for the source; later ones replace earlier ones. See
``crates/kumo-api-types/src/shaping.rs``, ``ShapingInner::get_egress_path_config``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sendcap import mailbox_providers as known
from sendcap.importers.kumomta.blocks import Block, Shaping, merge_settings
from sendcap.importers.kumomta.files import Settings
from sendcap.importers.reading import Entry

PER_SOURCE: Final = ("provider connections", "provider rates", "provider selection rates")
"""Maps of the limits that all sites of a provider share for each source.

No setting has these names: KumoMTA puts the limits into the maps of named limits, with names such
as ``shaping-provider-NAME-SOURCE-limit``.
"""


@dataclass
class EgressPath:
    """The settings of a domain or provider."""

    settings: Settings = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)  # behind them, the most specific last
    provider: Block | None = None  # the last one that matches


def matches(provider: Block, domain: str, hosts: tuple[str, ...]) -> bool:
    """Tell whether a domain is a provider's, as ``ProviderEntry::domain_matches`` does.

    A suffix of the domain is enough by itself; else every MX host must have one of the suffixes
    or names. Only the host's last dot is left out, not the rule's.
    """
    if any(rule.kind == "DomainSuffix" and domain.endswith(rule.text) for rule in provider.matches):
        return True
    rules = [rule for rule in provider.matches if rule.kind != "DomainSuffix"]
    return bool(rules and hosts) and all(
        any(
            host == rule.text if rule.kind == "HostName" else host.endswith(rule.text)
            for rule in rules
        )
        for host in hosts
    )


class Paths:
    """The settings of domains and providers, for an egress source or for all."""

    def __init__(
        self, shaping: Shaping, hosts: Mapping[str, tuple[str, ...]], source: str | None
    ) -> None:
        self._shaping = shaping
        self._hosts = hosts
        self._source = source
        self._sites: dict[tuple[str, ...], Block] = {}
        self.aliases: dict[tuple[str, ...], list[str]] = {}  # domain blocks of each site
        for (name, rollup), block in shaping.domains.items():
            if rollup:
                site = self.site(name)
                self.aliases.setdefault(site, []).append(name)
                self._keep(site, block)

    def _keep(self, site: tuple[str, ...], block: Block) -> None:
        if site in self._sites:
            # Merge into a new block: those of the two domains must not change.
            merged = Block(block.kind, self._sites[site].name, self._sites[site].where)
            merged.merge(self._sites[site])
            merged.replace_base = self._sites[site].replace_base
            merged.merge(block)
            block = merged
        self._sites[site] = block

    def hosts(self, domain: str) -> tuple[str, ...]:
        """Return the MX hosts of a domain, or nothing if unknown."""
        return self._hosts.get(domain) or known.mx_of(domain)

    def site(self, domain: str) -> tuple[str, ...]:
        """Return the site of a domain, common to all domains with the same MX hosts."""
        return tuple(sorted(self.hosts(domain))) or (domain,)

    def providers_of(self, domain: str) -> list[Block]:
        """Return the matching providers of a domain, in order of the files."""
        hosts = self.hosts(domain)
        return [each for each in self._shaping.providers.values() if matches(each, domain, hosts)]

    def block_of(self, domain: str) -> Block | None:
        """Return the block of a domain or of its site, the more specific first."""
        return self._shaping.domains.get((domain, False)) or self._sites.get(self.site(domain))

    def default(self) -> EgressPath:
        """Return the settings without any other block."""
        path = EgressPath()
        if self._shaping.default is not None:
            self._base(path, self._shaping.default)
        return path

    def of_provider(self, provider: Block) -> EgressPath:
        """Return the settings of a provider, whatever the domain."""
        path = self.default()
        self._providers(path, [provider])
        return path

    def of_domain(self, domain: str) -> EgressPath:
        """Return the settings of a domain."""
        path = self.default()
        self._providers(path, self.providers_of(domain))
        site = self._sites.get(self.site(domain))
        own = self._shaping.domains.get((domain, False))
        for block in (site, own):
            if block is not None:
                self._base(path, block)
        for block in (site, own):
            if block is not None and self._source in block.sources:
                merge_settings(path.settings, block.sources[self._source])
        return path

    def _base(self, path: EgressPath, block: Block) -> None:
        if block.replace_base:
            path.settings = {}
        merge_settings(path.settings, block.params)
        path.blocks.append(block)

    def _providers(self, path: EgressPath, providers: list[Block]) -> None:
        for block in providers:
            merge_settings(path.settings, block.params)
            self._shared_limits(path, block)
            path.blocks.append(block)
            path.provider = block
        for block in providers:
            if self._source in block.sources:
                merge_settings(path.settings, block.sources[self._source])
                self._shared_limits(path, block)

    def _shared_limits(self, path: EgressPath, block: Block) -> None:
        """Add a provider's own limits, which all of its sites share for each source."""
        selection = path.settings.pop("provider_source_selection_rate", None)
        settings = (block.connection_limit, block.message_rate, selection)
        for key, setting in zip(PER_SOURCE, settings, strict=True):
            if setting is not None:
                title = f"{block.title} {setting.name}"
                before = path.settings[key].value if key in path.settings else {}
                entries = {**before, title: setting._replace(name=title)}
                path.settings[key] = Entry(key, entries, setting.where)
