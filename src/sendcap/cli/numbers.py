"""Numbers as the tables of studies write them: points, percentages and times, with their bands."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from sendcap.text.quantities import elapsed

Write = Callable[[float], str]


def percent(value: float) -> str:
    """Return a percentage, without the sign."""
    return f"{value:.2f}"


def points(value: float) -> str:
    """Return a number of points to about three digits.

    Examples
    --------
    >>> [points(value) for value in (67.51, 1.2345, 0.1741, 0.000185, 0.0)]
    ['67.5', '1.23', '0.174', '0.0002', '0']
    """
    size = abs(value)
    if size < 5e-5:
        return "0"
    decimals = 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.01 else 4
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """Return a number of points with its sign."""
    text = points(value)
    return f"+{text}" if value > 0 and text != "0" else text


def longer(seconds: float) -> str:
    """Return a difference of times with its sign.

    Examples
    --------
    >>> longer(1503.0), longer(-27.0), longer(0.0)
    ('+25m 3s', '−27s', '0s')
    """
    text = elapsed(abs(seconds))
    if text == elapsed(0.0):
        return text
    return f"+{text}" if seconds > 0 else f"\N{MINUS SIGN}{text}"


def banded(row: Mapping[str, Any], write: Write) -> str:
    """Return a median and the band around it, or the median alone where they read the same."""
    return bracketed(row["median"], row["low"], row["high"], write)


def bracketed(middle: float, low: float, high: float, write: Write) -> str:
    """Return a number and the ends of what is around it, such as ``5m (4m to 6m)``."""
    if math.isnan(middle):
        return "–"
    texts = [write(value) for value in (middle, low, high) if not math.isnan(value)]
    if len(set(texts)) == 1:
        return texts[0]
    return f"{texts[0]} ({texts[1]} to {texts[2]})"
