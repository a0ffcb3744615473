"""Ranges of a scenario's values, and their place in a scenario file.

``share = { low = 0.002, high = 0.02 }`` is a range. Unlike ``{ dist = "uniform", … }``, a quantity
that differs from message to message, a range is one unknown value, the same for all messages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from sendcap.errors import SendcapError
from sendcap.scenario.durations import checked_duration, format_duration
from sendcap.scenario.problems import annotation_at
from sendcap.scenario.rates import Rate
from sendcap.scenario.section import MOST_ANYWHERE, Place, is_number, whole
from sendcap.text.quoting import dotted, shown


@dataclass(frozen=True)
class Range:
    """A range of a scenario's value, ends included.

    Numbers stand for values: the seconds of a duration, the messages per period of a rate.

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
    >>> Range("1m", "1h").written(90.0), Range("10/s", "30/s").written(12.0)
    ('90s', '12/s')
    >>> Range("1m", "3m").number("90s"), Range("10/s", "30/s").number("12/s")
    (90.0, 12.0)
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
        """Return the value at a place between 0 and 1 as a number; see `number`."""
        return self.number(self.at(u))

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends as numbers."""
        return self._scale()[:2]

    @property
    def whole(self) -> bool:
        """Whether only whole numbers count: also of rates, which are of whole messages."""
        return self._scale().whole

    def written(self, number: float) -> Any:
        """Return the value that a number stands for, as a scenario file has it."""
        return self._scale().written(number)

    def number(self, value: Any) -> float:
        """Return the number that a value stands for; the opposite of `written`.

        Raises
        ------
        SendcapError
            If the value is of another kind than the ends.
        """
        if isinstance(value, str) != isinstance(self.low, str):
            raise SendcapError(f"{shown(value)} is of another kind than {self}")
        return _scale_of(self.low, value, str(self)).high

    def _scale(self) -> _Scale:
        scale = _scale_of(self.low, self.high, str(self))
        if scale.low > scale.high:
            raise SendcapError(f"{self}: write the lower end first")
        if not (math.isfinite(scale.low) and math.isfinite(scale.high) and scale.low < scale.high):
            raise SendcapError(f"{self}: the ends must be two different numbers")
        if self.log and not scale.low > 0.0:
            raise SendcapError(f"{self}: on a logarithmic scale both must be more than 0")
        return scale

    def __str__(self) -> str:
        return f"[{shown(self.low)}, {shown(self.high)}]"


class _Scale(NamedTuple):
    """Two values as numbers."""

    low: float
    high: float
    whole: bool
    written: Callable[[float], Any]  # a number as a scenario file has it


def _scale_of(low: Any, high: Any, name: str) -> _Scale:
    both = (low, high)
    if all(isinstance(value, str) for value in both):
        try:
            if any("/" in value for value in both):
                return _rates(Rate.parse(low), Rate.parse(high))
            return _Scale(checked_duration(low), checked_duration(high), False, _duration)
        except ValueError as error:
            raise SendcapError(f"{name}: {error}") from None
    if not all(map(is_number, both)):
        raise SendcapError(
            f"{name}: must be two numbers up to {MOST_ANYWHERE:g}, two durations or two rates"
        )
    whole = all(isinstance(value, int) for value in both)
    return _Scale(float(low), float(high), whole, int if whole else float)


def _rates(low: Rate, high: Rate) -> _Scale:
    if (low.period_s, low.burst) != (high.period_s, high.burst):
        raise ValueError("must be rates of the same period and max_burst")

    def written(limit: float) -> str:
        return str(Rate(int(limit), low.period_s, low.burst))

    return _Scale(float(low.limit), float(high.limit), True, written)


def _duration(seconds: float) -> str:
    # Milliseconds; six digits of less than a second, lest an end of the range becomes 0.
    return format_duration(round(seconds, 3 if seconds >= 1.0 else 6))


class Split(NamedTuple):
    """A scenario without ranges, and the ranges."""

    data: dict[str, Any]  # with the middle of each range
    ranges: dict[str, Range]  # by path, in the order of the file
    problems: tuple[str, ...]  # as ``path: message``


def split(data: Mapping[str, Any]) -> Split:
    """Separate the ranges from a scenario as TOML gives it.

    >>> parts = split({"providers": {"gmail": {"transient": {"low": 0.25, "high": 0.75}}}})
    >>> parts.ranges
    {'providers.gmail.transient': Range(low=0.25, high=0.75, log=False)}
    >>> parts.data
    {'providers': {'gmail': {'transient': 0.5}}}
    """
    ranges: dict[str, Range] = {}
    problems: list[str] = []

    def known(value: Any, place: Place) -> Any:
        # Most of them, and whether something is a Mapping takes long to tell.
        if isinstance(value, str | int | float):
            return value
        if isinstance(value, list | tuple):
            return [known(item, (*place, number)) for number, item in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        if set(value) != {"low", "high"}:
            return {key: known(item, (*place, key)) for key, item in value.items()}
        path = dotted(place)
        try:
            ranges[path] = range_at(place, value["low"], value["high"])
        except SendcapError as problem:
            problems.append(f"{path}: {problem}")
            return value
        return ranges[path].at(0.5)

    plain = {key: known(item, (key,)) for key, item in data.items()}
    return Split(plain, ranges, tuple(problems))


def range_at(place: Place, low: Any, high: Any) -> Range:
    """Return the range of a value; of whole numbers only if the key needs them."""
    span = Range(low, high)
    if isinstance(low, str):
        return span
    kind = annotation_at(place)
    if kind is not int and int not in get_args(kind):
        return Range(float(low), float(high))
    try:
        return Range(whole(low), whole(high))
    except ValueError as problem:
        raise SendcapError(str(problem)) from None
