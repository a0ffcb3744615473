"""What nobody knows about a send, and how far it may be from what the scenario says.

A scenario has one number for the share of addresses that bounce, for how long a full mailbox stays
full, for how an MTA spaces its retries. Nobody knows them before a send, and a forecast that took
them for known was too sure of itself: with ``never`` 0.4 where 0.5 was true, its 90 % intervals
held a quarter of the ends. So these are ranges by default. Limits and speeds are not among them: an
MTA's configuration says them, and its logs.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from sendcap.scenario import Constant, Range, Scenario, UncertainScenario, format_duration
from sendcap.scenario.edits import place_of
from sendcap.scenario.provider import Fault
from sendcap.scenario.retry import ExponentialRetry, RetryPolicy
from sendcap.scenario.section import Place
from sendcap.text.quoting import dotted


class Kind(NamedTuple):
    """A kind of value that nobody knows."""

    name: str
    width: str
    why: str


SHARE_FACTOR: Final = 2.5
TRANSIENT_FACTOR: Final = 3.0
CLEARING_FACTOR: Final = 3.0
NEVER_AROUND: Final = 0.4
FIRST_FACTOR: Final = 2.0
GROWTH_FACTOR: Final = 1.5
_TRANSIENT_OF_NONE: Final = 0.02
_ASYNC_OF_NONE: Final = 0.001


def _around(factor: float) -> str:
    return f"÷ {factor:g} to × {factor:g}"


SHARES: Final = Kind(
    "shares of hard bounces, faults",
    _around(SHARE_FACTOR),
    "lists differ, and so does one list a year later",
)
NEVER: Final = Kind("never", f"± {NEVER_AROUND:g}", "nobody sees who will empty a full mailbox")
CLEARING: Final = Kind("clears_after", _around(CLEARING_FACTOR), "seen at a retry only")
TRANSIENT: Final = Kind(
    "transient",
    f"{_around(TRANSIENT_FACTOR)}; of 0, up to {_TRANSIENT_OF_NONE:g}",
    "varies with load and reputation",
)
ASYNCHRONOUS: Final = Kind(
    "async_bounce",
    f"{_around(SHARE_FACTOR)}; of 0, up to {_ASYNC_OF_NONE:g}",
    "come back for up to a week",
)
FIRST: Final = Kind("retry.first", _around(FIRST_FACTOR), "Adobe publishes no schedule")
GROWTH: Final = Kind("retry.factor", _around(GROWTH_FACTOR), "Adobe publishes no schedule")
KINDS: Final = (SHARES, NEVER, CLEARING, TRANSIENT, ASYNCHRONOUS, FIRST, GROWTH)
"""All kinds, with widths that are assumptions; ``experiments/forecast_coverage.py`` tries them."""

_LEAST_PT: Final = 0.01
"""A value that can move Delivered % by less, at any moment, stays as it is."""
_MOST: Final = 24
"""Of more values, those that move it the most."""
_SHORTEST_S: Final = 0.001
_SHORTEST_RETRY_S, _LARGEST_GROWTH = 1.0, 1000.0
"""The limits of the keys."""
_MOST_SHARE: Final = 0.95
"""Of a provider's addresses, bounces and faults together at their highest."""


class Unknown(NamedTuple):
    """A value that nobody knows."""

    place: Place
    kind: Kind
    span: Range
    moves_pt: float  # Delivered %, at most and roughly

    @property
    def path(self) -> str:
        """Path of the value in the scenario."""
        return dotted(self.place)


def unknowns(scenario: Scenario) -> list[Unknown]:
    """Return what nobody knows and matters, in the order of the scenario."""
    found = [each for each in _all(scenario) if each.moves_pt >= _LEAST_PT]
    most = sorted(found, key=lambda each: each.moves_pt, reverse=True)[:_MOST]
    return [each for each in found if each in most]


def assumed(uncertain: UncertainScenario) -> list[Unknown]:
    """Return what is unknown beside the ranges that were given."""
    given = [place_of(path) for path in uncertain.ranges]
    return [
        each
        for each in unknowns(uncertain.scenario)
        if not any(_same(each.place, place) for place in given)
    ]


