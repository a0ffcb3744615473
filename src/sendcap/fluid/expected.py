"""The expected curves of a scenario, without sampling."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.fluid.counts import Counting, Counts, with_attempts_known
from sendcap.fluid.feedback import taken_in
from sendcap.fluid.handover import Cohorts, handed_over
from sendcap.fluid.refusals import Refusals
from sendcap.fluid.settling import settled
from sendcap.fluid.spans import Floats
from sendcap.ledger import Ledger
from sendcap.model.feasibility import LONGEST_S, simulated_s
from sendcap.readings.modes import ALL_DELIVERIES, Denominator, Mode
from sendcap.scenario import Scenario, attempt_series_s

if TYPE_CHECKING:
    import pandas as pd


_NOTHING: Final = 1e-6
"""Share of a series for whose sake it is not made longer: it comes with the last bin."""
_MOST_ATTEMPTS: Final = 5_000
_OVERTAKING: Final = 0.05
"""Share of the feedback that may be slower than a retry without a warning."""


@dataclass(frozen=True)
class Expected:
    """What is expected of a scenario.

    Attributes
    ----------
    scenario
        What it was worked out from.
    ledger
        The expected counts. They are floats; whatever reads a simulation's ledger reads them.
    """

    scenario: Scenario
    ledger: Ledger

    def kpis(
        self,
        mode: Mode,
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator | None = None,
    ) -> pd.DataFrame:
        """Return the expected KPIs over time, in the columns of `sendcap.Run.kpis`.

        Percentages are those of the expected counts. The mean of the percentages is another thing
        where the denominator is random, as *processed* is until all has been relayed; with
        thousands of messages they are the same.
        """
        from sendcap.readings.kpis import kpis

        if denominator is None:
            denominator = self.scenario.reporting.denominator
        return kpis(self.ledger, mode, delivery, denominator)


def expected(scenario: Scenario | str | os.PathLike[str]) -> Expected:
    """Return the expected curves of a scenario, worked out as flows, without sampling.

    Messages are followed as *cohorts*: consecutive messages of a delivery, up to 512 cohorts of
    each, whatever the number of messages. A cohort passes each station over a stretch of time;
    shares of it are accepted, bounce and come back.

    - **Relay, ingress, provider queues** are fluids: first in, first out, new messages and retries
      alike, and each stage as fast as all its limits allow (workers and rate; ingress rate;
      connections, throttle of any kind with its burst). Waits and retries are worked out in turn
      until they agree. What expires in a queue leaves its place to others.
    - **Attempts**: of a cohort, the hard share bounces, the faulty bounce softly with the
      probability that their fault has lasted until then, counted from the first attempt's finish,
      and the rest with probability ``transient``. Retries come when the policy's own rule says.
    - **Outages and tolerance** refuse a share of what finishes in each step of time; below the
      tolerance also by chance, see `sendcap.fluid.refusals.Refusals`.
    - **Feedback, opens, clicks**: convolution with the distribution of the latency or delay on
      the bins of the ledger, which are cut into finer steps where a delivery is short. Polling and
      the rate of feedback are exact and a fluid.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.

    Returns
    -------
    Expected
        With the same readings as a run.

    Warns
    -----
    SendcapWarning
        If the scenario has what is left out: a spool, suspensions, connection scaling, feedback
        that is slow against the retries.

    Raises
    ------
    ScenarioError
        If the scenario is not valid, takes more than a year, or may try a message more than 5,000
        times.

    Notes
    -----
    Assumptions, and what they cost in points of Delivered % or Bounces + errors % against the mean
    of simulations (``experiments/expected_accuracy.py`` has the table, and
    ``tests/analysis/test_expected.py`` holds it):

    - Waits are those of a fluid. Chance in a queue that is not full is neglected: at 95 % load an
      M/M/1 queue makes messages wait for 19 attempts on average, the fluid for none. It is not
      valid where so long a wait is a good part of the sending: 200 messages for one connection
      are 3 points off at 95 % load and 5 at 99 %, 20,000 are 0.1 and 0.3. Presets: at most 0.1.
    - The relay, too, is as fast as on average. Where each worker hands over few batches, runs
      differ more from each other than from the mean, which is smoother than the fluid.
    - Random times are even stretches with the same variance (not longer than from 0 to twice the
      mean), independent of each other. Where a third of the mail is deferred with a jitter of
      20 % it costs 0.3; where the delay grows from the random delay before it (Exim's step H), or
      an outage cuts into such retries, about 1.
    - In quiet hours a cohort that is cut by their beginning is spread over them: 0.2.
    - A tolerance by which half of the attempts or more are throttled costs up to 1.5.
    - Reports about one message do not wait for each other. That matters only if the latency can be
      longer than a retry delay.
    - Expected counts need not be whole. The last millionth of each series comes with its last bin,
      and a horizon is rounded up to a bin.
    """
    from sendcap.run import scenario_of

    scenario = scenario_of(scenario)
    _require_feasible(scenario)
    for message in _left_out(scenario):
        warnings.warn(message, SendcapWarning, stacklevel=2)
    cohorts = handed_over(scenario)
    counting = Counting(scenario, _shortest_s(scenario, cohorts))
    to_deliver = scenario.to_deliver()
    counts: Counts = {}
    for name in scenario.providers:
        each = [to_deliver.get((its.name, name), 0) for its in scenario.deliveries]
        if any(each):
            counts |= _at(scenario, name, cohorts, counting, np.array(each, np.float64))
    counts = with_attempts_known(taken_in(scenario, counts))
    return Expected(scenario, _ledger(scenario, counts))


def _require_feasible(scenario: Scenario) -> None:
    takes_s = min(simulated_s(scenario), scenario.time.horizon or math.inf)
    if takes_s > LONGEST_S:
        raise ScenarioError(
            f"expected: this takes {takes_s / 86400:,.0f} days, more than {LONGEST_S / 86400:.0f}: "
            "make relay or feedback faster, or set time.horizon"
        )
    defers = any(
        its.transient or its.faults or its.outages or its.tolerance
        for its in scenario.providers.values()
    )
    longest_s = max(its.honoured_validity for its in scenario.deliveries)
    attempts = attempt_series_s(scenario.mta.retry, longest_s, limit=_MOST_ATTEMPTS + 1)
    if defers and len(attempts) > _MOST_ATTEMPTS:
        raise ScenarioError(
            f"mta.retry: a message may be tried more than {_MOST_ATTEMPTS:,} times, which takes "
            "too long to work out; give longer delays, or simulate"
        )


def _shortest_s(scenario: Scenario, cohorts: Cohorts) -> float:
    """Return how long it takes to relay a delivery, at least."""
    begin_s, end_s = cohorts.relayed.ends_s
    return min(
        float(end_s[chosen].max() - begin_s[chosen].min())
        for chosen in (cohorts.delivery == number for number in range(len(scenario.deliveries)))
    )


def _at(
    scenario: Scenario, name: str, cohorts: Cohorts, counting: Counting, each: Floats
) -> Counts:
    """Return what happens at a provider, given the messages that each delivery has for it."""
    messages = cohorts.share * each[cohorts.delivery]
    relayed = messages * (1.0 - scenario.relay.error_rate)
    refusals = Refusals(scenario.providers[name], scenario.mta.ips, counting.step_s)
    attempts = settled(scenario, name, cohorts, relayed, refusals)
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
    kept: Counts = {}
    for series, found in counts.items():
        shortened = _shortened(found)[:most]
        if shortened.any():
            kept[series] = shortened
    bins = max((len(found) for found in kept.values()), default=0)
    return Ledger(bin_s, bins, to_deliver, kept)


def _shortened(counts: Floats) -> Floats:
    """Return counts without their tail, which is added to the last bin that is kept."""
    after = np.cumsum(counts[::-1])[::-1]
    end = int(np.searchsorted(-after, -_NOTHING * after[:1].sum()))
    if end in (0, len(counts)):
        return counts[:end]
    kept = counts[:end].copy()
    kept[-1] += after[end]
    return kept


def _left_out(scenario: Scenario) -> Iterator[str]:
    """Yield what a scenario has that its expected curves leave out."""
    if scenario.mta.spool is not None:
        yield "expected: mta.spool is left out: the relay never waits for room"
    shortest_s = scenario.mta.retry.shortest_delay_s
    slow = 1.0 - float(scenario.feedback.synchronous.cdf(np.array([shortest_s]))[0])
    if slow > _OVERTAKING:
        yield (
            f"expected: {slow:.0%} of the feedback takes longer than the shortest retry delay: "
            "that reports about a message wait for earlier ones is left out"
        )
    for name, provider in scenario.providers.items():
        if provider.tolerance is not None and scenario.suspend_of(name) is not None:
            yield f"expected: suspensions are left out: {name} is never suspended"
        if provider.connection_scaling != "none":
            yield f"expected: connection scaling is left out: {name} has all connections at once"
