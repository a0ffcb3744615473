"""Durations: text with a unit (``"20m"``, ``"3.5d"``, ``"4d12h"``) and seconds in Python."""

import math
import re
from dataclasses import dataclass
from datetime import date, time
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from sendcap.errors import SendcapError
from sendcap.text.clock import says_the_clock
from sendcap.text.quoting import did_you_mean, shown

_UNITS: Final[dict[str, Fraction]] = {
    name: size
    for size, names in (
        (Fraction(1, 1000), ("ms", "millisecond", "milliseconds", "msec")),
        (Fraction(1), ("s", "sec", "secs", "second", "seconds")),
        (Fraction(60), ("m", "min", "mins", "minute", "minutes")),
        (Fraction(3600), ("h", "hr", "hrs", "hour", "hours")),
        (Fraction(86_400), ("d", "day", "days")),
        (Fraction(604_800), ("w", "week", "weeks")),
    )
    for name in names
}
"""Seconds of each unit."""
_PART: Final = re.compile(
    r"\s*(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)\s*([a-zA-Z]+)\s*", re.ASCII
)
_LONGEST_TEXT: Final = 100
_REMEMBERED: Final = 4096
"""Texts and times: a sweep reads and writes the same ones for each of its points."""
_LONGEST_FIELD_S: Final = 100 * 365.25 * 86_400
_SHORTEST_FIELD_S: Final = 1e-6
"""A microsecond: below it, a time is a slip, and so many of them fill no day."""
_EXAMPLE: Final = 'give a number with a unit (ms, s, m, h, d or w), for example "20m" or "4d12h"'
_MOMENT: Final = f"{{}} is a moment, and a duration is needed; {_EXAMPLE}"


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
    if isinstance(text, date | time):
        raise ValueError(_MOMENT.format(shown(str(text))))  # noqa: TRY004 (pydantic)
    if not isinstance(text, str):
        raise ValueError(f"{shown(text)} has no unit; {_EXAMPLE}")  # noqa: TRY004 (pydantic)
    if text.strip().startswith(("-", "\N{MINUS SIGN}")):
        raise ValueError(f"{shown(text)} is negative; a duration is zero or more")
    try:
        return _parsed(text)
    except ValueError:
        if says_the_clock(text):
            raise ValueError(_MOMENT.format(shown(text))) from None
        raise


@lru_cache(_REMEMBERED)
def _parsed(text: str) -> float:
    total = Fraction(0)
    smallest: Fraction | None = None
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None or len(text) > _LONGEST_TEXT:
            raise ValueError(f"{shown(text)} is not a duration; {_EXAMPLE}")
        unit = part[2]
        if unit not in _UNITS:
            hint = did_you_mean(unit, _UNITS, least=0.65) or "; units: ms s m h d w"
            raise ValueError(f"unknown unit {shown(unit)} in {shown(text)}{hint}")
        size = _UNITS[unit]
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


def as_seconds(time: float | str, name: str) -> float:
    """Return seconds, or the seconds of a duration's text; errors begin with the name."""
    if not isinstance(time, str):
        return float(time)
    try:
        return checked_duration(time)
    except ValueError as error:
        raise SendcapError(f"{name}: {error}") from error


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
    candidates = [_written(float(exact / _UNITS[unit]), unit) for unit in units]
    if exact.denominator == 1 and exact < _UNITS["w"] * 1000:
        candidates.append(_compound(int(exact)))
    faithful = [text for text in candidates if _reads_back(text, seconds)]
    faithful.append(_written(seconds, "s"))
    return min(faithful, key=lambda text: (len(text), "e" in text, "." in text))


def _written(number: float, unit: str) -> str:
    return repr(number).removesuffix(".0") + unit


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
    """Read a duration as a field of a scenario: 0, or from a microsecond to 100 years."""
    seconds = parse_duration(value)
    if seconds > _LONGEST_FIELD_S:
        raise ValueError(f"{shown(value)} is more than 100 years")
    if 0.0 < seconds < _SHORTEST_FIELD_S:
        raise ValueError(f"{shown(value)} is less than a microsecond; the least is 0.001ms")
    return seconds


DURATION_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "title": "Duration",
    "description": "numbers with units (ms, s, m, h, d, w), the larger unit first",
    "examples": ["300ms", "20m", "3.5d", "4d12h"],
}


@dataclass(frozen=True)
class DurationText:
    """An annotation of seconds that a scenario file writes as text with a unit.

    The bounds themselves are allowed; without ``least`` all above zero is.

    >>> DurationText(least="1s").read("500ms")
    Traceback (most recent call last):
    ValueError: must be at least 1s, not "500ms"
    """

    least: str | None = None
    most: str | None = None
    zero: bool = False  # whether zero is allowed

    def read(self, value: Any) -> float:
        """Read a duration within the bounds."""
        seconds = checked_duration(value)
        if self.least and seconds < parse_duration(self.least):
            raise ValueError(f"must be at least {self.least}, not {shown(value)}")
        if seconds <= 0 and not self.zero:
            raise ValueError(f"must be more than zero, not {shown(value)}")
        if self.most and seconds > parse_duration(self.most):
            raise ValueError(f"must be at most {self.most}, not {shown(value)}")
        return seconds

    @property
    def json_schema(self) -> dict[str, Any]:
        """The schema for editors."""
        bound = f"; at least {self.least}" if self.least else ""
        return {**DURATION_SCHEMA, "description": f"{DURATION_SCHEMA['description']}{bound}"}

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Read and write text, whatever the annotated type."""
        write = core_schema.plain_serializer_function_ser_schema(format_duration)
        return core_schema.no_info_plain_validator_function(self.read, serialization=write)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema for editors."""
        return self.json_schema


Duration = Annotated[float, DurationText(zero=True)]
"""Seconds, zero or more; text with a unit in a scenario file."""

PositiveDuration = Annotated[float, DurationText()]
"""Seconds, more than zero; text with a unit in a scenario file."""
