"""The search for the cheapest settings that meet a target, by noisy simulations.

The search simulates each trial with the same few replications (common random numbers), and takes
the mean of the measure for the truth. Of such a sample average approximation the cheapest trial is
one whose replications happen to be good. So other replications, the same for all trials, test by a
one-sided bound whether it meets the target. After a failure the target is tightened by the
shortfall, and the next trial is tested. The confidence level is that of the answer: the error is
shared out over the tests, of which the k-th gets 1 / (k (k + 1)). Measured with 80 % confidence,
five replications and noise as large as ten steps of the lever, 2 of 100 answers were wrong, where
20 may be.

No search can prove that other settings are not cheaper, unless all are tried; but no single lever
can be moved by a step to a cheaper value, as far as the replications of the search show.

Source: A. J. Kleywegt, A. Shapiro and T. Homem-de-Mello, "The sample average approximation method
for stochastic discrete optimization", SIAM Journal on Optimization 12 (2002).
"""

import itertools
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from sendcap.errors import ScenarioError
from sendcap.scenario import Scenario, updated
from sendcap.scenario.files import scenario_of
from sendcap.study.optimisation.optimum import (
    Optimum,
    TargetError,
    Tried,
    cost_text,
    settings_text,
    trials_table,
)
from sendcap.study.optimisation.priced import Priced, levers_of
from sendcap.study.optimisation.proposals import (
    Proposals,
    Result,
    Settings,
    cheaper,
    combinations,
    require_optuna,
)
from sendcap.study.optimisation.target import Target
from sendcap.study.optimisation.trials import Effort, Trial, Trials
from sendcap.study.replication.measures import measures_of
from sendcap.study.replication.workers import Workers
from sendcap.study.sweeps.points import range_problems
from sendcap.study.sweeps.store import Store
from sendcap.study.sweeps.sweep import Progress, require_picklable
from sendcap.text.quantities import listed

BATCH: Final = 8
"""Trials proposed together, whatever the number of workers: so the search is the same."""
_TESTS: Final = 30
_TOO_OFTEN: Final = 3
"""Proposals per trial: tried settings may be proposed again."""


