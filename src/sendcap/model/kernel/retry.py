"""Retry policies, compiled: when a message is due after a soft bounce.

Each formula is that of the policy's class in `sendcap.scenario.retry`, in scalars.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.state import Retry

GROWING: Final = 0
LISTED: Final = 1
POSTFIX: Final = 2
EXIM: Final = 3
ADOBE_LEGACY: Final = 4
OPENSMTPD: Final = 5
_DAY_S: Final = 86_400.0
SOONEST_S: Final = 0.1
"""Of a retry of Postfix, which counts in whole seconds: a delay of two may be over at once."""

# The columns of a step of Exim's rule in ``delays_s``: kind, cutoff, interval, factor.
FIXED: Final = 0.0
GEOMETRIC: Final = 1.0
RANDOM: Final = 2.0

RETRY = np.dtype(
    [
        ("kind", "i8"),
        ("on_failure", "i8"),  # whether a message ends at a failure after which none is due
        ("first_s", "f8"),
        ("factor", "f8"),
        ("longest_s", "f8"),
        ("jitter", "f8"),  # a factor
        ("whole_jitter_s", "f8"),  # in whole seconds
        ("most", "f8"),  # retries
        ("on_day_one", "f8"),  # Adobe: retries with the first delay
        ("age_s", "f8"),  # of a message, with the delay, at most
        ("scan_s", "f8"),  # from one scan of the queue to the next
        ("first", "i8"),  # in ``delays_s``
        ("count", "i8"),
    ]
)
"""A policy; its delays, or the steps of its rule, are in ``Retry.delays_s``."""


@compiled
def due_s(
    retry: Retry,
    number: int,
    failures: int,
    finish_s: float,
    arrived_s: float,
    first_failed_s: float,
    previous_delay_s: float,
    drawn: float,
) -> float:
    """Return when a message is due again by a policy; infinite where that gives up.

    The other arguments are those of `RetryPolicy.due_s`.
    """
    policy = retry.policies[number]
    age_s = finish_s - arrived_s
    if policy.kind == POSTFIX:
        second_s = math.floor(finish_s)
        age_s = second_s - math.floor(arrived_s)
        if age_s >= policy.age_s:
            return np.inf
        # A scan takes what is due within a second.
        earliest_s = second_s - 1.0 + min(max(age_s, policy.first_s), policy.longest_s)
        return _next_scan_s(policy, max(earliest_s, finish_s + SOONEST_S))
    if policy.kind == OPENSMTPD:
        square = max(failures + 1.0, math.ceil(math.sqrt((age_s + 1.0) / policy.first_s)))
        return arrived_s + policy.first_s * square * square
    if policy.kind == EXIM:
        return _by_rule(retry, policy, finish_s, first_failed_s, previous_delay_s, drawn)
    if failures >= policy.most:
        return np.inf
    if policy.kind == ADOBE_LEGACY:
        return finish_s + (policy.first_s if failures < policy.on_day_one else _DAY_S)
    if policy.kind == LISTED:
        delay_s = retry.delays_s[policy.first + min(failures, policy.count - 1), 0]
    else:
        delay_s = min(policy.first_s * policy.factor**failures, policy.longest_s)
    if policy.jitter > 0.0:
        delay_s *= 1.0 - policy.jitter + 2.0 * policy.jitter * drawn
    if policy.whole_jitter_s > 0.0:
        delay_s += float(int((drawn - 0.5) * policy.whole_jitter_s))
    if age_s + delay_s > policy.age_s:
        return np.inf
    return finish_s + delay_s


@compiled
def _next_scan_s(policy: Any, earliest_s: float) -> float:
    scanned_s = math.ceil(earliest_s / policy.scan_s) * policy.scan_s
    # Rounding may put the product just before the moment that it must not precede.
    return scanned_s if scanned_s >= earliest_s else scanned_s + policy.scan_s


@compiled
def _by_rule(
    retry: Retry,
    policy: Any,
    finish_s: float,
    first_failed_s: float,
    previous_delay_s: float,
    drawn: float,
) -> float:
    failing_s = finish_s - first_failed_s
    for step in range(policy.first, policy.first + policy.count):
        if failing_s > retry.delays_s[step, 1]:
            continue
        kind, interval_s = retry.delays_s[step, 0], retry.delays_s[step, 2]
        grown_s = previous_delay_s * retry.delays_s[step, 3]
        if kind == FIXED:
            delay_s = interval_s
        elif kind == GEOMETRIC:
            # A delay that was the interval has been rounded with the clock since.
            early = previous_delay_s < interval_s * (1.0 - 1e-6)
            delay_s = interval_s if early else grown_s
        else:
            delay_s = interval_s + max(grown_s - interval_s, 0.0) * (0.5 + 0.5 * drawn)
        return finish_s + min(delay_s, policy.longest_s)
    return np.inf
