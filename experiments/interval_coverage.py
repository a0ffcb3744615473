"""Whether the intervals of `sendcap converge` and `sendcap compare` hold what they say.

One source IP's slice of the preset quickstart (25,000 messages) is simulated many times, as it is
and with a first retry after five minutes instead of twenty. Of these simulations 3, 5, 10 or 20 are
drawn again and again, and the 95 % intervals that the study states are held against what all of
them come to:

- *mean*: Student's t interval, against the mean of all;
- *median*: the interval between order statistics, against the median of all;
- *one more*: the band from low to high, against one more simulation. It promises (n - 1) / (n + 1)
  of the cases where that is less than 95 %: 50, 67, 82 and 90 %;
- *difference*: that of pairs with the same draws, against the mean or the median of all pairs.

About normal are percentages, times of acceptance and delays; moments are settling times, peaks, the
beginning and the width of the cliff, and the longest delay. The table has the lowest and the
highest share, in per cent, over all numbers of a kind; – where no interval is stated. *Not stated*
is what was stated before: t intervals of moments, and of differences most of which are 0.

Result (1,500 simulations of each, 1,000 draws, ``--seed 20265``):

| interval   | of              | 3          | 5          | 10        | 20        |
|------------|-----------------|------------|------------|-----------|-----------|
| mean       | 11 about normal | 94 to 97   | 94 to 96   | 93 to 97  | 94 to 96  |
| median     | 11 about normal | –          | –          | 98 to 99  | 96 to 98  |
| one more   | 11 about normal | 50 to 55   | 65 to 71   | 80 to 85  | 88 to 92  |
| not stated | 2 about normal  | 15 to 16   | 24 to 26   | 44 to 45  | 68 to 68  |
| difference | 4 about normal  | 95 to 100  | 95 to 100  | 94 to 100 | 96 to 100 |
| median     | 12 moments      | –          | –          | 98 to 100 | 97 to 100 |
| one more   | 12 moments      | 51 to 92   | 67 to 97   | 82 to 100 | 91 to 100 |
| not stated | 18 moments      | 0 to 93    | 1 to 96    | 3 to 96   | 6 to 96   |
| difference | 6 moments       | 100 to 100 | 100 to 100 | 96 to 100 | 96 to 100 |

A share of 1,000 is off by 0.7 points by chance, and by twice as much at the ends of such a range.
Numbers that are one of few moments are held more often than stated: several draws are equal.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from forecast_coverage import slice_of_one_ip

from sendcap.readings.convergence import TOLERANCES_PT, Floats
from sendcap.scenario import Scenario, updated
from sendcap.study.convergence.compare import difference_of
from sendcap.study.convergence.converge import convergence_plan
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import estimate
from sendcap.study.replication.recording import Quantity, reading_moments_s, recorded
from sendcap.study.replication.replications import is_moment, spread
from sendcap.study.replication.workers import Workers
from sendcap.text.quantities import elapsed

SIZES: Final = (3, 5, 10, 20)
MODES: Final = ("without-efs", "efs")
CHANGE: Final = {"mta.retry.first": "5m"}
SHOWN: Final = (
    *("delivered_pct", "truth_pct", "settling_s", "cliff_height_pt", "cliff_begins_s"),
    *("cliff_width_s", "peak_pct", "peak_s", "overshoot_pt", "overshoot_gone_s"),
    *("accepted_50_pct_s", "accepted_99_pct_s", "delay_mean_s", "delay_p99_s", "delay_longest_s"),
)
COMPARED: Final = ("delivered_pct", "settling_s", "peak_pct", "peak_s", "accepted_99_pct_s")
KINDS: Final = {
    "mean": ("mean_low", "mean_high"),
    "median": ("median_low", "median_high"),
    "one more": ("low", "high"),
}
_EXACT: Final = 1e-9


def numbers(scenario: Scenario, count: int, seed: int, team: Workers) -> Mapping[Quantity, Floats]:
    """Return the numbers of many simulations."""
    plan = convergence_plan(
        scenario,
        TOLERANCES_PT,
        MODES,  # type: ignore[arg-type]
        reading_moments_s(scenario),
    )
    scenarios = [scenario.with_seed(replication_seed(seed, number)) for number in range(count)]
    records = list(team.map(partial(recorded, plan), scenarios))
    return {
        about: np.array([record.numbers[about] for record in records])
        for about in records[0].numbers
        if about.of_all
    }


def held(about: Quantity, values: Floats, n: int, draws: Draws) -> dict[str, float]:
    """Return how often each kind of interval from n values holds; NaN where none is stated."""
    known = values[~np.isnan(values)]
    moment = is_moment(about.name)
    true = {"mean": known.mean(), "median": np.median(known)}
    hits: dict[str, list[float]] = {kind: [] for kind in (*KINDS, "not stated")}
    for some, further in draws.of(known, n):
        row = spread(some, 0.95, normal=not moment)
        for kind, (low, high) in KINDS.items():
            hits[kind].append(_holds(row[low], true.get(kind, further), row[high]))
        if moment:
            before = estimate(some.tolist())
            hits["not stated"].append(_holds(before.low, true["mean"], before.high))
    return {kind: float(np.mean(each)) if each else np.nan for kind, each in hits.items()}


def differs(about: Quantity, apart: Floats, n: int, draws: Draws) -> dict[str, float]:
    """Return how often the interval of a difference from n pairs holds."""
    known = apart[~np.isnan(apart)]
    mean, median = known.mean(), np.median(known)
    hits: dict[str, list[float]] = {"difference": [], "not stated": []}
    for some, _ in draws.of(known, n):
        middle, low, high = difference_of(some, 0.95, about.name)
        wanted = mean if np.isclose(middle, some.mean()) and middle else median
        hits["difference"].append(_holds(low, wanted, high))
        if is_moment(about.name) or 2 * np.count_nonzero(known) < len(known):
            before = estimate(some.tolist())
            hits["not stated"].append(_holds(before.low, mean, before.high))
    return {
        kind: float(np.nanmean(each)) if each and not np.isnan(each).all() else np.nan
        for kind, each in hits.items()
    }


class Draws(NamedTuple):
    """Draws from many simulations."""

    repeats: int
    rng: np.random.Generator

    def of(self, values: Floats, n: int) -> Iterator[tuple[Floats, float]]:
        """Yield n values and one more, again and again."""
        for _ in range(self.repeats):
            chosen = self.rng.choice(values, n + 1, replace=False)
            yield chosen[:-1], float(chosen[-1])


def _holds(low: float, wanted: float, high: float) -> float:
    return np.nan if np.isnan(low) else float(low - _EXACT <= wanted <= high + _EXACT)


def lines(found: Mapping[tuple[str, str], list[list[float]]]) -> Iterator[str]:
    """Yield the table: the range over the numbers of each kind, for each size."""
    yield f"| interval | of | {' | '.join(map(str, SIZES))} |"
    yield "|---" * (2 + len(SIZES)) + "|"
    for (kind, group), shares in found.items():
        table = 100.0 * np.array(shares)
        cells = [
            "–" if np.isnan(column).all() else f"{np.nanmin(column):.0f} to {np.nanmax(column):.0f}"
            for column in table.T
        ]
        if set(cells) != {"–"}:
            count = int((~np.isnan(table).all(axis=1)).sum())
            yield f"| {kind} | {count} {group} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=25_000)
    parser.add_argument("--simulations", type=int, default=1500)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20265)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    began = time.monotonic()
    scenario = slice_of_one_ip(given.messages, "quickstart")
    with Workers(given.workers) as team:
        one, two = (
            numbers(each, given.simulations, given.seed, team)
            for each in (scenario, updated(scenario, CHANGE))
        )
    draws = Draws(given.repeats, np.random.default_rng(given.seed))
    found: dict[tuple[str, str], list[list[float]]] = {}
    for about, values in one.items():
        group = "moments" if is_moment(about.name) else "about normal"
        for names, pool, judge in ((SHOWN, values, held), (COMPARED, two[about] - values, differs)):
            if about.name not in names or np.ptp(pool[~np.isnan(pool)]) == 0.0:
                continue
            judged = [judge(about, pool, n, draws) for n in SIZES]
            for kind in judged[0]:
                shares = found.setdefault((kind, group), [])
                shares.append([each[kind] for each in judged])
    for line in lines(found):
        print(line)
    print(f"\n{given.simulations} simulations of each in {elapsed(time.monotonic() - began)}.")


if __name__ == "__main__":
    main()
