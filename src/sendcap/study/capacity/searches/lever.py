"""Levers: what could be bought or negotiated to make a delivery faster, a unit at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sendcap.scenario import Provider, Rate, Scenario
    from sendcap.scenario.throttle import Step

_TENTHS: Final = 10
_MOST_MESSAGES: Final = 1_000_000_000
"""Messages per connection: with more of them, nothing is ever closed."""


@dataclass(frozen=True)
class Lever:
    """Something of which a scenario can have more.

    Attributes
    ----------
    name
        What one unit is.
    change
        What one unit changes in the scenario, from which value to which.
    pulled
        Returns a scenario with so many units more.
    """

    name: str
    change: str
    pulled: Callable[[Scenario, int], Scenario]


def available(scenario: Scenario) -> tuple[Lever, ...]:
    """Return the levers that a scenario has; a limit that it has not cannot be raised."""
    used = {name for _, name in scenario.to_deliver()}
    providers = {name: scenario.providers[name] for name in scenario.providers if name in used}
    ips, relay = scenario.mta.ips, scenario.relay
    found = [
        Lever("one more IP", f"{ips} → {ips + 1}", _ips),
        Lever(
            "+10 % connections per IP",
            _changes(providers, lambda its: its.connections_per_ip, _connections, scenario),
            _connections,
        ),
    ]
    if any(its.messages_per_connection != "unlimited" for its in providers.values()):
        found.append(
            Lever(
                "×2 messages per connection",
                _changes(providers, lambda its: its.messages_per_connection, _reuse, scenario),
                _reuse,
            )
        )
    if any(its.rate is not None for its in providers.values()):
        text = _changes(providers, lambda its: _written(its.rate), _provider_rates, scenario)
        found.append(Lever("+10 % provider rates", text, _provider_rates))
    if any(its.tolerance is not None for its in providers.values()):
        text = _changes(providers, lambda its: its.tolerance, _tolerances, scenario)
        found.append(Lever("+10 % tolerance", text, _tolerances))
    found.append(Lever("one more relay worker", f"{relay.workers} → {relay.workers + 1}", _workers))
    if relay.rate is not None:
        change = f"{relay.rate} → {_relay_rate(scenario, 1).relay.rate}"
        found.append(Lever("+10 % relay rate", change, _relay_rate))
    if scenario.mta.ingress_rate is not None:
        change = f"{scenario.mta.ingress_rate} → {_ingress_rate(scenario, 1).mta.ingress_rate}"
        found.append(Lever("+10 % ingress rate", change, _ingress_rate))
    return tuple(found)


def _changes(
    providers: dict[str, Provider],
    value: Callable[[Provider], Any],
    pulled: Callable[[Scenario, int], Scenario],
    scenario: Scenario,
) -> str:
    """Write from which value to which each provider changes, if it does."""
    after = pulled(scenario, 1).providers
    return ", ".join(
        f"{name} {value(its)} → {value(after[name])}"
        for name, its in providers.items()
        if value(its) != value(after[name])
    )


def _written(throttle: Any) -> str:
    """Write a throttle in a few words."""
    kind = getattr(throttle, "kind", None)
    if kind == "fixed-window":
        return f"{throttle.limit} per {throttle.window:g} s"
    if kind == "gap":
        return f"{throttle.pause:.3g} s apart"
    if kind == "schedule":
        return f"schedule from {throttle.steps[0].rate}"
    if kind == "warm-up":
        return f"warm-up from {throttle.per_day[0]}/d"
    return str(throttle)


# Each takes the scenario and how many units more.


def _ips(scenario: Scenario, units: int) -> Scenario:
    mta = scenario.mta.model_copy(update={"ips": scenario.mta.ips + units})
    return scenario.model_copy(update={"mta": mta})


def _workers(scenario: Scenario, units: int) -> Scenario:
    relay = scenario.relay.model_copy(update={"workers": scenario.relay.workers + units})
    return scenario.model_copy(update={"relay": relay})


def _relay_rate(scenario: Scenario, units: int) -> Scenario:
    its = scenario.relay.rate
    rate = None if its is None else raised(its, units)
    relay = scenario.relay.model_copy(update={"rate": rate})
    return scenario.model_copy(update={"relay": relay})


def _ingress_rate(scenario: Scenario, units: int) -> Scenario:
    its = scenario.mta.ingress_rate
    rate = None if its is None else raised(its, units, server=True)
    mta = scenario.mta.model_copy(update={"ingress_rate": rate})
    return scenario.model_copy(update={"mta": mta})


def _connections(scenario: Scenario, units: int) -> Scenario:
    return _each(scenario, lambda its: {"connections_per_ip": _more(its.connections_per_ip, units)})


def _reuse(scenario: Scenario, units: int) -> Scenario:
    def more(provider: Provider) -> dict[str, Any]:
        its = provider.messages_per_connection
        if its == "unlimited":
            return {}
        return {"messages_per_connection": min(int(its) << units, _MOST_MESSAGES)}

    return _each(scenario, more)


def _tolerances(scenario: Scenario, units: int) -> Scenario:
    def more(provider: Provider) -> dict[str, Any]:
        its = provider.tolerance
        if its is None:
            return {}
        return {"tolerance": raised(its, units)}

    return _each(scenario, more)


def _provider_rates(scenario: Scenario, units: int) -> Scenario:
    return _each(scenario, lambda its: {"rate": _raised_throttle(its.rate, units)})


def _raised_throttle(throttle: Any, units: int) -> Any:
    from sendcap.scenario import FixedWindow, Gap, Rate, Schedule, WarmUp

    if isinstance(throttle, Rate):
        return raised(throttle, units)
    if isinstance(throttle, FixedWindow):
        return throttle.model_copy(update={"limit": _more(throttle.limit, units)})
    if isinstance(throttle, Gap):
        return throttle.model_copy(update={"pause": throttle.pause * _TENTHS / (_TENTHS + units)})
    if isinstance(throttle, WarmUp):
        per_day = tuple(_more(count, units) for count in throttle.per_day)
        return throttle.model_copy(update={"per_day": per_day})
    if isinstance(throttle, Schedule):
        return throttle.model_copy(update={"steps": tuple(_raised_steps(throttle.steps, units))})
    return throttle


def _raised_steps(steps: Iterable[Step], units: int) -> Iterable[Step]:
    for step in steps:
        if step.rate == "closed":
            yield step
        else:
            rate = raised(step.rate, units)
            yield step.model_copy(update={"rate": rate})


def raised(rate: Rate, units: int, *, server: bool = False) -> Rate:
    """Return a rate raised by 10 % for each unit, exactly.

    A server's rate has no burst. Of another one, a burst that was given stays as it is.

    Examples
    --------
    >>> from sendcap.scenario import Rate
    >>> str(raised(Rate.parse("100/s"), 1)), str(raised(Rate.parse("1/s"), 1))
    ('110/s', '11/10s,max_burst=1')
    """
    from sendcap.scenario import Rate

    limit = rate.limit * (_TENTHS + units)
    common = math.gcd(limit, _TENTHS)
    # Over a longer period, the whole limit would be a larger burst.
    burst = rate.burst if server or common == _TENTHS else rate.burst_or_limit
    return Rate(limit // common, rate.period_s * (_TENTHS // common), burst)


def _more(count: int, units: int) -> int:
    """Return 10 % more for each unit, rounded up to a whole number."""
    return -(-count * (_TENTHS + units) // _TENTHS)


def _each(scenario: Scenario, changes: Callable[[Provider], dict[str, Any]]) -> Scenario:
    providers = {
        name: provider.model_copy(update=changes(provider))
        for name, provider in scenario.providers.items()
    }
    return scenario.model_copy(update={"providers": providers})
