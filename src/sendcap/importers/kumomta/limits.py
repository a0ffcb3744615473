"""The limits of a provider in the model, from the settings of an egress path.

KumoMTA works out ceilings: the least of all limits of connections, and the least of all rates of
messages, one of which is ``max_deliveries_per_connection × max_connection_rate``. Source: KumoMTA,
``crates/kumo-api-types/src/egress_path.rs`` (``EgressPathConfig::compute_constraints``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from sendcap.importers.kumomta.files import Settings, limit_of, seconds_of
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate

_COMPILED: Final[dict[str, Any]] = {
    "connection_limit": 32,
    "max_deliveries_per_connection": 1024,
    "idle_timeout": "5s",
}
"""KumoMTA's compiled defaults."""

LIMITS: Final = frozenset(
    {
        *_COMPILED,
        "additional_connection_limits",
        "max_message_rate",
        "additional_message_rate_throttles",
        "max_connection_rate",
        "source_selection_rate",
        "additional_source_selection_rates",
        "aggressive_connection_opening",
        "provider_source_selection_rate",
    }
)
"""Settings that decide the limits of the model."""


class Limit(NamedTuple):
    """A limit of the model, and the setting behind it."""

    key: str
    value: Any
    entry: Entry
    why: str = ""


class _Ceiling(NamedTuple):
    """One of several limits of the same quantity, of which the lowest counts."""

    entry: Entry
    value: Any
    each: int = 1  # number of queues with a limit of their own

    @property
    def total(self) -> int:
        """Connections of all queues."""
        return int(self.value * self.each)

    @property
    def per_s(self) -> float:
        """Messages per second of all queues."""
        return float(self.value.per_s * self.each)

    @property
    def burst(self) -> int:
        """Messages at once of all queues."""
        return int(self.value.burst_or_limit * self.each)


class PathLimits:
    """The limits of a provider with a number of sites, each with a queue of its own."""

    def __init__(self, settings: Settings, queues: int) -> None:
        self._settings = settings
        self._queues = queues
        self._deliveries = self._entry("max_deliveries_per_connection")
        self.deliveries = self._deliveries.read(limit_of)
        own = _Ceiling((entry := self._entry("connection_limit")), entry.read(limit_of), queues)
        self.connections = [own, *self._named("additional_connection_limits", limit_of)]
        self.rates = sorted(self._rates(), key=lambda rate: rate.per_s)
        self.all = tuple(self._all())

    def _entry(self, key: str) -> Entry:
        return self._settings.get(key) or Entry(key, _COMPILED[key])

    def _named(self, key: str, reader: Callable[[Any], Any]) -> Iterator[_Ceiling]:
        if key in self._settings:
            for entry in self._settings[key].value.values():
                yield _Ceiling(entry, entry.read(reader))

    def _rates(self) -> Iterator[_Ceiling]:
        for key in ("max_message_rate", "source_selection_rate"):
            if key in self._settings:
                entry = self._settings[key]
                yield _Ceiling(entry, entry.read(Rate.parse), self._queues)
        for key in ("additional_message_rate_throttles", "additional_source_selection_rates"):
            yield from self._named(key, Rate.parse)
        if "max_connection_rate" in self._settings:
            connects = self._settings["max_connection_rate"]
            rate, times = connects.read(Rate.parse), self.deliveries
            burst = None if rate.burst is None else rate.burst * times
            product = Entry(
                "max_connection_rate × max_deliveries_per_connection",
                f"{connects.value} × {self._deliveries.value}",
                connects.where,
            )
            yield _Ceiling(product, Rate(rate.limit * times, rate.period_s, burst), self._queues)

    def _all(self) -> Iterator[Limit]:
        lowest = self._lowest
        why = f"{lowest.value} for each of {lowest.each} sites" if lowest.each > 1 else ""
        yield Limit("connections_per_ip", lowest.total, lowest.entry, why)
        yield Limit("messages_per_connection", self.deliveries, self._deliveries)
        idle = self._entry("idle_timeout")
        yield Limit("idle_timeout", format_duration(idle.read(seconds_of)), idle)
        if self.rates:
            yield self._rate()
        aggressive = self._settings.get("aggressive_connection_opening")
        if aggressive is not None and aggressive.value is True:
            yield Limit("connection_scaling", "none", aggressive)
        else:
            why = "KumoMTA opens connections by the length of the queue"
            yield Limit("connection_scaling", "kumomta", Entry("connections"), why)

    @property
    def _lowest(self) -> _Ceiling:
        return min(self.connections, key=lambda limit: limit.total)

    def _rate(self) -> Limit:
        lowest, *others = self.rates
        rate = lowest.value
        limit = rate.limit * lowest.each
        burst = min(each.burst for each in self.rates)
        text = str(Rate(limit, rate.period_s, None if burst == limit and not rate.burst else burst))
        why = []
        if lowest.each > 1:
            why.append(f"{rate} for each of {lowest.each} sites")
        if "×" in lowest.entry.name:
            why.append(f"new connections have room for {lowest.per_s:.4g} messages/s")
            why += [f"{each.entry.name} = {each.entry.value} is never reached" for each in others]
        if burst < lowest.burst:
            why.append("burst of the other rate")
        return Limit("rate", text, lowest.entry, "; ".join(why))

    def not_reached(self) -> Iterator[tuple[Entry, str]]:
        """Yield the limits above another one, with the reason."""
        lowest = self._lowest
        for limit in self.connections:
            if limit is not lowest:
                yield limit.entry, f"{lowest.entry.name} = {lowest.entry.value} is lower"
        for rate in self.rates[1:]:
            first = self.rates[0]
            why = f"{first.entry.name} = {first.entry.value} is lower"
            if rate.burst < first.burst:
                why += "; only the burst is used"
            yield rate.entry, why
