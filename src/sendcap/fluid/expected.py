"""The expected ledger of a scenario, computed as flows and without sampling."""

import math
from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np

from sendcap.fluid.attempts import settled
from sendcap.fluid.counts import Counting, Counts, with_attempts_known
from sendcap.fluid.feedback import taken_in
from sendcap.fluid.folding import with_own_limits
from sendcap.fluid.followed import require_followed, require_known_starts
from sendcap.fluid.handover import Cohorts, few_batches, handed_over
from sendcap.fluid.refusals import Refusals
from sendcap.fluid.spans import Floats
from sendcap.fluid.variation import AS_EXPECTED, Lump, Variation
from sendcap.ledger import Ledger, SparseCounts
from sendcap.model.confirmation import as_sent
from sendcap.scenario import Queue, Scenario

_NOTHING: Final = 1e-6
"""Share of a series in the tail that is added to the last bin."""
_COARSER: Final = 6
_LATE: Final = 2.0
"""Standard deviations by which a stage is late or early."""


def expected_ledger(scenario: Scenario, variation: Variation = AS_EXPECTED) -> Ledger:
    """Return the expected counts of a scenario, as floats; see `sendcap.analysis.expected`.

    Or those of a run whose stages are all late, or early.
    """
    require_known_starts(scenario)
    scenario = with_own_limits(as_sent(scenario))
    require_followed(scenario)
    cohorts = handed_over(scenario, variation)
    counting = Counting(scenario, _shortest_s(scenario, cohorts))
    to_deliver = scenario.to_deliver()
    counts: Counts = {}
    for path in scenario.paths():
        each = [
            to_deliver.get((delivery.name, path.provider), 0)
            if scenario.pool_of(delivery) == path.pool
            else 0
            for delivery in scenario.deliveries
        ]
        if any(each):
            of_each = np.array(each, np.float64)
            counts |= _at(scenario, path, cohorts, counting, of_each, variation)
    counts = with_attempts_known(taken_in(scenario, counts))
    return _ledger(scenario, counts)


def courses(scenario: Scenario) -> Iterator[Ledger]:
    """Yield the expected course on a coarser grid, and courses of runs that are late or early.

    A relay with few batches goes its own way each time; with more, all are late or all are early.
    """
    scenario = scenario.without_engagement
    yield expected_ledger(scenario, Variation(coarser=_COARSER))
    few = few_batches(scenario)
    signs = [*product((_LATE, -_LATE), repeat=2)] * 2 if few else [(_LATE,) * 2, (-_LATE,) * 2]
    for number, (relay, queues) in enumerate(signs):
        yield expected_ledger(scenario, Variation(relay, queues, number, _COARSER))


def _shortest_s(scenario: Scenario, cohorts: Cohorts) -> float:
    """Return the shortest time in which a delivery is relayed."""
    begin_s, end_s = cohorts.relayed.ends_s
    return min(
        float(end_s[chosen].max() - begin_s[chosen].min())
        for chosen in (cohorts.delivery == number for number in range(len(scenario.deliveries)))
    )


def _at(
    scenario: Scenario,
    path: Queue,
    cohorts: Cohorts,
    counting: Counting,
    each: Floats,
    variation: Variation,
) -> Counts:
    """Return the counts of a queue, by the messages that each delivery has for it."""
    name = path.provider
    messages = cohorts.share * each[cohorts.delivery]
    relayed = messages * (1.0 - scenario.relay.error_rate)
    of_all = sum(delivery.messages for delivery in scenario.deliveries)
    lump = Lump.of(scenario, path, float(each.sum()) / of_all)
    receiver = scenario.providers[name]
    refusals = Refusals(receiver, path.ips, counting.step_s, lump, variation.queues)
    attempts = settled(scenario, path, cohorts, relayed, refusals, variation)
    counts: Counts = {}
    for number, delivery in enumerate(scenario.deliveries):
        if each[number]:
            chosen = cohorts.delivery == number
            counts |= counting.relay(delivery.name, name, cohorts, messages * chosen)
            counts |= counting.attempts(delivery.name, name, attempts, chosen, refusals)
    return counts


def _ledger(scenario: Scenario, counts: Counts) -> Ledger:
    to_deliver = scenario.to_deliver()
    bin_s, horizon_s = scenario.time.bin, scenario.time.horizon
    most = None if horizon_s is None else math.ceil(horizon_s / bin_s)
    columns = {series: _shortened(column)[:most] for series, column in counts.items()}
    columns = {series: column for series, column in columns.items() if column.any()}
    bins = max(map(len, columns.values()), default=0)
    sparse = {series: SparseCounts.of(column) for series, column in columns.items()}
    return Ledger(bin_s, bins, to_deliver, sparse, parents=scenario.parents())


def _shortened(counts: Floats) -> Floats:
    """Return counts without the tail, which is added to the last bin before it."""
    after = np.cumsum(counts[::-1])[::-1]
    end = int(np.searchsorted(-after, -_NOTHING * after[:1].sum()))
    if end in (0, len(counts)):
        return counts[:end]
    shortened = counts[:end].copy()
    shortened[-1] += after[end]
    return shortened
