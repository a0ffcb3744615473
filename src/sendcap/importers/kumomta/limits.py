"""The limits of a provider in the model, from the settings of an egress path.

References
----------
KumoMTA, ``crates/kumo-api-types/src/egress_path.rs``: compiled defaults, and the ceilings of
``EgressPathConfig::compute_constraints``: the least of all limits of connections, and the least of
all rates of messages, one of which is ``max_deliveries_per_connection × max_connection_rate``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from sendcap.importers.findings import DEFAULT, USED
from sendcap.importers.kumomta.files import Setting, Settings, limit_of, seconds_of
from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate

COMPILED: Final[dict[str, Any]] = {
    "connection_limit": 32,
    "max_deliveries_per_connection": 1024,
    "idle_timeout": "5s",
}
"""KumoMTA's compiled defaults."""

LIMITS: Final = frozenset(
    {
        *COMPILED,
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
    setting: str
    written: Any
    where: str
    why: str = ""
    status: str = USED


class _Named(NamedTuple):
    """One of several limits of the same quantity, of which the lowest counts."""

    setting: str
    written: Any
    where: str
    value: Any
    each: int = 1
    """Number of queues with a limit of their own."""

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
    """The limits of a provider.

    Parameters
    ----------
    settings
        Settings of the egress path.
    queues
        Number of sites of the provider, each with a queue of its own.

    Raises
    ------
    ConfigurationError
        If KumoMTA does not accept a value.
    """

    def __init__(self, settings: Settings, queues: int) -> None:
        self._settings = settings
        self._queues = queues
        deliveries = self._one("max_deliveries_per_connection", limit_of)
        self.deliveries: int = deliveries.value
        self.connections = self._connections()
        self.rates = sorted(self._rates(deliveries), key=lambda rate: rate.per_s)
        self.all = tuple(self._all(deliveries))

    def _all(self, deliveries: _Named) -> Iterator[Limit]:
        yield self._connection_limit()
        yield self._plain("messages_per_connection", deliveries, deliveries.value)
        idle = self._one("idle_timeout", seconds_of)
        yield self._plain("idle_timeout", idle, format_duration(idle.value))
        if self.rates:
            yield self._rate()
        aggressive = self._settings.get("aggressive_connection_opening")
        if aggressive is not None and aggressive.value is True:
            name = "aggressive_connection_opening"
            yield Limit("connection_scaling", "none", name, True, aggressive.where)
        else:
            why = "KumoMTA opens connections by the length of the queue"
            yield Limit("connection_scaling", "kumomta", "connections", "", "", why, DEFAULT)

    def not_reached(self) -> Iterator[Limit]:
        """Yield the limits above another one."""
        lowest = self._lowest
        for limit in self.connections:
            if limit is not lowest:
                why = f"{lowest.setting} = {lowest.written} is lower"
                yield Limit("", None, *limit[:3], why)
        for rate in self.rates[1:]:
            why = f"{self.rates[0].setting} = {self.rates[0].written} is lower"
            if rate.burst < self.rates[0].burst:
                why += "; only the burst is used"
            yield Limit("", None, *rate[:3], why)

    @property
    def _lowest(self) -> _Named:
        return min(self.connections, key=lambda limit: limit.total)

    def _connections(self) -> list[_Named]:
        own = self._one("connection_limit", limit_of)._replace(each=self._queues)
        return [own, *self._more("additional_connection_limits", limit_of)]

    def _connection_limit(self) -> Limit:
        lowest = self._lowest
        why = f"{lowest.value} for each of {lowest.each} sites" if lowest.each > 1 else ""
        return self._plain("connections_per_ip", lowest, lowest.total, why)

    def _rates(self, deliveries: _Named) -> Iterator[_Named]:
        for key in ("max_message_rate", "source_selection_rate"):
            if key in self._settings:
                yield self._one(key, Rate.parse)._replace(each=self._queues)
        for key in ("additional_message_rate_throttles", "additional_source_selection_rates"):
            yield from self._more(key, Rate.parse)
        if "max_connection_rate" in self._settings:
            connects = self._one("max_connection_rate", Rate.parse)
            burst = connects.value.burst
            cycling = Rate(
                connects.value.limit * deliveries.value,
                connects.value.period_s,
                None if burst is None else burst * deliveries.value,
            )
            yield _Named(
                "max_connection_rate × max_deliveries_per_connection",
                f"{connects.written} × {deliveries.written}",
                connects.where,
                cycling,
                self._queues,
            )

    def _rate(self) -> Limit:
        lowest = self.rates[0]
        rate = lowest.value
        limit = rate.limit * lowest.each
        burst = min(each.burst for each in self.rates)
        text = str(Rate(limit, rate.period_s, None if burst == limit and not rate.burst else burst))
        why = []
        if lowest.each > 1:
            why.append(f"{rate} for each of {lowest.each} sites")
        if "×" in lowest.setting:
            why.append(f"new connections have room for {lowest.per_s:.4g} messages/s")
            why += [f"{each.setting} = {each.written} is never reached" for each in self.rates[1:]]
        if burst < lowest.burst:
            why.append("burst of the other rate")
        return Limit("rate", text, *lowest[:3], "; ".join(why))

    def _plain(self, key: str, limit: _Named, value: Any, why: str = "") -> Limit:
        return Limit(key, value, *limit[:3], why, USED if limit.where else DEFAULT)

    def _one(self, key: str, reader: Callable[[Any], Any]) -> _Named:
        setting = self._settings.get(key) or Setting(COMPILED[key], "")
        return _named(key, setting, reader)

    def _more(self, key: str, reader: Callable[[Any], Any]) -> Iterator[_Named]:
        if key in self._settings:
            for name, entry in self._settings[key].value.items():
                yield _named(name, entry, reader)


def _named(name: str, setting: Setting, reader: Callable[[Any], Any]) -> _Named:
    return _Named(name, setting.value, setting.where, setting.read(name, reader))
