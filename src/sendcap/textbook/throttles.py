"""The throttles of the textbook model: each says when an attempt may start that asks now."""

from __future__ import annotations

import math
from itertools import pairwise

from sendcap.scenario import Rate
from sendcap.scenario.throttle import FixedWindow, Gap, Schedule, WarmUp


class Throttle:
    """Lets everything start at once."""

    def start_s(self, now_s: float) -> float:
        """Return when an attempt may start that asks now."""
        return now_s

    def charge(self, start_s: float, finish_s: float) -> None:
        """Let an attempt start at that time."""


class FixedWindowThrottle(Throttle):
    """So many in each window of time."""

    def __init__(self, rate: FixedWindow, ips: int) -> None:
        self.limit = rate.limit * ips
        self.length_s = rate.window
        self.window, self.used = -1, 0

    def start_s(self, now_s: float) -> float:
        """Return the time itself, or the beginning of the next window that has room."""
        window = int(now_s // self.length_s)
        if window <= self.window:
            window = self.window + (self.used >= self.limit)
        return max(now_s, window * self.length_s)

    def charge(self, start_s: float, finish_s: float) -> None:
        """Count an attempt in its window."""
        window = int(start_s // self.length_s)
        self.used = self.used + 1 if window == self.window else 1
        self.window = window


class GapThrottle(Throttle):
    """A pause after the finish of each."""

    def __init__(self, rate: Gap) -> None:
        self.pause_s = rate.pause
        self.next_s = -math.inf

    def start_s(self, now_s: float) -> float:
        """Return the time itself, or the end of the pause."""
        return max(now_s, self.next_s)

    def charge(self, start_s: float, finish_s: float) -> None:
        """Begin the pause at the finish."""
        self.next_s = finish_s + self.pause_s


class RateThrottle(Throttle):
    """The generic cell rate algorithm (GCRA), as KumoMTA throttles."""

    def __init__(self, rate: Rate, ips: int) -> None:
        self.interval_s = 1.0 / (rate.per_s * ips)
        self.burst = rate.burst_or_limit * ips
        self.arrival_s = -math.inf

    def start_s(self, now_s: float, quantity: int = 1) -> float:
        """Return when the ``quantity`` may start, more than the burst with the whole burst."""
        slack_s = self.interval_s * (max(self.burst, quantity) - quantity)
        return max(now_s, self.arrival_s - slack_s)

    def charge(self, start_s: float, finish_s: float, quantity: int = 1) -> None:
        """Put the theoretical arrival of the next later by an interval for each."""
        self.arrival_s = max(self.arrival_s, start_s) + self.interval_s * quantity


class ScheduleThrottle(Throttle):
    """The GCRA on a clock that counts the attempts that the rate has brought so far."""

    def __init__(self, rate: Schedule, ips: int) -> None:
        self.steps = [
            (step.at, step.rate.per_s * ips, step.rate.burst_or_limit * ips)
            if isinstance(step.rate, Rate)
            else (step.at, 0.0, 0)
            for step in rate.steps
        ]
        self.arrival = -math.inf
        self.asked = 0.0

    def brought(self, time_s: float) -> float:
        """Return how many attempts the rate has brought until a time."""
        ends_s = [at_s for at_s, _, _ in self.steps[1:]] + [math.inf]
        return sum(
            (min(end_s, time_s) - at_s) * per_s
            for (at_s, per_s, _), end_s in zip(self.steps, ends_s, strict=True)
            if at_s < time_s
        )

    def when(self, attempts: float) -> float:
        """Return when the rate has brought that many."""
        for (at_s, per_s, _), (end_s, _, _) in pairwise(self.steps):
            if per_s > 0.0 and self.brought(end_s) >= attempts:
                return at_s + (attempts - self.brought(at_s)) / per_s
        at_s, per_s, _ = self.steps[-1]
        return at_s + (attempts - self.brought(at_s)) / per_s

    def start_s(self, now_s: float) -> float:
        """Return when the clock has come as far as the attempt needs, and the queue is open."""
        number = max(k for k, (at_s, _, _) in enumerate(self.steps) if at_s <= now_s)
        while self.steps[number][1] == 0.0:
            number += 1
            now_s = self.steps[number][0]
        needed = self.arrival - (self.steps[number][2] - 1)
        self.asked = max(self.brought(now_s), needed)
        return now_s if needed <= self.brought(now_s) else max(now_s, self.when(needed))

    def charge(self, start_s: float, finish_s: float) -> None:
        """Put the theoretical arrival of the next later by one attempt."""
        self.arrival = max(self.arrival, self.asked) + 1.0


def throttle_of(rate: Rate | FixedWindow | Gap | Schedule | WarmUp | None, ips: int) -> Throttle:
    """Return the throttle of a provider's queue; limits are per source IP."""
    if isinstance(rate, WarmUp):
        rate = rate.schedule()
    if isinstance(rate, Rate):
        return RateThrottle(rate, ips)
    if isinstance(rate, FixedWindow):
        return FixedWindowThrottle(rate, ips)
    if isinstance(rate, Gap):
        return GapThrottle(rate)
    return Throttle() if rate is None else ScheduleThrottle(rate, ips)
