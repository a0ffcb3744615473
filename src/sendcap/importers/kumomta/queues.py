"""KumoMTA's queue helper: files with the settings of scheduled queues, of retries and rates.

A queue is that of a domain, a tenant and a campaign. Its settings are those of ``[queue.default]``,
replaced by those of the domain, of the tenant, and of the domain's tenant and campaign. Source:
KumoMTA, ``assets/policy-extras/queue.lua`` (``resolve_config``, ``parse_domain``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sendcap.importers.kumomta.files import KumomtaFile, Settings, seconds_of
from sendcap.importers.reading import Entry, read_configuration
from sendcap.scenario.durations import format_duration
from sendcap.text.quoting import shown

RETRY: Final = ("retry_interval", "max_retry_interval", "max_age")
"""Settings of the retry policy, with the same names in the model."""

_MAPS: Final = ("tenants", "campaigns")
"""Tables of the scopes within; the helper reads them from other tables, too."""
_OWN_TABLES: Final = ("protocol",)
"""Settings that are tables; other tables in that of a domain belong to tenants."""


@dataclass
class Scope:
    """The settings of a domain, a tenant or a campaign, and of what is within."""

    title: str = ""
    settings: Settings = field(default_factory=dict)
    within: dict[str, Scope] = field(default_factory=dict)

    def merge(self, later: Scope) -> None:
        """Merge the scope of a later file."""
        self.settings |= later.settings
        for name, scope in later.within.items():
            self.within.setdefault(name, Scope(scope.title)).merge(scope)

    def every(self) -> Iterator[Scope]:
        """Yield this scope and all within."""
        yield self
        for scope in self.within.values():
            yield from scope.every()


@dataclass
class Queues:
    """All files together."""

    default: Scope = field(default_factory=lambda: Scope("queue default"))
    domains: Scope = field(default_factory=Scope)
    tenants: Scope = field(default_factory=Scope)
    options: Settings = field(default_factory=dict)

    def domain(self, name: str | None) -> Scope:
        """Return the scope of a domain, or of the longest pattern such as ``*.example.com``."""
        if name is None:
            return Scope()
        patterns = [name]
        while "." in name:
            name = name.partition(".")[2]
            patterns.append(f"*.{name}")
        return next(
            (self.domains.within[each] for each in patterns if each in self.domains.within), Scope()
        )

    def scopes(self, domain: str | None, tenant: str = "", campaign: str = "") -> list[Scope]:
        """Return the scopes of a queue, the one that counts most last."""
        own = self.domain(domain)
        within = own.within.get(tenant, Scope())
        return [
            self.default,
            own,
            self.tenants.within.get(tenant, Scope()),
            within,
            within.within.get(campaign, Scope()),
        ]

    def of(self, domain: str | None, tenant: str = "", campaign: str = "") -> Settings:
        """Return the settings of a queue."""
        settings: Settings = {}
        for scope in self.scopes(domain, tenant, campaign):
            settings |= scope.settings
        return settings


def queues_of(paths: Sequence[str | Path]) -> Queues:
    """Read files of the queue helper and merge them in order."""
    queues = Queues()
    for path in paths:
        _File(read_configuration(path, "KumoMTA queue")).merge(queues)
    return queues


class _File(KumomtaFile):
    def merge(self, queues: Queues) -> None:
        for name, value in self.data.items():
            if name == "tenant":
                for tenant, table in self.table(value, (name,)).items():
                    scope = self._scope(
                        table, (name, tenant), f"tenant {shown(tenant)}", "campaign"
                    )
                    queues.tenants.within.setdefault(tenant, Scope(scope.title)).merge(scope)
            elif name == "queue":
                for domain, table in self.table(value, (name,)).items():
                    title = f"queue {'default' if domain == 'default' else shown(domain)}"
                    scope = self._scope(table, (name, domain), title, "tenant")
                    if domain == "default":
                        queues.default.merge(scope)
                    else:
                        name_of_it = domain.casefold()
                        queues.domains.within.setdefault(name_of_it, Scope(title)).merge(scope)
            elif isinstance(value, dict):
                raise self.error(
                    (name,), "is neither queue nor tenant; give a file of the queue helper"
                )
            else:
                queues.options[name] = Entry(name, value, self.where((name,)))

    def _scope(self, value: Any, place: tuple[str, ...], title: str, kind: str) -> Scope:
        """Read a table with settings and further scopes of a kind: tenants or campaigns."""
        scope = Scope(title)
        for key, entry in self.table(value, place).items():
            at = (*place, key)
            if key in _MAPS and isinstance(entry, dict):
                for name, table in entry.items():
                    within = self._within(table, (*at, name), title, kind, name)
                    scope.within.setdefault(name, Scope(within.title)).merge(within)
            elif isinstance(entry, dict) and key not in _OWN_TABLES:
                within = self._within(entry, at, title, kind, key)
                scope.within.setdefault(key, Scope(within.title)).merge(within)
            else:
                scope.settings[key] = self._setting(key, entry, at, title)
        return scope

    def _within(
        self, table: Any, place: tuple[str, ...], title: str, kind: str, name: str
    ) -> Scope:
        return self._scope(table, place, f"{title} {kind} {shown(name)}", "campaign")

    def _setting(self, key: str, value: Any, place: tuple[str, ...], title: str) -> Entry:
        if key in RETRY:
            try:
                written_s = seconds_of(value)
            except ValueError as problem:
                raise self.error(place, str(problem)) from None
            if written_s < 1.0:
                raise self.error(place, f"must be at least 1s, not {shown(value)}")
            value = format_duration(written_s)
        return Entry(f"{title} {key}", value, self.where(place))
