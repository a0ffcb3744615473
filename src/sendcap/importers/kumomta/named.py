"""Limits with a name, which several providers of the scenario, or several sources, share.

A throttle counts by its name and what it says; connections count by the name alone, and each path
has its own limit of them (KumoMTA, ``crates/throttle/src/lib.rs`` and ``limit.rs``).
"""

from collections.abc import Iterator, Mapping

from sendcap.importers.draft import Draft
from sendcap.importers.kumomta.limits import Named, PathLimits
from sendcap.scenario.rates import Rate


class NamedLimits:
    """The named limits of all providers."""

    def __init__(self, limits: Mapping[str, PathLimits]) -> None:
        self._number = len(limits)
        self._owners: dict[tuple[str, str], list[str]] = {}
        self._limits: dict[tuple[str, str], Named] = {}
        for provider, own in limits.items():
            for named in own.named:
                self._owners.setdefault(named.key, []).append(provider)
                self._limits.setdefault(named.key, named)

    def alone(self, limits: PathLimits) -> tuple[Named, ...]:
        """Return the limits for each source that only this provider has."""
        return tuple(filter(self._is_alone, limits.named))

    def _is_alone(self, named: Named) -> bool:
        return named.per_source and len(self._owners[named.key]) == 1

    def put(self, draft: Draft) -> None:
        """Put the other limits into the scenario."""
        shared = [named for named in self._limits.values() if not self._is_alone(named)]
        names = [named.entry.name for named in shared]
        ips = draft.addresses
        for named in shared:
            sources, why = 1, "of all sources together"
            if named.per_source:
                sources, why = ips, f"{named.value} for each of {ips} sources"
            providers = list(self._covered(named))
            if len(providers) == self._number:
                providers = []
            name = named.entry.name
            if names.count(name) > 1:
                name = f"{name}, {named.value}"
            limit: dict[str, object]
            if isinstance(named.value, Rate):
                limit = {"rate": str(named.value.times(sources))}
            else:
                limit = {"connections": named.value * sources}
            draft.shared_limit(name, limit, named.entry, why, providers=providers)

    def _covered(self, named: Named) -> Iterator[str]:
        """Yield the providers whose messages or connections count."""
        for key, other in self._limits.items():
            same_name = other.entry.name == named.entry.name
            lower = (
                isinstance(named.value, int)
                and isinstance(other.value, int)
                and other.value <= named.value
            )
            if key == named.key or (same_name and lower):
                yield from self._owners[key]
