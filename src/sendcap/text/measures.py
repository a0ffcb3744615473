"""A measure's value in the unit that its name ends with, and values with a band around them."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from sendcap.text.quantities import NOTHING, elapsed

Write = Callable[[float], str]


def is_time(measure: str) -> bool:
    """Tell whether a measure is a time in seconds."""
    # Names of several values go on after a dot.
    name = measure.partition(".")[0]
    return name.endswith("_s") and not name.endswith("_per_s")


def is_percentage(measure: str) -> bool:
    """Tell whether a measure is a percentage, or a difference of two in points."""
    return measure.partition(".")[0].endswith(("_pct", "_pt"))


def number(value: float) -> str:
    """Return a number without a unit: all digits of an integer, four of a fraction.

    >>> number(1234.0), number(3.14159), number(98_765.4)
    ('1,234', '3.142', '98,765')
    """
    return f"{value:,.0f}" if value.is_integer() or abs(value) >= 1000.0 else f"{value:,.4g}"


def measure_text(measure: str, value: float, write: Write = number) -> str:
    """Return a measure's value; ``write`` is for values without a unit, `compact` in charts.

    >>> measure_text("accepted_99_pct_s", 5400.0), measure_text("truth_pct", 98.765)
    ('1h 30m', '98.77')
    """
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞"
    if is_time(measure):
        return elapsed(value)
    return f"{value:.2f}" if is_percentage(measure) else write(value)


def bracketed(middle: float, low: float, high: float, write: Write) -> str:
    """Return a value and the ends of a band, or the value alone where all read the same.

    >>> bracketed(5.0, 4.0, 6.0, str), bracketed(5.0, 5.0, 5.0, str)
    ('5.0 (4.0 to 6.0)', '5.0')
    """
    if math.isnan(middle):
        return NOTHING
    texts = [write(value) for value in (middle, low, high) if not math.isnan(value)]
    if len(set(texts)) == 1:
        return texts[0]
    return f"{texts[0]} ({texts[1]} to {texts[2]})"


def banded(row: Mapping[Any, Any], write: Write) -> str:
    """Return the columns ``median``, ``low`` and ``high`` of a row; see `bracketed`."""
    return bracketed(row["median"], row["low"], row["high"], write)
