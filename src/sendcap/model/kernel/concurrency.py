"""Postfix's concurrency: a window of connections that grows with success and shrinks with failure.

Source: Postfix, SCHEDULER_README, and ``src/qmgr/qmgr_queue.c``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import UNREACHABLE

ONE: Final = 1
OVER_WINDOW: Final = 2
OVER_ROOT: Final = 3


@compiled
def feed_back(queue: Any, answer: int) -> None:
    """Let the answer to an attempt change the window; its connection has been handed back."""
    if answer == UNREACHABLE:
        _shrink(queue)
    elif queue.window < min(queue.connections, queue.taken + 1 + queue.initial):
        _grow(queue)


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
