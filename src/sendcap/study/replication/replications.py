"""The results of replications: numbers, and curves at common moments."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.errors import SendcapError
from sendcap.readings.convergence import Floats
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.scenario import Scenario
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import Estimate, estimate, held, holding, median_interval
from sendcap.study.replication.recording import Quantity, Record
from sendcap.text.displayed import Displayed
from sendcap.text.quantities import counted
from sendcap.text.shares import share_text
from sendcap.text.tables import Table, table_of

SPREAD: Final = (
    *("n", "mean", "mean_low", "mean_high"),
    *("median", "median_low", "median_high", "low", "high"),
)
"""Columns of the spread of a number over replications; see `spread`."""
MOMENTS: Final = frozenset(
    {
        *("settling_s", "overshoot_gone_s", "peak_s", "cliff_begins_s", "cliff_width_s"),
        "delay_longest_s",
    }
)
"""Numbers that are one of few moments, or an extreme: their mean has no interval that holds."""


def is_moment(name: str) -> bool:
    """Tell whether a number is among `MOMENTS`; names of several values go on after a dot."""
    return name.partition(".")[0] in MOMENTS


@dataclass(frozen=True, eq=False)
class Replications(Displayed):
    """The numbers and curves of replications.

    Attributes
    ----------
    scenario
        The replicated scenario; replication r has the seed `replication_seed(scenario.seed, r)`.
    n
        Number of replications.
    confidence
        Confidence level of intervals, and share of further replications within a band, if there
        are replications enough; see `estimates.held`.
    precise
        Whether the intervals are as narrow as requested.
    moments_s : ndarray, shape (m,)
        Moments of the curves, in seconds from t = 0.
    numbers
        For each quantity, an array of shape (n,).
    curves
        For each quantity, a float32 array of shape (n, m).
    """

    scenario: Scenario
    n: int
    confidence: float
    precise: bool
    moments_s: Floats = field(repr=False)
    numbers: Mapping[Quantity, Floats] = field(repr=False)
    curves: Mapping[Quantity, npt.NDArray[np.float32]] = field(repr=False)

    def estimate(
        self,
        name: str,
        mode: str = "",
        delivery: str = ALL_DELIVERIES,
        provider: str = ALL_PROVIDERS,
        at: float = 0.0,
    ) -> Estimate:
        """Return the mean of a number over the replications, with the confidence interval.

        That of `MOMENTS` is infinite: they have an interval of the median, in `table`.

        Parameters
        ----------
        name
            Such as ``"delivered_pct"`` or ``"accepted_99_pct_s"``.
        mode
            Reporting mode; empty for times of acceptance, which have none.
        delivery, provider
            Names; ``"*"`` stands for all together.
        at
            Tolerance in points; 0 for numbers without one.

        Raises
        ------
        SendcapError
            If no such number is recorded.
        """
        wanted = Quantity(mode, delivery, provider, name, at)
        if wanted not in self.numbers:
            known = ", ".join(dict.fromkeys(map(str, self.numbers)))
            raise SendcapError(f"unknown quantity {wanted}; known are {known}")
        found = estimate(self.numbers[wanted].tolist(), self.confidence)
        return replace(found, low=-math.inf, high=math.inf) if is_moment(name) else found

    @cached_property
    def spreads(self) -> Mapping[Quantity, dict[str, float]]:
        """The spread of each number; see `spread`."""
        return {
            quantity: spread(values, self.confidence, normal=not is_moment(quantity.name))
            for quantity, values in self.numbers.items()
        }

    def table(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the spread of some numbers (default: all), a row for each, in this order.

        Columns mode, delivery, provider, name, at, and those of `spread`.
        """
        rows = [
            {**quantity._asdict(), **row}
            for quantity, row in self.spreads.items()
            if names is None or quantity.name in names
        ]
        table = pd.DataFrame(rows, columns=[*Quantity._fields, *SPREAD])
        if names is None:
            return table
        order = table["name"].map({name: index for index, name in enumerate(names)})
        return table.iloc[order.argsort(kind="stable")].reset_index(drop=True)

    @property
    def between(self) -> str:
        """What lies within a band, in words."""
        if held(self.n, self.confidence) < self.confidence:
            return "the smallest to the largest"
        return f"the middle {share_text(self.confidence)}"

    def _about(self) -> str:
        return counted(self.n, "replication")

    def _tables(self) -> Iterator[Table]:
        yield table_of("Spreads", self.table())

    def each(self) -> pd.DataFrame:
        """Return every number of every replication.

        Columns replication, seed (as text: it has up to 39 digits), mode, delivery, provider,
        name, at, value.
        """
        quantities = pd.DataFrame(list(self.numbers), columns=list(Quantity._fields))
        count = len(quantities)
        table = pd.concat([quantities] * self.n, ignore_index=True)
        seeds = [str(replication_seed(self.scenario.seed, number)) for number in range(self.n)]
        table.insert(0, "replication", np.repeat(np.arange(self.n), count))
        table.insert(1, "seed", np.repeat(seeds, count))
        table["value"] = np.stack(list(self.numbers.values()), axis=1).ravel()
        return table

    def band(self, quantity: Quantity) -> Band:
        """Return the mean and median curves, and the quantiles around them."""
        return Band.of(self.moments_s, self.curves[quantity], self.confidence)

    def bands(self) -> pd.DataFrame:
        """Return the bands of all curves.

        Columns mode, delivery, provider, name, time_s, mean, median, low, high.
        """
        tables = []
        for quantity in self.curves:
            names = {key: value for key, value in quantity._asdict().items() if key != "at"}
            tables.append(pd.DataFrame({**names, **self.band(quantity)._asdict()}))
        return pd.concat(tables, ignore_index=True)


