"""The sliders of the what-if page: what each moves in a scenario, and between which values."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from scipy.optimize import brentq

from sendcap.errors import SendcapError
from sendcap.scenario import Provider, Scenario, updated
from sendcap.scenario.stages import stages

Changes = dict[str, Any]
"""Values by dotted path, as `sendcap.scenario.updated` takes them."""

_TIMES: Final = (0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
"""A slider goes from a tenth of the scenario's own value to ten times as much."""
_MINUTES: Final = (1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
_HOURS: Final = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 60, 72, 84)
_UNITS: Final = {1_000_000: "Messages, millions", 1_000: "Messages, thousands"}
_FASTER: Final = 1.5
"""Workers are added until they could hand over so much more than the relay's rate."""
FIRST_DELAYS: Final = {
    "exponential": "first",
    "momentum": "retry_interval",
    "kumomta": "retry_interval",
    "postfix": "minimal_backoff_time",
}
"""The key of the first delay, of the policies that have one."""


class Slider(NamedTuple):
    """A slider."""

    key: str
    label: str  # with the unit
    steps: tuple[float, ...]  # rising
    value: float  # the scenario's own, one of the steps
    changes: Callable[[Scenario, float], Changes]


def sliders(scenario: Scenario) -> list[Slider]:
    """Return the sliders that make sense for a scenario, each at the scenario's own value."""
    return [slider for slider in _all(scenario) if len(slider.steps) > 1]


def moved(scenario: Scenario, values: Mapping[str, float]) -> Scenario:
    """Return a scenario with sliders at ``values``, by key; the scenario's own change nothing."""
    known = {slider.key: slider for slider in sliders(scenario)}
    changes: Changes = {}
    for key, value in values.items():
        if key not in known:
            raise SendcapError(f"{key}: no such slider; there is {', '.join(known)}")
        if value != known[key].value:
            changes |= known[key].changes(scenario, value)
    return updated(scenario, changes) if changes else scenario


def _all(scenario: Scenario) -> Iterator[Slider]:
    if scenario.population is None:
        yield _messages_slider(_messages(scenario))
    relayed = round(stages(scenario)[0].per_s, 1)
    if relayed < math.inf:
        yield Slider("relay_rate", "Relay, messages/s", _around(relayed), relayed, _with_relay_rate)
    if not scenario.mta.pools:
        ips = scenario.mta.ips
        yield Slider("ips", "Source IPs", _around(ips, whole=True), ips, _with_ips)
    for key, label, share, most_times, change in (
        ("hard_pct", "Hard bounces, % of the addresses", _hard, _most_hard, _with_hard),
        ("soft_pct", "Soft bounces, % of first attempts", _soft, _most_soft, _with_soft),
    ):
        pct = round(100.0 * share(scenario), 3)
        if pct:
            most = pct * min(map(most_times, scenario.providers.values()))
            steps = tuple(step for step in _around(pct) if step <= most)
            yield Slider(key, label, steps, pct, change)
    delay = FIRST_DELAYS.get(scenario.mta.retry.policy)
    minutes = getattr(scenario.mta.retry, delay) / 60.0 if delay else 0.0
    if minutes:
        steps = _with_own(_MINUTES, minutes)
        yield Slider("first_retry", "First retry after, minutes", steps, minutes, _with_first_retry)
    hours = max(map(scenario.honoured_validity, scenario.deliveries)) / 3600.0
    # The last wave of a delivery starts within the validity.
    parts = [(each.origin, each) for each in scenario.deliveries]
    later_s = [origin.written.validity - each.validity for origin, each in parts if origin]
    steps = tuple(step for step in _HOURS if 3600.0 * step > max(later_s, default=0.0))
    yield Slider("validity", "Validity, hours", _with_own(steps, hours), hours, _with_validity)


def _messages_slider(messages: int) -> Slider:
    """Return the slider of the messages of all deliveries; people cannot be more than there are."""
    unit, name = next(
        ((unit, name) for unit, name in _UNITS.items() if messages >= unit), (1, "Messages")
    )
    return Slider(
        "messages",
        name,
        tuple(count / unit for count in _around(messages, whole=True)),
        messages / unit,
        partial(_with_messages, unit=unit),
    )


def _around(value: float, *, whole: bool = False) -> tuple[float, ...]:
    """Return values around a scenario's own, each to two digits but the own."""
    rounded = {float(f"{times * value:.2g}") for times in _TIMES if times != 1.0}
    if whole:
        rounded = {max(round(step), 1) for step in rounded}
    return _with_own(tuple(rounded), value)


