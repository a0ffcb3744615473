"""The expected ledger of a scenario, computed as flows and without sampling."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.fluid.attempts import settled
from sendcap.fluid.counts import Counting, Counts, with_attempts_known
from sendcap.fluid.feedback import taken_in
from sendcap.fluid.handover import Cohorts, few_batches, handed_over
from sendcap.fluid.refusals import Refusals
from sendcap.fluid.spans import Floats
from sendcap.fluid.variation import AS_EXPECTED, Lump, Variation
from sendcap.ledger import Ledger, SparseCounts
from sendcap.model.confirmation import as_sent
from sendcap.model.feasibility import LONGEST_S, simulated_s
from sendcap.scenario import Constant, Queue, Scenario, attempt_series_s
from sendcap.scenario.section import Place
from sendcap.scenario.throttle import Schedule, ScheduledRate
from sendcap.text.quoting import dotted, first_few
from sendcap.text.shares import rounded_share

_NOTHING: Final = 1e-6
"""Share of a series in the tail that is added to the last bin."""
_MOST_ATTEMPTS: Final = 5_000
_COARSER: Final = 6
_LATE: Final = 2.0
"""Standard deviations by which a stage is late or early."""
_OVERTAKING: Final = 0.05
"""Share of the feedback that may be slower than a retry without a warning."""


def expected_ledger(scenario: Scenario, variation: Variation = AS_EXPECTED) -> Ledger:
    """Return the expected counts of a scenario, as floats; see `sendcap.analysis.expected`.

    Or those of a run whose stages are all late, or early.
    """
    _require_known_starts(scenario)
    scenario = as_sent(scenario)
    _require_feasible(scenario)
    for message in _left_out(scenario):
        warnings.warn(message, SendcapWarning, stacklevel=3)
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


def left_out(scenario: Scenario) -> bool:
    """Tell whether a scenario has features that the expected curves leave out."""
    return any(_left_out(scenario))


def _require_feasible(scenario: Scenario) -> None:
    takes_s = min(simulated_s(scenario), scenario.time.horizon or math.inf)
    if takes_s > LONGEST_S:
        raise ScenarioError(
            f"expected: this takes {takes_s / 86400:,.0f} days, more than {LONGEST_S / 86400:.0f}: "
            "make relay or feedback faster, or set time.horizon"
        )
    _require_constant(("relay", "rate"), scenario.relay.rate)
    if scenario.backlog:
        raise ScenarioError(
            "expected: backlog: messages that have been tried before cannot be worked out without "
            "a simulation; simulate, or leave it out"
        )
    if scenario.limits:
        names = first_few([limit.name for limit in scenario.limits])
        raise ScenarioError(
            f"expected: limits over several queues ({names}) cannot be worked out without a "
            "simulation; simulate, or leave them out"
        )
    for key, usual in (("order", "fifo"), ("active", None)):
        if getattr(scenario.mta, key) != usual:
            raise ScenarioError(
                f"expected: mta.{key}: only queues that are first in, first out can be worked out "
                "without a simulation; simulate, or leave it out"
            )
    longest_s = max(map(scenario.honoured_validity, scenario.deliveries))
    for name, provider in scenario.providers.items():
        _require_constant(("providers", name, "tolerance"), provider.tolerance)
        accepted = provider.accepts_connections
        if accepted is not None and accepted < provider.connections_per_ip:
            where = dotted(("providers", name, "accepts_connections"))
            raise ScenarioError(f"expected: {where}: connections are not followed; simulate")
        if not (provider.transient or provider.faults or provider.outages or provider.tolerance):
            continue
        attempts = attempt_series_s(scenario.retry_of(name), longest_s, limit=_MOST_ATTEMPTS + 1)
        if len(attempts) > _MOST_ATTEMPTS:
            whose = "mta" if provider.retry == "mta" else f"providers.{name}"
            raise ScenarioError(
                f"{whose}.retry: a message may be tried more than {_MOST_ATTEMPTS:,} times, which "
                "takes too long to work out; give longer delays, or simulate"
            )


def _require_known_starts(scenario: Scenario) -> None:
    for number, delivery in scenario.numbered():
        confirm = delivery.confirm
        if confirm is not None and not isinstance(confirm.within, Constant):
            raise ScenarioError(
                f"expected: deliveries[{number}].confirm.within: when somebody confirms is drawn; "
                'give one time, such as within = "2h", or simulate'
            )
        for key in ("pause", "stop"):
            if getattr(delivery, key) is not None:
                raise ScenarioError(
                    f"expected: deliveries[{number}].{key}: what operators hold up cannot be "
                    "worked out without a simulation; simulate, or leave it out"
                )


def _require_constant(place: Place, rate: ScheduledRate | None) -> None:
    if isinstance(rate, Schedule):
        raise ScenarioError(
            f"expected: {dotted(place)}: a schedule is not followed; give one rate, or simulate"
        )


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


def _left_out(scenario: Scenario) -> Iterator[str]:
    """Yield the features of a scenario that the expected curves leave out."""
    if scenario.population is not None:
        yield (
            "expected: the population is left out: each delivery goes to all people whom it "
            "targets, and nobody is excluded"
        )
    if scenario.mta.spool is not None:
        yield "expected: mta.spool is left out: the relay never waits for room"
    shortest_s = min(scenario.retry_of(name).shortest_delay_s for name in scenario.providers)
    slow = 1.0 - float(scenario.feedback.synchronous.cdf(np.array([shortest_s]))[0])
    if slow > _OVERTAKING:
        yield (
            f"expected: {rounded_share(slow)} of the feedback takes longer than the shortest retry "
            "delay: that reports about a message wait for earlier ones is left out"
        )
    for name, provider in scenario.providers.items():
        if scenario.acting_rules(name):
            yield f"expected: suspensions are left out: {name} is never suspended"
        if provider.disturbances:
            yield f"expected: disturbances are left out: {name} has no bad times but its outages"
        if provider.connection_rate is not None:
            yield (
                f"expected: connections are not followed one by one: {name}'s connection_rate is "
                "taken as a rate of attempts, messages_per_connection times as high"
            )
        if provider.connection_scaling != "none":
            yield f"expected: connection scaling is left out: {name} has all connections at once"
