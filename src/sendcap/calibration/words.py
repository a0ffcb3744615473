"""How estimates are written to be read."""

from __future__ import annotations

import math
from collections.abc import Callable

from sendcap.calibration.times import Figure


def seconds(value: float) -> str:
    """Return a time in words: three digits, and a unit."""
    from sendcap.text.quantities import elapsed

    if not math.isfinite(value):
        return "never"
    if value < 1.0:
        return f"{1000 * value:.3g}ms"
    return f"{value:.3g}s" if value < 100.0 else elapsed(value)


def percent(value: float) -> str:
    """Return a share in words."""
    return f"{100 * value:.3g}"


def told(figure: Figure, write: Callable[[float], str]) -> str:
    """Return an estimate and its interval in words."""
    unit = " %" if write is percent else ""
    middle = f"{write(figure.value)}{unit}"
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return middle
    return f"{middle} ({write(figure.low)} to {write(figure.high)}{unit})"