def _with_own(values: tuple[float, ...], own: float) -> tuple[float, ...]:
    return tuple(sorted({*values, own}))


def _messages(scenario: Scenario) -> int:
    return sum(delivery.messages for delivery in scenario.deliveries)


def _with_messages(scenario: Scenario, count: float, *, unit: int) -> Changes:
    times = count * unit / _messages(scenario)
    return {
        f"deliveries[{number}].messages": max(round(delivery.messages * times), 1)
        for number, delivery in enumerate(scenario.written())
    }


def _with_relay_rate(scenario: Scenario, per_s: float) -> Changes:
    relay = scenario.relay
    carried = per_s * _FASTER * relay.batch_time.mean_s / scenario.mean_batch
    return {
        "relay.rate": f"{per_s:.15g}/s,max_burst={relay.batch}",
        "relay.workers": max(relay.workers, math.ceil(carried)),
    }


def _with_ips(_scenario: Scenario, ips: float) -> Changes:
    return {"mta.ips": int(ips)}


def _weights(scenario: Scenario) -> dict[str, float]:
    """Return each provider's share of the messages."""
    total = _messages(scenario)
    weights = dict.fromkeys(scenario.providers, 0.0)
    for (_, provider), count in scenario.to_deliver().items():
        weights[provider] += count / total
    return weights


def _hard_at(provider: Provider) -> float:
    return sum(kind.share for kind in provider.hard)


def _faulty_at(provider: Provider) -> float:
    return sum(kind.share for kind in provider.faults)


def _hard(scenario: Scenario) -> float:
    weights = _weights(scenario)
    return sum(weight * _hard_at(scenario.providers[name]) for name, weight in weights.items())


def _soft(scenario: Scenario, times: float = 1.0) -> float:
    """Return the share of first attempts that bounce softly, limits aside.

    Transient and faulty shares are multiplied by ``times``.
    """
    share = 0.0
    for name, weight in _weights(scenario).items():
        provider = scenario.providers[name]
        faulty = _faulty_at(provider) * times
        good = max(1.0 - faulty - _hard_at(provider), 0.0)
        share += weight * (faulty + good * min(provider.transient * times, 1.0))
    return share


def _most_hard(provider: Provider) -> float:
    """Return by how much the hard share may be multiplied before no address is left."""
    hard = _hard_at(provider)
    return (1.0 - _faulty_at(provider)) / hard if hard else math.inf


def _most_soft(provider: Provider) -> float:
    """Return by how much transient and faulty shares may be multiplied."""
    faulty, transient = _faulty_at(provider), provider.transient
    return min(
        (1.0 - _hard_at(provider)) / faulty if faulty else math.inf,
        1.0 / transient if transient else math.inf,
    )


def _with_hard(scenario: Scenario, pct: float) -> Changes:
    times = pct / (100.0 * _hard(scenario))
    return {
        f'providers."{name}".hard[{number}].share': kind.share * times
        for name, provider in scenario.providers.items()
        for number, kind in enumerate(provider.hard)
    }


def _with_soft(scenario: Scenario, pct: float) -> Changes:
    times = _soft_times(scenario, pct / 100.0)
    changes: Changes = {}
    for name, provider in scenario.providers.items():
        changes[f'providers."{name}".transient'] = min(provider.transient * times, 1.0)
        for number, fault in enumerate(provider.faults):
            changes[f'providers."{name}".faults[{number}].share'] = fault.share * times
    return changes


def _soft_times(scenario: Scenario, share: float) -> float:
    """Return by how much to multiply transient and faulty shares for a share of soft bounces.

    Both grow, and a faulty address cannot be transient, too: the share grows a little less than in
    proportion.
    """
    most = min(map(_most_soft, scenario.providers.values()))
    if _soft(scenario, most) <= share:
        return most
    return float(brentq(lambda times: _soft(scenario, times) - share, 0.0, most))


def _with_first_retry(scenario: Scenario, minutes: float) -> Changes:
    name = FIRST_DELAYS[scenario.mta.retry.policy]
    return {f"mta.retry.{name}": f"{60.0 * minutes:.15g}s"}


def _with_validity(scenario: Scenario, hours: float) -> Changes:
    return {
        f"deliveries[{number}].validity": f"{3600.0 * hours:.15g}s"
        for number in range(len(scenario.written()))
    }
