"""Postfix's rule: a message waits for its age, within two bounds, and then for the next scan.

``wait = clamp(age, minimal_backoff_time, maximal_backoff_time)``, and scans of the deferred queue
are ``queue_run_delay`` apart (Postfix, ``src/qmgr/qmgr_active.c`` and ``qmgr.c``). So a gap of a
young message is from the one bound to a scan more, and that of an old one from the other; between
them it is from the age to a scan more. Retries begin with scans, so the times between them are
multiples of the scan's interval.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.evidence import Gaps
from sendcap.calibration.round_times import roundest, written
from sendcap.scenario import PostfixRetry, format_duration

_USUAL_SCANS_S: Final = (300.0, 1000.0)
_LEAST_GAPS: Final = 5
_OFF_S: Final = 2.0
"""Whole-second stamps at both ends, and an attempt that begins a little after the scan."""
_CLOCK_S: Final = 1.3
_SHORTEST_SCAN_S: Final = 4
_LONGEST_SCAN_S: Final = 3700
_LOOKED_AT: Final = 500
_MOSTLY: Final = 0.85
_ALMOST_ALL: Final = 0.96
_OFTEN: Final = 0.002
_MOST_PARTS: Final = 6
_RARE: Final = 0.02


def clamps(gaps: Gaps) -> Iterator[PostfixRetry]:
    """Yield policies with settings read off the gaps."""
    known = gaps[~np.isnan(gaps.age_s)]
    if len(known) < _LEAST_GAPS:
        return
    yielded = set()
    for scan_s in _scans(known):
        least_s, most_s = _bounds(known.age_s, known.gap_s, scan_s)
        for least, most in ((least_s, most_s), (300.0, most_s), (least_s, 4000.0)):
            settings = (least, max(most, least), scan_s)
            if settings not in yielded:
                yielded.add(settings)
                yield PostfixRetry(
                    minimal_backoff_time=written(round(settings[0])),
                    maximal_backoff_time=written(round(settings[1])),
                    queue_run_delay=written(scan_s),
                )


def described(policy: PostfixRetry) -> str:
    """Return the rule in words."""
    times = (policy.minimal_backoff_time, policy.maximal_backoff_time, policy.queue_run_delay)
    least, most, scan = map(format_duration, times)
    return f"Postfix's rule, the age from {least} to {most}, scans every {scan}"


def _scans(known: Gaps) -> Iterator[float]:
    """Yield possible intervals of the scans."""
    yield from _USUAL_SCANS_S
    retried = known[(known.failures > 0) & known.exact & ~np.isnan(known.took_s)]
    apart_s = retried.gap_s + retried.took_s
    # Most may be the longest one, of which any divisor would do: so each time once, too.
    times_s, counts = np.unique(np.rint(apart_s), return_counts=True)
    often_s = times_s[counts >= _OFTEN * len(apart_s)]
    found_s = {period(apart_s), period(apart_s, _ALMOST_ALL), period(often_s)} - {0.0}
    for period_s in found_s:
        yield period_s
        # All may be multiples of several scans: the wait doubles.
        parts_s = {float(round(period_s / parts)) for parts in range(2, _MOST_PARTS + 1)}
        yield from (part_s for part_s in parts_s if part_s >= _SHORTEST_SCAN_S)
    if found_s:
        return
    # However the scans come, a gap is longer than the age by one of them at most.
    least_s, most_s = _bounds(known.age_s, known.gap_s, 0.0)
    late_s = known.gap_s - np.clip(known.age_s, least_s, most_s)
    widest_s = float(np.quantile(late_s, 1.0 - _RARE))
    if widest_s >= _OFF_S:
        yield roundest(widest_s - _OFF_S, 1.1 * widest_s + _OFF_S)


def period(apart_s: Floats, least: float = _MOSTLY) -> float:
    """Return the interval of which such a share of times are multiples; 0 if there is none."""
    if len(apart_s) < _LEAST_GAPS:
        return 0.0
    apart_s = apart_s[:_LOOKED_AT]
    periods_s = np.arange(_SHORTEST_SCAN_S, _LONGEST_SCAN_S + 1, dtype=np.float64)
    periods_s = periods_s[periods_s <= apart_s.max(initial=0.0) + _OFF_S]
    if not len(periods_s):
        return 0.0
    off_s = apart_s[:, None] - periods_s * np.maximum(np.rint(apart_s[:, None] / periods_s), 1.0)
    close = (np.abs(off_s) <= _CLOCK_S).mean(axis=0)
    chance = np.minimum((2.0 * _CLOCK_S + 1.0) / periods_s, 1.0)
    # Of some that are a second apart, the middle one.
    better = np.where(close >= least, (close - chance) / np.sqrt(chance), 0.0)
    if better.max(initial=0.0) <= 0.0:
        return 0.0
    best = np.flatnonzero(better >= 0.97 * better.max())
    near = best[np.abs(periods_s[best] - periods_s[best].max()) <= _OFF_S + 1.0]
    return roundest(float(periods_s[near[0]]) - 0.5, float(periods_s[near[-1]]) + 0.5)


def _bounds(age_s: Floats, gap_s: Floats, scan_s: float) -> tuple[float, float]:
    """Return the minimal and maximal backoff time that the gaps leave, as round as possible."""
    return _least(age_s, gap_s, scan_s), _most(age_s, gap_s, scan_s)


def _least(age_s: Floats, gap_s: Floats, scan_s: float) -> float:
    bound_s = float(np.quantile(gap_s, _RARE))
    for _ in range(4):
        young = age_s < bound_s
        if not young.any():
            # Every message was older at its first failure.
            return min(300.0, roundest(1.0, max(float(age_s.min()), 1.0)))
        bound_s = float(np.quantile(gap_s[young], _RARE))
    # A scan goes by whole seconds of its own.
    high_s = bound_s + _OFF_S
    low_s = float(np.quantile(gap_s[young], 1.0 - _RARE)) - scan_s - _OFF_S
    low_s = max(low_s, float(np.quantile(age_s[young], 0.5)), 1.0)
    return roundest(min(low_s, high_s), high_s) if scan_s else high_s


def _most(age_s: Floats, gap_s: Floats, scan_s: float) -> float:
    # Unclamped, a gap is at least the age.
    old = (age_s > gap_s + _OFF_S) & (age_s > np.quantile(gap_s, 0.9))
    if old.sum() < _LEAST_GAPS:
        oldest_s = float(age_s.max())
        return 4000.0 if oldest_s <= 4000.0 else roundest(oldest_s, 2.0 * oldest_s)
    high_s = float(np.quantile(gap_s[old], _RARE)) + _OFF_S
    low_s = float(np.quantile(gap_s[old], 1.0 - _RARE)) - scan_s - _OFF_S
    return roundest(min(low_s, high_s), high_s) if scan_s else high_s
