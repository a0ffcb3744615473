"""Limits of attempts: rates, windows and pauses, and the provider's tolerance.

A limit answers when the next attempt could start, as things are, and learns of each start and
finish. Times are in seconds.
"""

from __future__ import annotations

import math
from typing import Any

from sendcap.scenario.rates import Rate
from sendcap.scenario.throttle import FixedWindow, Gap, Schedule, WarmUp


class Unlimited:
    def earliest(self, now: float, count: int = 1) -> float:
        """When so many could start; more than a burst counts as a burst of its own size."""
        return now

    def started(self, now: float) -> int:
        """Note a start, and return the number of the source address."""
        return 0

    def finished(self, now: float, address: int) -> None:
        pass


class Gcra(Unlimited):
    """At most a burst at once, and then one per interval."""

    def __init__(self, rate: Rate, ips: int) -> None:
        self.interval_s = rate.period_s / (rate.limit * ips)
        self.burst = rate.burst_or_limit * ips
        self.tat = -math.inf  # theoretical arrival time

    def earliest(self, now: float, count: int = 1) -> float:
        return max(now, self.tat - max(self.burst - count, 0) * self.interval_s)

    def started(self, now: float) -> int:
        self.tat = max(self.tat, now) + self.interval_s
        return 0


class Scheduled(Unlimited):
    """A GCRA on a clock that counts the attempts that the rates have brought so far."""

    def __init__(self, schedule: Schedule, ips: int) -> None:
        starts = [step.at for step in schedule.steps]
        self.steps: list[tuple[float, float, float, float, float]] = []
        brought = 0.0
        for step, end in zip(schedule.steps, [*starts[1:], math.inf], strict=True):
            per_s, burst = 0.0, 0.0
            if isinstance(step.rate, Rate):
                per_s = step.rate.limit * ips / step.rate.period_s
                burst = step.rate.burst_or_limit * ips
            self.steps.append((step.at, end, brought, per_s, burst))
            brought += per_s * (end - step.at) if per_s else 0.0
        self.tat = -math.inf

    def earliest(self, now: float, count: int = 1) -> float:
        for start, end, brought, per_s, burst in self.steps:
            if end <= now or per_s == 0.0:
                continue
            needed = self.tat - max(burst - count, 0.0) - brought
            reached = start + max(needed, 0.0) / per_s
            if max(reached, now) < end:
                return max(reached, now)
        raise AssertionError("the last step is never closed")

    def started(self, now: float) -> int:
        for start, end, brought, per_s, _ in self.steps:
            if start <= now < end:
                self.tat = max(self.tat, brought + per_s * (now - start)) + 1.0
        return 0


class Windows(Unlimited):
    def __init__(self, window: FixedWindow, ips: int) -> None:
        self.window_s, self.limit = window.window, window.limit * ips
        self.number, self.used = 0, 0

    def window(self, now: float) -> int:
        number = math.floor(now / self.window_s)
        # The division may round to just below the window that begins now.
        return number + 1 if (number + 1) * self.window_s <= now else number

    def earliest(self, now: float, count: int = 1) -> float:
        number = self.window(now)
        if number > self.number or self.used < self.limit:
            return now
        return (number + 1) * self.window_s

    def started(self, now: float) -> int:
        number = self.window(now)
        self.used = 1 if number > self.number else self.used + 1
        self.number = number
        return 0


class Pauses(Unlimited):
    """One attempt at a time from each source address, and a pause after each."""

    def __init__(self, gap: Gap, ips: int) -> None:
        self.pause_s = gap.pause
        self.over_since = [-math.inf] * ips  # infinite while an attempt is under way

    def earliest(self, now: float, count: int = 1) -> float:
        return max(now, min(self.over_since))

    def started(self, now: float) -> int:
        address = self.over_since.index(min(self.over_since))
        self.over_since[address] = math.inf
        return address

    def finished(self, now: float, address: int) -> None:
        self.over_since[address] = now + self.pause_s


class Each(Unlimited):
    """Several limits, each of which holds."""

    def __init__(self, limits: list[Unlimited]) -> None:
        self.limits = limits
        self.addresses: list[tuple[int, ...]] = []

    def earliest(self, now: float, count: int = 1) -> float:
        moment = now
        while moment < math.inf:
            later = max(limit.earliest(moment) for limit in self.limits)
            if later == moment:
                break
            moment = later
        return moment

    def started(self, now: float) -> int:
        self.addresses.append(tuple(limit.started(now) for limit in self.limits))
        return len(self.addresses) - 1

    def finished(self, now: float, address: int) -> None:
        for limit, own in zip(self.limits, self.addresses[address], strict=True):
            limit.finished(now, own)


class Connections:
    """A limit on the connections in use, over several queues; it may grow one by one."""

    def __init__(self, most: float, every_s: float | None) -> None:
        self.most, self.every_s, self.used = most, every_s, 0
        self.allowed = most if every_s is None else 0
        self.grew_at = -math.inf

    def is_full(self) -> bool:
        return self.used >= self.allowed

    def shrink(self) -> None:
        """Allow no more than are in use, since nobody waits."""
        if self.every_s is not None:
            self.allowed = self.used

    def grows(self, now: float) -> float:
        """Return when it may grow, if somebody waits."""
        if self.every_s is None or self.allowed >= self.most:
            return math.inf
        number = math.floor(now / self.every_s) - 1
        while number * self.every_s < now or number * self.every_s <= self.grew_at:
            number += 1
        return number * self.every_s

    def grow(self, now: float) -> bool:
        if self.grows(now) > now:
            return False
        self.allowed, self.grew_at = self.allowed + 1, now
        return True


class Passing:
    """A limit over some messages, which acts when one takes a connection and lets others pass."""

    def __init__(self, limit: Any, parents: dict[str, tuple[str, ...]]) -> None:
        # A written delivery stands for all its parts and repetitions.
        self.deliveries = {part for name in limit.deliveries for part in parents.get(name, [name])}
        self.retries_alone = limit.attempts == "retries"
        self.rate = limit_of(limit.rate, 1)
        self.connections = Connections(limit.connections or math.inf, limit.one_more_every)

    def covers(self, delivery: str, is_retry: bool) -> bool:
        return (is_retry or not self.retries_alone) and (
            not self.deliveries or delivery in self.deliveries
        )

    def holds_back(self, now: float) -> bool:
        return self.connections.is_full() or self.rate.earliest(now) > now


class Tolerance:
    """The provider's own limit on the attempts that it lets through."""

    def __init__(self, rate: Rate | Schedule | None, ips: int) -> None:
        self.rate = limit_of(rate, ips)

    def lets_through(self, now: float) -> bool:
        return self.rate.earliest(now) <= now

    def let_through(self, now: float) -> None:
        self.rate.started(now)


def limit_of(throttle: Any, ips: int) -> Unlimited:
    match throttle:
        case None:
            return Unlimited()
        case tuple():
            return Each([limit_of(each, ips) for each in throttle])
        case Rate():
            return Gcra(throttle, ips)
        case FixedWindow():
            return Windows(throttle, ips)
        case Gap():
            return Pauses(throttle, ips)
        case WarmUp():
            return Scheduled(throttle.schedule(), ips)
        case Schedule():
            return Scheduled(throttle, ips)
    raise AssertionError(throttle)
