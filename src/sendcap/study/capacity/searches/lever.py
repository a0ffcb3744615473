"""Levers: purchases and negotiations that make a delivery faster, a unit at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sendcap.scenario import FixedWindow, Gap, Rate, Scenario, Schedule, WarmUp
from sendcap.scenario.section import MOST

_TENTHS: Final = 10
_MOST_MESSAGES: Final = MOST
"""Messages per connection; a connection with more is never closed."""


@dataclass(frozen=True)
class Lever:
    """A setting of which a scenario can have more, at all providers or in another section."""

    name: str  # of one unit
    section: str
    key: str
    more: Callable[[Any, int], Any]  # a value raised by a number of units

    def pulled(self, scenario: Scenario, units: int) -> Scenario:
        """Return a scenario with this many units more."""

        def changed(settings: Any) -> Any:
            more = self.more(getattr(settings, self.key), units)
            return settings.model_copy(update={self.key: more})

        before = getattr(scenario, self.section)
        after = (
            {name: changed(provider) for name, provider in before.items()}
            if self.section == "providers"
            else changed(before)
        )
        return scenario.model_copy(update={self.section: after})

    def values(self, scenario: Scenario) -> dict[str, Any]:
        """Return the setting by provider with messages, or by an empty name."""
        if self.section != "providers":
            return {"": getattr(getattr(scenario, self.section), self.key)}
        used = scenario.at_providers()
        return {
            name: getattr(provider, self.key)
            for name, provider in scenario.providers.items()
            if name in used
        }

    @property
    def path(self) -> str:
        """The setting as costs name it, for all providers together."""
        return f"{self.section}.{self.key}"

    def step_pct(self, scenario: Scenario, provider: str | None = None) -> float:
        """Return by how many percent one unit raises the setting.

        At a provider, or the mean over all of them by their messages; those without the setting
        do not count.
        """
        before, after = self.values(scenario), self.values(self.pulled(scenario, 1))
        steps = {
            name: 100.0 * (_size(after[name]) / _size(value) - 1.0)
            for name, value in before.items()
            if value != after[name]
        }
        if provider in steps:
            return steps[provider]
        messages = scenario.at_providers()
        total = sum(messages[name] for name in steps)
        if not total:
            return sum(steps.values()) / len(steps) if steps else math.nan
        return sum(step * messages[name] for name, step in steps.items()) / total

    def amount(self, scenario: Scenario) -> float:
        """Return how much one unit adds: to numbers, or to the messages per period of rates."""
        before, after = self.values(scenario), self.values(self.pulled(scenario, 1))
        return sum(_more(value, after[name]) for name, value in before.items())

    def change(self, scenario: Scenario) -> str:
        """Return the old and the new values for one unit."""
        after = self.values(self.pulled(scenario, 1))
        return ", ".join(
            f"{name} {_text(old)} → {_text(after[name])}".lstrip()
            for name, old in self.values(scenario).items()
            if old != after[name]
        )


def available(scenario: Scenario) -> list[Lever]:
    """Return the levers of a scenario: connections, addresses, workers and all limits it has.

    Pools have addresses of their own, and the MTA then has none to add to.
    """
    return [
        lever
        for lever in _LEVERS
        if any(value not in (None, "unlimited") for value in lever.values(scenario).values())
        and not (scenario.mta.pools and lever.path == "mta.ips")
    ]


def _text(setting: Any) -> str:
    """Return a number or a throttle in a few words."""
    match setting:
        case FixedWindow():
            return f"{setting.limit} per {setting.window:g} s"
        case Gap():
            return f"{setting.pause:.3g} s apart"
        case Schedule():
            return f"schedule from {setting.steps[0].rate}"
        case WarmUp():
            return f"warm-up from {setting.per_day[0]}/d"
        case tuple():
            return " and ".join(map(_text, setting))
        case _:
            return str(setting)


def _size(setting: Any) -> float:
    """Return what a unit multiplies, of a throttle in attempts per second or per window."""
    match setting:
        case int():
            return float(setting)
        case Rate():
            return float(setting.per_s)
        case FixedWindow():
            return float(setting.limit)
        case Gap():
            return float(1.0 / setting.pause)
        case WarmUp():
            return float(setting.per_day[-1])
        case Schedule():
            return max(_size(step.rate) for step in setting.steps)
        case tuple():
            return _size(setting[0])
        case _:
            return 0.0


def _more(before: Any, after: Any) -> float:
    """Return the units that cost: of a number one more, of a rate a message per period."""
    match before:
        case int():
            return float(after - before)
        case Rate():
            return float((after.per_s - before.per_s) * before.period_s)
        case FixedWindow():
            return float(after.limit - before.limit)
        case _:
            return math.nan if before != after else 0.0


def _added(count: int, units: int) -> int:
    return count + units


def _doubled(limit: int | str, units: int) -> int | str:
    return limit if isinstance(limit, str) else min(limit << units, _MOST_MESSAGES)


def raised_setting(throttle: Any, units: int) -> Any:
    """Return a count or a throttle raised by 10 % for each unit; None and "closed" stay."""
    match throttle:
        case int():
            # Rounded up to a whole number.
            return -(-throttle * (_TENTHS + units) // _TENTHS)
        case Rate():
            return raised(throttle, units)
        case FixedWindow():
            return throttle.model_copy(update={"limit": raised_setting(throttle.limit, units)})
        case Gap():
            pause = throttle.pause * _TENTHS / (_TENTHS + units)
            return throttle.model_copy(update={"pause": pause})
        case WarmUp():
            per_day = tuple(raised_setting(count, units) for count in throttle.per_day)
            return throttle.model_copy(update={"per_day": per_day})
        case Schedule():
            steps = tuple(
                step.model_copy(update={"rate": raised_setting(step.rate, units)})
                for step in throttle.steps
            )
            return throttle.model_copy(update={"steps": steps})
        case tuple():
            return tuple(raised_setting(each, units) for each in throttle)
        case _:
            return throttle


def raised(rate: Rate, units: int, *, server: bool = False) -> Rate:
    """Return a rate raised by 10 % for each unit, exactly.

    A server's rate has no burst. Other rates retain an explicit burst.

    >>> from sendcap.scenario import Rate
    >>> str(raised(Rate.parse("100/s"), 1)), str(raised(Rate.parse("1/s"), 1))
    ('110/s', '11/10s,max_burst=1')
    """
    limit = rate.limit * (_TENTHS + units)
    common = math.gcd(limit, _TENTHS)
    # Over a longer period, the whole limit would be a larger burst.
    burst = rate.burst if server or common == _TENTHS else rate.burst_or_limit
    return Rate(limit // common, rate.period_s * (_TENTHS // common), burst)


_LEVERS: Final = (
    Lever("one more IP", "mta", "ips", _added),
    Lever(
        "+10 % connections per IP (at least one more)",
        "providers",
        "connections_per_ip",
        raised_setting,
    ),
    Lever("×2 messages per connection", "providers", "messages_per_connection", _doubled),
    Lever("+10 % provider rates", "providers", "rate", raised_setting),
    Lever("+10 % connection rates", "providers", "connection_rate", raised_setting),
    Lever(
        "+10 % accepted connections (at least one more)",
        "providers",
        "accepts_connections",
        raised_setting,
    ),
    Lever("+10 % tolerance", "providers", "tolerance", raised_setting),
    Lever("one more relay worker", "relay", "workers", _added),
    Lever("+10 % relay rate", "relay", "rate", raised_setting),
    Lever("+10 % ingress rate", "mta", "ingress_rate", partial(raised, server=True)),
)
