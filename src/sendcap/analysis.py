"""The expected course of a delivery, computed without sampling."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from sendcap.errors import ScenarioError
from sendcap.fluid.expected import courses, expected_ledger
from sendcap.fluid.followed import require_room
from sendcap.ledger import Ledger
from sendcap.readings.error_bound import ErrorBound, error_bound
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS, Denominator, Mode
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.scenario.in_brief import headline
from sendcap.text.displayed import Displayed
from sendcap.text.quantities import capital, elapsed

__all__ = ["Expected", "expected"]

_MOST_PT: Final = 25.0
"""Points by which runs may differ; beyond, their mean says little of any of them."""
_MODES: Final[tuple[Mode, ...]] = ("without-efs", "efs")


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
    courses
        The expected course on a coarser grid, and courses of runs whose stages are late or early:
        what the `error` is worked out from.
    """

    scenario: Scenario
    ledger: Ledger
    courses: tuple[Ledger, ...]

    def __post_init__(self) -> None:
        """Refuse a scenario whose runs differ too much for an expected course."""
        for mode in _MODES:
            points = self._bound(mode, ALL_DELIVERIES, "default").courses_pt
            if points.size and np.nanmax(points, initial=0.0) > _MOST_PT:
                worst = int(np.nanargmax(points))
                after = elapsed(float(self.ledger.edges_s[worst]))
                raise ScenarioError(
                    f"expected: {after} after the start, runs of this scenario may be "
                    f"{points[worst]:.0f} points off an expected course, {MODE_LABELS[mode]} (at "
                    f"most {_MOST_PT:.0f} are of use): too few batches, or a tolerance or a queue "
                    "just at its limit; simulate it"
                )

    def sentences(self) -> list[str]:
        """Return the end of Delivered % in plain sentences, with the error bound."""
        return [capital(self._sentence(mode)) for mode in _MODES]

    def _sentence(self, mode: Mode) -> str:
        error = self.error(mode)
        points, text = error.delivered_pt.to_numpy(), self._ends(mode, error)
        if not np.isfinite(points).any():
            return f"{text}."
        worst = int(np.nanargmax(points))
        return (
            f"{text}; a simulation is at most {points[worst]:.2g} points off the course, "
            f"{elapsed(float(error.time_s.iloc[worst]))} after the start."
        )

    def _ends(self, mode: Mode, error: pd.DataFrame) -> str:
        """Return the end of Delivered % in words, with its bound if there is one."""
        final_pct = self.kpis(mode).delivered_pct.iloc[-1]
        points = error.delivered_pt.iloc[-1]
        text = f"{MODE_LABELS[mode]}, Delivered % ends at {final_pct:.2f} %"
        return f"{text} ± {points:.2g} points" if np.isfinite(points) else text

    def error(
        self,
        mode: Mode,
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator | None = None,
    ) -> pd.DataFrame:
        """Return how far a simulation may be from the expected percentages, over time.

        Returns
        -------
        DataFrame
            ``time_s``, as in `kpis`; ``delivered_pt`` and ``bounces_errors_pt``, in points. At all
            moments together the bound holds for 95 of 100 simulations of random scenarios
            (``experiments/expected_bound.py``).
        """
        if denominator is None:
            denominator = self.scenario.reporting.denominator
        bound = self._bound(mode, delivery, denominator)
        columns = {
            "time_s": self.ledger.edges_s,
            "delivered_pt": bound.delivered_pt,
            "bounces_errors_pt": bound.bounces_errors_pt,
        }
        return pd.DataFrame(columns)

    def _bound(self, mode: Mode, delivery: str, denominator: Denominator) -> ErrorBound:
        return error_bound(self._readings[0], self._readings[1:], mode, delivery, denominator)

    @cached_property
    def _readings(self) -> list[Readings]:
        """The figures of all ledgers, each worked out once."""
        return [Readings(ledger) for ledger in (self.ledger, *self.courses)]

    def _about(self) -> str:
        return f"{headline(self.scenario)}; {self._ends('efs', self.error('efs'))}"

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
        return self._readings[0].kpis(mode, delivery, denominator)


def expected(scenario: Scenario | str | os.PathLike[str]) -> Expected:
    """Return the expected course of a scenario, computed as flows and without sampling.

    Messages move in *cohorts*: consecutive messages of a delivery, up to 512 cohorts of each,
    whatever the number of messages. A cohort passes each station over a stretch of time; shares of
    it are accepted, bounce and come back; see `sendcap.fluid`.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.

    Raises
    ------
    ScenarioError
        If the scenario is not valid, takes more than a year, or may try a message more than 5,000
        times; if runs of it may be more than 25 points off the expected course; or if it has what
        may move the course and is not followed here: a backlog, limits over several queues that may
        bind, a population, an order, an active queue or a spool that may fill, operators,
        suspensions, disturbances, a connection rate, connection scaling, feedback that is slow
        against the retries. `sendcap.simulate` follows all of it.

    Notes
    -----
    Assumptions, and their errors in points of Delivered % or Bounces + errors % against the mean of
    simulations (``experiments/expected_accuracy.py`` has the table, and
    ``tests/fluid/test_expected.py`` holds it):

    - Waits are those of a fluid. Chance in a queue that is not full is neglected: at 95 % load an
      M/M/1 queue makes messages wait for 19 attempts on average, the fluid for none. It is not
      valid where so long a wait is a good part of the sending: 200 messages for one connection
      are 3 points off at 95 % load and 5 at 99 %, 20,000 are 0.1 and 0.3. Presets: at most 0.1.
    - The relay, too, is as fast as on average; up to 1,024 batches are followed one by one. Where
      each worker hands over few batches, runs differ more from each other than from the mean.
      `Expected.error` bounds how far a run may be off, all of this included.
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
    return bounded(scenario, expected_counts(scenario))


def expected_counts(scenario: Scenario) -> Ledger:
    """Return the expected ledger alone, in a third of the time: `bounded` may still refuse it."""
    ledger = expected_ledger(scenario)
    require_room(scenario, (ledger,))
    return ledger


def bounded(scenario: Scenario, ledger: Ledger) -> Expected:
    """Return the expected course of an expected ledger; see `expected`."""
    others = tuple(courses(scenario))
    require_room(scenario, others)
    return Expected(scenario, ledger, others)
