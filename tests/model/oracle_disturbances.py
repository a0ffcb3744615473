"""Bad times of a provider, at times that are known."""

from __future__ import annotations

from typing import Any

from oracle_limits import Tolerance


class BadTimes:
    def __init__(self, disturbance: Any, ips: int) -> None:
        self.disturbance = disturbance
        self.tolerance = Tolerance(disturbance.tolerance, ips)
        self.end = 0.0
        self.begin = disturbance.every.mean_s

    def are(self, now: float) -> bool:
        """Whether there is one now; asked in order of time."""
        while self.begin + self.disturbance.lasts.mean_s <= now:
            self.begin += self.disturbance.lasts.mean_s
            self.begin += self.disturbance.every.mean_s
        return now >= self.begin
