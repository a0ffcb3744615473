"""The limits of a provider in the model, from the settings of an egress path.

Most of KumoMTA's limits are those of a source and a site, as in the model. Named limits count over
all paths with the name; those of a provider block over all of the provider's sites, for each
source. Sources: KumoMTA, ``crates/kumod/src/ready_queue.rs`` (``maintain``, ``check_throttle``),
``crates/kumo-api-types/src/shaping.rs`` (``apply_provider_params_to``) and
``crates/throttle/src/lib.rs``: the key of a throttle is its name and what it says, so that two
paths with one name and different rates have a throttle each.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sendcap.importers.draft import Draft
from sendcap.importers.kumomta.blocks import MERGED_MAPS
from sendcap.importers.kumomta.files import Settings, limit_of, seconds_of
from sendcap.importers.kumomta.paths import PER_SOURCE
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate

_COMPILED: Final[dict[str, Any]] = {
    "connection_limit": 32,
    "max_deliveries_per_connection": 1024,
    "idle_timeout": "5s",
}
"""KumoMTA's compiled defaults."""

_RATES: Final = ("max_message_rate", "source_selection_rate")
"""Rates of a source and a site."""

LIMITS: Final = frozenset(
    {
        *_COMPILED,
        *_RATES,
        *MERGED_MAPS,
        *PER_SOURCE,
        "max_connection_rate",
        "aggressive_connection_opening",
    }
)
"""Settings that decide the limits of the model."""


class Limit(NamedTuple):
    """A limit of the model, and the setting behind it."""

    value: Any
    entry: Entry
    why: str = ""


class Named(NamedTuple):
    """A limit that counts over all paths which have it."""

    entry: Entry  # with the limit's name
    value: int | Rate  # connections, or a rate of messages
    per_source: bool  # whether each source has its own count

    @property
    def key(self) -> tuple[str, str]:
        """What paths with the same limit have in common."""
        return self.entry.name, str(self.value)


class PathLimits:
    """The limits of a provider with a number of sites, each with a queue of its own."""

    def __init__(self, settings: Settings, sites: int) -> None:
        self._settings = settings
        self._sites = sites
        self._deliveries = self._entry("max_deliveries_per_connection")
        self.deliveries = self._deliveries.read(limit_of)
        self.rates = [self._rate(key) for key in _RATES if key in settings]
        opens = "max_connection_rate" in settings
        self.connects = self._rate("max_connection_rate") if opens else None
        self.named = tuple(self._named())

    @property
    def per_s(self) -> float:
        """Messages per second from each source, as far as rates tell."""
        limits = [each.value.per_s for each in self.rates]
        limits += [each.value.per_s for each in self.named if isinstance(each.value, Rate)]
        if self.connects is not None:
            limits.append(self.connects.value.per_s * self.deliveries)
        return min(limits, default=float("inf"))

    def _entry(self, key: str) -> Entry:
        return self._settings.get(key) or Entry(key, _COMPILED[key])

    def _rate(self, key: str) -> Limit:
        """Return the rate of all sites together."""
        entry = self._settings[key]
        rate = entry.read(Rate.parse)
        return Limit(rate.times(self._sites), entry, self._each(rate))

    def _each(self, value: object) -> str:
        return f"{value} for each of {self._sites} sites" if self._sites > 1 else ""

    def _named(self) -> Iterator[Named]:
        for key in (*MERGED_MAPS, *PER_SOURCE):
            if key in self._settings:
                reader = limit_of if "connection" in key else Rate.parse
                for entry in self._settings[key].value.values():
                    yield Named(entry, entry.read(reader), key in PER_SOURCE)

    def own(self, alone: Collection[Named]) -> Iterator[tuple[str, list[Limit]]]:
        """Yield each key with its limits; of several, each holds.

        ``alone`` are named limits that no other provider has, with a count for each source.
        """
        yield "connections_per_ip", self._connection_limits(alone)[:1]
        yield "messages_per_connection", [Limit(self.deliveries, self._deliveries)]
        idle = self._entry("idle_timeout")
        yield "idle_timeout", [Limit(format_duration(idle.read(seconds_of)), idle)]
        rates = [Limit(each.value, each.entry) for each in alone if isinstance(each.value, Rate)]
        if rates := [*self.rates, *rates]:
            yield "rate", [each._replace(value=str(each.value)) for each in rates]
        if self.connects is not None:
            yield "connection_rate", [self.connects._replace(value=str(self.connects.value))]
        aggressive = self._settings.get("aggressive_connection_opening")
        if aggressive is not None and aggressive.value is True:
            yield "connection_scaling", [Limit("none", aggressive)]
        else:
            why = "KumoMTA opens connections by the length of the queue"
            yield "connection_scaling", [Limit("kumomta", Entry("connections"), why)]

    def _connection_limits(self, alone: Collection[Named]) -> list[Limit]:
        """Return the limits of connections, the lowest first."""
        entry = self._entry("connection_limit")
        number = entry.read(limit_of)
        limits = [Limit(number * self._sites, entry, self._each(number))]
        limits += [Limit(each.value, each.entry) for each in alone if isinstance(each.value, int)]
        return sorted(limits, key=lambda limit: limit.value)

    def not_reached(self, alone: Collection[Named]) -> Iterator[tuple[Entry, str]]:
        """Yield the limits above another one, with the reason."""
        lowest, *others = self._connection_limits(alone)
        for limit in others:
            yield limit.entry, f"{lowest.entry.name} = {lowest.entry.value} is lower"


class NamedLimits:
    """Limits with a name, which several providers of the scenario, or several sources, share.

    A throttle counts by its name and what it says; connections count by the name alone, and each
    path has its own limit of them (KumoMTA, ``crates/throttle/src/lib.rs`` and ``limit.rs``).
    """

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
