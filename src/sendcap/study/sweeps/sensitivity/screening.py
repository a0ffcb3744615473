"""Screening: which of many parameters matter at all, by few runs.

Morris' method walks through the ranges, one parameter at a time, and looks at the elementary
effects: how much the measure changes, in proportion to the range, when a parameter alone is
moved by two thirds of it. The mean of their sizes, mu*, ranks the parameters. Their spread, sigma,
is small where the effect is the same everywhere, and about as large as mu* where it depends on the
other parameters or is not a straight line. A step of a whole number can only be that of whole
numbers: of one with two values every step is from end to end, so the effect reads half as much
again. For shares of the variance, which take many more runs, see `sobol`.

Sources: M. D. Morris, "Factorial sampling plans for preliminary computational experiments",
Technometrics 33 (1991); F. Campolongo, J. Cariboni and A. Saltelli, "An effective screening design
for sensitivity analysis of large models", Environmental Modelling & Software 22 (2007), for mu*.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from SALib.analyze.morris import analyze
from SALib.sample.morris import sample

from sendcap.charts.drawing import Drawable
from sendcap.readings.convergence import Floats
from sendcap.scenario import Range, Scenario
from sendcap.study.replication.estimates import require_confidence, require_count
from sendcap.study.replication.measures import DEFAULT_MEASURES
from sendcap.study.sweeps.designs import points_at, ranges_of
from sendcap.study.sweeps.sensitivity.sobol import require_several, responses, runs_sentence
from sendcap.study.sweeps.sweep import Progress, sweep

DEFAULT_WALKS: Final = 20
_LEVELS: Final = 4
_RESAMPLES: Final = 999
_MOST: Final = 100_000


@dataclass(frozen=True, eq=False)
class Screening(Drawable, tables={"Effects": "effects"}):
    """The parameters that matter to the measures of a scenario.

    Attributes
    ----------
    ranges
        Range of each parameter, by dotted path.
    walks
        Walks through the ranges; each takes a run per parameter, and one more.
    confidence
        Confidence level of the intervals, by bootstrap over the walks.
    effects
        A row for each measure that is a number, and parameter: ``measure``, ``path``, ``mu_star``,
        ``mu_star_low``, ``mu_star_high``, ``mu``, ``sigma``, all in the measure's unit.
    runs
        All runs, as `sendcap.sweep` returns them.
    """

    ranges: Mapping[str, Range]
    walks: int
    confidence: float
    effects: pd.DataFrame
    runs: pd.DataFrame

    def sentences(self) -> list[str]:
        """Return the effort in plain sentences."""
        return [runs_sentence(self.runs, self.confidence)]


def screening(
    scenario: Scenario | str | os.PathLike[str],
    ranges: Mapping[str, Any],
    walks: int = DEFAULT_WALKS,
    *,
    measures: Any = DEFAULT_MEASURES,
    replications: int = 1,
    seed: int = 0,
    confidence: float = 0.95,
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Screening:
    """Rank the parameters of a scenario by their effect on a measure (Morris).

    It takes ``walks`` × (parameters + 1) points, each simulated ``replications`` times; a measure's
    mean over the replications is what is analysed.

    Parameters
    ----------
    walks
        Two at least; 10 to 50 are usual.
    seed
        Seed of walks and bootstrap.
    scenario, ranges, measures, replications, confidence, executor, store, workers, progress
        As for `sendcap.sensitivity`.

    Raises
    ------
    SendcapError
        If an argument is invalid, or a run fails: the effects need all runs.
    """
    require_confidence(confidence)
    ranges = ranges_of(ranges)
    runs = sweep(
        scenario,
        screening_points(ranges, walks, seed),
        replications=replications,
        measures=measures,
        executor=executor,
        store=store,
        workers=workers,
        progress=progress,
    )
    return screened(ranges, walks, seed, confidence, runs)


def screening_points(ranges: Mapping[str, Range], walks: int, seed: int) -> list[dict[str, Any]]:
    """Return the points of all walks, values by path."""
    require_several(ranges)
    return points_at(ranges, walked(len(ranges), walks, seed).tolist())


def walked(parameters: int, walks: int, seed: int) -> Floats:
    """Return the places of walks in the unit cube: shape (walks × (parameters + 1), parameters).

    One walk follows the other; from one place to the next, one coordinate changes.
    """
    require_count(walks, 2, _MOST, "sensitivity: the walks")
    places: Floats = sample(_problem(parameters), walks, num_levels=_LEVELS, seed=seed)
    return places


def screened(
    ranges: Mapping[str, Range], walks: int, seed: int, confidence: float, runs: pd.DataFrame
) -> Screening:
    """Return the screening by the runs at `screening_points`."""
    places = walked(len(ranges), walks, seed)
    tables = []
    for name, values in responses(runs, ranges):
        effects = analyze(
            _problem(len(ranges)),
            places,
            values,
            num_resamples=_RESAMPLES,
            conf_level=confidence,
            num_levels=_LEVELS,
            seed=seed,
        )
        star, half = np.asarray(effects["mu_star"]), np.asarray(effects["mu_star_conf"])
        columns = {
            "measure": name,
            "path": list(ranges),
            "mu_star": star,
            "mu_star_low": np.maximum(star - half, 0.0),
            "mu_star_high": star + half,
            "mu": np.asarray(effects["mu"]),
            "sigma": np.asarray(effects["sigma"]),
        }
        tables.append(pd.DataFrame(columns))
    return Screening(dict(ranges), walks, confidence, pd.concat(tables, ignore_index=True), runs)


def _problem(parameters: int) -> dict[str, Any]:
    return {
        "num_vars": parameters,
        "names": [f"x{number}" for number in range(parameters)],
        "bounds": [[0.0, 1.0]] * parameters,
    }
