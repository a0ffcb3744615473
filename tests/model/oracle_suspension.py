"""The MTA's reaction to answers: rules that stop a queue, slow it down or empty it."""

from __future__ import annotations

import math
from typing import Any

from oracle_limits import Gcra

from sendcap.scenario.rates import Rate


class Rule:
    """One rule of a queue; nothing starts while it holds, or a slower rate holds as well."""

    def __init__(self, rule: Any, ips: int) -> None:
        self.rule, self.ips = rule, ips
        self.until = -math.inf
        self.answers: list[float] = []
        self.in_a_row = 0
        self.period: list[bool] = []  # whether each of its attempts counts
        self.sweep = math.inf
        self.swept = -math.inf
        self.rate: Gcra | None = None

    def answered(self, now: float, answer: str) -> None:
        counts = answer in self.rule.counts
        if self.rule.share is not None:
            if not self.period:
                self.sweep = math.ceil(now / self.rule.within) * self.rule.within
                if self.sweep <= self.swept:
                    self.sweep += self.rule.within
            self.period.append(counts)
        elif self.rule.in_a_row:
            self.in_a_row = self.in_a_row + 1 if counts else 0
            if self.in_a_row >= self.rule.after:
                self.suspend(now)
        elif counts:
            self.answers = [at for at in self.answers if now - at <= self.rule.within] + [now]
            if len(self.answers) >= self.rule.after:
                self.suspend(now)

    def look(self, now: float) -> bool:
        """Look at a period that ends now; return whether there was one."""
        if self.sweep > now:
            return False
        attempts, counted = len(self.period), sum(self.period)
        self.period, self.sweep, self.swept = [], math.inf, now
        if attempts >= self.rule.of and counted / attempts >= self.rule.share:
            self.suspend(now, attempts)
        return True

    def suspend(self, now: float, attempts: int = 0) -> None:
        if self.rule.slow_to is not None:
            tat = -math.inf if now >= self.until or self.rate is None else self.rate.tat
            self.rate = Gcra(Rate(1, 1.0, 1), 1)
            self.rate.interval_s = self.rule.within / attempts / self.rule.slow_to
            self.rate.tat = tat
        elif now >= self.until and self.rule.rate != "closed":
            self.rate = Gcra(self.rule.rate, self.ips)  # with its burst anew
        self.until = now + self.rule.lasts

    def holds(self, now: float) -> bool:
        return now < self.until

    def closes(self, now: float) -> bool:
        return self.holds(now) and self.rate is None

    def empties(self, now: float) -> bool:
        return self.holds(now) and self.rule.meanwhile == "retry"

    def earliest(self, now: float) -> float:
        if not self.holds(now):
            return now
        return self.until if self.rate is None else min(self.until, self.rate.earliest(now))

    def started(self, now: float) -> None:
        if self.holds(now) and self.rate is not None:
            self.rate.started(now)