def optimise(
    scenario: Scenario | str | os.PathLike[str],
    levers: Mapping[str, Any],
    target: Target,
    *,
    trials: int = 100,
    trial_replications: int = 2,
    replications: int = 20,
    seed: int = 0,
    measures: Any = (),
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Optimum:
    """Find the cheapest settings of a scenario that meet a target.

    Parameters
    ----------
    levers
        For each dotted path a `sendcap.Priced`, or low, high and the cost of one unit.
    trials
        Settings to try, all if no more exist; steps from the best to cheaper ones come on top.
    trial_replications, replications
        Replications of each trial, and of each test of whether settings meet the target.
    seed
        Seed of the proposals.
    measures
        Further measures of each run; see `sendcap.sweep`.
    scenario, executor, store, workers, progress
        As for `sendcap.sweep`.

    Raises
    ------
    TargetError
        If no settings tried meet the target; the message names the nearest.
    SendcapError
        If an argument is invalid, or Optuna is not installed (``sendcap[optimise]``) and there are
        more settings than trials.

    Examples
    --------
    >>> import sendcap
    >>> from sendcap.scenario import updated
    >>> small = updated(sendcap.load("quickstart"), {"deliveries[0].messages": 20_000})
    >>> in_4_minutes = sendcap.Target("accepted_90_pct_s", at_most="4m")
    >>> answer = sendcap.optimise(small, {"mta.ips": (1, 6, 40)}, in_4_minutes, workers=1)
    >>> answer.settings, answer.cost, answer.bound < 240.0
    ({'mta.ips': 3}, 120.0, True)
    """
    return optimised(
        scenario_of(scenario),
        levers_of(levers),
        target,
        Effort(trials, trial_replications, replications, seed),
        measures,
        Workers(workers, executor),
        None if store is None else Store(store),
        progress,
    )


def optimised(
    scenario: Scenario,
    levers: Mapping[str, Priced],
    target: Target,
    effort: Effort,
    measure: Any,
    workers: Workers,
    store: Store | None,
    progress: Callable[[Progress], None] | None = None,
) -> Optimum:
    """Find the cheapest settings; see `optimise`. The workers are stopped."""
    measures = [target.measured()]
    names = {each.name for each in measures}
    more = measures_of(measure) if measure else ()
    measures += [each for each in more if each.name not in names]
    wrong = range_problems(scenario, {path: each.range for path, each in levers.items()})
    if wrong:
        raise ScenarioError("\n".join(f"levers: {path}: {line}" for path, line in wrong))
    count = combinations(levers, effort.trials)
    if count is None:
        require_optuna()
    with workers:
        require_picklable(measures, workers)
        search = Search(
            Trials(scenario, levers, target, measures, effort, workers, store, progress)
        )
        if count is None:
            search.explore()
        else:
            search.try_all()
        optimum = search.answer()
    if store is not None:
        store.compact()
    return optimum


class Search:
    """The search for the cheapest trial that meets the target."""

    def __init__(self, trials: Trials) -> None:
        self._trials, self._effort, self._target = trials, trials.effort, trials.target
        self._margin = 0.0
        self._proposed = 0

    def try_all(self) -> None:
        """Try all settings."""
        ranges = (lever.range.ends for lever in self._trials.levers.values())
        numbers = [map(float, range(int(low), int(high) + 1)) for low, high in ranges]
        self._trials.simulate(itertools.product(*numbers))
        self._proposed = len(self._trials.found)

    def explore(self) -> None:
        """Try proposed settings, a batch at a time."""
        levers = self._trials.levers
        ends = (lever.ends_by_cost() for lever in levers.values())
        cheapest, dearest = zip(*ends, strict=True)
        # The dearest settings should do if any do.
        proposals = Proposals(levers, self._effort.seed, [dearest, cheapest])
        most = _TOO_OFTEN * self._effort.trials
        while (left := self._effort.trials - len(self._trials.found)) > 0:
            new, asked = proposals.ask(min(BATCH, left), most, self._result)
            if not new:
                break
            most -= asked
            self._trials.simulate(new)
            proposals.tell({settings: self._known(settings) for settings in new})
        self._proposed = len(self._trials.found)

    def _known(self, settings: Settings) -> Result:
        trial = self._trials.found[settings]
        return trial.cost, self._target.miss(trial.mean)

    def _result(self, settings: Settings) -> Result | None:
        return self._known(settings) if settings in self._trials.found else None

    def answer(self) -> Optimum:
        """Test the cheapest trial until one passes."""
        for test in range(1, _TESTS + 1):
            self._polish()
            best = self._cheapest()
            if best is None:
                break
            values = self._trials.confirmation(best)
            best.met = False
            if not values:
                continue
            best.confirmed, best.bound = self._target.bound(values, self._sure(test))
            best.met = self._target.miss(best.bound) <= 0.0
            if best.met:
                return Optimum(
                    **vars(self._tried()),
                    scenario=updated(self._trials.scenario, dict(best.settings)),
                    trial=best.number,
                    settings=best.settings,
                    cost=best.cost,
                    estimate=best.confirmed,
                    bound=best.bound,
                    attempts=test,
                )
            # The shortfall in the next test, if other settings differ by their means alone.
            _, bound = self._target.bound(values, self._sure(test + 1))
            short = self._target.miss(bound) - self._target.miss(best.mean)
            self._margin = max(self._margin, short)
        raise TargetError(self._refusal(), self._tried())

    def _sure(self, test: int) -> float:
        """Return the confidence level of a test; all tests together have the target's."""
        return 1.0 - (1.0 - self._target.confidence) / (test * (test + 1))

    def _cheapest(self) -> Trial | None:
        """Return the cheapest trial that should meet the target, and has not failed to."""
        will_do = [
            trial
            for trial in self._trials.found.values()
            if trial.met is None and self._target.miss(trial.mean) + self._margin <= 0.0
        ]
        miss = self._target.miss
        return min(will_do, key=lambda one: (one.cost, miss(one.mean), one.number), default=None)

    def _polish(self) -> None:
        """Try settings one step cheaper than the cheapest, as long as they will do as well."""
        levers = self._trials.levers
        while (best := self._cheapest()) is not None:
            settings = next(key for key, trial in self._trials.found.items() if trial is best)
            self._trials.simulate(cheaper(levers, settings))
            if self._cheapest() is best:
                return

    def _tried(self) -> Tried:
        trials = self._trials
        table = trials_table(trials.found.values(), trials.levers, trials.target)
        return Tried(trials.levers, trials.target, table, trials.runs(), self._proposed)

    def _refusal(self) -> str:
        """Return the error message with the nearest settings."""
        trials, target = list(self._trials.found.values()), self._target
        tested = [trial for trial in trials if trial.confirmed is not None]
        simulated = [trial for trial in trials if not trial.error]
        if not simulated:
            return f"all {len(trials):,} settings have failed: {trials[0].error}"
        if tested:
            near = min(tested, key=lambda trial: (target.miss(trial.bound), trial.number))
            mean = target.written_beside_the_limit(
                near.confirmed.mean if near.confirmed else near.mean
            )
            problem = (
                f"no settings tried are sure to meet the target ({target}); the nearest have a "
                f"mean of {mean} and a bound of {target.written_beside_the_limit(near.bound)}"
            )
            remedy = "more replications narrow the bound; or widen the levers, or move the target"
        else:
            near = min(simulated, key=lambda one: (target.miss(one.mean), one.cost, one.number))
            problem = (
                f"none of the {len(trials):,} settings tried meets the target ({target}); the "
                f"nearest reach {target.written_beside_the_limit(near.mean)}"
            )
            ends = [
                path
                for path, lever in self._trials.levers.items()
                if near.settings[path] in (lever.low, lever.high)
            ]
            which = f" beyond the end of {listed(ends)}" if ends else ""
            remedy = f"widen the levers{which}, or move the target"
        where = f"with {settings_text(near.settings)}, at a cost of {cost_text(near.cost)}"
        return f"target: {problem}, {where}; {remedy}"
