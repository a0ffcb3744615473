"""The sliders of the what-if page: what each moves in a scenario, and between which values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendcap.errors import SendcapError

if TYPE_CHECKING:
    from sendcap.scenario import Scenario

Changes = dict[str, Any]
"""Values by dotted path, as `sendcap.scenario.updated` takes them."""

_TIMES: Final = (0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
"""A slider goes from a tenth of the scenario's own value to ten times as much."""
_MINUTES: Final = (1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
_HOURS: Final = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 60, 72, 84)
_FASTER: Final = 1.5
"""Workers are added until they could hand over so much more than the relay's rate."""
FIRST_DELAYS: Final = {
    "exponential": "first",
    "momentum": "retry_interval",
    "kumomta": "retry_interval",
    "postfix": "minimal_backoff_time",
}
"""What the first delay is called, of the policies that have one."""


class Slider(NamedTuple):
    """A slider.

    Attributes
    ----------
    key
        Its name in code.
    label
        What it says, with its unit.
    steps
        Its values, rising.
    value
        The scenario's own, one of the steps.
    changes
        What a value changes, given the scenario.
    """

    key: str
    label: str
    steps: tuple[float, ...]
    value: float
    changes: Callable[[Scenario, float], Changes]


def sliders(scenario: Scenario) -> list[Slider]:
    """Return the sliders that make sense for a scenario, each at the scenario's own value."""
    return [its for its in _all(scenario) if len(its.steps) > 1]


def moved(scenario: Scenario, values: Mapping[str, float]) -> Scenario:
    """Return a scenario with sliders moved.

    Parameters
    ----------
    values
        Of the sliders, by key. One at the scenario's own value changes nothing.

    Raises
    ------
    ScenarioError
        If the values make no valid scenario.
    SendcapError
        For a slider that there is not.
    """
    from sendcap.scenario import updated

    there = {its.key: its for its in sliders(scenario)}
    changes: Changes = {}
    for key, value in values.items():
        if key not in there:
            raise SendcapError(f"{key}: no such slider; there is {', '.join(there)}")
        if value != there[key].value:
            changes |= there[key].changes(scenario, value)
    return updated(scenario, changes) if changes else scenario


def _all(scenario: Scenario) -> Iterator[Slider]:
    messages = sum(its.messages for its in scenario.deliveries)
    unit, called = _unit(messages)
    yield Slider(
        "messages",
        f"Messages{called}",
        tuple(its / unit for its in _around(messages, whole=True)),
        messages / unit,
        partial(_with_messages, unit=unit),
    )
    relayed = round(_relayed_per_s(scenario), 1)
    if relayed < math.inf:
        yield Slider("relay_rate", "Relay, messages/s", _around(relayed), relayed, _with_relay_rate)
    ips = scenario.mta.ips
    yield Slider("ips", "Source IPs", _around(ips, whole=True), ips, _with_ips)
    for key, label, share, change in (
        ("hard_pct", "Hard bounces, % of the addresses", _hard, _with_hard),
        ("soft_pct", "Soft bounces, % of first attempts", _soft, _with_soft),
    ):
        pct = round(100.0 * share(scenario), 3)
        if pct:
            most = pct * _most_times(scenario, hard=key == "hard_pct")
            steps = tuple(its for its in _around(pct) if its <= most)
            yield Slider(key, label, steps, pct, change)
    name = FIRST_DELAYS.get(scenario.mta.retry.policy)
    if name is not None:
        minutes = getattr(scenario.mta.retry, name) / 60.0
        if minutes:
            yield Slider(
                "first_retry",
                "First retry after, minutes",
                _with_own(_MINUTES, minutes),
                minutes,
                _with_first_retry,
            )
    hours = max(its.honoured_validity for its in scenario.deliveries) / 3600.0
    yield Slider("validity", "Validity, hours", _with_own(_HOURS, hours), hours, _with_validity)


def _around(value: float, *, whole: bool = False) -> tuple[float, ...]:
    """Return values around a scenario's own, each to two digits but the own."""
    rounded = {_to_two_digits(times * value) for times in _TIMES if times != 1.0}
    if whole:
        rounded = {max(round(its), 1) for its in rounded}
    return _with_own(tuple(rounded), value)


def _to_two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def _with_own(values: tuple[float, ...], own: float) -> tuple[float, ...]:
    return tuple(sorted({*values, own}))


def _unit(messages: int) -> tuple[int, str]:
    """Return in what to count messages, so that the numbers are short."""
    for unit, called in ((1_000_000, ", millions"), (1_000, ", thousands")):
        if messages >= unit:
            return unit, called
    return 1, ""


