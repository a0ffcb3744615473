"""Retry after delays that grow by a factor, or follow a list."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field, PlainValidator, WithJsonSchema

from sendcap.scenario.durations import PositiveDuration, parse_duration
from sendcap.scenario.retry.policy import (
    OR_NO_LIMIT,
    Bounces,
    Cap,
    Delay,
    Jitter,
    RetryPolicy,
    Times,
    doubling,
    listed,
    ordered,
)
from sendcap.scenario.section import Number, OneOrMore
from sendcap.text.quoting import shown


class ExponentialRetry(RetryPolicy):
    """``min(first · factorⁿ, max)`` after n earlier failures, times a draw from 1 ± jitter.

    The defaults are Momentum's intervals: 20 minutes, doubling, at most 12 hours.
    """

    policy: Literal["exponential"] = "exponential"
    """Name of the policy."""
    first: Delay = parse_duration("20m")
    """Delay after the first soft bounce."""
    factor: Annotated[Number, Field(ge=1, le=1000)] = 2.0
    """Growth of the delay from one soft bounce to the next."""
    max: Cap = parse_duration("12h")
    """Longest delay, or "none"."""
    jitter: Jitter = 0.0
    """Half-width of the random factor 1 ± jitter."""

    _ordered = ordered("first", "max", OR_NO_LIMIT)

    def _due_s(self, bounces: Bounces) -> Times:
        delay_s = doubling(self.first, self.factor, self.max, bounces.failures)
        return bounces.finish_s + bounces.with_jitter(delay_s, self.jitter)

    @property
    def shortest_delay_s(self) -> float:
        """The first delay with the least jitter, in seconds."""
        return self.first * (1.0 - self.jitter)

    @property
    def needs_uniform(self) -> bool:
        """Whether there is jitter."""
        return self.jitter > 0.0


class ScheduleRetry(RetryPolicy):
    """The delays of a list, one after the other, the last one again and again, with jitter."""

    policy: Literal["schedule"] = "schedule"
    """Name of the policy."""
    delays: OneOrMore[Delay]
    """Delays after the first soft bounce, the second, …; the last one repeats."""
    jitter: Jitter = 0.0
    """Half-width of the random factor 1 ± jitter."""

    def _due_s(self, bounces: Bounces) -> Times:
        return bounces.finish_s + bounces.with_jitter(
            listed(self.delays, bounces.failures), self.jitter
        )

    @property
    def shortest_delay_s(self) -> float:
        """The shortest delay of the list with the least jitter, in seconds."""
        return min(self.delays) * (1.0 - self.jitter)

    @property
    def needs_uniform(self) -> bool:
        """Whether there is jitter."""
        return self.jitter > 0.0


_MOST_RETRIES: Final = 1_000_000
_RETRIES: Final = {"type": "integer", "minimum": 0, "maximum": _MOST_RETRIES}


def _auto_or_count(value: Any) -> int | str:
    if value == "auto":
        return "auto"
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole and 0 <= value <= _MOST_RETRIES):
        raise ValueError(
            f'must be "auto" or a whole number from 0 to {_MOST_RETRIES}, not {shown(value)}'
        )
    return int(value)


class MomentumRetry(RetryPolicy):
    """Momentum: ``min(Retry_Interval · 2ⁿ, Max_Retry_Interval)`` after n earlier failures.

    Gives up at the failure that follows ``max_retries`` retries. ``"auto"`` leaves the end to the
    message's expiry (Momentum derives the number from it).

    References
    ----------
    SparkPost/support-docs, ``content/momentum/4/config/ref-retry-interval.md``,
    ``ref-max-retry-interval.md`` and ``ref-max-retries.md``: with 5 retries from 1200 s a message
    expires at 37,200 s, or at 6000 s when the interval stays at 1200 s.
    """

    policy: Literal["momentum"] = "momentum"
    """Name of the policy."""
    retry_interval: Delay = parse_duration("20m")
    """Delay after the first soft bounce; it doubles."""
    max_retry_interval: Cap = parse_duration("12h")
    """Longest delay, or "none"."""
    max_retries: Annotated[
        int | Literal["auto"],
        PlainValidator(_auto_or_count),
        WithJsonSchema({"anyOf": [_RETRIES, {"const": "auto"}]}),
    ] = "auto"
    """Retries before the policy gives up, or "auto": the validity decides."""

    _ordered = ordered("retry_interval", "max_retry_interval", OR_NO_LIMIT)

    def _due_s(self, bounces: Bounces) -> Times:
        due_s = bounces.finish_s + doubling(
            self.retry_interval, 2.0, self.max_retry_interval, bounces.failures
        )
        if self.max_retries == "auto":
            return due_s
        return np.where(bounces.failures >= self.max_retries, np.inf, due_s)

    @property
    def shortest_delay_s(self) -> float:
        """The first interval, in seconds."""
        return self.retry_interval


class KumomtaRetry(RetryPolicy):
    """KumoMTA: ``min(retry_interval · 2ⁿ, max_retry_interval)`` plus a little jitter.

    After n earlier failures, with J = min(retry_interval / 20, 60 s), the jitter is a uniform
    draw from ±J/2 cut to whole seconds. Gives up when age + delay would exceed ``max_age``: with
    the defaults at the failure 85 hours after the first attempt, not at 7 days. A message for which
    no retry fits expires at once, and not at the end of its validity.

    References
    ----------
    KumoMTA, ``crates/kumod/src/queue``: ``QueueConfig::delay_for_attempt`` and
    ``increment_attempts_and_update_delay``; defaults in ``queue/config.rs``.
    """

    expires_on_failure: ClassVar[bool] = True

    policy: Literal["kumomta"] = "kumomta"
    """Name of the policy."""
    retry_interval: Delay = parse_duration("20m")
    """Delay after the first soft bounce; it doubles."""
    max_retry_interval: Cap = None
    """Longest delay, or "none"."""
    max_age: PositiveDuration = parse_duration("7d")
    """Age of a message beyond which the policy gives up."""

    _ordered = ordered("retry_interval", "max_retry_interval", OR_NO_LIMIT)

    @property
    def jitter_s(self) -> float:
        """The longest delay less the shortest, of the first retry, in seconds."""
        return min(self.retry_interval / 20.0, 60.0)

    def _due_s(self, bounces: Bounces) -> Times:
        delay_s = doubling(self.retry_interval, 2.0, self.max_retry_interval, bounces.failures)
        if self.needs_uniform:
            delay_s = delay_s + np.trunc((bounces.drawn - 0.5) * self.jitter_s)
        age_s = bounces.finish_s - bounces.arrived_s
        return np.where(age_s + delay_s > self.max_age, np.inf, bounces.finish_s + delay_s)

    @property
    def shortest_delay_s(self) -> float:
        """The first interval with the least jitter, in seconds."""
        return self.retry_interval - self.jitter_s / 2.0

    @property
    def needs_uniform(self) -> bool:
        """Whether the jitter ever reaches a whole second."""
        return self.jitter_s / 2.0 >= 1.0
