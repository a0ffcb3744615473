"""Postfix's concurrency in the textbook model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from sendcap.scenario import PostfixScaling

_STEPS: Final[dict[str, Callable[[int], float]]] = {
    "1": lambda window: 1.0,  # noqa: ARG005
    "1/concurrency": lambda window: 1.0 / window,
    "1/sqrt_concurrency": lambda window: 1.0 / math.sqrt(window),
}


class Window:
    """How many connections may be used at a time: as many as there are, without feedback."""

    def __init__(self, scaling: PostfixScaling | str, limit: int, ips: int) -> None:
        self.scaling = scaling
        self.limit = self.size = limit
        self.success = self.failure = self.failed_cohorts = 0.0
        if isinstance(scaling, PostfixScaling):
            self.initial = scaling.initial * ips
            self.begin_anew()

    def begin_anew(self, under_way: int = 0) -> None:
        """Forget all answers; so many deliveries are under way."""
        self.success = self.failure = self.failed_cohorts = 0.0
        self.size = under_way or min(self.initial, self.limit)

    def answered(self, is_failure: bool, busy: int) -> None:
        """Grow or shrink by the answer of one of so many deliveries."""
        if isinstance(self.scaling, str):
            return
        self.failed_cohorts = self.failed_cohorts + 1.0 / self.size if is_failure else 0.0
        half = 0.5 if self.scaling.variant == "source" else 0.0
        if is_failure:
            step = _STEPS[self.scaling.negative](self.size)
            self.failure -= step
            while self.failure - half * step < 0.0:
                self.size, self.failure, self.success = self.size - 1, self.failure + 1.0, 0.0
            self.size = max(self.size, 1)
        elif self.size < min(self.limit, busy + self.initial):
            step = _STEPS[self.scaling.positive](self.size)
            self.success += step
            while self.success + half * step >= 1.0:
                self.size, self.success, self.failure = self.size + 1, self.success - 1.0, 0.0
            self.size = min(self.size, self.limit)
