"""What a search for the cheapest settings has found: its answer, its trials, the trade-off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sendcap.errors import SendcapError
from sendcap.study.sweeps.points import cell

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.scenario import Scenario
    from sendcap.study.optimisation.priced import Priced
    from sendcap.study.optimisation.target import Target
    from sendcap.study.optimisation.trials import Trial
    from sendcap.study.replication.estimates import Estimate


@dataclass(frozen=True, eq=False)
class Tried:
    """The trials of a search.

    Attributes
    ----------
    levers
        What could be set, by path.
    target
        What was to be met.
    trials
        A row each: ``trial``, a number; a column for each lever; ``cost``; the measure, its mean
        over the replications of the search; ``confirmed``, the mean over those of the confirmation,
        its ``bound`` and ``met``, where that was asked; ``error``; ``front``, whether no other
        trial is both cheaper and better.
    runs
        All runs, as `sendcap.sweep` returns them; a point is the number of a trial.
    """

    levers: Mapping[str, Priced]
    target: Target
    trials: pd.DataFrame
    runs: pd.DataFrame

    def front(self) -> pd.DataFrame:
        """Return the trade-off: the trials of which no other is cheaper and better, by cost."""
        front = self.trials[self.trials["front"]].sort_values("cost", kind="stable")
        return front.drop(columns=["front", "error"]).reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Optimum(Tried):
    """The cheapest settings that meet a target.

    Attributes
    ----------
    scenario
        With these settings.
    trial
        Their number.
    settings
        Values by path.
    cost
        What they cost.
    estimate
        Of the measure, over replications that had no part in the search.
    bound
        On the side of the target's limit: with the target's confidence, the expectation of the
        measure is not beyond it.
    attempts
        Settings that were put to the test, this one the last of them.
    """

    scenario: Scenario
    trial: int
    settings: Mapping[str, Any]
    cost: float
    estimate: Estimate
    bound: float
    attempts: int


class TargetError(SendcapError):
    """A target that no settings meet; ``tried`` has all trials."""

    def __init__(self, message: str, tried: Tried) -> None:
        super().__init__(message)
        self.tried = tried


def trials_table(
    trials: Iterable[Trial], levers: Mapping[str, Priced], target: Target
) -> pd.DataFrame:
    """Return the table of trials; see `Tried`."""
    import pandas as pd

    trials = list(trials)
    front = front_of(trials, target)
    return pd.DataFrame(
        [
            {
                "trial": its.number,
                **{path: cell(its.settings[path]) for path in levers},
                "cost": its.cost,
                target.column: its.mean,
                "confirmed": math.nan if its.confirmed is None else its.confirmed.mean,
                "bound": its.bound,
                "met": "" if its.met is None else "yes" if its.met else "no",
                "error": its.error,
                "front": its.number in front,
            }
            for its in trials
        ]
    )


def front_of(trials: Iterable[Trial], target: Target) -> set[int]:
    """Return the numbers of the trials of which no other is cheaper and better."""
    found: set[int] = set()
    least = math.inf
    for its in sorted(trials, key=lambda one: (one.cost, target.miss(one.mean), one.number)):
        miss = target.miss(its.mean)
        if miss < least:
            least = miss
            found.add(its.number)
    return found


def settings_text(values: Mapping[str, Any]) -> str:
    """Write settings on one line: ``mta.ips = 12, relay.rate = 3000/s``."""
    return ", ".join(f"{path} = {cell(value)}" for path, value in values.items())


def cost_text(cost: float) -> str:
    """Write a cost: ``1,150``, ``12.5``."""
    return f"{cost:,.0f}" if float(cost).is_integer() else f"{cost:,.2f}"
