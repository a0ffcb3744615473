"""Exim's rule: steps of even (F), growing (G) or drawn (H) gaps, each up to a failing time.

Exim tries again at the first pass of its queue runner after a message is due
(``src/src/retry.c``, ``src/src/queue.c``), so a gap is a little longer than the rule has it. The
steps are those of the shortest gaps after each number of failures: even as long as the gaps are
equal, growing as long as each is the same multiple of the one before.
"""

import math
from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.evidence import Gaps
from sendcap.calibration.retry_scans import period
from sendcap.calibration.round_times import roundest
from sendcap.scenario import format_duration

_LEAST_GAPS: Final = 5
_LEAST_OF_A_NUMBER: Final = 3
_MOST_GAPS: Final = 40
_LOW: Final = 0.1
_EVEN: Final = 0.08
_SAME_RISE: Final = 0.12
_MOST_STEPS: Final = 6
_MOST_FACTOR: Final = 20.0
_LEAST_RUN_S: Final = 5.0
_MOST_OF_AN_INTERVAL: Final = 0.5
_FOR_EVER_S: Final = 4 * 86_400.0
"""Exim's default rule ends there, if a log does not tell."""


class _Step(NamedTuple):
    letter: str
    first: int  # number of failures before its first gap
    last: int
    interval_s: float
    factor: float = 1.0


def exim_rules(gaps: Gaps) -> Iterator[tuple[str, int, float]]:
    """Yield rules, with the number of parameters and how late an attempt may be."""
    lows = gaps_by_number(gaps, _LOW, _MOST_GAPS)
    if len(gaps) < _LEAST_GAPS or len(lows) < 2:
        return
    steps = _steps(lows)
    if len(steps) > _MOST_STEPS:
        return
    size = sum(2 + (step.letter != "F") for step in steps)
    # Of passes farther apart than that, nothing could be told from an interval.
    longest_s = _MOST_OF_AN_INTERVAL * float(lows.min())
    runs = sorted({run_s for run_s in _runs(gaps) if run_s <= longest_s})
    for run_s, drawn in product(runs, (False, True)):
        rule = _written(steps, gaps, run_s, drawn=drawn)
        if rule:
            yield rule, size, run_s


def _runs(gaps: Gaps) -> Iterator[float]:
    """Yield possible times between passes of the queue runner; 0 if there is no telling."""
    yield 0.0
    passes_s = period(gaps.gap_s[gaps.failures > 0])
    if passes_s:
        yield passes_s
    # The first failure is at any moment between two passes.
    first_s = gaps.gap_s[gaps.failures == 0]
    run_s = float(np.quantile(first_s, 0.98) - first_s.min())
    if run_s >= _LEAST_RUN_S:
        yield roundest(0.8 * run_s, 1.2 * run_s)


def gaps_by_number(gaps: Gaps, quantile: float, most: int | None = None) -> Floats:
    """Return a quantile of the gaps after each number of failures, up to the first rare number."""
    found = []
    for number in range(int(gaps.failures.max()) + 1)[:most]:
        gap_s = gaps.gap_s[gaps.failures == number]
        if len(gap_s) < _LEAST_OF_A_NUMBER:
            break
        found.append(max(float(np.quantile(gap_s, quantile)), 1.0))
    return np.array(found)


def _steps(lows: Floats) -> list[_Step]:
    """Return the steps of the gaps, by number of failures."""
    steps: list[_Step] = []
    at, end = 0, len(lows)
    while at < end:
        even = at + 1
        # The first of all gaps begins at any moment between two passes of the queue runner.
        base_s = lows[at + 1] if at == 0 and end > 1 and _close(lows[0], lows[1]) else lows[at]
        while even < end and _close(lows[even], base_s):
            even += 1
        rise = lows[at + 1] / lows[at] if at + 1 < end else 1.0
        grown = at + 1
        while grown < end and rise > 1.0 + _EVEN and _same(lows[grown] / lows[grown - 1], rise):
            grown += 1
        if grown - at >= 3 and grown > even:
            factor = (lows[grown - 1] / lows[at]) ** (1.0 / (grown - 1 - at))
            steps.append(
                _Step(
                    "G", at, grown - 1, float(lows[at]), min(round(float(factor), 1), _MOST_FACTOR)
                )
            )
            at = grown
        else:
            steps.append(_Step("F", at, even - 1, float(base_s)))
            at = even
    return steps


def _close(one: float, two: float) -> bool:
    return abs(one - two) <= _EVEN * two + _LEAST_RUN_S


def _same(one: float, two: float) -> bool:
    return abs(one - two) <= _SAME_RISE * two


def _written(steps: list[_Step], gaps: Gaps, run_s: float, *, drawn: bool) -> str:
    """Return the steps in Exim's syntax; with drawn gaps, growing steps are H."""
    if drawn and all(step.letter == "F" for step in steps):
        return ""
    parts = []
    before_s = 0.0
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        cutoff_s = max(_cutoff_s(gaps, step, following), before_s + 1.0)
        before_s = cutoff_s
        letter = "H" if drawn and step.letter == "G" else step.letter
        # An interval that is a little shorter has the same effect.
        shortest_s = step.interval_s - max(run_s, 0.01 * step.interval_s)
        interval_s = roundest(max(shortest_s, 1.0), step.interval_s)
        # Exim's times are whole seconds.
        interval = format_duration(max(math.floor(interval_s + 1e-6), 1))
        growth = f",{_factor(gaps, step) if letter == 'H' else step.factor:g}"
        text = f"{letter},{format_duration(round(cutoff_s))},{interval}"
        parts.append(text + (growth if letter != "F" else ""))
    return "; ".join(parts)


def _factor(gaps: Gaps, step: _Step) -> float:
    """Return the factor of a step whose gaps are drawn from the upper half up to it."""
    inside = (gaps.failures > step.first) & (gaps.failures <= step.last) & (gaps.previous_s > 0.0)
    if not inside.any():
        return step.factor
    rise = gaps.gap_s[inside] / gaps.previous_s[inside]
    return min(max(round(float(np.quantile(rise, 0.99)), 1), 1.0), _MOST_FACTOR)


def _cutoff_s(gaps: Gaps, step: _Step, following: _Step | None) -> float:
    """Return a round failing time after the last gap of a step and before the next step's."""
    last_s = float(np.quantile(gaps.failing_s[gaps.failures == step.last], 0.98))
    if following is None:
        return max(_FOR_EVER_S, roundest(last_s + 1.0, 2.0 * last_s + 86_400.0))
    next_s = float(np.quantile(gaps.failing_s[gaps.failures == following.first], 0.02))
    return roundest(min(last_s + 1.0, next_s), next_s)
