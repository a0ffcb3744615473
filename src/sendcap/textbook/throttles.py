"""The throttles of the textbook model: each says when an attempt may start that asks now."""

from __future__ import annotations

import math
from heapq import heapreplace

from sendcap.scenario import Rate
from sendcap.scenario.throttle import FixedWindow, Gap, Schedule, ScheduledRate, WarmUp
from sendcap.scenario.throttle import Throttle as Limit


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
        window = self._window_of(now_s)
        if window <= self.window:
            window = self.window + (self.used >= self.limit)
        return max(now_s, window * self.length_s)

    def charge(self, start_s: float, finish_s: float) -> None:
        """Count an attempt in its window."""
        window = self._window_of(start_s)
        self.used = self.used + 1 if window == self.window else 1
        self.window = window

    def _window_of(self, time_s: float) -> int:
        window = int(time_s // self.length_s)
        # The product of a number and the length may be rounded to just below the window's begin.
        return window + 1 if (window + 1) * self.length_s <= time_s else window


class GapThrottle(Throttle):
    """A pause of the source IP after the finish of each; the one that is free the longest sends."""

    def __init__(self, rate: Gap, ips: int) -> None:
        self.pause_s = rate.pause
        self.next_s = [-math.inf] * ips

    def start_s(self, now_s: float) -> float:
        """Return the time itself, or the end of the pause that ends first."""
        return max(now_s, self.next_s[0])

    def charge(self, start_s: float, finish_s: float) -> None:
        """Begin the pause at the finish."""
        heapreplace(self.next_s, finish_s + self.pause_s)


class RateThrottle(Throttle):
    """The generic cell rate algorithm (GCRA), as KumoMTA throttles."""

    def __init__(self, rate: Rate, ips: int) -> None:
        self.interval_s = 1.0 / (rate.per_s * ips)
        self.burst = rate.burst_or_limit * ips
        self.arrival_s = -math.inf

    @classmethod
    def of(cls, per_s: float, burst: int) -> RateThrottle:
        """Return a throttle of so many per second, that need not be a whole number."""
        throttle = cls(Rate(1, 1.0, burst), 1)
        throttle.interval_s = 1.0 / per_s
        return throttle

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
        self.ends_s = [at_s for at_s, _, _ in self.steps[1:]] + [math.inf]
        self.arrival = -math.inf

    def brought(self, time_s: float) -> float:
        """Return how many attempts the rate has brought until a time."""
        return sum(
            (min(end_s, time_s) - at_s) * per_s
            for (at_s, per_s, _), end_s in zip(self.steps, self.ends_s, strict=True)
            if at_s < time_s
        )

    def start_s(self, now_s: float, quantity: int = 1) -> float:
        """Return when the clock has come as far as a step's burst asks, within that step."""
        for (at_s, per_s, burst), end_s in zip(self.steps, self.ends_s, strict=True):
            if end_s <= now_s or per_s == 0.0:
                continue
            needed = self.arrival - (max(burst, quantity) - quantity)
            start_s = max(now_s, at_s)
            if self.brought(start_s) < needed:
                start_s = max(start_s, at_s + (needed - self.brought(at_s)) / per_s)
            if start_s < end_s:
                return start_s
        return math.inf

    def charge(self, start_s: float, finish_s: float, quantity: int = 1) -> None:
        """Put the theoretical arrival of the next later by so many attempts."""
        self.arrival = max(self.arrival, self.brought(start_s)) + quantity


class EachThrottle(Throttle):
    """Several throttles, each of which holds."""

    def __init__(self, throttles: list[Throttle]) -> None:
        self.throttles = throttles

    def start_s(self, now_s: float) -> float:
        """Return the first time at which all of them let an attempt start."""
        start_s = now_s
        # Each may be met only later than another one allows.
        while (later_s := max(each.start_s(start_s) for each in self.throttles)) > start_s:
            start_s = later_s
        return start_s

    def charge(self, start_s: float, finish_s: float) -> None:
        """Let an attempt start under each of them."""
        for throttle in self.throttles:
            throttle.charge(start_s, finish_s)


def scheduled(rate: ScheduledRate, ips: int) -> RateThrottle | ScheduleThrottle:
    """Return the throttle of a rate that may change with time."""
    return ScheduleThrottle(rate, ips) if isinstance(rate, Schedule) else RateThrottle(rate, ips)


def throttle_of(throttles: tuple[Limit, ...], ips: int) -> Throttle:
    """Return the throttle of a provider's queue; limits are per source IP."""
    if not throttles:
        return Throttle()
    return EachThrottle([_one(throttle, ips) for throttle in throttles])


def _one(throttle: Limit, ips: int) -> Throttle:
    match throttle:
        case Rate():
            return RateThrottle(throttle, ips)
        case FixedWindow():
            return FixedWindowThrottle(throttle, ips)
        case Gap():
            return GapThrottle(throttle, ips)
        case WarmUp():
            return ScheduleThrottle(throttle.schedule(), ips)
        case Schedule():
            return ScheduleThrottle(throttle, ips)


class Ingress:
    """The MTA's ingress: one server, first come, first served."""

    def __init__(self, rate: Rate | None) -> None:
        self.service_s = 0.0 if rate is None else 1.0 / rate.per_s
        self.free_s = -math.inf

    def leaves_s(self, now_s: float) -> float:
        """Return when a message leaves that enters now."""
        self.free_s = max(now_s, self.free_s) + self.service_s
        return self.free_s
