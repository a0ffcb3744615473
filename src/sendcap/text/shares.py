"""Shares, percentages and percentage points: ``99%`` is read, ``99 %`` is written."""

import math
import re
from typing import Final

from sendcap.errors import SendcapError
from sendcap.text.quantities import MINUS, NOTHING

_NUMBER: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(|%|pts?|points?)\s*", re.ASCII)


def parse_share(value: float | str, what: str = "share", *, whole: bool = True) -> float:
    """Read a share: a number up to 1, or text with a percent sign.

    ``what`` is the name in an error message; ``whole`` allows 1, or 100%.

    >>> parse_share("99%"), parse_share("0.99"), parse_share(0.5)
    (0.99, 0.99, 0.5)
    """
    # Percents are divided, so that 99% is the same number as 0.99.
    share = _parsed(value, what, {"": 1, "%": 100}, "a share", '"99%" or "0.99"')
    if not (0.0 < share <= 1.0 if whole else 0.0 < share < 1.0):
        limit = "at most 100%" if whole else "less than 100%"
        raise SendcapError(f'{what}: must be more than 0 and {limit}, such as "99%", not {value}')
    return share


def parse_points(value: float | str, what: str) -> float:
    """Read a number of percentage points above 0.

    >>> parse_points("0.1pt", "tolerance"), parse_points("0.5", "tolerance")
    (0.1, 0.5)
    """
    units = dict.fromkeys(("", "pt", "pts", "point", "points"), 1)
    points = _parsed(value, what, units, "a number of points", '"0.1pt"')
    if not 0.0 < points < math.inf:
        raise SendcapError(f'{what}: must be above 0 points, such as "0.1pt", not {value}')
    return points


def _parsed(value: float | str, what: str, units: dict[str, int], noun: str, like: str) -> float:
    """Return a number, or that of a text, divided by the value of its unit."""
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value)
        if match is None or match[2] not in units:
            raise SendcapError(f'{what}: "{value}" is not {noun}; write one like {like}')
        return float(match[1]) / units[match[2]]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SendcapError(f"{what}: must be {noun}, not {value!r}")
    return float(value)


def share_text(share: float) -> str:
    """Return a share as a percentage, with as many digits as it has.

    >>> share_text(0.95), share_text(0.995)
    ('95 %', '99.5 %')
    """
    return f"{100.0 * share:.6g} %"


def rounded_share(share: float, decimals: int = 0) -> str:
    """Return a share as a percentage with a number of decimals.

    >>> rounded_share(0.5731), rounded_share(0.0084, 1)
    ('57 %', '0.8 %')
    """
    return f"{100.0 * share:.{decimals}f} %"


def brief_share(share: float) -> str:
    """Return a share as a percentage to three digits.

    >>> brief_share(0.5731), brief_share(0.0084)
    ('57.3 %', '0.84 %')
    """
    return f"{100.0 * share:.3g} %"


def percent_down(share: float) -> str:
    """Return a share in percent, to four significant digits and rounded down.

    >>> percent_down(0.99), percent_down(0.999_96), percent_down(0.0)
    ('99 %', '99.99 %', '0 %')
    """
    return f"{math.floor(share * 1e4 + 1e-9) / 100:g} %"


def percentage(value: float) -> str:
    """Return a percentage for a table, without the sign; ``–`` for NaN.

    >>> percentage(98.765), percentage(float("nan"))
    ('98.77', '–')
    """
    return NOTHING if math.isnan(value) else f"{value:.2f}"


def points(value: float) -> str:
    """Return a number of points to about three digits; ``–`` for NaN.

    >>> [points(value) for value in (67.51, 1.2345, 0.1741, 0.000185, 0.0)]
    ['67.5', '1.23', '0.174', '0.0002', '0']
    """
    if math.isnan(value):
        return NOTHING
    size = abs(value)
    if size < 5e-5:
        return "0"
    decimals = 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.01 else 4
    return f"{value:.{decimals}f}".replace("-", MINUS)


def signed_points(value: float) -> str:
    """Return a number of points with its sign.

    >>> signed_points(0.1741), signed_points(-2.0), signed_points(0.0)
    ('+0.174', '−2.00', '0')
    """
    text = points(value)
    return f"+{text}" if value > 0 and text != "0" else text


def points_in_words(tolerance_pt: float) -> str:
    """Return a tolerance in points with the noun.

    >>> points_in_words(1.0), points_in_words(0.5)
    ('1 point', '0.5 points')
    """
    return f"{tolerance_pt:g} {'point' if tolerance_pt == 1.0 else 'points'}"
