"""A provider's server in the textbook model: what it takes of a queue now."""

from __future__ import annotations

import simpy

from sendcap.scenario import Provider, Refusal
from sendcap.textbook.disturbance import BadTimes, Disturbed
from sendcap.textbook.throttles import Throttle, scheduled


class Server:
    """It lets through what it tolerates, and has bad times."""

    def __init__(
        self, env: simpy.Environment, provider: Provider, bad_times: list[BadTimes], ips: int
    ) -> None:
        self.env = env
        self.provider = provider
        self.tolerance = (
            Throttle() if provider.tolerance is None else scheduled(provider.tolerance, ips)
        )
        self.disturbances = [Disturbed(each, ips) for each in bad_times]

    def throttles(self) -> bool:
        """Tell whether the provider throttles an attempt that finishes now."""
        now_s = self.env.now
        tolerances = [self.tolerance, *(each.tolerance for each in self.disturbed)]
        if any(each.start_s(now_s) > now_s for each in tolerances):
            return True
        for each in tolerances:
            each.charge(now_s, now_s)
        return False

    @property
    def disturbed(self) -> list[Disturbed]:
        """The disturbances that there are now."""
        return [each for each in self.disturbances if each.times.are_now(self.env.now)]

    def is_away(self) -> bool:
        """Tell whether the provider cannot be reached now."""
        outages = self.provider.outages
        if any(outage.at <= self.env.now < outage.at + outage.lasts for outage in outages):
            return True
        return any(each.times.disturbance.unreachable for each in self.disturbed)

    def finish_s(self, now_s: float, transaction_s: float) -> float:
        """Return when an attempt ends that starts now, or is given up where it meets an outage."""
        for outage in self.provider.outages:
            ends_s = outage.at + outage.lasts
            met_s = max(outage.at, now_s)
            left_s = now_s + transaction_s - met_s
            meets = now_s < ends_s and (met_s == now_s or left_s > 0.0)
            if outage.fails_after is not None and meets:
                given_up_s = met_s + outage.fails_after
                return given_up_s if given_up_s < ends_s else ends_s + left_s
        return now_s + transaction_s

    def refusals(self) -> list[Refusal]:
        """Return the refusals by mistake that there are now."""
        now_s = self.env.now
        return [each for each in self.provider.refusals if each.at <= now_s < each.at + each.lasts]

    def transient(self) -> float:
        """Return the probability of a soft bounce now."""
        now = (each.times.disturbance.transient for each in self.disturbed)
        return max(self.provider.transient, *now, 0.0)
