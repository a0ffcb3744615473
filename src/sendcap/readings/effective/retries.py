"""Retries and lifetimes in words."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sendcap.scenario import (
    Delivery,
    EximRetry,
    ExponentialRetry,
    KumomtaRetry,
    Queue,
    RetryPolicy,
    Scenario,
    ScheduleRetry,
    attempt_series_s,
)
from sendcap.text.quantities import all_units, listed
from sendcap.text.quoting import first_few
from sendcap.text.shares import share_text

_MOST: Final = 8
"""Moments that are listed one by one."""
_FIRST: Final = 6
"""Moments of a longer list."""
_LOOKED_AT: Final = 300
_LEAST_EQUAL: Final = 3
"""Delays of the same length that make a rule."""


def retry_rows(scenario: Scenario, path: Queue) -> Iterator[tuple[str, str]]:
    """Yield the retries of a queue, and how long messages are tried."""
    deliveries = [
        delivery
        for delivery in scenario.deliveries
        if scenario.pool_of(delivery) == path.pool and delivery.audience.get(path.provider)
    ]
    policy = scenario.retry_of(path.provider)
    longest_s = max(scenario.honoured_validity(delivery) for delivery in deliveries)
    yield "Retries", f"{policy.policy}: {series_text(policy, longest_s)}{_jitter(policy)}"  # type: ignore[attr-defined]
    expires = "on time"
    if scenario.expires_on_failure(path.provider):
        expires = "at the failure after which no retry fits"
    origin = "hand-over" if scenario.mta.clock_origin == "relayed" else "delivery's start"
    lifetimes = _lifetimes(scenario, deliveries)
    yield "Lifetime", f"{lifetimes} from the {origin} on; messages expire {expires}"


@lru_cache
def series_text(policy: RetryPolicy, lifetime_s: float) -> str:
    """Return the moments of the retries after the first attempt, within a lifetime.

    Attempts take no time and wait for nothing; random delays take the middle of their range.
    """
    # A message comes at any time between two scans of a queue.
    arrived_s = policy.run_every_s / 2.0
    series_s = attempt_series_s(policy, limit=_LOOKED_AT, arrived_s=arrived_s)[1:]
    due_s = [moment_s for moment_s in series_s if moment_s <= lifetime_s]
    gives_up = len(due_s) == len(series_s) < _LOOKED_AT - 1
    if not due_s:
        return "none" if gives_up else "none within the lifetime"
    delays_s = np.diff([0.0, *due_s])
    settled = _settled_from(delays_s)
    end = f", {len(due_s):,} in all" if gives_up else ""
    if settled is None:
        few = _shortened(due_s)
        last = "" if gives_up else ", no more within the lifetime"
        return f"{few} after the first attempt{end}{last}"
    every = f"every {_moment(delays_s[-1])}"
    if settled == 0:
        return f"{every}{end}"
    return f"{_shortened(due_s[:settled])} after the first attempt, then {every}{end}"


def _settled_from(delays_s: npt.NDArray[np.float64]) -> int | None:
    """Return the first of the delays from which on all are the same, if there are some."""
    first = len(delays_s) - 1
    while first and math.isclose(delays_s[first - 1], delays_s[-1], rel_tol=1e-6):
        first -= 1
    return first if len(delays_s) - first >= _LEAST_EQUAL else None


def _shortened(due_s: Sequence[float]) -> str:
    texts = [_moment(moment_s) for moment_s in due_s]
    if len(texts) <= _MOST:
        return listed(texts)
    return f"{', '.join(texts[:_FIRST])}, … and {texts[-1]}"


def _moment(seconds: float) -> str:
    """Return a time, from a minute on to the second."""
    return all_units(seconds if seconds < 60.0 else round(seconds))


def _jitter(policy: RetryPolicy) -> str:
    """Return by how much the moments vary."""
    match policy:
        case ExponentialRetry(jitter=jitter) | ScheduleRetry(jitter=jitter) if jitter:
            return f"; each delay ± {share_text(jitter)}"
        case KumomtaRetry() if policy.needs_uniform:
            return f"; each delay ± {all_units(policy.jitter_s / 2.0)}"
        case EximRetry() if policy.needs_uniform:
            return "; delays of H steps are the middle of their range"
        case _ if policy.run_every_s:
            every, half = all_units(policy.run_every_s), all_units(policy.run_every_s / 2.0)
            return f"; at scans of the queue, every {every}, so up to {half} sooner or later"
        case _:
            return ""


def _lifetimes(scenario: Scenario, deliveries: Sequence[Delivery]) -> str:
    """Return how long messages are tried, with their deliveries where these differ."""
    texts = [_lifetime(scenario, delivery) for delivery in deliveries]
    of_parent: dict[str, set[str]] = {}
    for delivery, text in zip(deliveries, texts, strict=True):
        of_parent.setdefault(delivery.parent or delivery.name, set()).add(text)
    of: dict[str, dict[str, None]] = {}
    for delivery, text in zip(deliveries, texts, strict=True):
        whole = delivery.parent or delivery.name
        of.setdefault(text, {})[whole if len(of_parent[whole]) == 1 else delivery.name] = None
    if len(of) == 1:
        return next(iter(of))
    return listed([f"{text} for {first_few(names)}" for text, names in of.items()])


def _lifetime(scenario: Scenario, delivery: Delivery) -> str:
    honoured_s = scenario.honoured_validity(delivery)
    text = all_units(honoured_s)
    if honoured_s < delivery.validity:
        text += f", not {all_units(delivery.validity)} (mta.longest_validity),"
    return text
