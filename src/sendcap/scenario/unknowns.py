"""Values that are not known: ``share = { low = 0.002, high = 0.02 }`` in a scenario file.

Such a range stands where a scenario file has a number, a duration or a rate. It is not
``{ dist = "uniform", … }``, which is a quantity that differs from message to message: a range has
one value, the same for all, that nobody knows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin

from sendcap.errors import SendcapError
from sendcap.scenario.problems import Place, annotation_at
from sendcap.scenario.ranges import Range
from sendcap.text.quoting import dotted

_ENDS: Final = frozenset({"low", "high"})


class Split(NamedTuple):
    """A scenario with ranges, taken apart.

    Attributes
    ----------
    data
        The scenario with the middle of each range in its place.
    ranges
        By path, in the order of the file.
    problems
        What is wrong with them, as ``path: message``.
    """

    data: dict[str, Any]
    ranges: dict[str, Range]
    problems: tuple[str, ...]


def split(data: Mapping[str, Any]) -> Split:
    """Take the ranges out of a scenario as TOML gives it.

    Examples
    --------
    >>> found = split({"providers": {"gmail": {"transient": {"low": 0.25, "high": 0.75}}}})
    >>> found.ranges
    {'providers.gmail.transient': Range(low=0.25, high=0.75, log=False)}
    >>> found.data
    {'providers': {'gmail': {'transient': 0.5}}}
    """
    ranges: dict[str, Range] = {}
    problems: list[str] = []

    def known(value: Any, place: Place) -> Any:
        if isinstance(value, list | tuple):
            return [known(item, (*place, number)) for number, item in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        if set(value) != _ENDS:
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
    """Return the range of a value, which is of whole numbers only if the value must be one.

    Raises
    ------
    SendcapError
        If it is no range, or none of whole numbers where these are needed.
    """
    its = Range(low, high)
    if isinstance(low, str):
        return its
    if not _is_whole(annotation_at(place)):
        return Range(float(low), float(high))
    if not (float(low).is_integer() and float(high).is_integer()):
        raise SendcapError(f"{its}: must be whole numbers here")
    return Range(int(low), int(high))


def _is_whole(kind: Any) -> bool:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind is int or int in get_args(kind)
