"""Durations: text with a unit (``"20m"``, ``"3.5d"``, ``"4d12h"``) and seconds in Python."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    PlainSerializer,
    WithJsonSchema,
)

from sendcap.errors import SendcapError
from sendcap.text.quoting import did_you_mean, shown

_UNITS: Final[dict[str, Fraction]] = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86_400),
    "w": Fraction(604_800),
}
_LONG_UNITS: Final[dict[str, str]] = {
    **dict.fromkeys(("millisecond", "milliseconds", "msec"), "ms"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
}
_SHORT: Final[dict[str, str]] = {**{unit: unit for unit in _UNITS}, **_LONG_UNITS}
_PART: Final = re.compile(
    r"\s*(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)\s*([a-zA-Z]+)\s*", re.ASCII
)
_LONGEST_TEXT: Final = 100
_REMEMBERED: Final = 4096
"""Texts and times: a sweep reads and writes the same ones for each of its points."""
_LONGEST_FIELD_S: Final = 100 * 365.25 * 86_400
_EXAMPLE: Final = 'give a number with a unit (ms, s, m, h, d or w), for example "20m" or "4d12h"'


def parse_duration(text: str) -> float:
    """Read a duration.

    Parameters
    ----------
    text
        One or more numbers with units, the larger unit first: ``"20m"``, ``"3.5d"``,
        ``"1h30m"``, ``"300ms"``, ``"2 hours"``. Units: ms, s, m, h, d, w and their long names.

    Returns
    -------
    float
        Seconds, the float nearest to the exact value of the text.

    Raises
    ------
    ValueError
        Without a unit, with an unknown unit, negative, infinite or not a number.

    Examples
    --------
    >>> parse_duration("1h30m")
    5400.0
    """
    if not isinstance(text, str):
        raise ValueError(f"{shown(text)} has no unit; {_EXAMPLE}")  # noqa: TRY004 (pydantic)
    if text.strip().startswith(("-", "\N{MINUS SIGN}")):
        raise ValueError(f"{shown(text)} is negative; a duration is zero or more")
    return _parsed(text)


@lru_cache(_REMEMBERED)
def _parsed(text: str) -> float:
    total = Fraction(0)
    smallest: Fraction | None = None
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None or len(text) > _LONGEST_TEXT:
            raise ValueError(f"{shown(text)} is not a duration; {_EXAMPLE}")
        size = _unit(part[2], text)
        if smallest is not None and size >= smallest:
            raise ValueError(f"{shown(text)}: write each unit once, the larger ones first")
        smallest = size
        total += Fraction(part[1]) * size
        position = part.end()
    if smallest is None:
        raise ValueError(f"{shown(text)} is not a duration; {_EXAMPLE}")
    try:
        return float(total)
    except OverflowError:
        raise ValueError(f"{shown(text)} is too long; a duration must be finite") from None


def _unit(unit: str, text: str) -> Fraction:
    if unit not in _SHORT:
        hint = did_you_mean(unit, _SHORT) or "; units: ms s m h d w"
        raise ValueError(f"unknown unit {shown(unit)} in {shown(text)}{hint}")
    return _UNITS[_SHORT[unit]]


def as_seconds(time: float | str, what: str) -> float:
    """Return a time in seconds, from seconds or the text of a duration.

    Raises
    ------
    SendcapError
        If the text is not a duration; the message begins with ``what``.
    """
    if not isinstance(time, str):
        return float(time)
    try:
        return parse_duration(time)
    except ValueError as error:
        raise SendcapError(f"{what}: {error}") from error


def format_duration(seconds: float) -> str:
    """Write a duration: the shortest text that reads back as exactly the same float.

    Parameters
    ----------
    seconds
        Zero or more, finite.

    Examples
    --------
    >>> [format_duration(s) for s in (1200, 388_800, 0.3, 5400, 86_401)]
    ['20m', '108h', '0.3s', '90m', '1d1s']
    """
    seconds = float(seconds)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{seconds!r} is not a duration: it must be finite and zero or more")
    return "0s" if seconds == 0 else _formatted(seconds)


@lru_cache(_REMEMBERED)
def _formatted(seconds: float) -> str:
    exact = Fraction(seconds)
    # Weeks are read but never written: people say "14d".
    units = ("m", "h", "d") if seconds >= 1 else ("ms", "m", "h", "d")
    candidates = [f"{_decimal(float(exact / _UNITS[unit]))}{unit}" for unit in units]
    if exact.denominator == 1 and exact < _UNITS["w"] * 1000:
        candidates.append(_compound(int(exact)))
    faithful = [text for text in candidates if _reads_back(text, seconds)]
    faithful.append(f"{_decimal(seconds)}s")
    return min(faithful, key=lambda text: (len(text), "." in text))


def _decimal(number: float) -> str:
    text = repr(number)
    return text.removesuffix(".0")


def _reads_back(text: str, seconds: float) -> bool:
    try:
        return parse_duration(text) == seconds
    except ValueError:
        return False


def _compound(seconds: int) -> str:
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, int(_UNITS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def checked_duration(value: Any) -> float:
    """Read a duration as a field of a scenario: no longer than 100 years."""
    seconds = parse_duration(value)
    if seconds > _LONGEST_FIELD_S:
        raise ValueError(f"{shown(value)} is more than 100 years")
    return seconds


def duration_within(least: str | None = None, most: str | None = None) -> Callable[[Any], float]:
    """Return a reader of durations that refuses what is not more than zero, or out of bounds.

    Parameters
    ----------
    least, most
        The bounds, which are themselves allowed; without ``least`` all above zero is.

    Examples
    --------
    >>> duration_within("1s")("500ms")
    Traceback (most recent call last):
    ValueError: must be at least 1s, not "500ms"
    """
    least_s = parse_duration(least) if least else 0.0
    most_s = parse_duration(most) if most else math.inf

    def read(value: Any) -> float:
        seconds = checked_duration(value)
        if least and seconds < least_s:
            raise ValueError(f"must be at least {least}, not {shown(value)}")
        if seconds <= 0:
            raise ValueError(f"must be more than zero, not {shown(value)}")
        if seconds > most_s:
            raise ValueError(f"must be at most {most}, not {shown(value)}")
        return seconds

    return read


DURATION_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "title": "Duration",
    "description": "numbers with units (ms, s, m, h, d, w), the larger unit first",
    "examples": ["300ms", "20m", "3.5d", "4d12h"],
}

Duration = Annotated[
    float,
    BeforeValidator(checked_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(DURATION_SCHEMA),
]
"""Seconds, zero or more; text with a unit in a scenario file."""

PositiveDuration = Annotated[
    float,
    BeforeValidator(duration_within(), json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(DURATION_SCHEMA),
]
"""Seconds, more than zero; text with a unit in a scenario file."""