def _with_messages(scenario: Scenario, count: float, *, unit: int) -> Changes:
    times = count * unit / sum(its.messages for its in scenario.deliveries)
    return {
        f"deliveries[{number}].messages": max(round(its.messages * times), 1)
        for number, its in enumerate(scenario.deliveries)
    }


def _relayed_per_s(scenario: Scenario) -> float:
    """Return how fast the relay is at most, in messages/s."""
    from sendcap.scenario.stages import stages

    return stages(scenario)[0].per_s


def _with_relay_rate(scenario: Scenario, per_s: float) -> Changes:
    relay = scenario.relay
    carried = per_s * _FASTER * relay.batch_time.mean_s / relay.batch
    return {
        "relay.rate": f"{per_s:.15g}/s,max_burst={relay.batch}",
        "relay.workers": max(relay.workers, math.ceil(carried)),
    }


def _with_ips(_scenario: Scenario, ips: float) -> Changes:
    return {"mta.ips": int(ips)}


def _weights(scenario: Scenario) -> dict[str, float]:
    """Return each provider's share of the messages."""
    total = sum(its.messages for its in scenario.deliveries)
    weights = dict.fromkeys(scenario.providers, 0.0)
    for (_, provider), count in scenario.to_deliver().items():
        weights[provider] += count / total
    return weights


def _hard_at(scenario: Scenario, name: str) -> float:
    return sum(its.share for its in scenario.providers[name].hard)


def _faulty_at(scenario: Scenario, name: str) -> float:
    return sum(its.share for its in scenario.providers[name].faults)


def _hard(scenario: Scenario) -> float:
    weights = _weights(scenario)
    return sum(weight * _hard_at(scenario, name) for name, weight in weights.items())


def _soft(scenario: Scenario, times: float = 1.0) -> float:
    """Return the share of first attempts that bounce softly, but for what a limit does.

    Parameters
    ----------
    times
        By how much transient and faulty shares are multiplied.
    """
    share = 0.0
    for name, weight in _weights(scenario).items():
        faulty = _faulty_at(scenario, name) * times
        good = max(1.0 - faulty - _hard_at(scenario, name), 0.0)
        share += weight * (faulty + good * min(scenario.providers[name].transient * times, 1.0))
    return share


def _most_times(scenario: Scenario, *, hard: bool) -> float:
    """Return by how much shares may be multiplied before there is a provider with none left."""
    most = math.inf
    for name, its in scenario.providers.items():
        moved_share, fixed = _hard_at(scenario, name), _faulty_at(scenario, name)
        if not hard:
            moved_share, fixed = fixed, moved_share
            if its.transient:
                most = min(most, 1.0 / its.transient)
        if moved_share:
            most = min(most, (1.0 - fixed) / moved_share)
    return most


def _with_hard(scenario: Scenario, pct: float) -> Changes:
    times = pct / (100.0 * _hard(scenario))
    return {
        f'providers."{name}".hard[{number}].share': its.share * times
        for name, provider in scenario.providers.items()
        for number, its in enumerate(provider.hard)
    }


def _with_soft(scenario: Scenario, pct: float) -> Changes:
    times = _soft_times(scenario, pct / 100.0)
    changes: Changes = {}
    for name, provider in scenario.providers.items():
        changes[f'providers."{name}".transient'] = min(provider.transient * times, 1.0)
        for number, its in enumerate(provider.faults):
            changes[f'providers."{name}".faults[{number}].share'] = its.share * times
    return changes


def _soft_times(scenario: Scenario, share: float) -> float:
    """Return by how much to multiply transient and faulty shares for a share of soft bounces.

    Both grow, and a faulty address cannot be transient, too: the share grows a little less than in
    proportion.
    """
    from scipy.optimize import brentq

    most = _most_times(scenario, hard=False)
    if _soft(scenario, most) <= share:
        return most
    return float(brentq(lambda times: _soft(scenario, times) - share, 0.0, most))


def _with_first_retry(scenario: Scenario, minutes: float) -> Changes:
    name = FIRST_DELAYS[scenario.mta.retry.policy]
    return {f"mta.retry.{name}": f"{60.0 * minutes:.15g}s"}


def _with_validity(scenario: Scenario, hours: float) -> Changes:
    return {
        f"deliveries[{number}].validity": f"{3600.0 * hours:.15g}s"
        for number in range(len(scenario.deliveries))
    }
