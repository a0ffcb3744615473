"""A provider's throttle as the kernel takes it: plain numbers."""

from __future__ import annotations

import numpy as np

from sendcap.model import kernel
from sendcap.scenario import Provider, Rate
from sendcap.scenario.schedule import Schedule, WarmUp
from sendcap.scenario.throttle import FixedWindow, Gap


class Throttle:
    """Settings and state of the throttle of one queue; limits are per source IP.

    Attributes
    ----------
    kind
        One of the kernel's: `kernel.NO_THROTTLE`, `kernel.GCRA`, `kernel.FIXED_WINDOW`,
        `kernel.GAP`, `kernel.SCHEDULE`.
    limits : ndarray, shape (2,)
        GCRA: seconds per attempt, attempts that may go at once. Fixed window: attempts in each,
        its length in seconds. Gap: the pause in seconds.
    steps : ndarray, shape (steps, 4)
        Schedule: when each step begins, its attempts per second, the attempts that the rate has
        brought until then, attempts that may go at once.
    passed : ndarray, shape (3,)
        What has been let pass. GCRA: the theoretical arrival time. Fixed window: the window's
        number, the attempts in it. Gap: when the next may start. Schedule: the theoretical
        arrival, in attempts. The last entry is the kernel's own.
    """

    def __init__(self, provider: Provider, ips: int) -> None:
        its = provider.rate
        if isinstance(its, WarmUp):
            its = its.schedule()
        self.kind = kernel.NO_THROTTLE
        self.limits = np.zeros(2)
        self.steps = np.zeros((1, 4))
        self.passed = np.array([-np.inf, 0.0, 0.0])
        if isinstance(its, Rate):
            self.kind = kernel.GCRA
            self.limits[:] = 1.0 / (its.per_s * ips), its.burst_or_limit * ips
        elif isinstance(its, FixedWindow):
            self.kind = kernel.FIXED_WINDOW
            self.limits[:] = its.limit * ips, its.window
        elif isinstance(its, Gap):
            self.kind = kernel.GAP
            self.limits[0] = its.pause
        elif isinstance(its, Schedule):
            self.kind = kernel.SCHEDULE
            self.steps = _steps(its, ips)


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
