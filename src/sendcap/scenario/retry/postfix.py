"""Retry as Postfix does: wait as long again as the message is old, then the next queue scan."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import model_validator

from sendcap.scenario.durations import PositiveDuration, format_duration, parse_duration
from sendcap.scenario.retry.policy import Delay, Failures, RetryPolicy, Times
from sendcap.scenario.section import refuse


class PostfixRetry(RetryPolicy):
    """Postfix: the age, at least the minimal and at most the maximal backoff, then the next scan.

    ``delay = clamp(finish - arrived, minimal_backoff_time, maximal_backoff_time)``; the message is
    due at the first scan of the deferred queue at or after that. Scans happen at the multiples of
    ``queue_run_delay`` on the simulation's clock. Gives up at a failure at which the message is
    ``maximal_queue_lifetime`` old, and only then.

    References
    ----------
    Postfix, ``src/qmgr/qmgr_active.c``; defaults in ``src/global/mail_params.h``.
    """

    policy: Literal["postfix"] = "postfix"
    minimal_backoff_time: Delay = parse_duration("300s")
    maximal_backoff_time: Delay = parse_duration("4000s")
    queue_run_delay: PositiveDuration = parse_duration("300s")
    maximal_queue_lifetime: PositiveDuration = parse_duration("5d")

    @model_validator(mode="after")
    def _ordered(self) -> PostfixRetry:
        if self.maximal_backoff_time < self.minimal_backoff_time:
            message = (
                f"{format_duration(self.maximal_backoff_time)} is less than minimal_backoff_time, "
                f"{format_duration(self.minimal_backoff_time)}; give at least that"
            )
            refuse("postfix", [(("maximal_backoff_time",), message)])
        return self

    def due_s(
        self,
        failures: Failures,  # noqa: ARG002
        finish_s: Times,
        arrived_s: Times,
        first_failed_s: Times,  # noqa: ARG002
        previous_delay_s: Times,  # noqa: ARG002
        uniform: Times | None,  # noqa: ARG002
    ) -> Times:
        """See `RetryPolicy.due_s`."""
        age_s = finish_s - arrived_s
        earliest_s = finish_s + np.clip(age_s, self.minimal_backoff_time, self.maximal_backoff_time)
        due_s = np.ceil(earliest_s / self.queue_run_delay) * self.queue_run_delay
        # Rounding may put the product just before the moment that it must not precede.
        due_s = np.where(due_s < earliest_s, due_s + self.queue_run_delay, due_s)
        return np.where(age_s >= self.maximal_queue_lifetime, np.inf, due_s)

    @property
    def shortest_delay_s(self) -> float:
        """The minimal backoff time, in seconds."""
        return self.minimal_backoff_time
