"""The results of a search for the cheapest settings: optimum, trials and trade-off."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.files.tables import csv_text
from sendcap.scenario import Scenario, dumps
from sendcap.study.optimisation.priced import Priced
from sendcap.study.optimisation.target import Target
from sendcap.study.optimisation.trials import Trial
from sendcap.study.replication.estimates import Estimate
from sendcap.study.replication.measure_names import in_words
from sendcap.study.sweeps.files import write_files, write_results
from sendcap.study.sweeps.points import cell
from sendcap.text.quantities import counted
from sendcap.text.shares import share_text

TRIALS, FRONT, CHART, OPTIMUM = "trials.csv", "front.csv", "front.png", "optimum.toml"
FILES: Final = frozenset({TRIALS, FRONT, CHART, OPTIMUM})
"""The files of an optimisation, beside those of a sweep."""


@dataclass(frozen=True, eq=False)
class Tried(Drawable, tables={"Trade-off": "front"}):
    """The trials of a search.

    Attributes
    ----------
    levers
        Levers by path.
    target
        Target of the search.
    trials
        A row each: ``trial``, a number; a column for each lever; ``cost``; the mean of the measure
        over the replications of the search; ``confirmed``, the mean over those of a test, with
        ``bound`` and ``met``, if there was one; ``error``; ``front``, whether no other trial is
        both cheaper and better.
    runs
        All runs, as `sendcap.sweep` returns them; a point is the number of a trial.
    proposed
        Number of the trials that were asked for, the first ones; the others are a step cheaper than
        the cheapest that should do.
    """

    levers: Mapping[str, Priced]
    target: Target
    trials: pd.DataFrame
    runs: pd.DataFrame
    proposed: int

    def front(self) -> pd.DataFrame:
        """Return the trade-off: the trials of which no other is cheaper and better, by cost."""
        front = self.trials[self.trials["front"]].sort_values("cost", kind="stable")
        return front.drop(columns=["front", "error"]).reset_index(drop=True)

    def save(self, directory: Path, title: str) -> None:
        """Write an optimum, or the trials of a search without success, beside those of a sweep."""
        front = self.front()
        files = {TRIALS: csv_text(self.trials).encode(), FRONT: csv_text(front).encode()}
        if len(front):
            files[CHART] = self.png(title=title)
        if len(self.runs):
            write_results(directory, self.runs)
        # The directory may hold the optimum of another target.
        best = dumps(self.scenario).encode() if isinstance(self, Optimum) else None
        write_files(directory, {**files, OPTIMUM: best})


@dataclass(frozen=True, eq=False)
class Optimum(Tried):
    """The cheapest settings that meet a target.

    Attributes
    ----------
    scenario
        Scenario with these settings.
    trial
        Number of the trial.
    settings
        Values by path.
    cost
        Cost of the settings.
    estimate
        Estimate of the measure, over replications that had no part in the search.
    bound
        On the side of the target's limit: with the target's confidence, the expectation of the
        measure is not beyond it.
    attempts
        Number of tests, this one the last of them.
    """

    scenario: Scenario
    trial: int
    settings: Mapping[str, Any]
    cost: float
    estimate: Estimate
    bound: float
    attempts: int

    def sentences(self) -> list[str]:
        """Return cost and bound of the optimum, and the effort of the search."""
        target = self.target
        side = "at most" if target.at_least is None else "at least"
        answer = (
            f"Cost {cost_text(self.cost)}; {in_words(target.column)}: "
            f"{target.written(self.estimate.mean)} on average, {side} "
            f"{target.written(self.bound)} with {share_text(target.confidence)} confidence."
        )
        tried = f"{self.proposed:,} settings tried"
        if steps := len(self.trials) - self.proposed:
            tried += f", and {steps:,} a step cheaper than the best of them"
        tests = counted(self.attempts, "test")
        return [answer, f"{tried}; {len(self.runs):,} runs, {tests}."]


class TargetError(SendcapError):
    """A target that no settings meet; ``tried`` has all trials."""

    def __init__(self, message: str, tried: Tried) -> None:
        super().__init__(message)
        self.tried = tried


def trials_table(
    trials: Iterable[Trial], levers: Mapping[str, Priced], target: Target
) -> pd.DataFrame:
    """Return the table of trials; see `Tried`."""
    trials = list(trials)
    front = _front(trials, target)
    return pd.DataFrame(
        [
            {
                "trial": trial.number,
                **{path: cell(trial.settings[path]) for path in levers},
                "cost": trial.cost,
                target.column: trial.mean,
                "confirmed": math.nan if trial.confirmed is None else trial.confirmed.mean,
                "bound": trial.bound,
                "met": "" if trial.met is None else "yes" if trial.met else "no",
                "error": trial.error,
                "front": trial.number in front,
            }
            for trial in trials
        ]
    )


def _front(trials: Iterable[Trial], target: Target) -> set[int]:
    """Return the numbers of the trials of which no other is cheaper and better."""
    numbers: set[int] = set()
    least = math.inf
    for trial in sorted(trials, key=lambda one: (one.cost, target.miss(one.mean), one.number)):
        miss = target.miss(trial.mean)
        if miss < least:
            least = miss
            numbers.add(trial.number)
    return numbers


def settings_text(values: Mapping[str, Any]) -> str:
    """Return settings on one line: ``mta.ips = 12, relay.rate = 3000/s``."""
    return ", ".join(f"{path} = {cell(value)}" for path, value in values.items())


def cost_text(cost: float) -> str:
    """Return a cost: ``1,150``, ``12.5``."""
    return f"{cost:,.0f}" if float(cost).is_integer() else f"{cost:,.2f}"
