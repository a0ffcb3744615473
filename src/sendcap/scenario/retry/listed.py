"""Retry at fixed intervals: PowerMTA's list, and the schedule of Campaign's own MTA."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator

from sendcap.scenario.durations import PositiveDuration, format_duration, parse_duration
from sendcap.scenario.retry.geometric import listed
from sendcap.scenario.retry.policy import Delay, Failures, RetryPolicy, Times
from sendcap.scenario.section import Count, OneOrMore

_HOUR_S: Final = 3600.0
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
    retry_after: Annotated[
        OneOrMore[Delay],
        BeforeValidator(_split, json_schema_input_type=str | list[str]),
    ] = (parse_duration("10m"),)
    bounce_after: PositiveDuration = parse_duration("4d12h")

    def due_s(
        self,
        failures: Failures,
        finish_s: Times,
        arrived_s: Times,
        first_failed_s: Times,  # noqa: ARG002
        previous_delay_s: Times,  # noqa: ARG002
        uniform: Times | None,  # noqa: ARG002
    ) -> Times:
        """See `RetryPolicy.due_s`."""
        due_s = finish_s + listed(self.retry_after, failures)
        return np.where(due_s - arrived_s > self.bounce_after, np.inf, due_s)

    @property
    def shortest_delay_s(self) -> float:
        """The shortest interval of the list, in seconds."""
        return min(self.retry_after)


def _from_an_hour(seconds: float) -> float:
    if not _HOUR_S <= seconds <= _DAY_S:
        raise ValueError(f'"{format_duration(seconds)}" is not possible; give from "1h" to "1d"')
    return seconds


class AdobeLegacyRetry(RetryPolicy):
    """Campaign's own MTA: so many retries an interval apart on day one, then one a day.

    After n earlier failures the delay is ``interval`` while n < ``retries_on_day_one``, then 24
    hours. The message's validity ends it.

    References
    ----------
    AdobeDocs/campaign-classic.en, ``help/delivery/using/steps-sending-the-delivery.md``: five
    retries on the first day, at least an hour apart, then one per day until the deadline.
    """

    policy: Literal["adobe-legacy"] = "adobe-legacy"
    retries_on_day_one: Count = 5
    interval: Annotated[PositiveDuration, AfterValidator(_from_an_hour)] = parse_duration("1h")

    def due_s(
        self,
        failures: Failures,
        finish_s: Times,
        arrived_s: Times,  # noqa: ARG002
        first_failed_s: Times,  # noqa: ARG002
        previous_delay_s: Times,  # noqa: ARG002
        uniform: Times | None,  # noqa: ARG002
    ) -> Times:
        """See `RetryPolicy.due_s`."""
        day_one = failures < self.retries_on_day_one
        return finish_s + np.where(day_one, self.interval, _DAY_S)

    @property
    def shortest_delay_s(self) -> float:
        """The interval on day one, in seconds."""
        return self.interval
