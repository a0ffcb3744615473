"""From the settings of an egress path to the limits of a provider in the model.

References
----------
KumoMTA, ``crates/kumo-api-types/src/egress_path.rs``: compiled defaults, and the ceilings that
``EgressPathConfig::compute_constraints`` works out: connections are the least of all limits,
messages the least of all rates, of which ``max_deliveries_per_connection × max_connection_rate``
is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.findings import DEFAULT, USED
from sendcap.importers.kumomta.blocks import Setting, Settings
from sendcap.importers.kumomta.values import limit_of, rate_of, seconds_of
from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate

COMPILED: Final[dict[str, Any]] = {
    "connection_limit": 32,
    "max_deliveries_per_connection": 1024,
    "idle_timeout": "5s",
}
"""What KumoMTA does where no file says anything."""

HELD: Final = frozenset(
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
"""Settings that decide the model's limits."""


class Limit(NamedTuple):
    """A limit of the model, and the setting that it comes from."""

    key: str
    value: Any
    setting: str
    given: Any
    where: str
    why: str = ""
    status: str = USED


class _Named(NamedTuple):
    """One of several limits for the same thing, of which the lowest holds."""

    setting: str
    given: Any
    where: str
    value: Any
    each: int = 1
    """How many queues have it to themselves."""


class PathLimits:
    """The limits of a provider.

    Parameters
    ----------
    settings
        Of its egress path.
    queues
        How many sites, each with a queue of its own, the provider consists of.

    Raises
    ------
    ConfigurationError
        For a value that is not what KumoMTA takes there.
    """

    def __init__(self, settings: Settings, queues: int) -> None:
        self._settings = settings
        self._queues = queues
        deliveries = self._one("max_deliveries_per_connection", limit_of)
        self.deliveries: int = deliveries.value
        self.connections = self._connections()
        self.rates = sorted(self._rates(deliveries), key=lambda its: its.value.per_s * its.each)
        self.all = tuple(self._all(deliveries))

    def _all(self, deliveries: _Named) -> Iterator[Limit]:
        yield self._connection_limit()
        yield self._plain("messages_per_connection", deliveries, deliveries.value)
        idle = self._one("idle_timeout", _idle)
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
        """Yield the limits that another one is below of."""
        lowest = min(self.connections, key=lambda its: its.value * its.each)
        for its in self.connections:
            if its is not lowest:
                why = f"{lowest.setting} = {lowest.given} is lower"
                yield Limit("", None, its.setting, its.given, its.where, why)
        for its in self.rates[1:]:
            why = f"{self.rates[0].setting} = {self.rates[0].given} is lower"
            if its.value.burst_or_limit * its.each < self._burst_of(self.rates[0]):
                why += "; only its burst is used"
            yield Limit("", None, its.setting, its.given, its.where, why)

    def _connections(self) -> list[_Named]:
        own = self._one("connection_limit", limit_of)._replace(each=self._queues)
        return [own, *self._more("additional_connection_limits", limit_of)]

    def _connection_limit(self) -> Limit:
        lowest = min(self.connections, key=lambda its: its.value * its.each)
        value = lowest.value * lowest.each
        why = ""
        if lowest.each > 1:
            why = f"{lowest.value} for each of {lowest.each} sites"
        return self._plain("connections_per_ip", lowest, value, why)

    def _rates(self, deliveries: _Named) -> Iterator[_Named]:
        for key in ("max_message_rate", "source_selection_rate"):
            if key in self._settings:
                yield self._one(key, rate_of)._replace(each=self._queues)
        for key in ("additional_message_rate_throttles", "additional_source_selection_rates"):
            yield from self._more(key, rate_of)
        if "max_connection_rate" in self._settings:
            its = self._one("max_connection_rate", rate_of)
            burst = its.value.burst
            cycling = Rate(
                its.value.limit * deliveries.value,
                its.value.period_s,
                None if burst is None else burst * deliveries.value,
            )
            yield _Named(
                "max_connection_rate × max_deliveries_per_connection",
                f"{its.given} × {deliveries.given}",
                its.where,
                cycling,
                self._queues,
            )

    def _burst_of(self, its: _Named) -> int:
        burst: int = its.value.burst_or_limit * its.each
        return burst

    def _rate(self) -> Limit:
        lowest = self.rates[0]
        rate = lowest.value
        limit = rate.limit * lowest.each
        burst = min(map(self._burst_of, self.rates))
        text = str(Rate(limit, rate.period_s, None if burst == limit and not rate.burst else burst))
        why = []
        if lowest.each > 1:
            why.append(f"{rate} for each of {lowest.each} sites")
        if "×" in lowest.setting:
            per_s = rate.per_s * lowest.each
            why.append(f"so many fit into the connections that may be opened, {per_s:.4g}/s")
            why += [f"{its.setting} = {its.given} cannot be reached" for its in self.rates[1:]]
        if burst < self._burst_of(lowest):
            why.append("burst of the other rate")
        return Limit("rate", text, lowest.setting, lowest.given, lowest.where, "; ".join(why))

    def _plain(self, key: str, its: _Named, value: Any, why: str = "") -> Limit:
        status = USED if its.where else DEFAULT
        return Limit(key, value, its.setting, its.given, its.where, why, status)

    def _one(self, key: str, read: Callable[[Any], Any]) -> _Named:
        its = self._settings.get(key)
        if its is None:
            return _Named(key, COMPILED[key], "", read(COMPILED[key]))
        return _named(key, its, read)

    def _more(self, key: str, read: Callable[[Any], Any]) -> Iterator[_Named]:
        its = self._settings.get(key)
        for name, entry in its.value.items() if its else ():
            yield _named(name, entry, read)


def _named(name: str, its: Setting, read: Callable[[Any], Any]) -> _Named:
    try:
        return _Named(name, its.value, its.where, read(its.value))
    except ValueError as problem:
        raise ConfigurationError(f"{its.where}: {name}: {problem}") from None


def _idle(value: Any) -> float:
    return seconds_of(value)
