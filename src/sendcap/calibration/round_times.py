"""Round times near measured ones: who sets an interval writes a round one."""

import math
from typing import Any, Final

from sendcap.scenario import format_duration

_ROUND_S: Final = (1, 5, 10, 20, 30, 60, 100, 300, 600, 900, 1000, 1800, 3600)
_DAY_S: Final = 86_400
NEAR: Final = (0.04, 0.01, 0.0025)
_LATE_S: Final = 3.0


def written(seconds: float) -> Any:
    """Return seconds as the policies of a scenario take them."""
    return format_duration(float(max(seconds, 1.0)))


def nearest_round(seconds: float, within: float = NEAR[0]) -> float:
    """Return the roundest time within a share, or three seconds for an attempt that was late.

    >>> nearest_round(1190.0), nearest_round(437.0, 0.01), nearest_round(301.4, 0.0025)
    (1200.0, 440.0, 300.0)
    """
    within = min(NEAR[0], max(within, _LATE_S / max(seconds, _LATE_S)))
    for unit in reversed(_ROUND_S):
        near = round(seconds / unit) * unit
        if near and abs(near - seconds) <= within * seconds:
            return float(near)
    return max(round(seconds, 1), 1.0)


def near_rounds(seconds: float) -> set[float]:
    """Return round times close to a time, and rounder ones farther off."""
    return {nearest_round(seconds, within) for within in NEAR}


def roundest(low_s: float, high_s: float) -> float:
    """Return the roundest time of an interval; the upper end if there is none.

    >>> roundest(3900.0, 4200.0), roundest(13.2, 13.7), roundest(80_000.0, 90_000.0)
    (4000.0, 13.7, 86400.0)
    """
    for unit in (_DAY_S, *reversed(_ROUND_S)):
        first = math.ceil(low_s / unit) * unit
        if 0 < first <= high_s:
            return float(first)
    return float(max(high_s, 1.0))
