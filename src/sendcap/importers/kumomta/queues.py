"""KumoMTA's queue helper: files with the retry policy.

The settings of a message are those of ``[queue.default]``, replaced by those of the domain, of the
tenant, and of the domain's tenant and campaign. The model has one retry policy: the default one,
with the settings of the default tenant. Source: KumoMTA, ``assets/policy-extras/queue.lua``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sendcap.importers.kumomta.files import KumomtaFile, Settings, seconds_of
from sendcap.importers.reading import Entry, Text, read_configuration
from sendcap.scenario.durations import format_duration
from sendcap.text.quoting import shown

RETRY: Final = ("retry_interval", "max_retry_interval", "max_age")
"""Settings of the retry policy, with the same names in the model."""

_ONE_POLICY: Final = "the model has one retry policy, that of [queue.default]"
_OTHERWISE: Final = "does not decide when a message is tried again"


@dataclass
class Queues:
    """All files together."""

    retry: Settings = field(default_factory=dict)  # with values as in a scenario
    replaced: list[tuple[Entry, str]] = field(default_factory=list)  # others of the policy
    unused: list[tuple[Entry, str]] = field(default_factory=list)  # other settings, with reasons

    def skip(self, prefix: str, settings: Settings) -> None:
        """Note settings outside the policy."""
        for key, setting in settings.items():
            # A table in that of a domain belongs to a tenant.
            table = isinstance(setting.value, dict)
            in_policy = key in RETRY or (table and key != "protocol")
            why = _ONE_POLICY if in_policy else _OTHERWISE
            value = "" if table else setting.value
            report = self.replaced if key in RETRY else self.unused
            report.append((Entry(f"{prefix}{key}", value, setting.where), why))


def queues_of(paths: Sequence[str | Path]) -> Queues:
    """Read files of the queue helper and merge them in order."""
    default: Settings = {}
    tenants: dict[str, Settings] = {}
    options: Settings = {}
    queues = Queues()
    for path in paths:
        _File(read_configuration(path, "KumoMTA queue"), queues).merge(default, tenants, options)
    usual = options.pop("default_tenant", None)
    name = str(usual.value) if usual is not None else ""
    own = tenants.pop(name, {})
    for key in [key for key in default if key in own]:
        why = f"replaced by that of tenant {shown(name)}"
        report = queues.replaced if key in RETRY else queues.unused
        report.append((default[key]._replace(name=f"queue default {key}"), why))
    applied = default | own
    queues.retry = {key: applied.pop(key) for key in RETRY if key in applied}
    queues.skip("", applied | options)
    for tenant, settings in tenants.items():
        queues.skip(f"tenant {shown(tenant)} ", settings)
    return queues


class _File(KumomtaFile):
    def __init__(self, text: Text, queues: Queues) -> None:
        super().__init__(text)
        self._queues = queues

    def merge(self, default: Settings, tenants: dict[str, Settings], options: Settings) -> None:
        for name, value in self.data.items():
            if name == "tenant":
                for tenant, table in self.table(value, (name,)).items():
                    settings = self._settings(table, (name, tenant))
                    tenants[tenant] = tenants.get(tenant, {}) | settings
            elif name == "queue":
                for domain, table in self.table(value, (name,)).items():
                    settings = self._settings(table, (name, domain))
                    if domain == "default":
                        default |= settings
                    else:
                        self._queues.skip(f"queue {shown(domain)} ", settings)
            elif isinstance(value, dict):
                raise self.error(
                    (name,), "is neither queue nor tenant; give a file of the queue helper"
                )
            else:
                options[name] = Entry(name, value, self.where((name,)))

    def _settings(self, value: Any, place: tuple[str, ...]) -> Settings:
        settings: Settings = {}
        for key, entry in self.table(value, place).items():
            if key in RETRY:
                try:
                    entry = format_duration(seconds_of(entry))
                except ValueError as problem:
                    raise self.error((*place, key), str(problem)) from None
            settings[key] = Entry(key, entry, self.where((*place, key)))
        return settings
