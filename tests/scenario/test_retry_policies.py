"""Every policy against the series that its source publishes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sendcap.scenario import (
    AdobeLegacyRetry,
    EximRetry,
    ExponentialRetry,
    KumomtaRetry,
    MomentumRetry,
    OpensmtpdRetry,
    PostfixRetry,
    PowermtaRetry,
    Retry,
    RetryPolicy,
    ScheduleRetry,
    attempt_series_s,
    load,
)

adapter: TypeAdapter[RetryPolicy] = TypeAdapter(Retry)
H = 3600.0
LONGEST_S = 3.5 * 24 * H


def gaps(policy: RetryPolicy, **limits: Any) -> list[float]:
    return np.diff(attempt_series_s(policy, **limits)).tolist()


def due(policy: RetryPolicy, failures: int, uniform: float, **times: float) -> float:
    finish = times.get("finish", 1000.0)
    result = policy.due_s(
        np.array([failures], np.int8),
        np.array([finish]),
        np.array([times.get("arrived", 0.0)]),
        np.array([times.get("first_failed", finish)]),
        np.array([times.get("previous_delay", 0.0)]),
        np.array([uniform]),
    )
    return float(result[0])


def test_exponential_is_the_default_and_follows_momentums_intervals() -> None:
    default = adapter.validate_python({})
    assert default == ExponentialRetry()
    hours = [t / H for t in attempt_series_s(default, max_age_s=LONGEST_S)]
    start = [0, 1 / 3, 1, 7 / 3, 5, 31 / 3, 21]
    assert hours == pytest.approx([*start, 33, 45, 57, 69, 81])


def test_uncapped_doubling_fits_eight_attempts_into_84_hours() -> None:
    policy = ExponentialRetry(max="none")
    assert len(attempt_series_s(policy, max_age_s=LONGEST_S)) == 8
    assert attempt_series_s(policy)[8] == 85 * H


def test_a_validity_of_a_day_gives_seven_attempts() -> None:
    assert len(attempt_series_s(ExponentialRetry(), max_age_s=24 * H)) == 7


def test_doubling_for_ever_does_not_overflow() -> None:
    policy = ExponentialRetry(max="none", factor=1000.0)
    assert due(policy, 127, 0.5) == math.inf
    assert due(ExponentialRetry(factor=1000.0), 127, 0.5) == 1000 + 12 * H


def test_schedule_repeats_its_last_delay() -> None:
    policy = ScheduleRetry(delays=["5m", "1h"])
    assert gaps(policy, limit=5) == [300, 3600, 3600, 3600]


@pytest.mark.parametrize(
    ("cap", "expires"), [("none", 37_200), ("1200s", 6000)], ids=["uncapped", "capped"]
)
def test_momentum_expires_after_its_retries(cap: str, expires: float) -> None:
    policy = MomentumRetry(max_retry_interval=cap, max_retries=5)
    series = attempt_series_s(policy)
    assert len(series) == 6
    assert series[-1] == expires
    assert due(policy, 5, 0.5) == math.inf


def test_momentum_by_default_leaves_the_end_to_the_expiry() -> None:
    assert gaps(MomentumRetry(), limit=9)[-2:] == [43_200, 43_200]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"retry_interval": "2s", "max_age": "1024s"}, [2.0**n for n in range(1, 10)]),
        (
            {"retry_interval": "2s", "max_retry_interval": "8s", "max_age": "128s"},
            [2, 4] + [8] * 15,
        ),
        (
            {"retry_interval": "1200s", "max_age": "86400s"},
            [1200, 2400, 4800, 9600, 19_200, 38_400],
        ),
    ],
)
def test_kumomta_follows_its_own_tests(settings: dict[str, str], expected: list[float]) -> None:
    assert gaps(KumomtaRetry(**settings)) == expected


def test_kumomta_with_defaults_expires_at_its_ninth_failure() -> None:
    minutes = [t / 60 for t in attempt_series_s(KumomtaRetry())]
    assert minutes == [0, 20, 60, 140, 300, 620, 1260, 2540, 5100]


def test_kumomtas_jitter_is_whole_seconds_up_to_half_a_minute() -> None:
    draws = [due(KumomtaRetry(), 3, u) - 1000 - 9600 for u in np.linspace(0, 1, 997)]
    assert set(draws) == {float(second) for second in range(-30, 31)}


def test_kumomta_counts_the_delay_in_the_age() -> None:
    policy = KumomtaRetry(max_age="1h")
    assert due(policy, 0, 0.5, finish=2400) == 3600
    assert due(policy, 0, 0.5, finish=2401) == math.inf


def test_postfix_waits_as_long_as_the_message_is_old() -> None:
    series = attempt_series_s(PostfixRetry(), limit=12)
    assert series[:7] == [0, 300, 600, 1200, 2400, 4800, 9000]
    assert set(np.diff(series[5:])) == {4200}  # 4000 s, then the next scan


def test_postfix_agrees_with_a_log() -> None:
    # One message of a public Postfix log: age at the failure and the wait that followed. The
    # first scan after the message's arrival came at 538 s, hence scans at 538 + 300 k.
    for age, wait in ((0, 538), (538, 600), (1138, 1200), (2338, 2400)):
        arrived = 62.0
        found = due(PostfixRetry(), 1, 0.5, finish=arrived + age, arrived=arrived)
        assert found - arrived - age == pytest.approx(wait, abs=300)


def test_postfix_gives_up_at_the_failure_after_its_lifetime() -> None:
    five_days = 5 * 24 * H
    assert due(PostfixRetry(), 9, 0.5, finish=five_days - 1) < math.inf
    assert due(PostfixRetry(), 9, 0.5, finish=five_days) == math.inf


@given(st.floats(0, 1e7), st.sampled_from(["300s", "0.1s", "7s", "333ms"]))
def test_postfix_is_never_due_before_its_backoff(finish: float, scan: str) -> None:
    policy = PostfixRetry(queue_run_delay=scan, maximal_queue_lifetime="1000d")
    found = due(policy, 1, 0.5, finish=finish, arrived=finish)
    # It counts in whole seconds; qmgr_active.c, qmgr_active_feed: a scan takes what is due in one.
    earliest = math.floor(finish) + 299
    assert earliest <= found <= earliest + policy.queue_run_delay * (1 + 1e-9) + 1e-6


def test_exim_follows_its_default_rule() -> None:
    hours = [t / H for t in attempt_series_s(EximRetry())]
    quarters = [0.25 * n for n in range(10)]
    geometric = [3.25, 4.75, 7, 10.375, 15.4375, 23.03125]
    sixes = [23.03125 + 6 * n for n in range(1, 14)]
    assert hours == quarters + geometric + sixes
    assert hours[-2] <= 96 < hours[-1]


def test_rounding_does_not_keep_exim_from_growing_the_delay() -> None:
    # A delay of an hour, measured on the clock, is a rounding error more or less than that.
    policy = EximRetry()
    finish_s = np.random.default_rng(1).uniform(7200.0, 7700.0, 1001)
    delay_s = (finish_s + 3600.0) - finish_s
    assert (delay_s < 3600.0).any()
    later_s = finish_s + 3600.0
    due_s = policy.due_s(
        np.full(1001, 9), later_s, finish_s - 7200.0, finish_s - 7200.0, delay_s, None
    )
    assert due_s - later_s == pytest.approx(np.full(1001, 5400.0))


def test_exims_random_step_lies_in_the_upper_half() -> None:
    policy = EximRetry(rule="H,4d,1h,2")
    times = {"finish": 9 * H, "first_failed": 0.0, "previous_delay": 3 * H}
    assert policy.needs_uniform
    assert due(policy, 3, 0.0, **times) == 9 * H + 3.5 * H
    assert due(policy, 3, 1.0, **times) == 9 * H + 6 * H
    assert due(policy, 0, 0.3, finish=0.0, previous_delay=0.0) == H


def test_exim_caps_every_gap() -> None:
    policy = EximRetry(rule="G,100d,10h,10")
    assert gaps(policy, limit=4) == [10 * H, 24 * H, 24 * H]


def test_powermta_walks_its_list() -> None:
    policy = PowermtaRetry(retry_after="10m,10m,10m,1h,4h")
    assert gaps(policy, limit=8) == [600, 600, 600, 3600, 14_400, 14_400, 14_400]
    assert policy == PowermtaRetry(retry_after=["10m", "10m", "10m", "1h", "4h"])
    assert PowermtaRetry(retry_after="10m") == PowermtaRetry()
    assert attempt_series_s(PowermtaRetry(), limit=10_000)[-1] == 4.5 * 24 * H


def test_adobes_own_mta_tries_five_times_on_day_one_then_daily() -> None:
    hours = [t / H for t in attempt_series_s(AdobeLegacyRetry(), max_age_s=5 * 24 * H)]
    assert hours == [0, 1, 2, 3, 4, 5, 29, 53, 77, 101]


@pytest.mark.parametrize(
    ("retries", "interval", "hours"),
    [
        # "30 minutes for retry period and more than 20 retries": AdobeDocs/campaign-standard.en,
        # help/sending/using/monitor-deliverability.md.
        (21, "30m", [*(number / 2 for number in range(22)), 34.5, 58.5]),
        (48, "20m", [*(number / 3 for number in range(49)), 40, 64]),
        (2, "1m", [0, 1 / 60, 2 / 60, 24 + 2 / 60, 48 + 2 / 60, 72 + 2 / 60]),
    ],
)
def test_adobes_retry_period_may_be_less_than_an_hour(retries, interval, hours) -> None:
    policy = AdobeLegacyRetry(retries_on_day_one=retries, interval=interval)
    tried = [start_s / H for start_s in attempt_series_s(policy, max_age_s=3.2 * 24 * H)]
    assert tried[: len(hours)] == pytest.approx(hours)


def test_adobes_recommended_retries_are_a_scenario(shared) -> None:
    scenario = load(shared("cases/59-adobe-legacy-30m/s.toml"))
    assert scenario.mta.retry == AdobeLegacyRetry(retries_on_day_one=21, interval="30m")


def test_opensmtpd_tries_at_squares_of_400_seconds_after_the_arrival() -> None:
    """From scheduler_ramqueue.c: t = ctime + 400 · step², the first that is after now."""
    assert attempt_series_s(OpensmtpdRetry(), limit=6) == [0, 400, 1600, 3600, 6400, 10_000]
    four_days = attempt_series_s(OpensmtpdRetry(), max_age_s=4 * 24 * H)
    assert (len(four_days), four_days[-1]) == (30, 400 * 29**2)


@pytest.mark.parametrize(
    ("failures", "age_s", "square"),
    [(0, 0.2, 1), (0, 398.9, 1), (0, 400, 2), (0, 25_200, 8), (3, 1700, 4), (9, 500, 10)],
)
def test_opensmtpds_retries_skip_the_squares_that_are_past(failures, age_s, square) -> None:
    found = due(OpensmtpdRetry(), failures, 0.5, finish=100 + age_s, arrived=100)
    assert found == 100 + 400 * square**2


POLICIES: dict[str, dict[str, Any]] = {
    "exponential": {"policy": "exponential", "jitter": 0.5},
    "schedule": {"policy": "schedule", "delays": ["10m", "5m", "2h"], "jitter": 0.2},
    "momentum": {"policy": "momentum", "max_retries": 7},
    "kumomta": {"policy": "kumomta"},
    "kumomta-capped": {"policy": "kumomta", "max_retry_interval": "20m"},
    "postfix": {"policy": "postfix"},
    "exim": {"policy": "exim"},
    "exim-random": {"policy": "exim", "rule": "F,1h,10m; H,2d,20m,1.7"},
    "powermta": {"policy": "powermta", "retry_after": ["10m", "1h"]},
    "adobe-legacy": {"policy": "adobe-legacy", "interval": "2h"},
    "opensmtpd": {"policy": "opensmtpd"},
}

every_policy = pytest.mark.parametrize("table", POLICIES.values(), ids=POLICIES.keys())


@every_policy
@given(
    failures=st.integers(0, 40),
    arrived=st.floats(0, 1e5),
    since_arrival=st.floats(0, 1e6),
    previous=st.floats(60, 1e5),
    uniform=st.floats(0, 1, exclude_max=True),
)
def test_no_delay_is_shorter_than_the_shortest(
    table: dict[str, Any],
    failures: int,
    arrived: float,
    since_arrival: float,
    previous: float,
    uniform: float,
) -> None:
    policy = adapter.validate_python(table)
    finish = arrived + since_arrival
    found = due(
        policy,
        failures,
        uniform,
        finish=finish,
        arrived=arrived,
        first_failed=arrived if failures else finish,
        previous_delay=previous if failures else 0.0,
    )
    assert policy.shortest_delay_s > 0
    assert found >= finish + policy.shortest_delay_s * (1 - 1e-12) - 1e-9


@every_policy
def test_many_messages_at_once_are_as_one_by_one(table: dict[str, Any]) -> None:
    policy = adapter.validate_python(table)
    rng = np.random.default_rng(1)
    failures = rng.integers(0, 20, 200)
    arrived = rng.uniform(0, 1e4, 200)
    first = arrived + rng.uniform(0, 100, 200)
    finish = first + np.where(failures > 0, rng.uniform(1e3, 1e6, 200), 0.0)
    previous = np.where(failures > 0, rng.uniform(300, 1e5, 200), 0.0)
    arguments = (failures, finish, arrived, first, previous, rng.random(200))
    together = policy.due_s(*arguments)
    one = [tuple(argument[n : n + 1] for argument in arguments) for n in range(200)]
    alone = [policy.due_s(*each)[0] for each in one]  # type: ignore[arg-type]
    assert together.dtype == np.float64
    assert together.tolist() == alone


@every_policy
def test_only_random_policies_need_draws(table: dict[str, Any]) -> None:
    policy = adapter.validate_python(table)
    one = np.array([7200.0])
    arguments = (np.array([1]), one, 0 * one, 0 * one, one)
    if policy.needs_uniform and "rule" not in table:
        with pytest.raises(ValueError, match="needs a uniform draw"):
            policy.due_s(*arguments, None)
    elif not policy.needs_uniform:
        assert np.array_equal(
            policy.due_s(*arguments, None), policy.due_s(*arguments, np.array([0.9]))
        )


@every_policy
def test_a_policy_reads_back(table: dict[str, Any]) -> None:
    policy = adapter.validate_python(table)
    assert adapter.validate_python(adapter.dump_python(policy)) == policy


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ({"first": "0s"}, "at least 1s"),
        ({"first": 1200}, "has no unit"),
        ({"first": "1h", "max": "20m"}, "is less than first, 1h"),
        ({"factor": 0.5}, "greater than or equal to 1"),
        ({"factor": float("inf")}, "finite"),
        ({"jitter": 1}, "less than 1"),
        ({"jitter": -0.1}, "greater than or equal to 0"),
        ({"policy": "schedule"}, "delays"),
        ({"policy": "schedule", "delays": []}, "at least one"),
        ({"policy": "schedule", "delays": ["5m", "0s"]}, "at least 1s"),
        ({"policy": "momentum", "max_retries": -1}, "whole number from 0"),
        ({"policy": "momentum", "max_retries": True}, "whole number from 0"),
        ({"policy": "kumomta", "max_retry_interval": "1m"}, "is less than retry_interval, 20m"),
        ({"policy": "postfix", "maximal_backoff_time": "1m"}, "is less than minimal"),
        ({"policy": "exim", "rule": ""}, "must start with F, G or H"),
        ({"policy": "exim", "rule": "X,2h,15m"}, "must start with F, G or H"),
        ({"policy": "exim", "rule": "F,2h"}, "must have the form F,cutoff,interval"),
        ({"policy": "exim", "rule": "G,2h,15m"}, "must have the form G,cutoff,interval,factor"),
        (
            {"policy": "exim", "rule": "F,2h,0s"},
            '"F,2h,0s": the interval must be at least 1s, not "0s"',
        ),
        ({"policy": "exim", "rule": "F,0h,5m"}, '"F,0h,5m": the cutoff must be more than zero'),
        ({"policy": "exim", "rule": "G,2h,15m,x"}, "factor must be a number"),
        ({"policy": "exim", "rule": "G,2h,15m,0.5"}, "factor must be from 1"),
        ({"policy": "exim", "rule": "F,2h,15m; F,1h,15m"}, "never applies"),
        ({"policy": "exim", "rule": "F,2h,15"}, "number with a unit"),
        ({"policy": "powermta", "retry_after": "10m,x"}, "number with a unit"),
        ({"policy": "powermta", "retry_after": []}, "at least one"),
        ({"policy": "adobe-legacy", "interval": "59s"}, 'give from "1m" to "1d"'),
        ({"policy": "adobe-legacy", "interval": "25h"}, 'give from "1m" to "1d"'),
        ({"policy": "adobe-legacy", "retries_on_day_one": 0}, "greater than or equal to 1"),
    ],
)
def test_a_bad_policy_is_explained(table: dict[str, Any], part: str) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(table)
    assert part in str(caught.value)
