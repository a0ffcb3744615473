"""When counts of a ledger have reached a share of a number: the moments that a run states.

A ledger knows how many events there were in each bin, and not when within it. At the end of a bin
it knows all. So a reading states the end of the bin by which something has been reached. Then
moments are in an order that is possible, since what must come first is counted in the same bin or
before; none is before the start of a delivery; and the dashboard of a stated moment shows what is
said of it.

Searches and sweeps, which follow a moment over many simulations, estimate it within a bin instead,
so that a small change shows; see `sendcap.study.replication.measures.accepted_share_s`.
"""

import math
from typing import Final

from sendcap.ledger import SparseCounts

_ROUNDING: Final = 1e-12
"""Share by which a share of a number, or a sum of expected counts, is not exact."""
_DIGITS: Final = 6
"""A microsecond; the product of a bin's width is not exact either."""


def reached_s(counts: SparseCounts, bin_s: float, share: float, of: float | None = None) -> float:
    """Return the end of the bin by which a share of a number has been reached.

    Parameters
    ----------
    counts
        The events in each bin.
    bin_s
        Width of a bin in seconds.
    share
        Share above 0, at most 1.
    of
        The number (default: all events).

    Returns
    -------
    float
        Seconds from t = 0; infinite where so many never come, or the number is 0.
    """
    total = float(counts.counts.sum())
    wanted = share * (total if of is None else of) * (1.0 - _ROUNDING)
    if not 0.0 < wanted <= total:
        return math.inf
    last, _, _ = counts.reached(wanted)
    return round((last + 1) * bin_s, _DIGITS)
