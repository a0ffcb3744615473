"""Targets: a limit that a measure must not exceed, or must reach, with a confidence level."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sendcap.errors import SendcapError
from sendcap.scenario.durations import checked_duration
from sendcap.scenario.section import MOST_ANYWHERE, is_number
from sendcap.study.replication.estimates import Estimate, estimate, require_confidence
from sendcap.study.replication.measure_names import in_words
from sendcap.study.replication.measures import Measure, measures_of
from sendcap.text.measures import is_time
from sendcap.text.quantities import elapsed, told_apart
from sendcap.text.quoting import did_you_mean, shown


@dataclass(frozen=True)
class Target:
    """A limit of the expectation of a measure.

    Attributes
    ----------
    measure
        The name of a measure; where that has several values, of one of them, such as
        ``"delivered_pct.efs"``. Or a function of a `Run` that returns a number.
    at_most, at_least
        The limit, one of the two: a number, or a duration such as ``"4h"`` of a measure in
        seconds.
    confidence
        Confidence level with which the expectation is on the right side of the limit.

    Examples
    --------
    >>> target = Target("accepted_99_pct_s", at_most="4h")
    >>> str(target), target.limit, target.miss(18000.0)
    ('time until 99 % is accepted, at most 4h', 14400.0, 3600.0)
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
            raise SendcapError(f"target: measure: {shown(self.measure)} is not a measure")
        self.measured()
        if not math.isfinite(self.limit):
            raise SendcapError(f"target: the limit must be a number, not {self.limit}")

    def measured(self) -> Measure:
        """Return the measure of the target; refuse an unknown one."""
        asked = self.measure.split(".")[0] if isinstance(self.measure, str) else self.measure
        try:
            (measure,) = measures_of([asked])
        except SendcapError as error:
            raise SendcapError(f"target: {error}") from None
        return measure

    @property
    def column(self) -> str:
        """Name of the measure's column in the table of runs."""
        return self.measure if isinstance(self.measure, str) else self.measured().name

    @property
    def limit(self) -> float:
        """The limit as a number."""
        limit = self.at_least if self.at_most is None else self.at_most
        if isinstance(limit, str):
            if not is_time(self.column):
                raise SendcapError(
                    f"target: {self.column} is not a time; give a number, not {limit!r}"
                )
            try:
                return checked_duration(limit)
            except ValueError as error:
                raise SendcapError(f"target: {error}") from None
        if not is_number(limit):
            raise SendcapError(
                f"target: the limit must be a number up to {MOST_ANYWHERE:g}, or a duration, "
                f"not {shown(limit)}"
            )
        return float(limit)

    def miss(self, value: float) -> float:
        """Return by how much a value misses the limit; less than nothing if it does not."""
        if math.isnan(value):
            return math.inf
        return value - self.limit if self.at_least is None else self.limit - value

    def bound(self, values: Sequence[float], confidence: float) -> tuple[Estimate, float]:
        """Return the mean of two or more replications, and the bound on the side of the limit.

        The expectation is not beyond it at this confidence level, for normal values.
        """
        # Of a two-sided interval, either end is a one-sided bound.
        interval = estimate(values, max(2.0 * confidence - 1.0, 1e-9))
        return interval, interval.high if self.at_least is None else interval.low

    def written(self, value: float) -> str:
        """Write a value of the measure."""
        if math.isnan(value):
            return "no value"
        return elapsed(value) if is_time(self.column) and value >= 0.0 else f"{value:,.6g}"

    def written_beside_the_limit(self, value: float) -> str:
        """Write a value of the measure so that it does not read like the limit that it misses."""
        unit = " s" if is_time(self.column) else ""
        return told_apart(value, self.limit, self.written, unit)

    def require_column(self, columns: Iterable[str]) -> None:
        """Refuse a value that the measure does not have."""
        known = [name for name in columns if name.split(".")[0] == self.column.split(".")[0]]
        if self.column not in known:
            hint = did_you_mean(self.column, known) or f"; there are {', '.join(known)}"
            raise SendcapError(f"target: measure: {shown(self.column)} is unknown{hint}")

    def __str__(self) -> str:
        side = "at most" if self.at_least is None else "at least"
        return f"{in_words(self.column)}, {side} {self.written(self.limit)}"
