"""The nightly aggregation of Dynamic reporting: 02:00 by the clock."""

import math
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Final

from sendcap.text.clock import after, time_on

_AT: Final = time(2)
"""Campaign's technical workflow *reportingAggregates* runs then, every day."""
_DAY_S: Final = 86_400.0


def last_night_s(t_s: float, start: datetime | None) -> float | None:
    """Return the last aggregation at or before a moment; None before the first one.

    Where daylight saving skips 02:00 it is the moment of the change; of two 02:00 it is the first.
    Without a start nights count from t = 0: the first one is at 1 d. One at t = 0 itself has seen
    no message, and counts as none.
    """
    if start is None:
        # The rounding of the division is forgiven.
        nights = math.floor(t_s / _DAY_S * (1 + 1e-12))
        return nights * _DAY_S if nights > 0 else None
    earlier = [night_s for night_s in _around(t_s, start) if 0.0 < night_s <= t_s]
    return max(earlier, default=None)


def first_night_s(start: datetime | None) -> float:
    """Return the first aggregation, which is after t = 0."""
    if start is None:
        return _DAY_S
    return min(night_s for night_s in _around(0.0, start) if night_s > 0.0)


def _around(t_s: float, start: datetime) -> Iterator[float]:
    """Yield the nights around a moment."""
    today = after(start, t_s).date()
    for days in (-1, 0, 1):
        yield time_on(today + timedelta(days=days), _AT, start)
