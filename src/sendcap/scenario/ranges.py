"""Ranges: what a value of a scenario may be, ends included."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sendcap.errors import SendcapError
from sendcap.scenario.durations import format_duration, parse_duration
from sendcap.scenario.rates import Rate
from sendcap.scenario.wording import shown

_DECIMALS: Final = 3
"""Milliseconds of a duration that is a second or longer."""


@dataclass(frozen=True)
class Range:
    """A range of a scenario's value, ends included.

    Attributes
    ----------
    low, high
        Both whole numbers, and so are the values between; both numbers; both durations such as
        ``"10m"``; or both rates of the same period, such as ``"10/s"``.
    log
        Whether each factor is as likely as the next, and not each difference.

    Examples
    --------
    >>> [Range(1, 8).at(u) for u in (0.0, 0.5, 0.999)]
    [1, 5, 8]
    >>> Range("1m", "100m", log=True).at(0.5), Range("10/s", "30/s").at(0.5)
    ('10m', '20/s')
    """

    low: Any
    high: Any
    log: bool = False

    def __post_init__(self) -> None:
        self._scale()

    def at(self, u: float) -> Any:
        """Return the value at a place between 0 and 1, as a scenario file has it."""
        low, high, whole, written = self._scale()
        # A whole number stands for all that would be rounded down to it.
        end = high + 1.0 if whole else high
        value = low * (end / low) ** u if self.log else low + u * (end - low)
        return written(min(math.floor(value), high) if whole else min(value, high))

    def number_at(self, u: float) -> float:
        """Return the value at a place between 0 and 1 as a number: of a duration the seconds.

        Of a rate it is how many in its period.

        Examples
        --------
        >>> Range("1m", "3m").number_at(0.5), Range("10/s", "30/s").number_at(0.5)
        (120.0, 20.0)
        """
        value = self.at(u)
        if not isinstance(value, str):
            return float(value)
        return float(Rate.parse(value).limit) if "/" in value else parse_duration(value)

    def _scale(self) -> tuple[float, float, bool, Callable[[float], Any]]:
        """Return both ends as numbers, whether they are whole, and how a value is written."""
        low, high, whole, written = self._numbers()
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SendcapError(f"{self}: the first must be less than the second")
        if self.log and not low > 0.0:
            raise SendcapError(f"{self}: on a logarithmic scale both must be more than 0")
        return low, high, whole, written

    def _numbers(self) -> tuple[float, float, bool, Callable[[float], Any]]:
        ends = (self.low, self.high)
        if all(isinstance(end, str) for end in ends):
            try:
                if any("/" in end for end in ends):
                    return _rates(Rate.parse(self.low), Rate.parse(self.high))
                return (*map(parse_duration, ends), False, _duration)  # type: ignore[return-value]
            except ValueError as error:
                raise SendcapError(f"{self}: {error}") from None
        if any(isinstance(end, bool) or not isinstance(end, int | float) for end in ends):
            raise SendcapError(f"{self}: must be two numbers, two durations or two rates")
        whole = all(isinstance(end, int) for end in ends)
        return float(self.low), float(self.high), whole, int if whole else float

    def __str__(self) -> str:
        return f"[{shown(self.low)}, {shown(self.high)}]"


def _rates(low: Rate, high: Rate) -> tuple[float, float, bool, Callable[[float], Any]]:
    if (low.period_s, low.burst) != (high.period_s, high.burst):
        raise ValueError("must be rates of the same period and max_burst")

    def written(limit: float) -> str:
        return str(Rate(int(limit), low.period_s, low.burst))

    return float(low.limit), float(high.limit), True, written


def _duration(seconds: float) -> str:
    # Six digits of what is less than a second: an end of the range is not to become 0.
    decimals = _DECIMALS if seconds >= 1.0 else 6
    return format_duration(round(seconds, decimals))
