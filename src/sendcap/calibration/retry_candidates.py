"""Candidates for the retry policy, with parameters read off the gaps between attempts."""

from __future__ import annotations

import math
from collections.abc import Iterator
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

_ROUND_S: Final = (1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600)
_FACTORS: Final = (2.0, 1.5, 3.0, 4.0)
_LONGEST_LIST: Final = 12
_LEAST_GAPS: Final = 5
_FORGIVEN_S: Final = 2.0
"""Whole-second stamps may be off by one at either end."""

Candidate = tuple[RetryPolicy, int, str]
"""A policy, the number of parameters read off the gaps, and a description."""


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
