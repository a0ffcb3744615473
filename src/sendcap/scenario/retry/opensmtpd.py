"""OpenSMTPD's retries: at squares of a backoff after the message came."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from sendcap.scenario.durations import parse_duration
from sendcap.scenario.retry.policy import Bounces, Delay, RetryPolicy, Times

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
