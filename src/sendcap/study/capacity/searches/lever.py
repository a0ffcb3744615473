"""Levers: purchases and negotiations that make a delivery faster, a unit at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sendcap.scenario import FixedWindow, Gap, Provider, Rate, Scenario, Schedule, WarmUp

_TENTHS: Final = 10
_MOST_MESSAGES: Final = 1_000_000_000
"""Messages per connection; a connection with more is never closed."""


@dataclass(frozen=True)
class Lever:
    """A setting of which a scenario can have more.

    Attributes
    ----------
    name
        Name of one unit.
    change
        Effect of one unit on the scenario: old and new values.
    pulled
        Returns a scenario with this many units more.
    """

    name: str
    change: str
    pulled: Callable[[Scenario, int], Scenario]


def available(scenario: Scenario) -> tuple[Lever, ...]:
    """Return the levers of a scenario: connections, addresses, workers and all limits it has."""
    used = {name for _, name in scenario.to_deliver()}
    providers = [provider for name, provider in scenario.providers.items() if name in used]
    reused = any(provider.messages_per_connection != "unlimited" for provider in providers)
    levers: list[tuple[str, bool, Callable[[Scenario, int], Scenario]]] = [
        ("one more IP", True, _ips),
        ("+10 % connections per IP", True, _connections),
        ("×2 messages per connection", reused, _reuse),
        ("+10 % provider rates", any(p.rate is not None for p in providers), _provider_rates),
        ("+10 % tolerance", any(p.tolerance is not None for p in providers), _tolerances),
        ("one more relay worker", True, _workers),
        ("+10 % relay rate", scenario.relay.rate is not None, _relay_rate),
        ("+10 % ingress rate", scenario.mta.ingress_rate is not None, _ingress_rate),
    ]
    return tuple(
        Lever(name, _change(scenario, pulled(scenario, 1), used), pulled)
        for name, exists, pulled in levers
        if exists
    )


def _change(before: Scenario, after: Scenario, used: set[str]) -> str:
    """Return the old and the new values of all changed settings."""
    settings = [
        (before.mta.ips, after.mta.ips),
        (before.relay.workers, after.relay.workers),
        (before.relay.rate, after.relay.rate),
        (before.mta.ingress_rate, after.mta.ingress_rate),
    ]
    changes = [f"{old} → {new}" for old, new in settings if old != new]
    for name, provider in before.providers.items():
        for key in ("connections_per_ip", "messages_per_connection", "rate", "tolerance"):
            old, new = getattr(provider, key), getattr(after.providers[name], key)
            if name in used and old != new:
                changes.append(f"{name} {_text(old)} → {_text(new)}")
    return ", ".join(changes)


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
        case _:
            return str(setting)


# Each takes a scenario and a number of units.


def _ips(scenario: Scenario, units: int) -> Scenario:
    return _changed(scenario, "mta", ips=scenario.mta.ips + units)


def _workers(scenario: Scenario, units: int) -> Scenario:
    return _changed(scenario, "relay", workers=scenario.relay.workers + units)


def _relay_rate(scenario: Scenario, units: int) -> Scenario:
    return _changed(scenario, "relay", rate=_raised(scenario.relay.rate, units))


def _ingress_rate(scenario: Scenario, units: int) -> Scenario:
    rate = scenario.mta.ingress_rate
    faster = None if rate is None else raised(rate, units, server=True)
    return _changed(scenario, "mta", ingress_rate=faster)


def _connections(scenario: Scenario, units: int) -> Scenario:
    return _each(
        scenario,
        lambda provider: {"connections_per_ip": _more(provider.connections_per_ip, units)},
    )


def _reuse(scenario: Scenario, units: int) -> Scenario:
    def more(provider: Provider) -> dict[str, Any]:
        limit = provider.messages_per_connection
        if limit == "unlimited":
            return {}
        return {"messages_per_connection": min(int(limit) << units, _MOST_MESSAGES)}

    return _each(scenario, more)


def _tolerances(scenario: Scenario, units: int) -> Scenario:
    return _each(scenario, lambda provider: {"tolerance": _raised(provider.tolerance, units)})


def _provider_rates(scenario: Scenario, units: int) -> Scenario:
    return _each(scenario, lambda provider: {"rate": _raised(provider.rate, units)})


def _changed(scenario: Scenario, section: str, **settings: Any) -> Scenario:
    changed = getattr(scenario, section).model_copy(update=settings)
    return scenario.model_copy(update={section: changed})


def _each(scenario: Scenario, changes: Callable[[Provider], dict[str, Any]]) -> Scenario:
    providers = {
        name: provider.model_copy(update=changes(provider))
        for name, provider in scenario.providers.items()
    }
    return scenario.model_copy(update={"providers": providers})


def _raised(throttle: Any, units: int) -> Any:
    """Return a throttle raised by 10 % for each unit; None stays None."""
    match throttle:
        case Rate():
            return raised(throttle, units)
        case FixedWindow():
            return throttle.model_copy(update={"limit": _more(throttle.limit, units)})
        case Gap():
            pause = throttle.pause * _TENTHS / (_TENTHS + units)
            return throttle.model_copy(update={"pause": pause})
        case WarmUp():
            per_day = tuple(_more(count, units) for count in throttle.per_day)
            return throttle.model_copy(update={"per_day": per_day})
        case Schedule():
            steps = tuple(
                step.model_copy(update={"rate": _raised(step.rate, units)})
                for step in throttle.steps
            )
            return throttle.model_copy(update={"steps": steps})
        case _:
            return throttle


def raised(rate: Rate, units: int, *, server: bool = False) -> Rate:
    """Return a rate raised by 10 % for each unit, exactly.

    A server's rate has no burst. Other rates retain an explicit burst.

    Examples
    --------
    >>> from sendcap.scenario import Rate
    >>> str(raised(Rate.parse("100/s"), 1)), str(raised(Rate.parse("1/s"), 1))
    ('110/s', '11/10s,max_burst=1')
    """
    limit = rate.limit * (_TENTHS + units)
    common = math.gcd(limit, _TENTHS)
    # Over a longer period, the whole limit would be a larger burst.
    burst = rate.burst if server or common == _TENTHS else rate.burst_or_limit
    return Rate(limit // common, rate.period_s * (_TENTHS // common), burst)


def _more(count: int, units: int) -> int:
    """Return 10 % more for each unit, rounded up to a whole number."""
    return -(-count * (_TENTHS + units) // _TENTHS)
