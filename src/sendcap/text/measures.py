"""A measure's value in the unit that its name ends with: ``_s``, ``_pct``, ``_pt`` or none."""

from __future__ import annotations

import math

from sendcap.text.bands import Write
from sendcap.text.quantities import NOTHING, elapsed


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

    Examples
    --------
    >>> number(1234.0), number(3.14159), number(98_765.4)
    ('1,234', '3.142', '98,765')
    """
    return f"{value:,.0f}" if value.is_integer() or abs(value) >= 1000.0 else f"{value:,.4g}"


def measure_text(measure: str, value: float, write: Write = number) -> str:
    """Return a measure's value.

    Parameters
    ----------
    write
        For values without a unit; `sendcap.text.quantities.compact` in charts.

    Examples
    --------
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
