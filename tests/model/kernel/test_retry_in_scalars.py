"""The compiled retry policies against those of the scenario, which work on arrays."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.retry import due_s
from sendcap.model.retry_numbers import retry_numbers
from sendcap.scenario import (
    AdobeLegacyRetry,
    EximRetry,
    ExponentialRetry,
    KumomtaRetry,
    MomentumRetry,
    OpensmtpdRetry,
    PostfixRetry,
    PowermtaRetry,
    RetryPolicy,
    ScheduleRetry,
)

POLICIES: dict[str, RetryPolicy] = {
    "exponential": ExponentialRetry(first="10s", factor=1.5, max="40s"),
    "exponential without a longest delay": ExponentialRetry(first="10s", max="none"),
    "exponential with jitter": ExponentialRetry(first="10s", max="40s", jitter=0.3),
    "momentum": MomentumRetry(retry_interval="10s", max_retry_interval="40s", max_retries=3),
    "momentum, retries by the validity": MomentumRetry(),
    "kumomta": KumomtaRetry(retry_interval="20s", max_age="100s"),
    "kumomta with a longest interval": KumomtaRetry(
        retry_interval="20s", max_retry_interval="30s", max_age="100s"
    ),
    "kumomta by default": KumomtaRetry(),
    "schedule": ScheduleRetry(delays=["10s", "20s", "60s"]),
    "schedule with jitter": ScheduleRetry(delays=["10s", "20s"], jitter=0.5),
    "powermta": PowermtaRetry(retry_after=["10s", "30s"], bounce_after="100s"),
    "adobe-legacy": AdobeLegacyRetry(),
    "postfix": PostfixRetry(
        minimal_backoff_time="20s",
        maximal_backoff_time="60s",
        queue_run_delay="10s",
        maximal_queue_lifetime="100s",
    ),
    "opensmtpd": OpensmtpdRetry(backoff="10s"),
    "exim": EximRetry(rule="F,20s,5s; G,60s,10s,1.5; F,100s,50s", retry_interval_max="40s"),
    "exim, in part by chance": EximRetry(rule="F,20s,5s; H,100s,10s,2.0"),
}
# Moments on the bounds of the policies, and beside them.
FAILURES = range(5)
FINISH_S = [0.0, 10.0, 20.0, 35.0, 40.0, 60.0, 60.5, 70.0, 80.0, 90.0, 100.0, 110.0, 1e6 / 3.0]
FAILING_S = [0.0, 15.0, 20.0, 60.0, 60.5, 100.0, 100.5]
PREVIOUS_S = [0.0, 5.0, 10.0 - 1e-12, 10.0, 12.0, 35.0]
DRAWN = [0.0, 0.25, 0.5, 0.999]


@compiled
def all_due_s(retry, rows, found) -> None:
    for number in range(len(rows)):
        row = rows[number]
        found[number] = due_s(retry, 1, int(row[0]), row[1], 0.0, row[2], row[3], row[4])


@pytest.mark.parametrize("name", POLICIES)
def test_a_message_is_due_when_the_policy_says(name: str) -> None:
    policy = POLICIES[name]
    rows = np.array(
        [
            (failures, finish_s, finish_s - failing_s, previous_s, drawn)
            for failures, finish_s, failing_s, previous_s, drawn in itertools.product(
                FAILURES, FINISH_S, FAILING_S, PREVIOUS_S, DRAWN
            )
        ]
    )
    failures, finish_s, first_failed_s, previous_s, drawn = rows.T.copy()
    arrived_s = np.zeros(len(rows))
    expected = policy.due_s(
        failures.astype(np.int8), finish_s, arrived_s, first_failed_s, previous_s, drawn
    )
    # Between two others, whose delays are not taken for its own.
    other = ScheduleRetry(delays=["7s", "8s"])
    numbers = by_pointer(retry_numbers([(other, False), (policy, False), (other, False)]))
    found = np.zeros(len(rows))
    all_due_s(numbers, rows, found)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert np.isfinite(expected).any()