def widened(uncertain: UncertainScenario) -> UncertainScenario:
    """Return a scenario with ranges of what is unknown beside those that were given."""
    more = {each.path: each.span for each in assumed(uncertain)}
    return UncertainScenario(uncertain.scenario, {**uncertain.ranges, **more})


def _same(one: Place, other: Place) -> bool:
    """Return whether two places are the same, or one is within the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _all(scenario: Scenario) -> Iterator[Unknown]:
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    for name in scenario.providers:
        to_it = sum(
            delivery.messages * delivery.audience.get(name, 0.0) for delivery in scenario.deliveries
        )
        if to_it:
            yield from _of_provider(scenario, name, 100.0 * to_it / messages)
    yield from _of_retries(scenario.mta.retry)


def _of_provider(scenario: Scenario, name: str, most_pt: float) -> Iterator[Unknown]:
    """Yield the values of a provider; ``most_pt`` is its part of all messages."""
    provider, place = scenario.providers[name], ("providers", name)
    bad = sum(each.share for each in provider.hard) + sum(each.share for each in provider.faults)
    factor = min(SHARE_FACTOR, _MOST_SHARE / bad) if bad else SHARE_FACTOR
    for key in ("hard", "faults"):
        for number, each in enumerate(getattr(provider, key)):
            if factor > 1.0 and each.share > 0.0:
                span = _times(each.share, factor)
                yield _share((*place, key, number, "share"), SHARES, span, most_pt)
    for number, fault in enumerate(provider.faults):
        yield from _of_fault(fault, (*place, "faults", number), most_pt * fault.share)
    for kind, factor, of_none in (
        (TRANSIENT, TRANSIENT_FACTOR, _TRANSIENT_OF_NONE),
        (ASYNCHRONOUS, SHARE_FACTOR, _ASYNC_OF_NONE),
    ):
        share = getattr(provider, kind.name)
        if share < 1.0:
            span = _times(share, factor) if share else Range(0.0, of_none)
            yield _share((*place, kind.name), kind, span, most_pt)


def _of_fault(fault: Fault, place: Place, most_pt: float) -> Iterator[Unknown]:
    if 0.0 < fault.never < 1.0:
        ends = max(fault.never - NEVER_AROUND, 0.0), min(fault.never + NEVER_AROUND, 1.0)
        yield _share((*place, "never"), NEVER, Range(*ends), most_pt)
    clears = fault.clears_after
    key: Place = ("clears_after",) if isinstance(clears, Constant) else ("clears_after", "mean")
    # Not every distribution is written by its mean.
    if fault.never < 1.0 and (len(key) == 1 or getattr(clears, "mean", None) is not None):
        yield from _time((*place, *key), CLEARING, clears.mean_s, CLEARING_FACTOR, most_pt)


def _of_retries(retry: RetryPolicy) -> Iterator[Unknown]:
    """Yield the values of Adobe's MTA, of which nothing is published; others document theirs."""
    if not isinstance(retry, ExponentialRetry):
        return
    place, most_s = ("mta", "retry"), retry.max or math.inf
    yield from _time(
        (*place, "first"), FIRST, retry.first, FIRST_FACTOR, 100.0, _SHORTEST_RETRY_S, most_s
    )
    if retry.factor > 1.0:
        ends = (
            max(retry.factor / GROWTH_FACTOR, 1.0),
            min(retry.factor * GROWTH_FACTOR, _LARGEST_GROWTH),
        )
        yield Unknown((*place, "factor"), GROWTH, Range(*ends, log=True), 100.0)


def _times(share: float, factor: float) -> Range:
    return Range(share / factor, min(share * factor, 1.0), log=True)


def _share(place: Place, kind: Kind, span: Range, most_pt: float) -> Unknown:
    low, high = span.ends
    return Unknown(place, kind, span, most_pt * (high - low))


def _time(
    place: Place,
    kind: Kind,
    mean_s: float,
    factor: float,
    most_pt: float,
    least_s: float = _SHORTEST_S,
    most_s: float = math.inf,
) -> Iterator[Unknown]:
    ends_s = max(mean_s / factor, least_s), min(mean_s * factor, most_s)
    low, high = (format_duration(round(end_s, 3)) for end_s in ends_s)
    if 0.0 < ends_s[0] < ends_s[1] and low != high:
        yield Unknown(place, kind, Range(low, high, log=True), most_pt)
