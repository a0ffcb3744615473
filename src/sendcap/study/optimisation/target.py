"""Targets: what a measure must not exceed, or must reach, and how sure that has to be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sendcap.errors import SendcapError
from sendcap.scenario import parse_duration
from sendcap.study.replication.estimates import Estimate, estimate, require_confidence
from sendcap.study.replication.measures import Measure, measures_of
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import did_you_mean, shown


@dataclass(frozen=True)
class Target:
    """What the expectation of a measure must be.

    Attributes
    ----------
    measure
        The name of a measure; where that has several values, of one of them, such as
        ``"delivered_pct.efs"``. Or a function of a `Run` that returns a number.
    at_most, at_least
        The limit, one of the two: a number, or a duration such as ``"4h"`` of a measure in
        seconds.
    confidence
        With which the measure's mean has to be on the right side of the limit.

    Examples
    --------
    >>> its = Target("accepted_99_pct_s", at_most="4h")
    >>> str(its), its.limit, its.miss(18000.0)
    ('accepted_99_pct_s at most 4h', 14400.0, 3600.0)
    """

    measure: str | Callable[[Any], Any]
    at_most: float | str | None = None
    at_least: float | str | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        if (self.at_most is None) == (self.at_least is None):
            raise SendcapError("target: give one of at_most and at_least")
        if not isinstance(self.measure, str) and not callable(self.measure):
            raise SendcapError(f"target: measure: {shown(self.measure)} is none")
        self.measured()
        if not math.isfinite(self.limit):
            raise SendcapError(f"target: the limit must be a number, not {self.limit}")

    def measured(self) -> Measure:
        """Return the measure of which it is a value.

        Raises
        ------
        SendcapError
            If there is no such measure.
        """
        asked = self.measure.split(".")[0] if isinstance(self.measure, str) else self.measure
        try:
            (found,) = measures_of([asked])
        except SendcapError as error:
            raise SendcapError(f"target: {error}") from None
        return found

    @property
    def column(self) -> str:
        """What the measure's column is called in the table of runs."""
        return self.measure if isinstance(self.measure, str) else self.measured().name

    @property
    def limit(self) -> float:
        """The limit as a number."""
        given = self.at_least if self.at_most is None else self.at_most
        if isinstance(given, str):
            if not self._is_time():
                raise SendcapError(
                    f"target: {self.column} is no time; give a number, not {given!r}"
                )
            try:
                return parse_duration(given)
            except ValueError as error:
                raise SendcapError(f"target: {error}") from None
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise SendcapError(f"target: the limit must be a number or a duration, not {given!r}")
        return float(given)

    def miss(self, value: float) -> float:
        """Return by how much a value misses the limit; less than nothing if it does not."""
        if math.isnan(value):
            return math.inf
        return value - self.limit if self.at_least is None else self.limit - value

    def bound(self, values: Sequence[float], confidence: float) -> tuple[Estimate, float]:
        """Return the mean of replications, and the bound on the side of the limit.

        Parameters
        ----------
        values
            Two at least.
        confidence
            With which the expectation is not beyond the bound, if the values are normal.
        """
        # Of a two-sided interval, either end is a one-sided bound.
        its = estimate(values, max(2.0 * confidence - 1.0, 1e-9))
        return its, its.high if self.at_least is None else its.low

    def written(self, value: float) -> str:
        """Write a value of the measure."""
        if math.isnan(value):
            return "no value"
        return elapsed(value) if self._is_time() and value >= 0.0 else f"{value:,.6g}"

    def require_column(self, columns: Iterable[str]) -> None:
        """Refuse a measure of which there is no such value."""
        there = [name for name in columns if name.split(".")[0] == self.column.split(".")[0]]
        if self.column not in there:
            hint = did_you_mean(self.column, there) or f"; there are {', '.join(there)}"
            raise SendcapError(f"target: measure: {shown(self.column)} is unknown{hint}")

    def _is_time(self) -> bool:
        return self.column.split(".")[0].endswith("_s")

    def __str__(self) -> str:
        side = "at most" if self.at_least is None else "at least"
        return f"{self.column} {side} {self.written(self.limit)}"
