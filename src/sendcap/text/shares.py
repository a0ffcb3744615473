"""Shares, confidences and points as people write them: ``99%``, ``0.99``, ``0.1pt``."""

from __future__ import annotations

import math
import re
from typing import Final

from sendcap.errors import SendcapError

_NUMBER: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*", re.ASCII)
_POINTS: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(?:pt|pts|point|points)?\s*", re.ASCII)


def parse_share(value: float | str, what: str = "share", *, whole: bool = True) -> float:
    """Read a share: a number up to 1, or text with a percent sign.

    Parameters
    ----------
    what
        What an error message calls it.
    whole
        Whether all, 1 or 100%, is allowed.

    Raises
    ------
    SendcapError
        If it is not a number, not more than 0, or more than there is.

    Examples
    --------
    >>> parse_share("99%"), parse_share("0.99"), parse_share(0.5)
    (0.99, 0.99, 0.5)
    """
    share = value
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        if found is None:
            raise SendcapError(f'{what}: "{value}" is not a share; write one like "99%" or "0.99"')
        # By division, so that 99% is the same number as 0.99.
        share = float(found[1]) / 100.0 if found[2] else float(found[1])
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise SendcapError(f"{what}: must be a number, not {value!r}")
    if not (0.0 < share <= 1.0 if whole else 0.0 < share < 1.0):
        most = "at most 100%" if whole else "less than 100%"
        raise SendcapError(f'{what}: must be more than 0 and {most}, such as "99%", not {value}')
    return float(share)


def share_text(share: float) -> str:
    """Write a share as a percentage, with as many digits as it has.

    Examples
    --------
    >>> share_text(0.95), share_text(0.995)
    ('95%', '99.5%')
    """
    return f"{100.0 * share:.6g}%"


def parse_points(value: float | str, what: str) -> float:
    """Read a number of percentage points: what two percentages differ by.

    Parameters
    ----------
    what
        What an error message calls it.

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
        found = _POINTS.fullmatch(value)
        if found is None:
            raise SendcapError(
                f'{what}: "{value}" is not a number of points; write one like "0.1pt"'
            )
        points = float(found[1])
    if isinstance(points, bool) or not isinstance(points, int | float):
        raise SendcapError(f"{what}: must be a number of points, not {value!r}")
    if not 0.0 < points < math.inf:
        raise SendcapError(f'{what}: must be above 0 points, such as "0.1pt", not {value}')
    return float(points)