def spread(values: Floats, confidence: float, *, normal: bool = True) -> dict[str, float]:
    """Return the spread of a number over replications.

    That is ``n``, the number of replications with a value (not NaN); ``mean`` and the t interval
    from ``mean_low`` to ``mean_high``, of numbers that are about normal; ``median`` and the
    interval from ``median_low`` to ``median_high``; and ``low`` and ``high``, between which one
    more replication lies with a probability of `held`. NaN without a value, or where there is no
    such interval.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return {"n": 0, **dict.fromkeys(SPREAD[1:], math.nan)}
    mean = estimate(known.tolist(), confidence)
    ends = (mean.low, mean.high) if normal and mean.n > 1 else (math.nan, math.nan)
    low, median, high = holding(known, confidence).tolist()
    of_median = median_interval(known.tolist(), confidence)
    row = (mean.n, mean.mean, *ends, median, *of_median, low, high)
    return dict(zip(SPREAD, row, strict=True))


class Band(NamedTuple):
    """A curve over replications: mean, median and quantiles at each moment, shape (m,) each."""

    time_s: Floats
    mean: Floats
    median: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, time_s: Floats, curves: npt.NDArray[Any], confidence: float) -> Band:
        """Return the band of curves of shape (n, m); NaN where any of them is."""
        exact = curves.astype(np.float64)
        low, median, high = holding(exact, confidence)
        return cls(time_s, exact.mean(axis=0), median, low, high)


def gathered(
    records: Sequence[Record],
    scenario: Scenario,
    moments_s: Floats,
    confidence: float,
    *,
    precise: bool = True,
) -> Replications:
    """Return the replications of some records, which all have the same quantities."""
    first = records[0]
    return Replications(
        scenario=scenario,
        n=len(records),
        confidence=confidence,
        precise=precise,
        moments_s=moments_s,
        numbers={key: np.array([each.numbers[key] for each in records]) for key in first.numbers},
        curves={key: np.stack([each.curves[key] for each in records]) for key in first.curves},
    )
