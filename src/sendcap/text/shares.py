"""Shares and percentages, read and written: ``99%``, ``0.99``, ``98.77``."""

from __future__ import annotations

import math
import re
from typing import Final

from sendcap.errors import SendcapError
from sendcap.text.quantities import NOTHING

_NUMBER: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*", re.ASCII)


def parse_share(value: float | str, what: str = "share", *, whole: bool = True) -> float:
    """Read a share: a number up to 1, or text with a percent sign.

    Parameters
    ----------
    what
        Name in an error message.
    whole
        Allow 1, or 100%.

    Raises
    ------
    SendcapError
        If it is not a number, not above 0, or above 1.

    Examples
    --------
    >>> parse_share("99%"), parse_share("0.99"), parse_share(0.5)
    (0.99, 0.99, 0.5)
    """
    share = value
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value)
        if match is None:
            raise SendcapError(f'{what}: "{value}" is not a share; write one like "99%" or "0.99"')
        # By division, so that 99% is the same number as 0.99.
        share = float(match[1]) / 100.0 if match[2] else float(match[1])
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise SendcapError(f"{what}: must be a number, not {value!r}")
    if not (0.0 < share <= 1.0 if whole else 0.0 < share < 1.0):
        limit = "at most 100%" if whole else "less than 100%"
        raise SendcapError(f'{what}: must be more than 0 and {limit}, such as "99%", not {value}')
    return float(share)


def share_text(share: float) -> str:
    """Write a share as a percentage, with as many digits as it has.

    Examples
    --------
    >>> share_text(0.95), share_text(0.995)
    ('95%', '99.5%')
    """
    return f"{100.0 * share:.6g}%"


def percent_down(share: float) -> str:
    """Write a share in percent, to four significant digits and rounded down.

    Examples
    --------
    >>> percent_down(0.99), percent_down(0.999_96), percent_down(0.0)
    ('99 %', '99.99 %', '0 %')
    """
    return f"{math.floor(share * 1e4 + 1e-9) / 100:g} %"


def percentage(value: float) -> str:
    """Return a percentage for a table, without the sign; ``–`` for NaN.

    Examples
    --------
    >>> percentage(98.765), percentage(float("nan"))
    ('98.77', '–')
    """
    return NOTHING if math.isnan(value) else f"{value:.2f}"
