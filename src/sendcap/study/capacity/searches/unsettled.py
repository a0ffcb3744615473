"""Simulations of streams: which share of its arrivals each provider leaves unsettled."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

from sendcap.scenario import Scenario
from sendcap.study.capacity.searches.search import Trial
from sendcap.study.capacity.searches.steady import MOST, Stream, unsettled_shares
from sendcap.study.replication.workers import Simulations

EPSILON: Final = 0.002
"""A provider that leaves this share of its arrivals unsettled counts as unstable."""
_LEAST: Final = 1e-9


class Streams:
    """Simulations of streams, and the unsettled share of each provider.

    Even without any limit some messages remain unsettled: those that expire for want of a working
    address. Another simulation with the same draws measures that share.
    """

    def __init__(
        self,
        scenario: Scenario,
        per_s: float,
        measured: int,
        seeds: Sequence[int],
        simulations: Simulations,
        most: int = MOST,
    ) -> None:
        self.stream = Stream.of(scenario, per_s, measured, most)
        self.seeds = seeds
        self._simulations = simulations
        self.usual_size = self.stream.size(per_s)
        self._usual: dict[int, dict[str, float]] = {}
        self.allowed = self.stream.allowances(per_s, EPSILON)
        self.worst: dict[Trial, tuple[float, str]] = {}

    def excess(self, trials: Sequence[Trial]) -> list[float]:
        """Return the largest relative excess of arrivals at any provider."""
        for trial, left in zip(trials, self.left(trials), strict=True):
            self.worst[trial] = max(
                (math.log((1.0 - self.allowed[name]) / max(1.0 - share, _LEAST)), name)
                for name, share in left.items()
            )
        return [self.worst[trial][0] for trial in trials]

    def left(self, trials: Sequence[Trial]) -> list[dict[str, float]]:
        """Return the share left unsettled by each provider's limits, for each trial."""
        numbers = dict.fromkeys(trial.replication for trial in trials)
        new = [number for number in numbers if number not in self._usual]
        stream = self.stream
        streams = [
            stream.sized(self.usual_size, self.seeds[number], unhindered=True) for number in new
        ]
        streams += [stream.sized(trial.size, self.seeds[trial.replication]) for trial in trials]
        shares_of = partial(unsettled_shares, stream.warm_up_s)
        unsettled = list(self._simulations.map(shares_of, streams))
        self._usual.update(zip(new, unsettled, strict=False))
        return [
            {name: share - self._usual[trial.replication][name] for name, share in shares.items()}
            for trial, shares in zip(trials, unsettled[len(new) :], strict=True)
        ]

    def keeps_up_without_limits(self, trial: Trial, name: str) -> bool:
        """Return whether a provider would keep up if no limit were over several queues."""
        stream = self.stream.sized(trial.size, self.seeds[trial.replication])
        shares_of = partial(unsettled_shares, self.stream.warm_up_s)
        alone = [stream.model_copy(update={"limits": ()})]
        (shares,) = self._simulations.map(shares_of, alone)
        return shares[name] - self._usual[trial.replication][name] <= self.allowed[name]
