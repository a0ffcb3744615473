"""The expected course of a delivery, computed without sampling."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pandas as pd

from sendcap.fluid.expected import expected_ledger
from sendcap.ledger import Ledger
from sendcap.readings.kpis import kpis
from sendcap.readings.modes import ALL_DELIVERIES, Denominator, Mode
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.scenario.in_brief import headline
from sendcap.text.displayed import Displayed

__all__ = ["Expected", "expected"]


@dataclass(frozen=True)
class Expected(Displayed):
    """The expected course of a scenario.

    Attributes
    ----------
    scenario
        The scenario.
    ledger
        The expected counts, as floats. All readings of a simulation's ledger apply, but those of
        delays: which message comes when is not followed here, so ``ledger.delays`` is None.
    """

    scenario: Scenario
    ledger: Ledger

    def _about(self) -> str:
        return headline(self.scenario)

    def kpis(
        self,
        mode: Mode,
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator | None = None,
    ) -> pd.DataFrame:
        """Return the expected KPIs over time, in the columns of `sendcap.Run.kpis`.

        Percentages are those of the expected counts. Where the denominator is random, as
        *processed* is until all messages have been relayed, the mean of the percentages differs;
        with thousands of messages the two agree.
        """
        if denominator is None:
            denominator = self.scenario.reporting.denominator
        return kpis(self.ledger, mode, delivery, denominator)


def expected(scenario: Scenario | str | os.PathLike[str]) -> Expected:
    """Return the expected course of a scenario, computed as flows and without sampling.

    Messages move in *cohorts*: consecutive messages of a delivery, up to 512 cohorts of each,
    whatever the number of messages. A cohort passes each station over a stretch of time; shares of
    it are accepted, bounce and come back; see `sendcap.fluid`.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.

    Warns
    -----
    SendcapWarning
        If the scenario has features left out here: a population (all who are targeted get their
        message), a spool, suspensions, connection scaling, feedback that is slow against the
        retries.

    Raises
    ------
    ScenarioError
        If the scenario is not valid, takes more than a year, or may try a message more than 5,000
        times.

    Notes
    -----
    Assumptions, and their errors in points of Delivered % or Bounces + errors % against the mean of
    simulations (``experiments/expected_accuracy.py`` has the table, and
    ``tests/fluid/test_expected.py`` holds it):

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
    scenario = scenario_of(scenario)
    return Expected(scenario, expected_ledger(scenario))
