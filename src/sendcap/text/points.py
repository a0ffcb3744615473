"""Percentage points: what two percentages differ by, read and written."""

from __future__ import annotations

import math
import re
from typing import Final

from sendcap.errors import SendcapError
from sendcap.text.quantities import MINUS

_POINTS: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(?:pt|pts|point|points)?\s*", re.ASCII)


def parse_points(value: float | str, what: str) -> float:
    """Read a number of percentage points.

    Parameters
    ----------
    what
        Name in an error message.

    Raises
    ------
    SendcapError
        If it is not a number above 0.

    Examples
    --------
    >>> parse_points("0.1pt", "tolerance"), parse_points("0.5", "tolerance")
    (0.1, 0.5)
    """
    points = value
    if isinstance(value, str):
        match = _POINTS.fullmatch(value)
        if match is None:
            raise SendcapError(
                f'{what}: "{value}" is not a number of points; write one like "0.1pt"'
            )
        points = float(match[1])
    if isinstance(points, bool) or not isinstance(points, int | float):
        raise SendcapError(f"{what}: must be a number of points, not {value!r}")
    if not 0.0 < points < math.inf:
        raise SendcapError(f'{what}: must be above 0 points, such as "0.1pt", not {value}')
    return float(points)


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
    return f"{value:.{decimals}f}".replace("-", MINUS)


def signed_points(value: float) -> str:
    """Return a number of points with its sign.

    Examples
    --------
    >>> signed_points(0.1741), signed_points(-2.0), signed_points(0.0)
    ('+0.174', '−2.00', '0')
    """
    text = points(value)
    return f"+{text}" if value > 0 and text != "0" else text


def points_in_words(tolerance_pt: float) -> str:
    """Return a tolerance in points with the noun.

    Examples
    --------
    >>> points_in_words(1.0), points_in_words(0.5)
    ('1 point', '0.5 points')
    """
    return f"{tolerance_pt:g} {'point' if tolerance_pt == 1.0 else 'points'}"
