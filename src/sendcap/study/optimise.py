"""Optimisation: the cheapest settings that meet a target, by noisy simulations.

The search simulates each trial with the same few replications (common random numbers), so that
trials differ by their settings, and takes the mean of the measure for the truth. Of such a sample
average approximation the cheapest trial is one whose replications happen to be good. So whether it
meets the target is decided by other replications, by a one-sided bound. If it does not, the target
is tightened by what it fell short of, and the next is put to the test. The confidence is that of
the answer: the error that it allows is shared out over the tests, however many it takes, of which
the k-th gets 1 / (k (k + 1)).

It takes replications to be normal. That no other settings are cheaper cannot be proved by a search,
unless there are so few that all are tried; what is sure is that no lever can be moved by one of its
steps to where it is cheaper, as far as the replications of the search tell.

References
----------
A. J. Kleywegt, A. Shapiro and T. Homem-de-Mello, "The sample average approximation method for
stochastic discrete optimization", SIAM Journal on Optimization 12 (2002).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sendcap.errors import ScenarioError, SendcapError
from sendcap.study.execution import Execution, execution
from sendcap.study.measures import measures_of
from sendcap.study.neighbours import Settings, cheaper, combinations
from sendcap.study.optimum import (
    Optimum,
    TargetError,
    Tried,
    cost_text,
    settings_text,
    trials_table,
)
from sendcap.study.priced import Priced, levers_of
from sendcap.study.proposals import Proposals, require_optuna
from sendcap.study.store import Store
from sendcap.study.study_points import range_problems
from sendcap.study.sweep import Progress, require_picklable
from sendcap.study.trials import Trial, Trials

if TYPE_CHECKING:
    from sendcap.scenario import Scenario
    from sendcap.study.target import Target

BATCH: Final = 8
"""Trials that are proposed together, whatever computes them: so the search is the same."""
_TESTS: Final = 30
_TOO_OFTEN: Final = 3
"""Proposals per trial: what has been tried may be proposed again."""


@dataclass(frozen=True)
class Effort:
    """How much is simulated.

    Attributes
    ----------
    trials
        Settings of the search. If there are no more than that, all of them are tried.
    trial_replications
        Of each.
    replications
        Of each test, by which it is decided whether settings meet the target.
    seed
        Of the proposals.
    """

    trials: int = 100
    trial_replications: int = 2
    replications: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("trial_replications", 1), ("replications", 2)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise SendcapError(f"{name}: must be a whole number from {least}, not {value!r}")


def optimise(
    scenario: Scenario | str | os.PathLike[str],
    levers: Mapping[str, Any],
    target: Target,
    *,
    trials: int = 100,
    trial_replications: int = 2,
    replications: int = 20,
    seed: int = 0,
    measure: Any = (),
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Optimum:
    """Find the cheapest settings of a scenario that meet a target.

    The result does not depend on where it is computed, nor on how often it was interrupted.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    levers
        For each dotted path a `sendcap.Priced`, or its low, its high and the cost of one unit.
    target
        What to meet, a `sendcap.Target`.
    trials, trial_replications, replications, seed
        See `Effort`.
    measure
        What else to keep of each run; see `sendcap.sweep`.
    executor, store, workers, progress
        As for `sendcap.sweep`.

    Raises
    ------
    TargetError
        If no settings that were tried meet the target; it tells how near they come.
    SendcapError
        If what is asked makes no sense, or Optuna is not installed (``sendcap[optimise]``) and
        there are more settings than trials.

    Examples
    --------
    >>> import sendcap
    >>> from sendcap.scenario import updated
    >>> small = updated(sendcap.load("quickstart"), {"deliveries[0].messages": 20_000})
    >>> in_4_minutes = sendcap.Target("accepted_90_pct_s", at_most="4m")
    >>> found = sendcap.optimise(small, {"mta.ips": (1, 6, 40)}, in_4_minutes, workers=1)
    >>> found.settings, found.cost, found.bound < 240.0
    ({'mta.ips': 3}, 120.0, True)
    """
    from sendcap.run import scenario_of

    effort = Effort(trials, trial_replications, replications, seed)
    return optimised(
        scenario_of(scenario),
        levers_of(levers),
        target,
        effort,
        measure,
        execution(executor, workers),
        None if store is None else Store(store),
        progress,
    )


def optimised(
    scenario: Scenario,
    levers: Mapping[str, Priced],
    target: Target,
    effort: Effort,
    measure: Any,
    there: Execution,
    store: Store | None,
    progress: Callable[[Progress], None] | None = None,
) -> Optimum:
    """Find the cheapest settings; see `optimise`. The execution is ended."""
    measures = [target.measured()]
    names = {its.name for its in measures}
    more = measures_of(measure) if measure else ()
    measures += [its for its in more if its.name not in names]
    wrong = range_problems(scenario, {path: its.range for path, its in levers.items()})
    if wrong:
        raise ScenarioError("\n".join(f"levers: {path}: {line}" for path, line in wrong))
    count = combinations(levers, effort.trials)
    if count is None:
        require_optuna()
    with there:
        its = Trials(
            scenario,
            levers,
            target,
            measures,
            effort.trial_replications,
            there,
            store,
            progress,
            (count or effort.trials) * effort.trial_replications + effort.replications,
        )
        require_picklable(its.measures, there)
        search = _Search(its, effort)
        if count is None:
            search.explore()
        else:
            search.try_all()
        found = search.answer()
    if store is not None:
        store.compact()
    return found


class _Search:
    """Looks for the cheapest trial that meets the target."""

    def __init__(self, trials: Trials, effort: Effort) -> None:
        self._trials, self._effort = trials, effort
        self._target = trials.target
        self._margin = 0.0

    def try_all(self) -> None:
        """Try all settings there are."""
        ranges = (its.range.ends for its in self._trials.levers.values())
        numbers = [map(float, range(int(low), int(high) + 1)) for low, high in ranges]
        self._trials.simulate(itertools.product(*numbers))

    def explore(self) -> None:
        """Try settings that are proposed, a batch at a time."""
        proposals = Proposals(self._trials.levers, self._effort.seed, self._corners())
        for _ in range(_TOO_OFTEN * -(-self._effort.trials // BATCH)):
            left = self._effort.trials - len(self._trials.found)
            if left <= 0:
                break
            trials = self._trials.simulate(proposals.ask(min(BATCH, left)))
            proposals.tell([(its.cost, self._target.miss(its.mean)) for its in trials])

    def answer(self) -> Optimum:
        """Put the cheapest to the test until one passes."""
        for test in range(1, _TESTS + 1):
            self._polish()
            best = self._cheapest()
            if best is None:
                break
            values = self._trials.confirmation(best, self._effort.replications)
            best.met = False
            if not values:
                continue
            best.confirmed, best.bound = self._target.bound(values, self._sure(test))
            best.met = self._target.miss(best.bound) <= 0.0
            if best.met:
                return self._optimum(best, test)
            # What would do in the next test, if other settings differ by their means alone.
            _, bound = self._target.bound(values, self._sure(test + 1))
            short = self._target.miss(bound) - self._target.miss(best.mean)
            self._margin = max(self._margin, short)
        raise TargetError(self._refusal(), self._tried())

    def _sure(self, test: int) -> float:
        """Return the confidence of a test, so that all together have the target's."""
        return 1.0 - (1.0 - self._target.confidence) / (test * (test + 1))

    def _corners(self) -> list[Settings]:
        """Return the dearest settings, which should do if any do, and the cheapest."""
        cheapest, dearest = zip(
            *(its.ends_by_cost() for its in self._trials.levers.values()), strict=True
        )
        return [dearest, cheapest]

    def _cheapest(self) -> Trial | None:
        """Return the cheapest trial that should meet the target, and has not failed to."""
        will_do = [
            its
            for its in self._trials.found.values()
            if its.met is None and self._target.miss(its.mean) + self._margin <= 0.0
        ]
        return min(will_do, key=self._order, default=None)

    def _order(self, its: Trial) -> tuple[float, float, int]:
        return its.cost, self._target.miss(its.mean), its.number

    def _polish(self) -> None:
        """Try what is one step cheaper than the cheapest, as long as that will do as well."""
        levers = self._trials.levers
        while (best := self._cheapest()) is not None:
            settings = next(key for key, its in self._trials.found.items() if its is best)
            self._trials.simulate(cheaper(levers, settings))
            if self._cheapest() is best:
                return

    def _optimum(self, best: Trial, tests: int) -> Optimum:
        from sendcap.scenario import updated

        if best.confirmed is None:
            raise AssertionError
        its = self._tried()
        return Optimum(
            its.levers,
            its.target,
            its.trials,
            its.runs,
            updated(self._trials.scenario, dict(best.settings)),
            best.number,
            best.settings,
            best.cost,
            best.confirmed,
            best.bound,
            tests,
        )

    def _tried(self) -> Tried:
        its = self._trials
        table = trials_table(its.found.values(), its.levers, its.target)
        return Tried(its.levers, its.target, table, its.runs())

    def _refusal(self) -> str:
        """Say that no settings meet the target, and how near they come."""
        trials, target = list(self._trials.found.values()), self._target
        tested = [its for its in trials if its.confirmed is not None]
        simulated = [its for its in trials if not its.error]
        if not simulated:
            return f"all {len(trials):,} settings have failed: {trials[0].error}"
        if tested:
            near = min(tested, key=lambda its: (target.miss(its.bound), its.number))
            mean = target.written(near.confirmed.mean if near.confirmed else near.mean)
            told = (
                f"no settings tried are sure to meet {target}; the nearest have a mean of {mean} "
                f"and a bound of {target.written(near.bound)}"
            )
            what = "more replications narrow the bound; or widen the levers, or move the target"
        else:
            near = min(simulated, key=lambda its: (target.miss(its.mean), its.cost, its.number))
            told = (
                f"none of the {len(trials):,} settings tried meets {target}; the nearest reach "
                f"{target.written(near.mean)}"
            )
            what = "widen the levers, or move the target"
        where = f"with {settings_text(near.settings)}, at a cost of {cost_text(near.cost)}"
        return f"target: {told}, {where}; {what}"
