"""Which retry policy an MTA follows, by the gaps between the attempts of a message.

Every candidate is one of the scenario's own policies, with parameters read off the gaps. It
predicts between which times the next attempt is due; a gap within them is explained. Wide
predictions explain anything, so candidates are compared by likelihood: a gap is somewhere in its
prediction, or it comes of something else, somewhere in a day; and each parameter costs as much as
Schwarz's criterion has it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.retry_candidates import Gaps, candidates
from sendcap.scenario import (
    PostfixRetry,
    RetryPolicy,
)

_UNEXPLAINED_S: Final = 86_400.0
_LEAST_GAPS: Final = 5
_FORGIVEN_S: Final = 2.0
"""Stamps of whole seconds may be off by one at either end."""
_LEAST_WIDTH_S: Final = 1.0
_AT_A_SCAN_S: Final = 5.0
_MOSTLY: Final = 0.9
"""Share of the gaps that end with the very scan that is expected."""


@dataclass(frozen=True)
class Recognised:
    """A retry policy and how well it explains the gaps.

    Attributes
    ----------
    policy
        With its parameters.
    explained, gaps
        How many of how many gaps it explains.
    told
        What it is, in words.
    """

    policy: RetryPolicy
    explained: int
    gaps: int
    told: str
    score: float


def recognise(gaps: Gaps, slack_s: float) -> list[Recognised]:
    """Return the candidates, the best first; none of fewer than five gaps.

    Parameters
    ----------
    slack_s
        How much later than due an attempt is over, usually: what it waits and takes. It is
        forgiven where the log does not tell when an attempt was due.
    """
    if len(gaps) < _LEAST_GAPS:
        return []
    found = [_judged(policy, size, told, gaps, slack_s) for policy, size, told in candidates(gaps)]
    return sorted(found, key=lambda its: -its.score)


def _judged(policy: RetryPolicy, size: int, told: str, gaps: Gaps, slack_s: float) -> Recognised:
    low_s, due_s = predicted(policy, gaps)
    low_s, due_s = low_s - _FORGIVEN_S, due_s + _FORGIVEN_S
    high_s = due_s + np.where(gaps.exact, 0.0, slack_s)
    explained = (gaps.gap_s >= low_s) & (gaps.gap_s <= high_s)
    count, total = int(explained.sum()), len(gaps)
    density = np.nan_to_num(_density(policy, gaps, low_s, due_s, slack_s))
    # As if a gap more were explained and one were not, so that none is impossible.
    wrong = (total - count + 1.0) / (total + 2.0)
    score = float(np.log((1.0 - wrong) * density + wrong / _UNEXPLAINED_S).sum())
    return Recognised(policy, count, total, told, score - 0.5 * size * math.log(total))


def _density(
    policy: RetryPolicy, gaps: Gaps, low_s: Floats, due_s: Floats, slack_s: float
) -> Floats:
    """Return how likely each gap is, per second, where the policy is right.

    Where it is known when an attempt was due, that is uniform over the prediction. Where only its
    end is known, longer waits are rarer and rarer.
    """
    width_s = np.maximum(due_s - low_s, _LEAST_WIDTH_S)
    inside = (gaps.gap_s >= low_s) & (gaps.gap_s <= due_s)
    late_s = np.maximum(gaps.gap_s - due_s, 0.0)
    decaying = np.exp(-late_s / slack_s) / (width_s + slack_s)
    found = np.where(gaps.exact, inside / width_s, np.where(gaps.gap_s >= low_s, decaying, 0.0))
    scan_s = _next_scan_s(policy, gaps)
    if scan_s is not None:
        found = np.where(np.isnan(scan_s), found, (1.0 - _MOSTLY) * found)
        found[np.abs(gaps.gap_s - scan_s) <= _AT_A_SCAN_S] += _MOSTLY / (2.0 * _AT_A_SCAN_S)
    return found


def predicted(policy: RetryPolicy, gaps: Gaps) -> tuple[Floats, Floats]:
    """Return between which times after its failure a policy tries again; NaN where it does not."""
    if isinstance(policy, PostfixRetry):
        # Its queue scans are at moments that nobody knows, one in each queue_run_delay.
        low_s = np.clip(gaps.age_s, policy.minimal_backoff_time, policy.maximal_backoff_time)
        return low_s, low_s + policy.queue_run_delay
    finish_s = np.where(np.isnan(gaps.age_s), gaps.failing_s, gaps.age_s)
    arrived_s = np.zeros(len(gaps))
    ends = []
    for draw in (0.0, 1.0):
        due_s = policy.due_s(
            gaps.failures,
            finish_s,
            arrived_s,
            finish_s - gaps.failing_s,
            gaps.previous_s,
            np.full(len(gaps), draw),
        )
        ends.append(np.where(np.isinf(due_s), np.nan, due_s - finish_s))
    low_s, high_s = np.minimum(*ends), np.maximum(*ends)
    return low_s, high_s


def _next_scan_s(policy: RetryPolicy, gaps: Gaps) -> Floats | None:
    """Return when Postfix's queue scan tries again; NaN where that is not known, None for others.

    An attempt after the first began with a scan, so the next one is whole scans later.
    """
    if not isinstance(policy, PostfixRetry):
        return None
    scan_s = policy.queue_run_delay
    least_s = np.clip(gaps.age_s, policy.minimal_backoff_time, policy.maximal_backoff_time)
    found_s = np.ceil((gaps.took_s + least_s) / scan_s) * scan_s - gaps.took_s
    return np.where((gaps.failures > 0) & gaps.exact, found_s, np.nan)
