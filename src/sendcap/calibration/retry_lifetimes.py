"""The age at which an MTA gives a message up, where its retry policy has one.

KumoMTA gives up at the failure after which the next attempt would come too late (``max_age``:
``crates/kumod/src/queue``), PowerMTA likewise (``bounce-after``), Postfix at the first failure at
which the message is old enough (``maximal_queue_lifetime``: ``src/qmgr/qmgr_active.c``). So every
retry that was made says that the age is larger, and every message given up at a failure that it is
not.
"""

from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.evidence import LEAST_EXPIRED, Gaps
from sendcap.calibration.round_times import roundest, written
from sendcap.scenario import KumomtaRetry, PostfixRetry, PowermtaRetry, RetryPolicy

_AGES: Final[dict[type[RetryPolicy], str]] = {
    KumomtaRetry: "max_age",
    PowermtaRetry: "bounce_after",
    PostfixRetry: "maximal_queue_lifetime",
}
"""The setting of each policy that has one."""
_FOR_EVER_S: Final = 1e9
_AT_ONCE_S: Final = 30.0
_RARE: Final = 0.01
_A_LITTLE: Final = 1.001
"""An attempt takes some time, and clocks differ."""


def endless(policy: RetryPolicy) -> RetryPolicy:
    """Return the policy as if messages never got too old."""
    name = _AGES.get(type(policy))
    return policy.model_copy(update={name: _FOR_EVER_S}) if name else policy


def lasting(
    policy: RetryPolicy, gaps: Gaps, given_up: Gaps, validity_s: float | None
) -> RetryPolicy:
    """Return the policy with the age that the log shows.

    The default stays if the log has no message given up at a failure, and none that is older.
    """
    name = _AGES.get(type(policy))
    if name is None:
        return policy
    oldest_s = float(_tested_s(policy, gaps).max(initial=0.0))
    told = given_up[given_up.gap_s <= _AT_ONCE_S]
    age_s = float(getattr(policy, name))
    refused_s = _tested_s(policy, told)
    if len(refused_s) >= LEAST_EXPIRED:
        age_s = roundest(oldest_s + 1.0, max(float(np.quantile(refused_s, _RARE)), oldest_s + 1.0))
    elif (longest_s := max(oldest_s, validity_s or 0.0)) > _A_LITTLE * age_s:
        age_s = roundest(longest_s, 2.0 * longest_s)
    return type(policy).model_validate({**policy.model_dump(), name: written(age_s)})


def _tested_s(policy: RetryPolicy, gaps: Gaps) -> Floats:
    """Return the ages that are compared with the limit, as far as they are known."""
    if isinstance(policy, PostfixRetry):
        return np.asarray(gaps.age_s[~np.isnan(gaps.age_s)], np.float64)
    count = len(gaps)
    due_s = endless(policy).due_s(
        gaps.failures, gaps.age_s, np.zeros(count), np.zeros(count), gaps.previous_s,
        np.full(count, 0.5),
    )  # fmt: skip
    return np.asarray(due_s[due_s < _FOR_EVER_S], np.float64)
