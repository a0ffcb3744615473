"""Sensitivity: which parameters decide a measure, and by how much.

Sobol' indices split the variance of a measure over ranges of parameters. The first-order index of
a parameter is the share of the variance that goes if it is fixed; the total-order index is the
share that stays if all the others are fixed, interactions with them included.

Source: A. Saltelli et al., "Variance based sensitivity analysis of model output. Design and
estimator for the total sensitivity index", Computer Physics Communications 181 (2010), as in
`scipy.stats.sobol_indices`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy import stats
from scipy.stats import qmc

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.readings.convergence import Floats
from sendcap.scenario import Range, Scenario
from sendcap.study.replication.estimates import require_confidence
from sendcap.study.replication.measures import DEFAULT_MEASURES, OF_A_RUN
from sendcap.study.sweeps.designs import points_at, ranges_of
from sendcap.study.sweeps.sweep import Progress, sweep
from sendcap.text.shares import share_text

INDICES, CHART = "sensitivity.csv", "sensitivity.png"
FILES: Final = frozenset({INDICES, CHART})
"""The files of a sensitivity or a screening, beside those of a sweep."""
DEFAULT_N: Final = 128
_RESAMPLES: Final = 999
_AT_A_TIME: Final = 1 << 20
"""Numbers of resamples that are in memory at a time."""
_MOST: Final = 2**20


@dataclass(frozen=True, eq=False)
class Sensitivity(Drawable, tables={"Indices": "indices"}):
    """The parameters that decide the measures of a scenario.

    Attributes
    ----------
    ranges
        Range of each parameter, by dotted path.
    n
        Base samples; each takes a run per parameter, and two more.
    confidence
        Confidence level of the intervals, by bootstrap over the base samples.
    indices
        A row for each measure that is a number, and parameter: ``measure``, ``path``,
        ``first_order``, ``first_order_low``, ``first_order_high``, ``total_order``,
        ``total_order_low``, ``total_order_high``. All are 0 where the measure does not vary.
    runs
        All runs, as `sendcap.sweep` returns them.
    """

    ranges: Mapping[str, Range]
    n: int
    confidence: float
    indices: pd.DataFrame
    runs: pd.DataFrame

    def sentences(self) -> list[str]:
        """Return the effort in plain sentences."""
        return [runs_sentence(self.runs, self.confidence)]


def sensitivity(
    scenario: Scenario | str | os.PathLike[str],
    ranges: Mapping[str, Any],
    n: int = DEFAULT_N,
    *,
    measures: Any = DEFAULT_MEASURES,
    replications: int = 1,
    seed: int = 0,
    confidence: float = 0.95,
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Sensitivity:
    """Tell which parameters of a scenario decide a measure, by Sobol' indices.

    It takes ``n`` × (parameters + 2) points, each simulated ``replications`` times; a measure's
    mean over the replications is what is analysed.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    ranges
        For each dotted path a `sendcap.Range`, or two ends; all values within are equally likely.
    n
        Base samples, a power of two.
    measures, replications, executor, store, workers, progress
        As for `sendcap.sweep`.
    seed
        Seed of samples and bootstrap.
    confidence
        Confidence level of the intervals.

    Raises
    ------
    SendcapError
        If an argument is invalid, or a run fails: the indices need all runs.
    """
    require_confidence(confidence)
    ranges = ranges_of(ranges)
    runs = sweep(
        scenario,
        sensitivity_points(ranges, n, seed),
        replications=replications,
        measures=measures,
        executor=executor,
        store=store,
        workers=workers,
        progress=progress,
    )
    return analysed(ranges, n, seed, confidence, runs)


def sensitivity_points(ranges: Mapping[str, Range], n: int, seed: int) -> list[dict[str, Any]]:
    """Return the points that Sobol' indices need, values by path.

    They are n of a matrix A, n of a matrix B, and for each parameter those of A with the
    parameter's column from B.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 2 <= n <= _MOST or n & (n - 1):
        raise SendcapError(
            f"sensitivity: the base samples must be a power of two from 2, such as 128, not {n!r}"
        )
    require_several(ranges)
    d = len(ranges)
    both = qmc.Sobol(2 * d, rng=seed).random_base2(n.bit_length() - 1)
    a, b = both[:, :d], both[:, d:]
    swapped = [np.where(np.arange(d) == parameter, b, a) for parameter in range(d)]
    return points_at(ranges, np.concatenate([a, b, *swapped]).tolist())


