"""Retry policies that may explain gaps between attempts, with parameters read off the gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np

from sendcap.calibration.attempts import Flags, Floats, Ints
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

_ROUND_S: Final = (1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600)
_FACTORS: Final = (2.0, 1.5, 3.0, 4.0)
_LONGEST_LIST: Final = 12
_MOST_GAPS: Final = 50_000
_LEAST_GAPS: Final = 5
_FORGIVEN_S: Final = 2.0
"""Stamps of whole seconds may be off by one at either end."""


@dataclass(frozen=True)
class Gaps:
    """Gaps between an attempt that failed and the next.

    Attributes
    ----------
    failures
        Soft bounces before the one that began the gap.
    age_s
        Of the message when that one finished; NaN where its arrival is unknown.
    failing_s
        Since the message's first soft bounce.
    previous_s
        The gap before; 0 of the first.
    gap_s
        Until the next attempt was due.
    exact
        Whether it is known when that was due, and not only when it was over.
    took_s
        From when the attempt that failed was due to its finish; NaN if unknown.
    """

    failures: Ints
    age_s: Floats
    failing_s: Floats
    previous_s: Floats
    gap_s: Floats
    exact: Flags
    took_s: Floats

    @staticmethod
    def of(columns: Sequence[Floats]) -> Gaps:
        """Return gaps from the columns of `sendcap.calibration.evidence.Evidence.gaps`."""
        failures, age_s, failing_s, previous_s, gap_s, exact, took_s = (
            its[:_MOST_GAPS] for its in columns
        )
        return Gaps(
            failures.astype(np.int64),
            age_s,
            failing_s,
            previous_s,
            gap_s,
            exact.astype(np.bool_),
            took_s,
        )

    def __len__(self) -> int:
        return len(self.gap_s)


def candidates(gaps: Gaps) -> Iterator[tuple[RetryPolicy, int, str]]:
    """Yield policies, how many parameters were read off the gaps for each, and what it is."""
    yield MomentumRetry(), 0, "Momentum's default, 20 minutes doubling to 12 hours"
    yield KumomtaRetry(), 0, "KumoMTA's default, 20 minutes doubling"
    yield EximRetry(), 0, "Exim's default rule"
    yield AdobeLegacyRetry(), 0, "Campaign's own MTA, five a day an hour apart"
    yield PostfixRetry(), 0, "Postfix's default clamp, 300 to 4000 s"
    yield from _clamps(gaps)
    middles = _middles(gaps)
    yield from _growing(gaps, middles)
    yield from _lists(gaps, middles)


def _clamps(gaps: Gaps) -> Iterator[tuple[RetryPolicy, int, str]]:
    """Yield Postfix's rule with other settings: the age, at least and at most so much."""
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
    for least in sorted(least_s):
        for most in sorted(most_s):
            for scan_s in (60, 120, 300, 600, 1000):
                if not 1.0 <= least <= most:
                    continue
                policy = PostfixRetry(
                    minimal_backoff_time=_written(least),
                    maximal_backoff_time=_written(most),
                    queue_run_delay=_written(scan_s),
                )
                told = f"Postfix's clamp, {least:g} to {most:g} s, scans every {scan_s} s"
                yield policy, 3, told


def _middles(gaps: Gaps) -> Floats:
    """Return the middle gap after each number of failures, as far as there are some of each."""
    found = []
    for number in range(int(gaps.failures.max()) + 1):
        its_s = gaps.gap_s[gaps.failures == number]
        if len(its_s) < 3:
            break
        # What waits is late: the lower half tells more.
        found.append(float(np.quantile(its_s, 0.3)))
    return np.array(found)


def _growing(gaps: Gaps, middles: Floats) -> Iterator[tuple[RetryPolicy, int, str]]:
    """Yield exponential policies."""
    if not len(middles):
        return
    firsts = {_nearest_round(middles[0]), _nearest_round(_midrange(gaps))}
    rises = middles[1:] / middles[:-1]
    factors = {1.0} if len(rises) == 0 else {*_FACTORS, _rounded_factor(float(rises[0]))}
    flat = np.flatnonzero(rises < 1.1)
    cap_s = _nearest_round(middles[flat[0]]) if len(flat) else None
    caps: set[float | None] = {None} if cap_s is None else {None, cap_s}
    factors = {its for its in factors if 1.0 <= its <= 20.0}
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
        cap_told = "" if cap is None else f", at most {format_duration(cap)}"
        about = f" ± {100 * jitter:g} %" if jitter else ""
        grows = "every" if factor == 1.0 else f"times {factor:g} from"
        told = f"{grows} {format_duration(first_s)}{cap_told}{about}"
        yield policy, 2 + (cap is not None) + (jitter > 0.0), told


def _midrange(gaps: Gaps) -> float:
    """Return the middle of the range of the first gaps: that of a jitter."""
    first_s = gaps.gap_s[gaps.failures == 0]
    return float(np.quantile(first_s, [0.02, 0.98]).mean()) if len(first_s) else 1.0


def _lists(gaps: Gaps, middles: Floats) -> Iterator[tuple[RetryPolicy, int, str]]:
    """Yield lists of delays, the last one repeating."""
    delays = [_nearest_round(its) for its in middles[:_LONGEST_LIST].tolist()]
    for size in range(1, len(delays) + 1):
        its = delays[:size]
        for jitter in sorted({0.0, 0.05, _spread(gaps, middles)}):
            policy = ScheduleRetry(delays=[_written(its_s) for its_s in its], jitter=jitter)
            about = f" ± {100 * jitter:g} %" if jitter else ""
            listed = ", ".join(format_duration(its_s) for its_s in its)
            yield policy, size + (jitter > 0.0), f"the list {listed}{about}"


def _spread(gaps: Gaps, middles: Floats) -> float:
    """Return the jitter that the first gaps have, to half a percent."""
    first_s = gaps.gap_s[gaps.failures == 0]
    if len(first_s) < 20 or not len(middles):
        return 0.0
    low, high = np.quantile(first_s, [0.01, 0.99 if gaps.exact.all() else 0.95])
    half = float((high - low) / (high + low))
    return min(max(round(half * 200.0) / 200.0, 0.0), 0.5)


def _written(seconds: float) -> Any:
    """Return seconds as a scenario's policies take them."""
    return format_duration(float(max(seconds, 1.0)))


def _nearest_round(seconds: float) -> float:
    """Return the roundest time within 4 %."""
    for unit in reversed(_ROUND_S):
        near = round(seconds / unit) * unit
        if near and abs(near - seconds) <= 0.04 * seconds:
            return float(near)
    return max(round(seconds, 1), 1.0)


def _round_down(seconds: float) -> float:
    """Return the roundest time that is less by 4 % at most."""
    for unit in reversed(_ROUND_S):
        near = math.floor((seconds + _FORGIVEN_S) / unit) * unit
        if near and seconds - near <= 0.04 * seconds:
            return float(near)
    return max(math.floor(seconds), 1.0)


def _rounded_factor(factor: float) -> float:
    return max(round(factor * 10.0) / 10.0, 1.0)
