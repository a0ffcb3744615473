"""A queue's throttle: the start of an attempt that asks now.

Source of the generic cell rate algorithm (GCRA): KumoMTA's `throttle` crate.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sendcap.model.kernel.arrays import Throttle
from sendcap.model.kernel.compiled import compiled

NO_THROTTLE: Final = 0
GCRA: Final = 1
FIXED_WINDOW: Final = 2
GAP: Final = 3
SCHEDULE: Final = 4


@compiled
def _earliest_by_schedule(ask_s: float, throttle: Throttle) -> float:
    """Return the same for a schedule; apart, so that the frequent cases stay short.

    A schedule is the GCRA on a clock of its own, which counts the attempts that its rate has
    brought so far: it runs as fast as the rate, and stands still while the queue is closed.
    """
    steps, passed = throttle.steps, throttle.passed
    last = len(steps) - 1
    step = last
    while steps[step, 0] > ask_s:
        step -= 1
    while steps[step, 1] == 0.0:
        step += 1
        ask_s = steps[step, 0]
    brought = steps[step, 2] + (ask_s - steps[step, 0]) * steps[step, 1]
    needed = passed[0] - (steps[step, 3] - 1.0)
    passed[2] = max(brought, needed)
    if needed <= brought:
        return ask_s
    while step < last and steps[step + 1, 2] < needed:
        step += 1
    return max(ask_s, steps[step, 0] + (needed - steps[step, 2]) / steps[step, 1])


@compiled
def earliest(ask_s: float, throttle: Throttle) -> float:
    """Return when an attempt may start that asks at a time no earlier than any before it."""
    if throttle.kind == NO_THROTTLE:
        return ask_s
    if throttle.kind == GCRA:
        return max(ask_s, throttle.passed[0] - throttle.limits[0] * (throttle.limits[1] - 1.0))
    if throttle.kind == GAP:
        return max(ask_s, throttle.passed[0])
    if throttle.kind == FIXED_WINDOW:
        limit, length_s = throttle.limits[0], throttle.limits[1]
        window = max(np.floor(ask_s / length_s), throttle.passed[0])
        if window == throttle.passed[0] and throttle.passed[1] >= limit:
            window += 1.0
        throttle.passed[2] = window
        return max(ask_s, window * length_s)
    return _earliest_by_schedule(ask_s, throttle)


@compiled
def let_pass(start_s: float, finish_s: float, throttle: Throttle) -> None:
    """Note the attempt that `earliest` was asked for last."""
    passed = throttle.passed
    if throttle.kind == GCRA:
        passed[0] = max(passed[0], start_s) + throttle.limits[0]
    elif throttle.kind == GAP:
        passed[0] = finish_s + throttle.limits[0]
    elif throttle.kind == FIXED_WINDOW:
        if passed[2] > passed[0]:
            passed[0], passed[1] = passed[2], 0.0
        passed[1] += 1.0
    elif throttle.kind == SCHEDULE:
        passed[0] = max(passed[0], passed[2]) + 1.0
