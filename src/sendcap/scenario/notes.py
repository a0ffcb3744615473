"""What a scenario says without effect, or with another than it seems to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeGuard

from sendcap.scenario.clock import names_no_other_day
from sendcap.scenario.consistency import confirmation_notes, order_notes
from sendcap.scenario.durations import format_duration, parse_duration
from sendcap.scenario.moments import Moment
from sendcap.scenario.rates import Rate
from sendcap.scenario.section import Place
from sendcap.scenario.throttle import FixedWindow, Gap, Schedule, Throttle, WarmUp
from sendcap.text.clock import after, dated
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import dotted, shown

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario


def notes(scenario: Scenario) -> Iterator[str]:
    """Yield a sentence for each."""
    yield from _time_notes(scenario)
    yield from _throttle_notes(scenario)
    yield from order_notes(scenario)
    yield from confirmation_notes(scenario)
    for name, provider in scenario.providers.items():
        accepted = provider.accepts_connections
        if accepted is not None and provider.connections_per_ip <= accepted:
            yield (
                f"{dotted(('providers', name, 'accepts_connections'))}: {accepted} are never "
                f"exceeded, since connections_per_ip is {provider.connections_per_ip}"
            )
        elif accepted is not None and _refuses_all_that_wait(scenario, name):
            yield (
                f"{dotted(('providers', name, 'accepts_connections'))}: the provider "
                f"accepts {accepted} of {provider.connections_per_ip} connections, and connecting "
                "takes no time, so all messages that wait are refused at once, and wait for their "
                f"retries; give a connect_time, or connections_per_ip = {accepted}"
            )


def _refuses_all_that_wait(scenario: Scenario, name: str) -> bool:
    """Return whether refusals use up a whole queue at once: nothing slows the MTA down."""
    provider = scenario.providers[name]
    return (
        provider.connect_time.mean_s == 0.0
        and provider.connection_rate is None
        and provider.connection_scaling in ("none", "kumomta")
        and not any("unreachable" in rule.counts for rule in scenario.suspend_of(name))
    )


def _time_notes(scenario: Scenario) -> Iterator[str]:
    last_s, told = 0.0, set()
    for number, delivery in scenario.numbered():
        honoured_s = scenario.honoured_validity(delivery)
        # Of many repetitions and parts the first one says it.
        if delivery.validity > honoured_s and not delivery.is_held and number not in told:
            told.add(number)
            given = format_duration(delivery.validity)
            yield (
                f"deliveries[{number}].validity: {given} is longer than mta.longest_validity; "
                f"honoured as {format_duration(honoured_s)}"
            )
        last_s = max(last_s, delivery.latest_at + delivery.spread + honoured_s)
    horizon_s = scenario.time.horizon
    if horizon_s is not None and horizon_s < last_s:
        yield (
            f"time.horizon: {format_duration(horizon_s)} cuts off results; messages can be "
            f"under way until {elapsed(last_s)}"
        )


def _throttle_notes(scenario: Scenario) -> Iterator[str]:
    yield from burst_notes(("relay", "rate"), scenario.relay.rate)
    for name, provider in scenario.providers.items():
        place, rate = ("providers", name, "rate"), provider.rate
        yield from throttle_notes(place, rate, " from each source address")
    for number, limit in enumerate(scenario.limits):
        yield from throttle_notes(("limits", number, "rate"), limit.rate)


# What a throttle does that its author may not expect.

_LONG_PERIOD_S: Final = parse_duration("15m")


def throttle_notes(
    place: Place, rate: Throttle | tuple[Throttle, ...] | None, whence: str = ""
) -> Iterator[str]:
    """Yield notes on a throttle, or on several of which each holds."""
    if isinstance(rate, tuple):
        yield from notes_on_several(place, rate)
    else:
        yield from burst_notes(place, rate, whence)


def burst_notes(place: Place, rate: Throttle | None, whence: str = "") -> Iterator[str]:
    """Yield a note on a rate over a long period: the entire limit may go in the first second."""
    if _has_long_burst(rate):
        yield (
            f'{dotted(place)}: "{rate}" lets {rate.limit:,} go at once{whence}; '
            f"add ,max_burst=1 to space them evenly"
        )


def notes_on_several(place: Place, throttles: Sequence[Throttle]) -> Iterator[str]:
    """Yield notes on throttles of which each holds, for each source address."""
    for number, one in enumerate(throttles):
        name = dotted((*place, number))
        below = _always_below(throttles, number)
        if below is not None:
            yield (
                f"{name}: {_written(one)} never holds anything back, since "
                f"{dotted((*place, below))}, {_written(throttles[below])}, allows no more; "
                "leave it out"
            )
        elif _has_long_burst(one):
            period = format_duration(one.period_s)
            yield (
                f'{name}: "{one}" lets up to {2 * one.limit:,} go in the first {period}, the burst '
                "and the rate; for the limit of each period write "
                f'{{ kind = "fixed-window", limit = {one.limit}, window = "{period}" }}'
            )


def _has_long_burst(throttle: Throttle | None) -> TypeGuard[Rate]:
    if not isinstance(throttle, Rate):
        return False
    return throttle.period_s >= _LONG_PERIOD_S and throttle.burst is None and throttle.limit > 1


class _Bounds(NamedTuple):
    """Attempts in any span of time: no more than the burst, and the rate times the span."""

    burst: float
    per_s: float


def _always_below(throttles: Sequence[Throttle], number: int) -> int | None:
    """Return the throttle that never allows more than another one; of equals the first holds."""
    one = throttles[number]
    for other, throttle in enumerate(throttles):
        if other < number and _never_binds(one, throttle):
            return other
        if other > number and _never_binds(one, throttle) and not _never_binds(throttle, one):
            return other
    return None


def _never_binds(one: Throttle, other: Throttle) -> bool:
    """Return whether a throttle holds back nothing that another one lets through."""
    most = _bounds(other)
    return one == other or (most is not None and _allows(one, most))


def _bounds(throttle: Throttle) -> _Bounds | None:
    """Return how much a throttle lets through, for each source address; None if that changes."""
    match throttle:
        case Rate():
            return _Bounds(throttle.burst_or_limit, throttle.per_s)
        case FixedWindow(limit=limit, window=window_s):
            # One window's at the end, and the next one's at the beginning.
            return _Bounds(2.0 * limit, limit / window_s)
        case Gap(pause=pause_s):
            return _Bounds(1.0, 1.0 / pause_s)
        case Schedule() | WarmUp():
            return None


def _allows(throttle: Throttle, most: _Bounds) -> bool:
    """Return whether a throttle never holds back what keeps to the bounds."""
    match throttle:
        case Rate():
            return most.burst <= throttle.burst_or_limit and most.per_s <= throttle.per_s
        case FixedWindow(limit=limit, window=window_s):
            return most.burst + most.per_s * window_s <= limit
        case _:
            return False


def _written(throttle: Throttle) -> str:
    match throttle:
        case FixedWindow(limit=limit, window=window_s):
            return f"{limit} per {format_duration(window_s)}"
        case Gap(pause=pause_s):
            return f"a pause of {format_duration(pause_s)}"
        case _:
            return f'"{throttle}"'


# Times by the clock that are not those of the day on which a scenario starts.

_KEYS: Final = ("at", "until", "pause", "resume", "stop")


def later_days(scenario: Scenario) -> Iterator[str]:
    """Yield what is on a later day than its text may seem to say: it has passed on the first."""
    start = scenario.start
    if start is None:
        return
    for delivery in scenario.written():
        for key in _KEYS:
            given = getattr(delivery, key)
            for moment in given if isinstance(given, tuple) else (given,):
                if not isinstance(moment, Moment) or not names_no_other_day(moment.text, start):
                    continue
                then = after(start, moment)
                if then.date() != start.date():
                    yield (
                        f"{delivery.name}: {key} = {shown(moment.text)} is {dated(then)}, the "
                        f"first after the start, {dated(start)}."
                    )
