"""A provider's throttle as the kernel takes it: plain numbers."""

from __future__ import annotations

import numpy as np

from sendcap.model.kernel.arrays import Throttle
from sendcap.model.kernel.throttle import FIXED_WINDOW, GAP, GCRA, NO_THROTTLE, SCHEDULE
from sendcap.scenario import FixedWindow, Gap, Provider, Rate, Schedule, WarmUp


def throttle_of(provider: Provider, ips: int) -> Throttle:
    """Return the throttle of one queue, before its first attempt; limits are per source IP."""
    rate = provider.rate.schedule() if isinstance(provider.rate, WarmUp) else provider.rate
    kind = NO_THROTTLE
    limits, steps, passed = np.zeros(2), np.zeros((1, 4)), np.array([-np.inf, 0.0, 0.0])
    if isinstance(rate, Rate):
        kind = GCRA
        limits[:] = 1.0 / (rate.per_s * ips), rate.burst_or_limit * ips
    elif isinstance(rate, FixedWindow):
        kind = FIXED_WINDOW
        limits[:] = rate.limit * ips, rate.window
    elif isinstance(rate, Gap):
        kind = GAP
        limits[0] = rate.pause
    elif isinstance(rate, Schedule):
        kind = SCHEDULE
        steps = _steps(rate, ips)
    return Throttle(kind, limits, steps, passed)


def _steps(schedule: Schedule, ips: int) -> np.ndarray:
    rows = np.zeros((len(schedule.steps), 4))
    for number, step in enumerate(schedule.steps):
        rows[number, 0] = step.at
        if isinstance(step.rate, Rate):
            rows[number, 1] = step.rate.per_s * ips
            rows[number, 3] = step.rate.burst_or_limit * ips
    brought = np.diff(rows[:, 0]) * rows[:-1, 1]
    rows[1:, 2] = np.cumsum(brought)
    return rows
