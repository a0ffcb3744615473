"""Elapsed time, written to be read: ``3d 12h``, ``1h 5m``, ``45s``."""

from __future__ import annotations

import math
from itertools import pairwise

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def elapsed(seconds: float) -> str:
    """Return a time in its two largest units, rounded to the smaller of them.

    Examples
    --------
    >>> elapsed(302_400)
    '3d 12h'
    >>> elapsed(86_399.9)
    '1d'
    >>> elapsed(0.25)
    '0.25s'
    """
    if seconds < 60:
        return f"{seconds:.3g}s" if round(seconds, 3) < 60 else "1m"
    for (name, unit), (smaller_name, smaller) in pairwise(_UNITS):
        # The smaller unit is rounded first, so that 59m 59.9s reads 1h and not 60m.
        count, rest = divmod(round(seconds / smaller), unit // smaller)
        if count:
            return f"{count}{name} {rest}{smaller_name}" if rest else f"{count}{name}"
    return f"{seconds:.0f}s"


def precise(seconds: float) -> str:
    """Return a measured time with three digits; from 100 s on, in its two largest units.

    Examples
    --------
    >>> precise(0.0123), precise(5.0), precise(3661), precise(float("inf"))
    ('12.3ms', '5s', '1h 1m', 'never')
    """
    if not math.isfinite(seconds):
        return "never"
    if seconds < 1.0:
        return f"{1000 * seconds:.3g}ms"
    return f"{seconds:.3g}s" if seconds < 100.0 else elapsed(seconds)
