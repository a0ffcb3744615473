"""The limits of a provider in the model, from the directives of equal queues.

Each limit holds: PowerMTA counts attempted messages and opened connections by themselves (User's
Guide 5.0, 3.3.10: ``max-msg-rate``, ``max-connect-rate``, ``smtp-out-rampup-interval``).
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.powermta.addresses import Addresses, ByAddress, by_address
from sendcap.importers.powermta.queues import Directives
from sendcap.importers.powermta.syntax import message_rates, number_or_none, rate_or_none, seconds
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate
from sendcap.scenario.section import MOST, MOST_AT_A_TIME

DEFAULTS: Final = {
    "max-smtp-out": "20",
    "max-msg-per-connection": "0",
    "connection-idle-timeout": "0",
    "retry-after": "10m",
    "retry-recipients-after": "10m",
    "bounce-after": "4d12h",
}
_IN_TURN: Final = "opened evenly after the first ones"


def entry_of(directives: Directives, name: str) -> Entry:
    """Return a directive, or PowerMTA's default."""
    return directives.get(name) or Entry(name, DEFAULTS[name])


class Limit(NamedTuple):
    """A limit of the model, and the directives behind it."""

    value: Any
    entry: Entry
    why: str
    behind: tuple[Entry, ...]


class QueueLimits:
    """The limits of a number of queues, each with the same directives and addresses."""

    def __init__(self, directives: Directives, addresses: Addresses, queues: int) -> None:
        self._directives = directives
        self._addresses = addresses
        self._queues = queues
        self.not_used: list[tuple[Entry, str]] = []  # limits that do not hold, and why
        self._messages = entry_of(directives, "max-msg-per-connection")
        self.messages = self._messages.read(number_or_none)
        self.connections = 0  # of each queue
        self.by_key = dict(self._all())

    def _all(self) -> Iterator[tuple[str, list[Limit]]]:
        yield "connections_per_ip", [self._connections()]
        yield "messages_per_connection", [self._plain(self.messages or "unlimited", self._messages)]
        idle = entry_of(self._directives, "connection-idle-timeout")
        yield "idle_timeout", [self._plain(format_duration(idle.read(seconds)), idle)]
        yield "rate", list(self._rates())
        connects = sorted(self._connects(), key=lambda limit: limit.value.per_s)
        for limit in connects[1:]:
            lowest = connects[0].entry
            self.not_used.append((limit.entry, f"{lowest.name} = {lowest.value} is lower"))
        yield "connection_rate", [each._replace(value=str(each.value)) for each in connects[:1]]

    @staticmethod
    def _plain(value: Any, entry: Entry) -> Limit:
        return Limit(value, entry, "", (entry,))

    def _each(self, value: object, why: str = "") -> str:
        each = f"{value} for each of {self._queues} queues" if self._queues > 1 else ""
        return "; ".join(filter(None, (each, why)))

    def _by_address(self, name: str, reader: Any) -> ByAddress[Any] | None:
        """Return the limits for single addresses; note those that do not hold."""
        found = by_address(self._directives, name, reader, self._addresses)
        if found is None or found.limits:
            return found
        self.not_used += [(entry, found.why_not) for entry in found.entries]
        return None

    def _connections(self) -> Limit:
        entry = entry_of(self._directives, "max-smtp-out")
        most = entry.read(number_or_none)
        own = self._by_address("source-ip-max-smtp-out", number_or_none)
        together = None if own is None else sum(own.limits)
        if most is None and together is None:
            raise ConfigurationError(f"{entry.where}: max-smtp-out cannot be unlimited")
        if own is None or together is None or (most is not None and most <= together):
            assert most is not None
            self.connections = most
            if own is not None:
                why = f"{entry.name} = {entry.value} is lower"
                self.not_used += [(each, why) for each in own.entries]
            return Limit(self._together(most), entry, self._each(most), (entry,))
        self.connections = together
        self.not_used.append((entry, f"{own.shown.name} = {own.shown.value} is lower"))
        why = self._each(together, _over(own))
        return Limit(self._together(together), own.shown, why, own.entries)

    def _together(self, connections: int) -> int:
        return min(connections * self._queues, MOST_AT_A_TIME)

    def _rates(self) -> Iterator[Limit]:
        for rate, entry in message_rates(self._directives):
            yield Limit(self._window(rate), entry, self._each(rate.limit), (entry,))
        own = self._by_address("source-ip-max-msg-rate", rate_or_none)
        if own is not None:
            rate = sum_of(own.limits)
            why = self._each(rate.limit, _over(own))
            yield Limit(self._window(rate), own.shown, why, own.entries)

    def _window(self, rate: Rate) -> dict[str, Any]:
        return window_of(rate.times(self._queues))

    def _connects(self) -> Iterator[Limit]:
        entry = self._directives.get("max-connect-rate")
        rate = None if entry is None else entry.read(rate_or_none)
        if entry is not None and rate is not None:
            yield Limit(rate.times(self._queues), entry, self._each(rate, _IN_TURN), (entry,))
        own = self._by_address("source-ip-max-connect-rate", rate_or_none)
        if own is not None:
            rate = sum_of(own.limits)
            why = self._each(rate, _over(own) or _IN_TURN)
            yield Limit(rate.times(self._queues), own.shown, why, own.entries)
        rampup = self._directives.get("smtp-out-rampup-interval")
        interval_s = 0.0 if rampup is None else rampup.read(seconds)
        if rampup is not None and interval_s > 0.0:
            rate = _one_each(interval_s)
            yield Limit(rate.times(self._queues), rampup, self._each(rate), (rampup,))


def window_of(rate: Rate) -> dict[str, Any]:
    """Return a number of messages per period as a throttle of a scenario file."""
    window = format_duration(rate.period_s)
    return {"kind": "fixed-window", "limit": min(rate.limit, MOST), "window": window}


def _over(own: ByAddress[Any]) -> str:
    """Return how the limits of several addresses are put together."""
    if len(own.limits) == 1:
        return ""
    return f"of {len(own.limits)} source addresses together"


def sum_of(rates: Sequence[Rate], times: float = 1.0) -> Rate:
    """Return the rate of several addresses or virtual MTAs together, each so many times."""
    period_s = max(rate.period_s for rate in rates)
    count = math.floor(sum(rate.per_s for rate in rates) * period_s * times + 1e-6)
    return Rate(max(1, count), period_s)


def _one_each(interval_s: float) -> Rate:
    if float(interval_s).is_integer():
        return Rate(1, interval_s, 1)
    return Rate(max(1, round(3600.0 / interval_s)), 3600.0, 1)
