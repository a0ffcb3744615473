"""How a run may differ from the expected course: what a fluid leaves out, as later or sooner."""

import math
from typing import Final, NamedTuple, Self

from sendcap.scenario import Queue, Scenario
from sendcap.scenario.constraints import over, queue_constraints
from sendcap.scenario.hand_over import Attempt

_MOST: Final = 0.5
"""No stage is more than this share of its pace slower or quicker."""
_THE_SAME: Final = 0.2
"""Times with a smaller coefficient of variation stay together for a while."""


class Variation(NamedTuple):
    """By how many standard deviations the stages are late; below 0 they are early.

    A relay with few batches has a course of its own, by its number.
    """

    relay: float = 0.0
    queues: float = 0.0
    number: int | None = None
    coarser: int = 1  # so many times fewer cohorts

    def pace(self, scenario: Scenario, path: Queue, messages: float) -> float:
        """Return the pace of a queue's connections, 1 as expected.

        So many attempts together take their mean time, more or less the standard deviation.
        """
        if messages <= 0.0:
            return 1.0
        attempt = Attempt.of(scenario.providers[path.provider])
        change = self.queues * _coefficient(attempt) / math.sqrt(messages)
        return 1.0 - min(max(change, -_MOST), _MOST)


AS_EXPECTED: Final = Variation()


class Lump(NamedTuple):
    """Messages that come to a queue at once: with a batch, or when a window of its limit begins."""

    batch_s: float  # time in which a batch's messages are tried
    messages: float
    lasts_s: float  # time until the last one of them is tried
    every_s: float = 0.0  # time from one lump to the next, where it is a window's
    queues: int = 1  # of single source addresses, over which they are divided
    at_a_time: int = 1  # attempts that finish together, where each takes the same time
    attempt_s: float = 0.0  # which is that

    @classmethod
    def of(cls, scenario: Scenario, path: Queue, share: float) -> Self:
        """Return the lumps of a queue to which this share of each batch goes."""
        limits = [each for each in queue_constraints(scenario, path) if each.name != "tolerance"]
        batch = max(scenario.mean_batch * share, 1.0)
        windows = [(each.paces[0].burst, each.window_s) for each in limits if each.window_s]
        messages, every_s = max([(batch, 0.0), *windows])
        provider = scenario.providers[path.provider]
        attempt = Attempt.of(provider)
        together = _coefficient(attempt) < _THE_SAME
        return cls(
            batch_s=max(over(batch, each.per_s) for each in limits),
            messages=messages,
            # What is within a burst goes as fast as the connections.
            lasts_s=max(over(messages - each.paces[0].burst, each.per_s) for each in limits),
            every_s=every_s,
            queues=path.ips if scenario.mta.queues == "per-ip" else 1,
            at_a_time=provider.connections_per_ip * path.ips if together else 1,
            attempt_s=attempt.mean_s,
        )


ONE_BY_ONE: Final = Lump(0.0, 1.0, 0.0)


def _coefficient(time: Attempt) -> float:
    """Return the standard deviation over the mean."""
    if time.mean_s == 0.0:
        return 0.0
    return math.sqrt(max(time.second_moment_s2 / time.mean_s**2 - 1.0, 0.0))
