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
        self.credit = self.debt = 0.0

    def feedback(self, kind: str) -> float:
        divisor = {"1": 1.0, "1/concurrency": self.size, "1/sqrt_concurrency": math.sqrt(self.size)}
        return 1.0 / divisor[kind]

    def answered(self, reached: bool, busy: int) -> None:
        """Learn of an answer, while so many deliveries are under way, this one included."""
        if not self.feels:
            return
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
