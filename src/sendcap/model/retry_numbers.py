"""Retry policies in numbers, as the compiled step takes them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sendcap.model.kernel import state
from sendcap.model.kernel.retry import (
    ADOBE_LEGACY,
    EXIM,
    FIXED,
    GEOMETRIC,
    GROWING,
    LISTED,
    OPENSMTPD,
    POSTFIX,
    RANDOM,
    RETRY,
)
from sendcap.model.records import records
from sendcap.scenario import retry as policies


def retry_numbers(retries: Sequence[tuple[policies.RetryPolicy, bool]]) -> state.Retry:
    """Return policies, each with whether a message expires on failure, for the compiled step."""
    rows: list[dict[str, Any]] = []
    tables: list[state.Floats] = []
    for policy, on_failure in retries:
        row, table = _numbers(policy)
        row |= {"on_failure": on_failure, "first": sum(map(len, tables)), "count": len(table)}
        rows.append(row)
        tables.append(table)
    return state.Retry(records(RETRY, rows), np.concatenate(tables))


def _numbers(policy: policies.RetryPolicy) -> tuple[dict[str, Any], state.Floats]:
    """Return the fields of a policy, and the table of its delays."""
    row: dict[str, Any] = {"kind": GROWING, "factor": 2.0, "most": np.inf, "age_s": np.inf}
    table = np.zeros((1, 4))
    match policy:
        case policies.ExponentialRetry():
            row |= {"first_s": policy.first, "longest_s": _or_inf(policy.max)}
            row |= {"factor": policy.factor, "jitter": policy.jitter}
        case policies.MomentumRetry():
            row["first_s"] = policy.retry_interval
            row["longest_s"] = _or_inf(policy.max_retry_interval)
            if policy.max_retries != "auto":
                row["most"] = policy.max_retries
        case policies.KumomtaRetry():
            row |= {"first_s": policy.retry_interval, "age_s": policy.max_age}
            row["longest_s"] = _or_inf(policy.max_retry_interval)
            if policy.needs_uniform:
                row["whole_jitter_s"] = policy.jitter_s
        case policies.ScheduleRetry():
            row |= {"kind": LISTED, "jitter": policy.jitter}
            table = _column(policy.delays)
        case policies.PowermtaRetry():
            row |= {"kind": LISTED, "age_s": policy.bounce_after}
            table = _column(policy.retry_after)
        case policies.AdobeLegacyRetry():
            row |= {"kind": ADOBE_LEGACY, "first_s": policy.interval}
            row["on_day_one"] = policy.retries_on_day_one
        case policies.PostfixRetry():
            row |= {"kind": POSTFIX, "first_s": policy.minimal_backoff_time}
            row |= {"longest_s": policy.maximal_backoff_time, "scan_s": policy.queue_run_delay}
            row["age_s"] = policy.maximal_queue_lifetime
        case policies.OpensmtpdRetry():
            row |= {"kind": OPENSMTPD, "first_s": policy.backoff}
        case policies.EximRetry():
            row |= {"kind": EXIM, "longest_s": policy.retry_interval_max}
            letters = {"F": FIXED, "G": GEOMETRIC, "H": RANDOM}
            table = np.array(
                [
                    (letters[step.letter], step.cutoff_s, step.interval_s, step.factor)
                    for step in policy.steps
                ]
            )
        case _:
            raise TypeError(policy)
    return row, table


def _or_inf(value: float | None) -> float:
    return np.inf if value is None else value


def _column(delays_s: Sequence[float]) -> state.Floats:
    table = np.zeros((len(delays_s), 4))
    table[:, 0] = delays_s
    return table
