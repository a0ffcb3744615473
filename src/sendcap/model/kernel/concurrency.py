"""Postfix's concurrency: a window of connections that grows with success and shrinks with failure.

A site that fails for long enough is dead for a time. All is forgotten when nobody waits for it.

Source: Postfix, SCHEDULER_README, and ``src/qmgr/qmgr_queue.c``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import NONE, UNREACHABLE
from sendcap.model.kernel.lanes import oldest_lane
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.suspension import resume, suspend
from sendcap.model.kernel.waiting import first_ready_s

ONE: Final = 1
OVER_WINDOW: Final = 2
OVER_ROOT: Final = 3


@compiled
def learn(group: Group, queue: Any, answer: int, now_s: float) -> None:
    """Learn from the answer to an attempt; its connection has been handed back.

    What is under way when the site dies may still succeed, and it lives.
    """
    limits = group.limits
    is_dead = queue.dies and now_s < limits.rules[queue.first_rule + queue.rules].until_s
    if answer == UNREACHABLE:
        queue.failed_cohorts += 1.0 / queue.window
        if is_dead or (queue.dies and queue.failed_cohorts >= queue.cohorts):
            _begin_anew(queue, queue.taken)
            if not is_dead:
                # Postfix counts in whole seconds.
                rule = limits.rules[queue.first_rule + queue.rules]
                suspend(limits, queue, rule, np.floor(now_s) + rule.lasts_s, now_s)
            return
        feed_back(queue, answer)
    elif is_dead:
        _begin_anew(queue, queue.taken + 1)
        resume(limits, queue, limits.rules[queue.first_rule + queue.rules], now_s)
    else:
        queue.failed_cohorts = 0.0
        feed_back(queue, answer)
    if queue.taken == 0 and not _has_messages(group, queue, now_s):
        _begin_anew(queue, 0)


@compiled
def feed_back(queue: Any, answer: int) -> None:
    """Let the answer to an attempt change the window."""
    if answer == UNREACHABLE:
        _shrink(queue)
    elif queue.window < min(queue.connections, queue.taken + 1 + queue.initial):
        _grow(queue)


@compiled
def _has_messages(group: Group, queue: Any, now_s: float) -> bool:
    """Return whether messages wait for a connection; others are in the incoming line or due."""
    lane = oldest_lane(group, queue)
    return lane != NONE and first_ready_s(group.lanes[lane]) <= now_s


@compiled
def _begin_anew(queue: Any, under_way: int) -> None:
    """Forget all answers; so many deliveries are under way."""
    queue.window = under_way if under_way > 0 else min(queue.initial, queue.connections)
    queue.successes = queue.failures = queue.failed_cohorts = 0.0


@compiled
def _grow(queue: Any) -> None:
    step = _step(queue.positive, queue.window)
    queue.successes += step
    guard = 0.5 * step if queue.half_steps else 0.0
    while queue.successes + guard >= 1.0:
        queue.window += 1
        queue.successes -= 1.0
        queue.failures = 0.0
    queue.window = min(queue.window, queue.connections)


@compiled
def _shrink(queue: Any) -> None:
    step = _step(queue.negative, queue.window)
    queue.failures -= step
    guard = 0.5 * step if queue.half_steps else 0.0
    while queue.failures - guard < 0.0:
        queue.window -= 1
        queue.failures += 1.0
        queue.successes = 0.0
    queue.window = max(queue.window, 1)


@compiled
def _step(kind: int, window: int) -> float:
    if kind == OVER_WINDOW:
        return 1.0 / window
    return 1.0 / np.sqrt(window) if kind == OVER_ROOT else 1.0
