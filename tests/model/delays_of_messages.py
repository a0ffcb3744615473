"""Delays message by message, beside those that a ledger has counted by code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sendcap.ledger import SparseCounts
from sendcap.ledger.delays import lowest_s


def hold(counts: SparseCounts, delays_s: Sequence[float]) -> bool:
    """Tell whether counts are those of the delays; a sum of floats may be an edge of the scale."""
    codes = np.repeat(counts.bins, counts.counts)
    exact_s = np.sort(delays_s)
    return len(codes) == len(exact_s) and bool(
        np.all(lowest_s(codes) <= exact_s + 1e-6) and np.all(exact_s - 1e-6 < lowest_s(codes + 1))
    )
