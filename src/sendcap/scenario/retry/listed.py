"""Retry by a list or by the clock: PowerMTA, Campaign's own MTA, Postfix, OpenSMTPD."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator

from sendcap.scenario.durations import PositiveDuration, format_duration, parse_duration
from sendcap.scenario.retry.policy import (
    SHORTEST_WINDOW,
    Bounces,
    Delay,
    RetryPolicy,
    Times,
    listed,
    next_run_s,
    ordered,
)
from sendcap.scenario.section import Count, OneOrMore, unit

_MINUTE_S: Final = 60.0
_DAY_S: Final = 86_400.0


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class PowermtaRetry(RetryPolicy):
    """PowerMTA: the intervals of ``retry-after``, one per failure, the last one repeating.

    Gives up when the message would be older than ``bounce_after`` at its next attempt. PowerMTA
    walks the list per queue; here each message walks it by itself.

    References
    ----------
    PowerMTA 5.0 User's Guide, directives ``retry-after`` (10 minutes) and ``bounce-after``
    (4d12h). That the age is tested at the failure, delay included, is an assumption.
    """

    policy: Literal["powermta"] = "powermta"
    """Name of the policy."""
    retry_after: Annotated[
        OneOrMore[Delay],
        BeforeValidator(_split, json_schema_input_type=str | list[str]),
    ] = (parse_duration("10m"),)
    """Delays after the first soft bounce, the second, …; the last one repeats."""
    bounce_after: PositiveDuration = parse_duration("4d12h")
    """Age of a message beyond which the policy gives up."""

    def _due_s(self, bounces: Bounces) -> Times:
        due_s = bounces.finish_s + listed(self.retry_after, bounces.failures)
        return np.where(due_s - bounces.arrived_s > self.bounce_after, np.inf, due_s)

    @property
    def shortest_delay_s(self) -> float:
        """The shortest interval of the list, in seconds."""
        return min(self.retry_after)


def _from_a_minute(seconds: float) -> float:
    if not _MINUTE_S <= seconds <= _DAY_S:
        raise ValueError(f'"{format_duration(seconds)}" is not possible; give from "1m" to "1d"')
    return seconds


class AdobeLegacyRetry(RetryPolicy):
    """Campaign's own MTA: so many retries an interval apart on day one, then one a day.

    After n earlier failures the delay is ``interval`` while n < ``retries_on_day_one``, then 24
    hours. The message's validity ends it.

    References
    ----------
    AdobeDocs/campaign-classic.en, ``help/delivery/using/steps-sending-the-delivery.md``: five
    retries on the first day, at least an hour apart, then one per day until the deadline.
    AdobeDocs/campaign-standard.en, ``help/sending/using/monitor-deliverability.md``: a retry period
    of 30 minutes and more than 20 retries, if users set it themselves.
    """

    policy: Literal["adobe-legacy"] = "adobe-legacy"
    """Name of the policy."""
    retries_on_day_one: Annotated[Count, unit("retries")] = 5
    """Retries on the first day; afterwards one per day."""
    interval: Annotated[PositiveDuration, AfterValidator(_from_a_minute)] = parse_duration("1h")
    """Retry period: the delay on the first day, 1m to 1d."""

    def _due_s(self, bounces: Bounces) -> Times:
        day_one = bounces.failures < self.retries_on_day_one
        return bounces.finish_s + np.where(day_one, self.interval, _DAY_S)

    @property
    def shortest_delay_s(self) -> float:
        """The interval on day one, in seconds."""
        return self.interval


class PostfixRetry(RetryPolicy):
    """Postfix: the age, at least the minimal and at most the maximal backoff, then the next scan.

    ``delay = clamp(finish - arrived, minimal_backoff_time, maximal_backoff_time)``; the message is
    due at the first scan of the deferred queue at or after that, or within a second before. Scans
    happen at the multiples of ``queue_run_delay`` on the simulation's clock. Gives up at a failure
    at which the message is ``maximal_queue_lifetime`` old, and only then. All times are counted in
    whole seconds.

    References
    ----------
    Postfix, ``src/qmgr/qmgr_active.c``; defaults in ``src/global/mail_params.h``.
    """

    policy: Literal["postfix"] = "postfix"
    """Name of the policy."""
    minimal_backoff_time: Delay = parse_duration("300s")
    """Shortest delay."""
    maximal_backoff_time: Delay = parse_duration("4000s")
    """Longest delay."""
    queue_run_delay: PositiveDuration = parse_duration("300s")
    """Interval of the scans of the deferred queue."""
    maximal_queue_lifetime: PositiveDuration = parse_duration("5d")
    """Age of a message at which a soft bounce is final."""

    _ordered = ordered("minimal_backoff_time", "maximal_backoff_time")

    def _due_s(self, bounces: Bounces) -> Times:
        second_s = np.floor(bounces.finish_s)
        age_s = second_s - np.floor(bounces.arrived_s)
        # A scan takes what is due within a second.
        delay_s = np.clip(age_s, self.minimal_backoff_time, self.maximal_backoff_time)
        soonest_s = bounces.finish_s + parse_duration(SHORTEST_WINDOW)
        earliest_s = np.maximum(second_s - 1.0 + delay_s, soonest_s)
        due_s = next_run_s(earliest_s, self.queue_run_delay)
        return np.where(age_s >= self.maximal_queue_lifetime, np.inf, due_s)

    @property
    def shortest_delay_s(self) -> float:
        """The minimal backoff time in seconds, but for what the whole seconds take away."""
        return max(self.minimal_backoff_time - 2.0, parse_duration(SHORTEST_WINDOW))

    @property
    def run_every_s(self) -> float:
        """The interval of the scans, in seconds."""
        return self.queue_run_delay


_TICK_S: Final = 1.0
"""OpenSMTPD counts in whole seconds, and a retry is later than the failure."""


class OpensmtpdRetry(RetryPolicy):
    """OpenSMTPD: ``backoff · n²`` after the message came, from n = 1 on, the first that is to come.

    The n of a retry is at least the number of failures. The moments count from the arrival, not
    from the failure: a message that has waited for 7 h before its first attempt is due again at
    the next square, up to 1h44m later. The message's validity ends it.

    References
    ----------
    OpenSMTPD 6.8.0p2, ``usr.sbin/smtpd/scheduler_ramqueue.c``: ``scheduler_backoff``,
    ``scheduler_next`` and ``BACKOFF_TRANSFER``, 400 seconds, which no option changes.
    """

    policy: Literal["opensmtpd"] = "opensmtpd"
    """Name of the policy."""
    backoff: Delay = parse_duration("400s")
    """Time from the arrival to the first retry; the second is due after four times as long."""

    def _due_s(self, bounces: Bounces) -> Times:
        soonest_s = bounces.finish_s - bounces.arrived_s + _TICK_S
        number = np.maximum(bounces.failures + 1, np.ceil(np.sqrt(soonest_s / self.backoff)))
        return bounces.arrived_s + self.backoff * number**2

    @property
    def shortest_delay_s(self) -> float:
        """A second: a failure may come just before the next moment."""
        return _TICK_S
