"""The cheapest settings that meet a target; see `sendcap.study.optimisation.cheapest`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from sendcap.errors import ScenarioError
from sendcap.scenario import Scenario
from sendcap.scenario.files import scenario_of
from sendcap.study.optimisation.cheapest import Effort, Search
from sendcap.study.optimisation.optimum import Optimum
from sendcap.study.optimisation.priced import Priced, levers_of
from sendcap.study.optimisation.proposals import combinations, require_optuna
from sendcap.study.optimisation.target import Target
from sendcap.study.optimisation.trials import Trials
from sendcap.study.replication.measures import measures_of
from sendcap.study.replication.workers import Workers
from sendcap.study.sweeps.points import range_problems
from sendcap.study.sweeps.store import Store
from sendcap.study.sweeps.sweep import Progress, require_picklable


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

    Parameters
    ----------
    levers
        For each dotted path a `sendcap.Priced`, or low, high and the cost of one unit.
    trials
        Largest number of settings. If no more exist, all of them are tried.
    trial_replications, replications
        Replications of each trial, and of each test of whether settings meet the target.
    seed
        Seed of the proposals.
    measure
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
    >>> found = sendcap.optimise(small, {"mta.ips": (1, 6, 40)}, in_4_minutes, workers=1)
    >>> found.settings, found.cost, found.bound < 240.0
    ({'mta.ips': 3}, 120.0, True)
    """
    return optimised(
        scenario_of(scenario),
        levers_of(levers),
        target,
        Effort(trials, trial_replications, replications, seed),
        measure,
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
        tried = Trials(
            scenario,
            levers,
            target,
            measures,
            effort.trial_replications,
            workers,
            store,
            progress,
            (count or effort.trials) * effort.trial_replications + effort.replications,
        )
        require_picklable(tried.measures, workers)
        search = Search(tried, effort)
        if count is None:
            search.explore()
        else:
            search.try_all()
        optimum = search.answer()
    if store is not None:
        store.compact()
    return optimum
