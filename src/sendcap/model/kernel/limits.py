"""The limits of a queue: when an attempt may start, and that it has.

Source of the generic cell rate algorithm (GCRA): KumoMTA's `throttle` crate.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import NEVER
from sendcap.model.kernel.state import Limits

GCRA: Final = 1
FIXED_WINDOW: Final = 2
GAP: Final = 3
SCHEDULE: Final = 4


@inlined
def at_once(limits: Limits, queue: Any, now_s: float) -> bool:
    """Return whether an attempt may surely start now; the frequent cases without a call."""
    if queue.held_until_s > now_s:
        return False
    for place in range(queue.first_limit, queue.first_limit + queue.limits):
        limit = limits.limits[limits.of_queue[place]]
        if limit.kind != GCRA or limit.state - limit.one * (limit.two - 1.0) > now_s:
            return False
    return True


@compiled
def earliest_s(limits: Limits, queue: Any, now_s: float) -> float:
    """Return when the next attempt of a queue may start, if it is ready now."""
    start_s = now_s
    while True:
        before_s = start_s
        if start_s < queue.held_until_s:
            start_s = _while_held_s(limits, queue, start_s)
        for place in range(queue.first_limit, queue.first_limit + queue.limits):
            start_s = one_earliest_s(limits, limits.of_queue[place], start_s)
        # Each limit may be met only later than another one allows.
        if start_s == before_s:
            return start_s


@compiled
def _while_held_s(limits: Limits, queue: Any, start_s: float) -> float:
    """Return when the rules that suspend the queue let an attempt start, one after the other."""
    for number in range(queue.first_rule, queue.first_rule + queue.rules + queue.dies):
        rule = limits.rules[number]
        if start_s < rule.until_s:
            later_s = rule.until_s
            if rule.meanwhile >= 0:
                later_s = min(later_s, one_earliest_s(limits, rule.meanwhile, start_s))
            start_s = later_s
    return start_s


@compiled
def one_earliest_s(limits: Limits, number: int, now_s: float) -> float:
    """Return when one limit lets an attempt start."""
    limit = limits.limits[number]
    if limit.kind == GCRA:
        return max(now_s, limit.state - limit.one * (limit.two - 1.0))
    if limit.kind == GAP:
        return max(now_s, limits.pauses_until_s[_free_longest(limits, limit)])
    if limit.kind == FIXED_WINDOW:
        window = max(_window(limit, now_s), limit.state)
        if window == limit.state and limit.used >= limit.one:
            window += 1.0
        return max(now_s, window * limit.two)
    return by_schedule_s(limits, limit, now_s, 1.0)


@inlined
def _window(limit: Any, now_s: float) -> float:
    """Return the number of the window that a moment is in."""
    window = np.floor(now_s / limit.two)
    # The quotient of a window's begin may be rounded to just below the window's number.
    return window + 1.0 if (window + 1.0) * limit.two <= now_s else window


@compiled
def _free_longest(limits: Limits, limit: Any) -> int:
    """Return the source address whose pause is over first."""
    free = limit.first
    for address in range(limit.first + 1, limit.first + limit.count):
        if limits.pauses_until_s[address] < limits.pauses_until_s[free]:
            free = address
    return free


@compiled
def by_schedule_s(limits: Limits, limit: Any, now_s: float, quantity: float) -> float:
    """Return when a schedule lets so many start at once, more than the burst with the whole burst.

    It is the GCRA on a clock that counts the attempts that the rate has brought so far, and
    stands still while the queue is closed. A step's burst holds from the step's beginning on.
    """
    last = limit.first + limit.count - 1
    for step in range(limit.first, last + 1):
        at_s, per_s = limits.steps[step, 0], limits.steps[step, 1]
        brought, burst = limits.steps[step, 2], limits.steps[step, 3]
        ends_s = limits.steps[step + 1, 0] if step < last else NEVER
        if ends_s <= now_s or per_s == 0.0:
            continue
        needed = limit.state - max(burst - quantity, 0.0)
        start_s = max(now_s, at_s)
        if brought + (start_s - at_s) * per_s < needed:
            start_s = max(start_s, at_s + (needed - brought) / per_s)
        if start_s < ends_s:
            return start_s
    return NEVER


@inlined
def charge(limits: Limits, queue: Any, start_s: float, finish_s: float) -> None:
    """Let an attempt of a queue start."""
    if start_s < queue.held_until_s:
        _charge_held(limits, queue, start_s, finish_s)
    for place in range(queue.first_limit, queue.first_limit + queue.limits):
        limit = limits.limits[limits.of_queue[place]]
        if limit.kind == GCRA:
            limit.state = max(limit.state, start_s) + limit.one
        else:
            charge_one(limits, limits.of_queue[place], start_s, finish_s)


@compiled
def _charge_held(limits: Limits, queue: Any, start_s: float, finish_s: float) -> None:
    for number in range(queue.first_rule, queue.first_rule + queue.rules):
        rule = limits.rules[number]
        if start_s < rule.until_s and rule.meanwhile >= 0:
            charge_one(limits, rule.meanwhile, start_s, finish_s)


@compiled
def charge_one(limits: Limits, number: int, start_s: float, finish_s: float) -> None:
    """Let an attempt start under one limit."""
    limit = limits.limits[number]
    if limit.kind == GCRA:
        limit.state = max(limit.state, start_s) + limit.one
    elif limit.kind == GAP:
        # The source address that has been free the longest sends it.
        limits.pauses_until_s[_free_longest(limits, limit)] = finish_s + limit.one
    elif limit.kind == FIXED_WINDOW:
        window = max(_window(limit, start_s), limit.state)
        if window > limit.state:
            limit.state, limit.used = window, 0.0
        limit.used += 1.0
    else:
        charge_schedule(limits, limit, start_s, 1.0)


@compiled
def charge_schedule(limits: Limits, limit: Any, start_s: float, quantity: float) -> None:
    """Let so many start under a schedule."""
    step = limit.first + limit.count - 1
    while limits.steps[step, 0] > start_s:
        step -= 1
    brought = limits.steps[step, 2] + (start_s - limits.steps[step, 0]) * limits.steps[step, 1]
    limit.state = max(limit.state, brought) + quantity
