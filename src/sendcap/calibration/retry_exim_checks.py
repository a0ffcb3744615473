"""Exim's rule, where its log says when a message was not due yet.

A queue runner writes "retry time not reached" of each message that it leaves alone (the log
selector ``retry_defer``, which is on by default: Exim, ``doc/doc-docbook/spec.xfpt``). So each gap
has two bounds: when the message was last found not due, and when it was tried. They are a run of
the queue apart, however long the gaps of the rule are, and those of many messages leave little
room. Times are compared in whole seconds, as Exim does (``src/src/retry.c``).
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Flags, Floats
from sendcap.calibration.evidence import Gaps
from sendcap.calibration.round_times import roundest
from sendcap.scenario import EximRetry, format_duration

_LEAST_CHECKED: Final = 5
_LEAST_OF_A_STEP: Final = 2
_MOST_STEPS: Final = 4
_WRONG: Final = 8.0
"""So many gaps that a step explains make up for one that it does not."""
_FACTORS: Final = (2.0, 1.5, 3.0, 1.2, 1.25, 2.5, 1.1, 1.3, 1.4, 1.6, 1.7, 1.8, 1.9, 4.0, 5.0)
"""The usual ones first: of those that explain as much, the first is taken."""
_FOR_EVER_S: Final = 4 * 86_400.0
_A_LITTLE_S: Final = 1e-3
_RUN_OFF: Final = 0.03
_LATE_S: Final = 1.5
"""How far the usual time between two looks at a message is from that between runs."""
_OFF_S: Final = 0.5
"""Bounds are whole seconds."""
_LOOKED_AT: Final = 5000


class _Step(NamedTuple):
    interval_s: float
    factor: float  # 1 for an even step
    until_s: float  # failing time from which on it explains no more
    gain: float


def checked_rules(gaps: Gaps) -> Iterator[tuple[str, int]]:
    """Yield rules that the bounds of the gaps leave, with the number of parameters."""
    some: Gaps = gaps[:_LOOKED_AT].view(np.recarray)
    for steps in _continued(some, np.floor(some.failing_s), 0.0, 1):
        yield _written(steps), sum(2 + (step.factor > 1.0) for step in steps)


def run_apart_s(gaps: Gaps, told_s: float) -> float:
    """Return the time between runs of the queue; 0 if none is known to have left messages alone.

    The log's lines about runs tell it. Without them, it is the usual time from a run that left a
    message alone to the next, which is later where runs take long.
    """
    checked = gaps.least_s > 0.0
    if checked.sum() < _LEAST_CHECKED:
        return 0.0
    apart_s, off_s = told_s, _OFF_S
    if not told_s:
        apart_s = max(float(np.median((gaps.most_s - gaps.least_s)[checked])), 1.0)
        off_s = max(_RUN_OFF * apart_s, _LATE_S)
    return roundest(apart_s - off_s, apart_s + off_s)


def _follows(gaps: Gaps) -> Flags:
    """Return a mask of gaps whose message's gap before is just before them."""
    follows = np.zeros(len(gaps), np.bool_)
    follows[1:] = (gaps.failures[1:] > 0) & (gaps.failures[1:] == gaps.failures[:-1] + 1)
    return follows


def delays_s(policy: EximRetry, gaps: Gaps) -> Floats:
    """Return the delays that a rule without H steps has after each failure.

    In a growing step a delay follows from the one before as the rule had it, not from the gap,
    which has the wait for a queue run, too.
    """
    follows, found_s = _follows(gaps), np.zeros(len(gaps))
    for failures in range(int(gaps.failures.max(initial=0)) + 1):
        which = np.flatnonzero(gaps.failures == failures)
        if not len(which):
            continue
        known = follows[which]
        before_s = np.where(known, found_s[which - 1], gaps.previous_s[which])
        some: Gaps = gaps[which].view(np.recarray)
        nothing = np.zeros(len(which))
        due_s = policy.due_s(
            some.failures, some.failing_s, nothing, nothing, before_s, nothing
        )  # fmt: skip
        # What Exim multiplies are whole seconds.
        found_s[which] = np.floor(due_s - some.failing_s + _A_LITTLE_S)
    return found_s