def analysed(
    ranges: Mapping[str, Range], n: int, seed: int, confidence: float, runs: pd.DataFrame
) -> Sensitivity:
    """Return the sensitivity by the runs at `sensitivity_points`."""
    tables = []
    for name, values in responses(runs, ranges):
        columns = _indices(values, len(ranges), n, seed, confidence)
        tables.append(pd.DataFrame({"measure": name, "path": list(ranges), **columns}))
    indices = pd.concat(tables, ignore_index=True)
    return Sensitivity(dict(ranges), n, confidence, indices, runs)


def _indices(values: Floats, d: int, n: int, seed: int, confidence: float) -> dict[str, Floats]:
    """Return the indices of each parameter, with the intervals of a bootstrap."""
    a, b, *swapped = values.reshape(d + 2, n)

    def indices(places: npt.NDArray[np.int64], axis: int = -1) -> Floats:
        """Return the indices (2, parameters, resamples) of resamples (resamples, n)."""
        result = stats.sobol_indices(
            func={
                "f_A": a[places],
                "f_B": b[places],
                "f_AB": np.array([one[places] for one in swapped]),
            },
            n=n,
        )
        # Of one resample it is (parameters,), of several (resamples, parameters).
        of_each = np.array([result.first_order, result.total_order]).reshape(2, -1, d)
        return np.moveaxis(of_each, 1, axis)

    first, total = indices(np.arange(n)[np.newaxis])[..., 0]
    interval = stats.bootstrap(
        [np.arange(n)],
        indices,
        confidence_level=confidence,
        n_resamples=_RESAMPLES,
        batch=max(_AT_A_TIME // values.size, 1),
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    (first_low, total_low), (first_high, total_high) = map(np.asarray, interval)
    return {
        "first_order": first,
        "first_order_low": first_low,
        "first_order_high": first_high,
        "total_order": total,
        "total_order_low": total_low,
        "total_order_high": total_high,
    }


# Responses: the measures at each point.


def runs_sentence(runs: pd.DataFrame, confidence: float) -> str:
    """Return the number of runs and the kind of the intervals as a sentence."""
    return f"{len(runs):,} runs; {share_text(confidence)} bootstrap intervals."


def require_several(ranges: Mapping[str, Range]) -> None:
    """Refuse a single range."""
    if len(ranges) < 2:
        raise SendcapError("sensitivity: needs two ranges at least; one alone decides everything")


def responses(runs: pd.DataFrame, ranges: Mapping[str, Range]) -> Iterator[tuple[str, Floats]]:
    """Yield each numeric measure, with the means over the replications of each point."""
    failed = runs[runs["error"] != ""]
    if len(failed):
        raise SendcapError(
            f"sensitivity: {len(failed):,} of {len(runs):,} runs have failed, and the indices need "
            f"all of them; the first: {failed['error'].iloc[0]}"
        )
    names = _measured(runs, ranges)
    if not names:
        raise SendcapError("sensitivity: no measure is a number; give one that is")
    for name in names:
        values = runs.groupby("point")[name].mean().to_numpy(float)
        missing = int(pd.isna(values).sum())
        if missing:
            raise SendcapError(
                f"sensitivity: {name} has no value at {missing:,} of {len(values):,} points, and "
                f"the indices need all of them; leave it out, or narrow the ranges"
            )
        yield name, values


def _measured(runs: pd.DataFrame, ranges: Mapping[str, Range]) -> list[str]:
    """Return the columns of measures that are numbers."""
    others = {*OF_A_RUN, *ranges}
    return [
        name
        for name in runs.columns
        if name not in others and is_numeric_dtype(runs[name]) and not is_bool_dtype(runs[name])
    ]
