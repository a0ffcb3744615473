"""The retry policy of an MTA, recognised by the gaps between the attempts of a message.

Candidates are the policies of a scenario, with parameters read off the gaps. A policy predicts a
range for the next attempt; a gap inside is explained. Wide ranges explain anything, so candidates
are compared by likelihood: a gap is uniform in its range, or, if something else caused it, in a
day; and each parameter costs as much as in Schwarz's criterion.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.evidence import Gaps
from sendcap.scenario import (
    AdobeLegacyRetry,
    EximRetry,
    ExponentialRetry,
    KumomtaRetry,
    MomentumRetry,
    PostfixRetry,
    RetryPolicy,
    ScheduleRetry,
    format_duration,
)
from sendcap.text.shares import share_text

_UNEXPLAINED_S: Final = 86_400.0
_LEAST_GAPS: Final = 5
_FORGIVEN_S: Final = 2.0
"""Whole-second stamps may be off by one at either end."""
_LEAST_WIDTH_S: Final = 1.0
_AT_A_SCAN_S: Final = 5.0
_MOSTLY: Final = 0.9
"""Share of the gaps that end with the expected queue scan."""

_ROUND_S: Final = (1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600)
_FACTORS: Final = (2.0, 1.5, 3.0, 4.0)
_LONGEST_LIST: Final = 12

Candidate = tuple[RetryPolicy, int, str]
"""A policy, the number of parameters read off the gaps, and a description."""


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


def candidates(gaps: Gaps) -> Iterator[Candidate]:
    """Yield the candidates."""
    yield MomentumRetry(), 0, "Momentum's default, 20 minutes doubling to 12 hours"
    yield KumomtaRetry(), 0, "KumoMTA's default, 20 minutes doubling"
    yield EximRetry(), 0, "Exim's default rule"
    yield AdobeLegacyRetry(), 0, "Campaign's own MTA, five a day an hour apart"
    yield PostfixRetry(), 0, "Postfix's default clamp, 300 to 4000 s"
    yield from _clamps(gaps)
    middles = _middles(gaps)
    yield from _growing(gaps, middles)
    yield from _lists(gaps, middles)


def _clamps(gaps: Gaps) -> Iterator[Candidate]:
    """Yield Postfix's policy, the age clamped to a range, with other settings."""
    known = ~np.isnan(gaps.age_s)
    if known.sum() < _LEAST_GAPS:
        return
    gap_s, age_s = gaps.gap_s[known], gaps.age_s[known]
    young, old = age_s < np.quantile(gap_s, 0.2), age_s > 1.2 * np.quantile(gap_s, 0.95)
    least_s = {300.0, 1000.0, 60.0, 120.0, 600.0}
    most_s = {4000.0, 3600.0, 1800.0, 7200.0, 14_400.0}
    if young.any():
        least_s.add(_round_down(float(np.quantile(gap_s[young], 0.02))))
    if old.any():
        most_s.add(_round_down(float(np.quantile(gap_s[old], 0.02))))
    for least, most, scan_s in product(sorted(least_s), sorted(most_s), (60, 120, 300, 600, 1000)):
        if 1.0 <= least <= most:
            policy = PostfixRetry(
                minimal_backoff_time=_written(least),
                maximal_backoff_time=_written(most),
                queue_run_delay=_written(scan_s),
            )
            yield policy, 3, f"Postfix's clamp, {least:g} to {most:g} s, scans every {scan_s} s"


def _middles(gaps: Gaps) -> Floats:
    """Return the typical gap after each number of failures, up to the first rare number."""
    middles = []
    for number in range(int(gaps.failures.max()) + 1):
        gap_s = gaps.gap_s[gaps.failures == number]
        if len(gap_s) < 3:
            break
        # Queueing delays some attempts, so the typical gap is below the median.
        middles.append(float(np.quantile(gap_s, 0.3)))
    return np.array(middles)


def _growing(gaps: Gaps, middles: Floats) -> Iterator[Candidate]:
    """Yield exponential policies."""
    if not len(middles):
        return
    # The first gaps jitter about the middle of their range.
    first_s = gaps.gap_s[gaps.failures == 0]
    midrange_s = float(np.quantile(first_s, [0.02, 0.98]).mean())
    firsts = {_nearest_round(middles[0]), _nearest_round(midrange_s)}
    rises = middles[1:] / middles[:-1]
    factors = {1.0}
    if len(rises):
        factors = {*_FACTORS, max(round(float(rises[0]) * 10.0) / 10.0, 1.0)}
    flat = np.flatnonzero(rises < 1.1)
    caps = {None, *(_nearest_round(middles[number]) for number in flat[:1])}
    factors = {factor for factor in factors if factor <= 20.0}
    jitters = {0.0, 0.025, 0.05, 0.1, 0.2, _spread(gaps, middles)}
    for first_s, factor, cap, jitter in product(
        sorted(firsts), sorted(factors), caps, sorted(jitters)
    ):
        policy = ExponentialRetry(
            first=_written(first_s),
            factor=factor,
            max="none" if cap is None else _written(max(cap, first_s)),
            jitter=jitter,
        )
        ceiling = "" if cap is None else f", at most {format_duration(cap)}"
        grows = "every" if factor == 1.0 else f"times {factor:g} from"
        description = f"{grows} {format_duration(first_s)}{ceiling}{_jittered(jitter)}"
        yield policy, 2 + (cap is not None) + (jitter > 0.0), description


def _lists(gaps: Gaps, middles: Floats) -> Iterator[Candidate]:
    """Yield lists of delays whose last one repeats."""
    delays = [_nearest_round(middle_s) for middle_s in middles[:_LONGEST_LIST].tolist()]
    for size in range(1, len(delays) + 1):
        listed = ", ".join(map(format_duration, delays[:size]))
        for jitter in sorted({0.0, 0.05, _spread(gaps, middles)}):
            policy = ScheduleRetry(delays=[_written(one) for one in delays[:size]], jitter=jitter)
            yield policy, size + (jitter > 0.0), f"the list {listed}{_jittered(jitter)}"


def _jittered(jitter: float) -> str:
    return f" ± {share_text(jitter)}" if jitter else ""


def _spread(gaps: Gaps, middles: Floats) -> float:
    """Return the jitter of the first gaps, to half a percent."""
    first_s = gaps.gap_s[gaps.failures == 0]
    if len(first_s) < 20 or not len(middles):
        return 0.0
    low, high = np.quantile(first_s, [0.01, 0.99 if gaps.exact.all() else 0.95])
    half = float((high - low) / (high + low))
    return min(max(round(half * 200.0) / 200.0, 0.0), 0.5)


def _written(seconds: float) -> Any:
    """Return seconds as the policies of a scenario take them."""
    return format_duration(float(max(seconds, 1.0)))


def _nearest_round(seconds: float) -> float:
    """Return the roundest time within 4 %."""
    for unit in reversed(_ROUND_S):
        near = round(seconds / unit) * unit
        if near and abs(near - seconds) <= 0.04 * seconds:
            return float(near)
    return max(round(seconds, 1), 1.0)


def _round_down(seconds: float) -> float:
    """Return the roundest time that is at most 4 % less."""
    for unit in reversed(_ROUND_S):
        near = math.floor((seconds + _FORGIVEN_S) / unit) * unit
        if near and seconds - near <= 0.04 * seconds:
            return float(near)
    return max(math.floor(seconds), 1.0)
