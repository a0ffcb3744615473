"""A provider's bad times that come at random, in the textbook model."""

from __future__ import annotations

from sendcap.scenario.disturbance import Disturbance
from sendcap.textbook.chance import Chance
from sendcap.textbook.throttles import RateThrottle, Throttle


class BadTimes:
    """When a disturbance of a provider comes, again and again."""

    def __init__(self, disturbance: Disturbance, chance: Chance) -> None:
        self.disturbance = disturbance
        self.chance = chance
        self.begins_s = self.ends_s = 0.0
        self.next()

    def next(self) -> None:
        """Draw when the next one begins and ends."""
        self.begins_s = self.ends_s + self.chance.draw(self.disturbance.every)
        self.ends_s = self.begins_s + self.chance.draw(self.disturbance.lasts)

    def are_now(self, now_s: float) -> bool:
        """Tell whether the provider is disturbed; time only goes on."""
        while self.ends_s <= now_s:
            self.next()
        return self.begins_s <= now_s


class Disturbed:
    """What a disturbance does to one queue: a tolerance counts only meanwhile."""

    def __init__(self, times: BadTimes, ips: int) -> None:
        self.times = times
        rate = times.disturbance.tolerance
        self.tolerance = Throttle() if rate is None else RateThrottle(rate, ips)
