"""Retry policies after soft bounces, one per MTA with the exact rule."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag

from sendcap.scenario.retry.exim import EximRetry as EximRetry
from sendcap.scenario.retry.geometric import ExponentialRetry as ExponentialRetry
from sendcap.scenario.retry.geometric import KumomtaRetry as KumomtaRetry
from sendcap.scenario.retry.geometric import MomentumRetry as MomentumRetry
from sendcap.scenario.retry.geometric import ScheduleRetry as ScheduleRetry
from sendcap.scenario.retry.listed import AdobeLegacyRetry as AdobeLegacyRetry
from sendcap.scenario.retry.listed import OpensmtpdRetry as OpensmtpdRetry
from sendcap.scenario.retry.listed import PostfixRetry as PostfixRetry
from sendcap.scenario.retry.listed import PowermtaRetry as PowermtaRetry
from sendcap.scenario.retry.policy import RetryPolicy as RetryPolicy

MTAS_RETRY: Final = "[mta]"
OWN_RETRY: Final = "[policy]"
"""Stand for the kinds of a provider's policy in the places of problems."""

_Policies = (
    ExponentialRetry
    | ScheduleRetry
    | MomentumRetry
    | KumomtaRetry
    | PostfixRetry
    | EximRetry
    | PowermtaRetry
    | OpensmtpdRetry
    | AdobeLegacyRetry
)


def _exponential_by_default(value: Any) -> Any:
    if isinstance(value, dict) and "policy" not in value:
        return {"policy": "exponential", **value}
    return value


Retry = Annotated[
    Annotated[_Policies, Field(discriminator="policy")],
    BeforeValidator(_exponential_by_default, json_schema_input_type=_Policies),
]
"""Any retry policy; ``exponential`` when none is named."""


ProviderRetry = Annotated[
    Annotated[Literal["mta"], Tag(MTAS_RETRY)] | Annotated[Retry, Tag(OWN_RETRY)],
    Discriminator(lambda value: MTAS_RETRY if value == "mta" else OWN_RETRY),
]
"""A retry policy, or "mta" for the MTA's own."""


def attempt_series_s(
    policy: RetryPolicy,
    max_age_s: float = math.inf,
    service_s: float = 0.0,
    limit: int = 100,
    arrived_s: float = 0.0,
) -> list[float]:
    """When a message is tried that soft-bounces every time and never waits for a connection.

    Parameters
    ----------
    policy
        The retry policy; random delays take the middle of their range.
    max_age_s
        Seconds after its arrival from which the message is not tried any more.
    service_s
        How long each attempt takes.
    limit
        The most attempts to return.
    arrived_s
        Arrival on the simulation's clock, which the queue runs of Postfix and Exim follow.

    Returns
    -------
    list of float
        Starts of the attempts, in seconds from the message's arrival.

    Examples
    --------
    >>> [t / 60 for t in attempt_series_s(ExponentialRetry(), max_age_s=6 * 3600)]
    [0.0, 20.0, 60.0, 140.0, 300.0]
    """
    attempts = [arrived_s]
    arrived, half = np.full(1, arrived_s), np.full(1, 0.5)
    first_failed, previous_delay = np.full(1, arrived_s + service_s), np.zeros(1)
    while len(attempts) < limit:
        finish = np.full(1, attempts[-1] + service_s)
        failures = np.array([len(attempts) - 1])
        due = policy.due_s(failures, finish, arrived, first_failed, previous_delay, half)
        due_s = float(due[0])
        if not due_s - arrived_s <= max_age_s or math.isinf(due_s):
            break
        previous_delay = due - finish
        attempts.append(due_s)
    return [start_s - arrived_s for start_s in attempts]
