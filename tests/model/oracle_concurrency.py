"""How many deliveries Postfix makes at a time: it feels its way."""

from __future__ import annotations

import math
from typing import Any


class Window:
    def __init__(self, scaling: Any, most: int, ips: int) -> None:
        self.scaling, self.most = scaling, most
        self.feels = not isinstance(scaling, str)
        self.initial = scaling.initial * ips if self.feels else most
        self.size = min(self.initial, most)
        self.credit = self.debt = self.cohorts = 0.0
        self.dead_until = -math.inf

    def feedback(self, kind: str) -> float:
        divisor = {"1": 1.0, "1/concurrency": self.size, "1/sqrt_concurrency": math.sqrt(self.size)}
        return 1.0 / divisor[kind]

    def forget(self, size: int) -> None:
        self.size, self.credit, self.debt, self.cohorts = min(size, self.most), 0.0, 0.0, 0.0

    def is_dead(self, now: float) -> bool:
        return now < self.dead_until

    def empties(self, now: float) -> bool:
        """Whether the site is dead, so that its messages are sent back."""
        return self.is_dead(now)

    def closes(self, now: float) -> bool:
        return self.is_dead(now)

    def earliest(self, now: float) -> float:
        return max(now, self.dead_until)

    def started(self, now: float) -> None:
        """A window allows any rate."""

    def learn(self, reached: bool, busy: int, now: float, others_wait: bool) -> None:
        """Learn of an answer, and remember it as long as there is anybody else for the site."""
        if not self.feels:
            return
        if self.is_dead(now):
            left = busy if reached and (busy > 1 or others_wait) else busy - 1
            self.dead_until = now if reached else self.dead_until
            self.forget(left or self.initial)
            return
        self.cohorts = 0.0 if reached else self.cohorts + 1.0 / self.size
        most = self.scaling.failed_cohorts
        if most is not None and self.cohorts >= most:
            self.dead_until = math.floor(now) + self.scaling.dead_for
            self.forget(busy - 1 or self.initial)
        elif busy == 1 and not others_wait:
            self.forget(self.initial)
        else:
            self.answered(reached, busy)

    def answered(self, reached: bool, busy: int) -> None:
        """Learn of an answer, while so many deliveries are under way, this one included."""
        kind = self.scaling.positive if reached else self.scaling.negative
        step = self.feedback(kind)
        early = step / 2.0 if self.scaling.variant == "source" else 0.0
        if reached and self.size < self.most and self.size < busy + self.initial:
            self.credit += step
            while self.credit + early >= 1.0:
                self.size, self.credit, self.debt = self.size + 1, self.credit - 1.0, 0.0
        elif not reached:
            self.debt -= step
            while self.debt - early < 0.0:
                self.size, self.debt, self.credit = self.size - 1, self.debt + 1.0, 0.0
        self.size = min(max(self.size, 1), self.most)
