"""Whether deliveries meet a deadline: in how many simulations, and what would make them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats

from sendcap.model.engine import simulate_ledger
from sendcap.run import Run
from sendcap.scenario import Delivery, Scenario
from sendcap.study.calendar.remedies import Remedy, remedies
from sendcap.study.calendar.slots import accepted_s
from sendcap.study.capacity.searches.acceptance import bare
from sendcap.study.replication import replication_seed
from sendcap.study.replication.workers import Simulations, each_replication


@dataclass(frozen=True)
class Verdict:
    """Whether a delivery meets the deadline.

    Attributes
    ----------
    delivery
        Name of the delivery.
    holds, replications
        Number of replications in which it does, and of all.
    low, high
        Interval of the probability (Clopper and Pearson).
    accepted_median_s, accepted_90_pct_s
        When the share was accepted in half and in 90 % of the replications, in seconds from t = 0.
    remedies
        What makes it hold, of what has been tried; empty where it holds.
    """

    delivery: str
    holds: int
    replications: int
    low: float
    high: float
    accepted_median_s: float
    accepted_90_pct_s: float
    remedies: tuple[Remedy, ...]

    @property
    def probability(self) -> float:
        """Share of the replications in which it holds."""
        return self.holds / self.replications


def in_question(scenario: Scenario, deadline_s: float) -> list[Delivery]:
    """Return the deliveries whose messages are ready before a deadline."""
    return [each for each in scenario.deliveries if each.at + each.spread < deadline_s]


def verdicts(
    scenario: Scenario,
    deadline_s: float,
    share: float,
    replications: int,
    confidence: float,
    simulations: Simulations,
) -> Iterator[Verdict]:
    """Yield the verdict on each delivery whose messages are ready before the deadline.

    A remedy has to make the slowest of the replications hold.
    """
    scenario = bare(scenario)
    names = [each.name for each in in_question(scenario, deadline_s)]
    accepted = partial(_accepted_s, share, tuple(names))
    times_s = np.array(list(each_replication(accepted, scenario, range(replications), simulations)))
    starts_s = {each.name: each.at for each in scenario.deliveries}
    for name, own_s in zip(names, times_s.T, strict=True):
        in_time = own_s <= deadline_s
        holds = int(in_time.sum())
        interval = stats.binomtest(holds, replications).proportion_ci(confidence, method="exact")
        found: list[Remedy] = []
        if holds < replications:
            slowest = scenario.with_seed(replication_seed(scenario.seed, int(own_s.argmax())))
            late_s, left_s = float(own_s.max()) - deadline_s, deadline_s - starts_s[name]
            late = partial(_late, share, deadline_s, simulations)
            found = remedies(slowest, name, late_s, left_s, late)
        yield Verdict(
            name,
            holds,
            replications,
            float(interval.low),
            float(interval.high),
            float(np.quantile(own_s, 0.5, method="inverted_cdf")),
            float(np.quantile(own_s, 0.9, method="inverted_cdf")),
            tuple(found),
        )


def _accepted_s(share: float, names: tuple[str, ...], scenario: Scenario) -> list[float]:
    """Simulate, and return when the share of each delivery was accepted."""
    run = Run(scenario, simulate_ledger(scenario))
    return [accepted_s(run, share, sent) for sent in run.as_sent.deliveries if sent.name in names]


def _late(
    share: float, deadline_s: float, simulations: Simulations, scenario: Scenario
) -> set[str]:
    """Simulate, and return the names of deliveries that are late, and those of their parents."""
    ready = in_question(scenario, deadline_s)
    names = tuple(each.name for each in ready)
    (times_s,) = simulations.map(partial(_accepted_s, share, names), [scenario])
    late = [each for each, time_s in zip(ready, times_s, strict=True) if time_s > deadline_s]
    return {name for each in late for name in (each.name, each.parent) if name}