def within_bounds(delay_s: Floats, gaps: Gaps) -> Flags:
    """Return a mask of gaps at whose run a delay has passed, and at the run before it has not."""
    least_s, most_s = (np.asarray(bound, np.float64) for bound in (gaps.least_s, gaps.most_s))
    return (delay_s > least_s - _OFF_S) & (delay_s < most_s + _OFF_S)


def _continued(gaps: Gaps, failing_s: Floats, from_s: float, number: int) -> Iterator[list[_Step]]:
    """Yield the steps from a failing time on."""
    of_step = failing_s >= from_s
    if of_step.sum() < _LEAST_OF_A_STEP:
        return
    # The first gap of each message in the step is as long as the interval.
    begins = ~(_follows(gaps) & np.append(False, of_step[:-1]))[of_step]
    of_step_s = failing_s[of_step]
    inside: Gaps = gaps[of_step].view(np.recarray)
    interval_s = _interval_s(inside[begins].view(np.recarray))
    even, *growing = (
        _reach(inside, of_step_s, begins, interval_s, factor) for factor in (1.0, *_FACTORS)
    )
    for step in (even, max(growing, key=lambda step: step.gain)):
        rest = []
        if number < _MOST_STEPS and math.isfinite(step.until_s):
            rest = list(_continued(gaps, failing_s, step.until_s, number + 1))
        if not rest:
            yield [step._replace(until_s=math.inf)]
        for others in rest:
            yield [step, *others]


def _interval_s(first: Gaps) -> float:
    """Return the roundest delay within the bounds of as many gaps as possible."""
    least_s, most_s = np.sort(first.least_s), np.sort(first.most_s)
    # Only at an upper bound may the number of gaps that hold a delay sink.
    ends_s = np.unique(most_s)
    held = np.searchsorted(least_s, ends_s, "left") - np.searchsorted(most_s, ends_s, "left")
    best = int(np.argmax(held))
    end_s = float(ends_s[best])
    inside = (first.least_s < end_s) & (first.most_s >= end_s)
    if not inside.any():
        return max(end_s, 1.0)
    return roundest(float(first.least_s[inside].max()) + 1.0, end_s)


def _reach(
    inside: Gaps, failing_s: Floats, begins: Flags, interval_s: float, factor: float
) -> _Step:
    """Return the step with an interval and a factor, as far as it explains the gaps inside."""
    numbers = np.arange(len(inside))
    place = numbers - np.maximum.accumulate(np.where(begins, numbers, 0))
    delays_s = [interval_s]
    for _ in range(int(place.max())):
        delays_s.append(min(math.floor(delays_s[-1] * factor + _A_LITTLE_S), _FOR_EVER_S))
    order = np.argsort(failing_s, kind="stable")
    gains = np.where(within_bounds(np.array(delays_s)[place], inside), 1.0, -_WRONG)
    failing_s = failing_s[order]
    # A cutoff is between two different failing times.
    ends = np.append(np.flatnonzero(np.diff(failing_s)), len(order) - 1)
    sums = np.cumsum(gains[order])[ends]
    best = len(sums) - 1 - int(np.argmax(sums[::-1]))
    until_s = math.inf
    if best < len(sums) - 1:
        last_s, next_s = (float(failing_s[ends[place]]) for place in (best, best + 1))
        # The log's failing time may be a second more than Exim's.
        until_s = roundest(max(last_s, float(failing_s[0]) + 1.0), next_s)
    return _Step(interval_s, factor, until_s, float(sums[best]))


def _written(steps: list[_Step]) -> str:
    """Return the steps in Exim's syntax."""
    parts = []
    for step in steps:
        last_s = 0.0 if len(steps) == 1 else steps[-2].until_s
        until_s = step.until_s if math.isfinite(step.until_s) else max(_FOR_EVER_S, 2.0 * last_s)
        letter, growth = ("F", "") if step.factor == 1.0 else ("G", f",{step.factor:g}")
        interval = format_duration(step.interval_s)
        parts.append(f"{letter},{format_duration(round(until_s))},{interval}{growth}")
    return "; ".join(parts)
