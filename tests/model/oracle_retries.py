"""Retry policies by their documented rules, without jitter."""

from __future__ import annotations

import math
from typing import Any

from sendcap.scenario.durations import parse_duration

DAY_S = 86_400.0


def doubled(first_s: float, factor: float, longest_s: float | None, failures: int) -> float:
    delay_s = first_s * factor**failures
    return delay_s if longest_s is None else min(delay_s, longest_s)


def nth(delays_s: tuple[float, ...], failures: int) -> float:
    return delays_s[min(failures, len(delays_s) - 1)]


def exim_delay_s(policy: Any, failing_s: float, previous_delay_s: float) -> float:
    """Delay of the first step whose cutoff is not past; H steps are random and unknown here."""
    for step in policy.rule.split(";"):
        letter, cutoff, interval, *factor = (part.strip() for part in step.split(","))
        if failing_s <= parse_duration(cutoff):
            delay_s = parse_duration(interval)
            # A delay of the interval may have become a rounding error shorter.
            if letter == "G" and previous_delay_s >= delay_s * (1.0 - 1e-9):
                delay_s = previous_delay_s * float(factor[0])
            return min(delay_s, policy.retry_interval_max)
    return math.inf


def ends_on_failure(policy: Any, expire: str) -> bool:
    """Whether a message ends at a failure after which no retry is in time."""
    return policy.policy == "kumomta" if expire == "retry" else expire == "on-failure"


def due_s(
    policy: Any, failures: int, now: float, arrived: float, first_failed: float, previous: float
) -> float:
    """When a message is due again after so many earlier failures; infinite for never."""
    match policy.policy:
        case "exponential":
            return now + doubled(policy.first, policy.factor, policy.max, failures)
        case "schedule":
            return now + nth(policy.delays, failures)
        case "adobe-legacy":
            return now + (policy.interval if failures < policy.retries_on_day_one else DAY_S)
        case "exim":
            return now + exim_delay_s(policy, now - first_failed, previous)
        case "momentum":
            if policy.max_retries != "auto" and failures >= policy.max_retries:
                return math.inf
            return now + doubled(policy.retry_interval, 2.0, policy.max_retry_interval, failures)
        case "kumomta":
            # Below 40 s, the jitter of less than a second is cut to nothing.
            assert policy.retry_interval < 40.0
            due = now + doubled(policy.retry_interval, 2.0, policy.max_retry_interval, failures)
            return due if due - arrived <= policy.max_age else math.inf
        case "powermta":
            due = now + nth(policy.retry_after, failures)
            return due if due - arrived <= policy.bounce_after else math.inf
        case "postfix":
            second = math.floor(now)
            age_s = second - math.floor(arrived)
            if age_s >= policy.maximal_queue_lifetime:
                return math.inf
            shortest_s, longest_s = policy.minimal_backoff_time, policy.maximal_backoff_time
            earliest = second - 1 + min(max(age_s, shortest_s), longest_s)
            earliest = max(earliest, now + 0.1)
            return math.ceil(earliest / policy.queue_run_delay) * policy.queue_run_delay
        case "opensmtpd":
            number = failures + 1
            while arrived + policy.backoff * number**2 < now + 1.0:
                number += 1
            return arrived + policy.backoff * number**2
    raise AssertionError(policy)
