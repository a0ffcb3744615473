"""KumoMTA's queue helper: the files that say how often a message is tried again.

For a message hold the settings of ``[queue.default]``, then those of its domain, then those of its
tenant, then those of its domain's tenant and campaign. The model has one retry policy; so it takes
the default ones, and those of the tenant that mail has without a header.

References
----------
KumoMTA, ``assets/policy-extras/queue.lua``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sendcap.importers.kumomta.blocks import Setting, Settings
from sendcap.importers.kumomta.files import KumomtaFile
from sendcap.importers.kumomta.values import seconds_of
from sendcap.importers.reading import Text, read
from sendcap.importers.secrets import masked
from sendcap.scenario.durations import format_duration
from sendcap.text.quoting import shown

RETRY: Final = ("retry_interval", "max_retry_interval", "max_age")
"""Settings that the model's retry policy has under the same names."""

_ONE_POLICY: Final = "the model has one retry policy, that of [queue.default]"
_OTHERWISE: Final = "does not decide when a message is tried again"


@dataclass
class Queues:
    """What the files say together.

    Attributes
    ----------
    retry
        The settings of the retry policy, their values as a scenario writes them.
    unused
        What is not in it: setting, value, where and why.
    """

    retry: Settings = field(default_factory=dict)
    unused: list[tuple[str, Any, str, str]] = field(default_factory=list)

    def leave(self, whose: str, settings: Settings) -> None:
        """Note settings that are not in the policy."""
        for key, its in settings.items():
            # A table within a domain's is that of a tenant.
            table = isinstance(its.value, dict)
            why = _ONE_POLICY if key in RETRY or (table and key != "protocol") else _OTHERWISE
            value = "" if table else masked(key, its.value)
            self.unused.append((f"{whose}{key}", value, its.where, why))


def queues_of(paths: Sequence[str | Path]) -> Queues:
    """Read files of the queue helper and merge them in order.

    Raises
    ------
    SendcapError
        If one cannot be read, or is no such file.
    """
    default: Settings = {}
    tenants: dict[str, Settings] = {}
    options: Settings = {}
    found = Queues()
    for path in paths:
        _File(read(path, "KumoMTA queue"), found).merge(default, tenants, options)
    usual = options.pop("default_tenant", None)
    name = str(usual.value) if usual is not None else ""
    own = tenants.pop(name, {})
    for key in [key for key in default if key in own]:
        why = f"that of tenant {shown(name)} holds"
        found.unused.append(
            (f"queue default {key}", masked(key, default[key].value), *default[key][1:], why)
        )
    holds = default | own
    found.retry = {key: holds.pop(key) for key in RETRY if key in holds}
    found.leave("", holds | options)
    for tenant, settings in tenants.items():
        found.leave(f"tenant {shown(tenant)} ", settings)
    return found


class _File(KumomtaFile):
    def __init__(self, text: Text, found: Queues) -> None:
        super().__init__(text)
        self._found = found

    def merge(self, default: Settings, tenants: dict[str, Settings], options: Settings) -> None:
        for name, value in self.data.items():
            if name == "tenant":
                for tenant, table in self.table(value, (name,)).items():
                    its = self._settings(table, (name, tenant))
                    tenants[tenant] = tenants.get(tenant, {}) | its
            elif name == "queue":
                for domain, table in self.table(value, (name,)).items():
                    its = self._settings(table, (name, domain))
                    if domain == "default":
                        default |= its
                    else:
                        self._found.leave(f"queue {shown(domain)} ", its)
            elif isinstance(value, dict):
                raise self.error((name,), "is neither queue nor tenant, so this is no queue file")
            else:
                options[name] = Setting(value, self.where((name,)))

    def _settings(self, value: Any, place: tuple[str, ...]) -> Settings:
        settings: Settings = {}
        for key, its in self.table(value, place).items():
            where = self.where((*place, key))
            if key in RETRY:
                try:
                    its = format_duration(seconds_of(its))
                except ValueError as problem:
                    raise self.error((*place, key), str(problem)) from None
            settings[key] = Setting(its, where)
        return settings
