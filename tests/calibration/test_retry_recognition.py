from __future__ import annotations

import math
import re

import numpy as np
import pytest

from sendcap.calibration.evidence import GAP, Gaps
from sendcap.calibration.retries import Recognised, recognise
from sendcap.calibration.retry_exim import exim_rules
from sendcap.scenario import (
    EximRetry,
    ExponentialRetry,
    KumomtaRetry,
    MomentumRetry,
    OpensmtpdRetry,
    PostfixRetry,
    RetryPolicy,
    ScheduleRetry,
)


def gaps_of(
    policy: RetryPolicy, *, messages: int = 60, exact: bool, late_s: float = 0.0, seed: int = 1
) -> Gaps:
    """Return the gaps of messages that are refused for some hours."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, ...]] = []
    for _ in range(messages):
        arrived_s = float(rng.uniform(0, 86_400))
        finish_s = arrived_s + float(rng.exponential(3.0))
        first_s, previous_s, ends_s = finish_s, 0.0, arrived_s + float(rng.exponential(30_000))
        took_s = finish_s - arrived_s
        for failures in range(20):
            due_s = float(
                policy.due_s(
                    np.array([failures]),
                    np.array([finish_s]),
                    np.array([arrived_s]),
                    np.array([first_s]),
                    np.array([previous_s]),
                    rng.random(1),
                )[0]
            )
            next_s = 0.5 + float(rng.exponential(late_s)) if late_s else 0.5
            gap_s = due_s - finish_s + (0.0 if exact else next_s)
            if math.isinf(due_s) or finish_s > ends_s:
                break
            age_s, failing_s = finish_s - arrived_s, finish_s - first_s
            bounds_s = (0.0, gap_s)
            rows.append((failures, age_s, failing_s, previous_s, gap_s, exact, took_s, *bounds_s))
            previous_s, finish_s, took_s = due_s - finish_s, due_s + next_s, next_s
    return np.array(rows, GAP).view(np.recarray)


def best_of(gaps: Gaps, slack_s: float = 5.0) -> Recognised:
    return recognise(gaps, slack_s)[0]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    "policy",
    [
        MomentumRetry(),
        KumomtaRetry(),
        EximRetry(),
        OpensmtpdRetry(),
        ExponentialRetry(first="10m", factor=3.0, max="4h"),
        ExponentialRetry(first="5m", factor=2.0, max="none", jitter=0.1),
        ScheduleRetry(delays=["5m", "20m", "15m", "4h", "1h"]),
    ],
)
def test_a_policy_is_recognised_by_its_own_gaps(policy, exact) -> None:
    gaps = gaps_of(policy, exact=exact)
    each = best_of(gaps)
    assert each.policy == policy
    assert each.explained == each.gaps == len(gaps)


def test_postfixs_default_is_recognised() -> None:
    gaps = gaps_of(PostfixRetry(), exact=True)
    each = best_of(gaps)
    assert each.policy == PostfixRetry()
    assert each.explained == each.gaps == len(gaps)


def test_postfix_with_other_settings() -> None:
    policy = PostfixRetry(
        minimal_backoff_time="600s", maximal_backoff_time="7200s", queue_run_delay="120s"
    )
    each = best_of(gaps_of(policy, exact=True, messages=150))
    assert each.policy == policy
    assert each.explained >= 0.99 * each.gaps


def test_attempts_that_are_late_are_left_unexplained_and_the_policy_is_found() -> None:
    each = best_of(gaps_of(MomentumRetry(), exact=False, late_s=20.0), slack_s=30.0)
    assert isinstance(each.policy, MomentumRetry)
    assert 0 < each.explained < each.gaps


def test_gaps_at_random_are_explained_by_nothing() -> None:
    gaps = gaps_of(MomentumRetry(), exact=True)
    rng = np.random.default_rng(9)
    gaps.gap_s = rng.uniform(10, 90_000, len(gaps))
    assert best_of(gaps).explained < 0.3 * len(gaps)


def test_of_a_few_gaps_nothing_is_said() -> None:
    gaps = gaps_of(MomentumRetry(), exact=True)
    assert recognise(gaps[:4], 5.0) == []


def test_without_arrivals_a_list_is_found_all_the_same() -> None:
    gaps = gaps_of(ScheduleRetry(delays=["5m", "30m", "10m"]), exact=False)
    gaps.age_s = gaps.took_s = np.nan
    assert best_of(gaps).policy == ScheduleRetry(delays=["5m", "30m", "10m"])


def test_the_times_of_exims_rules_are_whole_seconds() -> None:
    """readconf.c, readconf_readtime: nobody can have written another one."""
    gaps = gaps_of(EximRetry(rule="F,1m,10s; F,4d,21s"), exact=False, late_s=1.5)
    rules = [rule for rule, *_ in exim_rules(gaps)]
    assert rules
    assert not [rule for rule in rules if re.search(r"\d\.\d*s", rule)]
