"""The rules by which the MTA suspends a queue, in the textbook model."""

from __future__ import annotations

import copy
import math
from collections import deque

from sendcap.scenario import PostfixScaling, Rate, Suspend
from sendcap.textbook.concurrency import Window
from sendcap.textbook.throttles import RateThrottle, Throttle


class Suspension:
    """One rule: it counts answers, and knows until when the queue is suspended."""

    def __init__(self, rule: Suspend, ips: int) -> None:
        self.rule = rule
        self.until_s = -math.inf
        self.answers_s: deque[float] = deque(maxlen=rule.after)
        self.in_a_row = 0
        self.attempts = self.counted = 0
        self.fresh = Throttle()
        if isinstance(rule.rate, Rate):
            self.fresh = RateThrottle(rule.rate, ips)
        self.meanwhile = copy.copy(self.fresh)

    @property
    def closes(self) -> bool:
        """Whether nothing starts during the suspension."""
        return self.rule.rate == "closed" and self.rule.slow_to is None

    @property
    def sends_back(self) -> bool:
        """Whether messages are sent back to their schedule during the suspension."""
        return self.rule.meanwhile == "retry"

    def answered(self, now_s: float, answer: str) -> bool:
        """Count an answer; return whether it suspends the queue."""
        counts = answer in self.rule.counts
        if self.rule.share is not None:
            self.attempts += 1
            self.counted += counts
            return False
        self.in_a_row = self.in_a_row + 1 if counts else 0
        if self.rule.in_a_row:
            return self.in_a_row >= self.rule.after
        if not counts:
            return False
        self.answers_s.append(now_s)
        enough = len(self.answers_s) == self.rule.after
        return enough and self.answers_s[0] >= now_s - self.rule.within

    def next_sweep_s(self, now_s: float) -> float:
        """Return the end of the period that a moment is in."""
        return math.ceil(now_s / self.rule.within) * self.rule.within

    def swept(self) -> bool:
        """Look at the attempts of a period; return whether they suspend the queue."""
        attempts, counted = self.attempts, self.counted
        self.attempts = self.counted = 0
        if attempts < self.rule.of or counted < (self.rule.share or 0.0) * attempts:
            return False
        if self.rule.slow_to is not None:
            per_s = attempts / self.rule.within * self.rule.slow_to
            self.fresh = RateThrottle.of(per_s, 1)
        return True

    def begin(self, now_s: float) -> None:
        """Suspend the queue from now on."""
        if now_s >= self.until_s:
            self.meanwhile = copy.copy(self.fresh)
        elif isinstance(self.meanwhile, RateThrottle) and isinstance(self.fresh, RateThrottle):
            self.meanwhile.interval_s = self.fresh.interval_s
        self.until_s = now_s + self.rule.lasts

    def start_s(self, now_s: float) -> float:
        """Return when an attempt may start that asks now."""
        if now_s >= self.until_s:
            return now_s
        return self.until_s if self.closes else min(self.until_s, self.meanwhile.start_s(now_s))

    def charge(self, now_s: float, finish_s: float) -> None:
        """Let an attempt start now."""
        if now_s < self.until_s:
            self.meanwhile.charge(now_s, finish_s)


class DeadSite:
    """Postfix's way to suspend a queue: the window says when, and a success ends it."""

    closes = sends_back = True

    def __init__(self, scaling: PostfixScaling, window: Window) -> None:
        self.scaling, self.window = scaling, window
        self.until_s = -math.inf

    def dies(self) -> bool:
        """Tell whether enough cohorts have failed."""
        most = self.scaling.failed_cohorts
        return most is not None and self.window.failed_cohorts >= most

    def begin(self, now_s: float, under_way: int) -> None:
        """Let the site be dead, while so many deliveries are under way still."""
        self.until_s = math.floor(now_s) + self.scaling.dead_for  # it counts in whole seconds
        self.window.begin_anew(under_way)

    def answered(self, is_failure: bool, under_way: int, now_s: float) -> None:
        """Take the answer of a delivery that was under way when it died; so many still are."""
        if is_failure:
            self.window.begin_anew(under_way)
        else:
            self.until_s = now_s
            self.window.begin_anew(under_way + 1)

    def start_s(self, now_s: float) -> float:
        """Return when an attempt may start that asks now."""
        return max(now_s, self.until_s)

    def charge(self, now_s: float, finish_s: float) -> None:
        """Let an attempt start now."""
