"""Levers: ranges of values with costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from sendcap.errors import SendcapError
from sendcap.scenario import Range
from sendcap.scenario.section import MOST_ANYWHERE, is_number
from sendcap.text.quoting import shown, visible

_DIGITS: Final = 4
"""Of a value that is not a whole number: nobody sets a share to 0.27183."""


@dataclass(frozen=True)
class Priced:
    """A lever: a range of a scenario's value, ends included, with a cost for each value.

    Attributes
    ----------
    low, high, log
        As of a `sendcap.Range`.
    cost
        Of one unit: one more of a number, a second of a duration, one message per period of a
        rate. Or, for instance where more is cheaper, a list of values with their costs from
        ``low`` to ``high``, between which the cost is a straight line.

    Examples
    --------
    >>> Priced(1, 64, 40).cost_of(3)
    120.0
    >>> Priced("10/s", "100/s", [("10/s", 0), ("50/s", 20), ("100/s", 100)]).cost_of("75/s")
    60.0
    """

    low: Any
    high: Any
    cost: float | Sequence[tuple[Any, float]]
    log: bool = False

    def __post_init__(self) -> None:
        values = self.range  # refuses invalid ends
        if not _is_list(self.cost):
            _require_number(self.cost)
            return
        line = self._line(values)
        if any(here[0] >= there[0] for here, there in pairwise(line)):
            raise SendcapError(f"cost: {shown(self.cost)}: the values must rise")
        if len(line) < 2 or (line[0][0], line[-1][0]) != values.ends:
            raise SendcapError(
                f"cost: must go from one end of {values} to the other, such as "
                f"[[{shown(self.low)}, 0], [{shown(self.high)}, 100]], not {shown(self.cost)}"
            )

    @property
    def range(self) -> Range:
        """The range without costs."""
        return Range(self.low, self.high, self.log)

    @property
    def free(self) -> bool:
        """Whether all values cost the same."""
        if not _is_list(self.cost):
            return self.cost == 0
        return len({cost for _, cost in self._line(self.range)}) == 1

    def cost_of(self, value: Any) -> float:
        """Return the cost of a value."""
        number = self.range.number(value)
        if not _is_list(self.cost):
            return float(self.cost) * number  # type: ignore[arg-type]
        values, costs = zip(*self._line(self.range), strict=True)
        return float(np.interp(number, values, costs))

    def ends_by_cost(self) -> tuple[float, float]:
        """Return the cheapest and the dearest end, as numbers."""
        low, high = self.range.ends
        cheaper = self.cost_of(self.low) <= self.cost_of(self.high)
        return (low, high) if cheaper else (high, low)

    def rounded(self, number: float) -> float:
        """Return the number within the range that is written nearby."""
        low, high = self.range.ends
        text = f"{number:.0f}" if self.range.whole else f"{number:.{_DIGITS}g}"
        return min(max(float(text), low), high)

    def _line(self, values: Range) -> list[tuple[float, float]]:
        line = []
        for pair in self.cost:  # type: ignore[union-attr]
            if not _is_list(pair) or len(pair) != 2:
                raise SendcapError(
                    f"cost: must be pairs of a value and its cost, not {shown(pair)}"
                )
            _require_number(pair[1])
            line.append((values.number(pair[0]), float(pair[1])))
        return line


def levers_of(levers: Mapping[str, Any]) -> dict[str, Priced]:
    """Return each path's lever, of a `Priced` or of low, high and cost."""
    if not levers:
        raise SendcapError("levers: give one at least")
    priced = {}
    for path, lever in levers.items():
        try:
            priced[path] = _lever(lever)
        except SendcapError as error:
            raise SendcapError(f"levers: {visible(path)}: {error}") from None
    if all(lever.free for lever in priced.values()):
        raise SendcapError("levers: all cost the same whatever their values; nothing is cheapest")
    return priced


def _lever(lever: Any) -> Priced:
    if isinstance(lever, Priced):
        return lever
    if _is_list(lever) and len(lever) == 3:
        return Priced(*lever)
    if isinstance(lever, Range) or (_is_list(lever) and len(lever) == 2):
        raise SendcapError("has no cost; give one, and 0 where it costs nothing")
    raise SendcapError(f"must be low, high and cost, such as (1, 64, 40), not {shown(lever)}")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _require_number(cost: Any) -> None:
    if not is_number(cost):
        raise SendcapError(
            f"cost: must be a number up to {MOST_ANYWHERE:g}, or values with their costs, "
            f"not {shown(cost)}"
        )
    if cost < 0:
        raise SendcapError(
            f"cost: must not be negative, as {shown(cost)} is; where more is cheaper, give values "
            f"with their costs, such as [[1, 100], [64, 0]]"
        )
