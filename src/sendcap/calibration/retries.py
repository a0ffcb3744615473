"""The retry policy of an MTA, recognised by the gaps between the attempts of a message.

Candidates are the policies of a scenario, with parameters read off the gaps. A policy predicts a
range for the next attempt; a gap inside is explained. Wide ranges explain anything, so candidates
are compared by likelihood: a gap is uniform in its range, or, if something else caused it, in a
day; and each parameter costs as much as in Schwarz's criterion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.evidence import Gaps
from sendcap.calibration.retry_candidates import candidates
from sendcap.scenario import PostfixRetry, RetryPolicy

_UNEXPLAINED_S: Final = 86_400.0
_LEAST_GAPS: Final = 5
_FORGIVEN_S: Final = 2.0
"""Whole-second stamps may be off by one at either end."""
_LEAST_WIDTH_S: Final = 1.0
_AT_A_SCAN_S: Final = 5.0
_MOSTLY: Final = 0.9
"""Share of the gaps that end with the expected queue scan."""


@dataclass(frozen=True)
class Recognised:
    """A retry policy, and the number of gaps that it explains."""

    policy: RetryPolicy
    explained: int
    gaps: int
    description: str  # policy in words
    score: float  # log-likelihood less the cost of the parameters

    def __str__(self) -> str:
        explained = f"{self.explained:,} of {self.gaps:,} gaps between attempts"
        return f"{self.description}: explains {explained}"


def recognise(gaps: Gaps, slack_s: float) -> list[Recognised]:
    """Return the candidates, the best first; none for fewer than five gaps.

    Where the due time of an attempt is unknown, ``slack_s`` is tolerated from there to the end.
    """
    if len(gaps) < _LEAST_GAPS:
        return []
    judged = [_judged(*candidate, gaps, slack_s) for candidate in candidates(gaps)]
    return sorted(judged, key=lambda policy: -policy.score)


def _judged(
    policy: RetryPolicy, size: int, description: str, gaps: Gaps, slack_s: float
) -> Recognised:
    low_s, due_s = predicted(policy, gaps)
    low_s, due_s = low_s - _FORGIVEN_S, due_s + _FORGIVEN_S
    high_s = due_s + np.where(gaps.exact, 0.0, slack_s)
    explained = (gaps.gap_s >= low_s) & (gaps.gap_s <= high_s)
    count, total = int(explained.sum()), len(gaps)
    density = np.nan_to_num(_density(policy, gaps, low_s, due_s, slack_s))
    # One more explained gap and one more unexplained, so that neither is impossible.
    wrong = (total - count + 1.0) / (total + 2.0)
    score = float(np.log((1.0 - wrong) * density + wrong / _UNEXPLAINED_S).sum())
    return Recognised(policy, count, total, description, score - 0.5 * size * math.log(total))


def _density(
    policy: RetryPolicy, gaps: Gaps, low_s: Floats, due_s: Floats, slack_s: float
) -> Floats:
    """Return the probability density of each gap, per second, if the policy is right.

    A known due time is uniform over the predicted range. If only the end of the attempt is known,
    the density of the delay decays exponentially.
    """
    width_s = np.maximum(due_s - low_s, _LEAST_WIDTH_S)
    inside = (gaps.gap_s >= low_s) & (gaps.gap_s <= due_s)
    late_s = np.maximum(gaps.gap_s - due_s, 0.0)
    decaying = np.exp(-late_s / slack_s) / (width_s + slack_s)
    density = np.where(gaps.exact, inside / width_s, np.where(gaps.gap_s >= low_s, decaying, 0.0))
    scan_s = _next_scan_s(policy, gaps)
    if scan_s is not None:
        density = np.where(np.isnan(scan_s), density, (1.0 - _MOSTLY) * density)
        density[np.abs(gaps.gap_s - scan_s) <= _AT_A_SCAN_S] += _MOSTLY / (2.0 * _AT_A_SCAN_S)
    return density


def predicted(policy: RetryPolicy, gaps: Gaps) -> tuple[Floats, Floats]:
    """Return the range of the next attempt after a failure; NaN where the policy gives up."""
    if isinstance(policy, PostfixRetry):
        # The moments of the queue scans are unknown: one in each queue_run_delay.
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
    """Return the gap until Postfix's next queue scan; NaN if unknown, None for other policies.

    An attempt after the first began with a scan, so the next one is a multiple of scans later.
    """
    if not isinstance(policy, PostfixRetry):
        return None
    scan_s = policy.queue_run_delay
    least_s = np.clip(gaps.age_s, policy.minimal_backoff_time, policy.maximal_backoff_time)
    next_s = np.ceil((gaps.took_s + least_s) / scan_s) * scan_s - gaps.took_s
    return np.where((gaps.failures > 0) & gaps.exact, next_s, np.nan)
