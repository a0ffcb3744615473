"""The values of KumoMTA's settings: limits, throttles, durations."""

from __future__ import annotations

import re
from typing import Any, Final

from sendcap.scenario.durations import parse_duration
from sendcap.scenario.rates import Rate
from sendcap.text.quoting import shown

_LIMIT: Final = re.compile(r"(?:local:)?(\d[\d_,]{0,30})", re.ASCII)


def limit_of(value: Any) -> int:
    """Read a limit: a number, or ``"local:5"`` or ``"1,000"`` as text.

    Raises
    ------
    ValueError
        If it is none.

    References
    ----------
    KumoMTA, ``crates/throttle/src/lib.rs`` (``LimitSpec``).

    Examples
    --------
    >>> limit_of(10), limit_of("local:1,000")
    (10, 1000)
    """
    number = value
    if isinstance(value, str):
        found = _LIMIT.fullmatch(value)
        number = int(re.sub("[_,]", "", found[1])) if found else None
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"must be a whole number from 1, not {shown(value)}")
    return number


def rate_of(value: Any) -> Rate:
    """Read a throttle, such as ``"100/min,max_burst=1"``; see `sendcap.scenario.rates.Rate`."""
    return Rate.parse(value)


def seconds_of(value: Any) -> float:
    """Read a duration, such as ``"90m"`` or ``"2 hours"``; a bare number is seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e10:
        return float(value)
    return parse_duration(value)
