"""Ranges: ``share = { low = 0.002, high = 0.02 }`` where a value is not known.

A range stands where a scenario file has a number, a share, a count or a duration. It is not
``{ dist = "uniform", … }``, which is a quantity that differs from message to message: a range has
one value, the same for all, that nobody knows yet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin

from sendcap.scenario.durations import checked_duration, format_duration
from sendcap.scenario.problems import Place, annotation_at
from sendcap.scenario.wording import dotted, shown

_ENDS: Final = frozenset({"low", "high"})
Kind = Literal["number", "whole", "duration"]


@dataclass(frozen=True)
class Range:
    """What a value of a scenario may be.

    Attributes
    ----------
    path
        Where it stands, such as ``providers.gmail.hard[0].share``.
    low, high
        Its ends; of a duration in seconds.
    kind
        What it is: any number, a whole number, or a duration.
    """

    path: str
    low: float
    high: float
    kind: Kind = "number"

    @property
    def middle(self) -> float:
        """The value halfway."""
        return self.possible(0.5 * (self.low + self.high))

    def possible(self, value: float) -> float:
        """Return the nearest value that it can have: of a whole number a whole one."""
        return float(round(value)) if self.kind == "whole" else float(value)

    def written(self, value: float) -> float | int | str:
        """Return a value as a scenario file has it.

        Examples
        --------
        >>> Range("mta.retry.first", 300.0, 1200.0, "duration").written(450.0)
        '7.5m'
        """
        if self.kind == "duration":
            return format_duration(value)
        return int(self.possible(value)) if self.kind == "whole" else float(value)


class Split(NamedTuple):
    """A scenario with ranges, taken apart.

    Attributes
    ----------
    data
        The scenario with the middle of each range in its place.
    ranges
        In the order of the file.
    problems
        What is wrong with them, as ``path: message``.
    """

    data: dict[str, Any]
    ranges: tuple[Range, ...]
    problems: tuple[str, ...]


def split(data: Mapping[str, Any]) -> Split:
    """Take the ranges out of a scenario as TOML gives it.

    Examples
    --------
    >>> found = split({"providers": {"gmail": {"transient": {"low": 0.25, "high": 0.75}}}})
    >>> found.ranges
    (Range(path='providers.gmail.transient', low=0.25, high=0.75, kind='number'),)
    >>> found.data
    {'providers': {'gmail': {'transient': 0.5}}}
    """
    ranges: list[Range] = []
    problems: list[str] = []

    def middle(value: Any, place: Place) -> Any:
        if isinstance(value, list | tuple):
            return [middle(item, (*place, number)) for number, item in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        if set(value) != _ENDS:
            return {key: middle(item, (*place, key)) for key, item in value.items()}
        path = dotted(place)
        try:
            its = range_of(path, value["low"], value["high"], whole=_whole(place))
        except ValueError as problem:
            problems.append(f"{path}: {problem}")
            return value
        ranges.append(its)
        return its.written(its.middle)

    plain = {key: middle(item, (key,)) for key, item in data.items()}
    return Split(plain, tuple(ranges), tuple(problems))


def range_of(path: str, low: Any, high: Any, *, whole: bool = False) -> Range:
    """Return a range with ends as a scenario file has them.

    Raises
    ------
    ValueError
        If they are no numbers or durations, or the lower one is not less.
    """
    kind: Kind = "whole" if whole else "number"
    if isinstance(low, str) and isinstance(high, str):
        kind = "duration"
        ends = [_duration(low, "low"), _duration(high, "high")]
    else:
        ends = [_number(low, "low", whole=whole), _number(high, "high", whole=whole)]
    if not ends[0] < ends[1]:
        raise ValueError(f"low must be less than high, not {shown(low)} and {shown(high)}")
    return Range(path, ends[0], ends[1], kind)


def _duration(text: str, end: str) -> float:
    try:
        return checked_duration(text)
    except ValueError as problem:
        raise ValueError(f"{end}: {problem}; a range is of numbers or of durations") from None


def _number(value: Any, end: str, *, whole: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{end} = {shown(value)}: give two numbers, or two durations as text")
    if whole and not float(value).is_integer():
        raise ValueError(f"{end} = {shown(value)}: must be a whole number here")
    return float(value)


def is_whole(path_type: Any) -> bool:
    """Whether a field of this type takes whole numbers only."""
    while get_origin(path_type) is Annotated:
        path_type = get_args(path_type)[0]
    return path_type is int or int in get_args(path_type)


def _whole(place: Place) -> bool:
    return is_whole(annotation_at(place))
