"""KumoMTA's traffic shaping files: blocks of settings, merged from several files in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from sendcap.errors import ConfigurationError
from sendcap.importers.kumomta.automation import Rule, rule_of
from sendcap.importers.kumomta.files import KumomtaFile, Settings
from sendcap.importers.reading import Entry, Text, read_configuration
from sendcap.scenario.section import Place
from sendcap.text.quoting import shown

MERGED_MAPS: Final = (
    "additional_connection_limits",
    "additional_message_rate_throttles",
    "additional_source_selection_rates",
)
"""Maps of named limits: their entries are merged; of other settings, the last one counts."""

_MATCHES: Final = ("MXSuffix", "DomainSuffix", "HostName")


class Match(NamedTuple):
    """A rule that assigns domains to a provider, of a kind such as MXSuffix."""

    kind: str
    text: str
    where: str


@dataclass
class Block:
    """The settings of a provider, a domain, or the default, from one or more files."""

    kind: str  # "provider", "domain" or "default"
    name: str
    where: str  # file and line of the first heading
    params: Settings = field(default_factory=dict)  # of an egress path
    sources: dict[str, Settings] = field(default_factory=dict)  # of single egress sources
    matches: list[Match] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    connection_limit: Entry | None = None
    message_rate: Entry | None = None
    mx_rollup: bool = True
    replace_base: bool = False

    @property
    def title(self) -> str:
        """Name in messages."""
        return "default" if self.kind == "default" else f"{self.kind} {shown(self.name)}"

    def merge(self, later: Self) -> None:
        """Merge the block of a later file."""
        if later.replace_base:
            self.params, self.sources = later.params, later.sources
            self.rules, self.matches = later.rules, later.matches
            self.connection_limit = later.connection_limit
            return
        merge_settings(self.params, later.params)
        for source, settings in later.sources.items():
            merge_settings(self.sources.setdefault(source, {}), settings)
        self.rules += later.rules
        self.matches += later.matches
        self.connection_limit = later.connection_limit or self.connection_limit


def merge_settings(target: Settings, later: Mapping[str, Entry]) -> None:
    """Replace settings by later ones; the entries of maps of named limits are merged."""
    for key, setting in later.items():
        before = target.get(key)
        if key in MERGED_MAPS and before is not None:
            setting = setting._replace(value={**before.value, **setting.value})
        target[key] = setting


@dataclass
class Shaping:
    """All files together, each in order."""

    default: Block | None = None
    providers: dict[str, Block] = field(default_factory=dict)
    # By domain, and by whether the MX hosts are rolled up.
    domains: dict[tuple[str, bool], Block] = field(default_factory=dict)
    bounces: dict[str, Entry] = field(default_factory=dict)  # classes of bounces
    slips: list[Entry] = field(default_factory=list)  # settings that KumoMTA does not read

    def blocks(self) -> list[Block]:
        """Return all blocks."""
        first = [] if self.default is None else [self.default]
        return [*first, *self.providers.values(), *self.domains.values()]


def shaping_of(paths: Sequence[str | Path]) -> Shaping:
    """Read traffic shaping files and merge them in order."""
    shaping = Shaping()
    for path in paths:
        _File(read_configuration(path, "KumoMTA shaping"), shaping).merge()
    return shaping


class _File(KumomtaFile):
    def __init__(self, text: Text, shaping: Shaping) -> None:
        super().__init__(text)
        self._shaping = shaping

    def merge(self) -> None:
        for name in ("queue", "tenant"):
            if isinstance(self.data.get(name), dict):
                raise self.error(
                    (name,), "belongs to the queue helper; give this file with --queue"
                )
        for name, table in self.data.items():
            if name == "provider":
                for provider, entries in self.table(table, (name,)).items():
                    self._block("provider", provider, entries, (name, provider))
            elif (
                name == "rules"
                and isinstance(table, dict)
                and all(isinstance(rules, list) for rules in table.values())
            ):
                for kind in table:
                    entry = Entry(f"rules {kind}", "", self.where((name, kind)))
                    self._shaping.bounces[kind] = entry
            else:
                kind = "default" if name == "default" else "domain"
                self._block(kind, name, table, (name,))

    def _block(self, kind: str, name: str, table: Any, place: Place) -> None:
        block = Block(kind, name, self.where(place))
        for key, value in self.table(table, place).items():
            self._entry(block, key, value, (*place, key))
        shaping = self._shaping
        if block.kind == "default":
            shaping.default = before = shaping.default or block
        elif block.kind == "provider":
            before = shaping.providers.setdefault(block.name, block)
        else:
            before = shaping.domains.setdefault((block.name, block.mx_rollup), block)
        if before is not block:
            if block.message_rate is not None:
                # KumoMTA does not merge it (ProviderEntry::merge_from).
                title = f"{block.title} {block.message_rate.name}"
                shaping.slips.append(block.message_rate._replace(name=title, value=""))
            before.merge(block)

    def _entry(self, block: Block, key: str, value: Any, place: Place) -> None:
        provider = block.kind == "provider"
        setting = Entry(key, value, self.where(place))
        if key in ("mx_rollup", "replace_base"):
            if not isinstance(value, bool):
                raise self.error(place, f"must be true or false, not {shown(value)}")
            setattr(block, key, value)
        elif key == "automation":
            for number, entry in enumerate(self.entries(value, place)):
                at = (*place, number)
                rule = rule_of(entry, block.title, self.where(at), self._errors(at))
                block.rules.append(rule)
        elif key == "sources":
            for source, entries in self.table(value, place).items():
                at = (*place, source)
                block.sources[source] = self._settings(self.table(entries, at), at)
        elif provider and key == "match":
            block.matches += [
                self._match(entry, (*place, number))
                for number, entry in enumerate(self.entries(value, place))
            ]
        elif provider and key == "provider_connection_limit":
            block.connection_limit = setting
        elif provider and key == "provider_max_message_rate":
            block.message_rate = setting
        else:
            block.params |= self._settings({key: value}, place[:-1])

    def _settings(self, table: Mapping[str, Any], place: Place) -> Settings:
        settings: Settings = {}
        for key, value in table.items():
            where = self.where((*place, key))
            if key in MERGED_MAPS:
                named = self.table(value, (*place, key))
                value = {name: Entry(name, limit, where) for name, limit in named.items()}
            settings[key] = Entry(key, value, where)
        return settings

    def _match(self, entry: Any, place: Place) -> Match:
        rule = self.table(entry, place)
        kind = next(iter(rule), "")
        if len(rule) != 1 or kind not in _MATCHES or not isinstance(rule[kind], str):
            raise self.error(
                place, f"must be one of {', '.join(_MATCHES)} with a text, not {shown(entry)}"
            )
        return Match(kind, rule[kind], self.where(place))

    def _errors(self, place: Place) -> Callable[[str, str], ConfigurationError]:
        return lambda key, message: self.error((*place, key) if key else place, message)
