"""The arrival pattern, approximated by a few deliveries."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Floats

_MOST: Final = 24
_LEAST_MESSAGES: Final = 200
_OFF: Final = 0.02
"""A stretch is split where the count is off by more than this share of all messages."""
_AT_ONCE_S: Final = 1.0


class Stretch(NamedTuple):
    """A stretch of evenly spaced arrivals.

    Attributes
    ----------
    at_s, spread_s
        Beginning, counted from the first arrival, and length.
    share
        Share of all messages.
    """

    at_s: float
    spread_s: float
    share: float


def stretches(arrived_s: Floats) -> list[Stretch]:
    """Approximate arrivals by at most 24 stretches of even arrivals.

    The curve of arrivals is cut repeatedly where it is farthest from a straight line, as lines on
    maps are simplified.

    References
    ----------
    D. H. Douglas and T. K. Peucker, "Algorithms for the reduction of the number of points
    required to represent a digitized line or its caricature", Cartographica 10 (1973).
    """
    times_s = np.sort(arrived_s) - arrived_s.min()
    cuts = {0, len(times_s)}
    while len(cuts) <= _MOST:
        ordered = sorted(cuts)
        distance, cut = max(_farthest(times_s, one, two) for one, two in pairwise(ordered))
        if distance <= _OFF * len(times_s):
            break
        cuts.add(cut)
    ordered = sorted(cuts)
    return [
        Stretch(float(times_s[one]), _spread_s(times_s, one, two), (two - one) / len(times_s))
        for one, two in pairwise(ordered)
    ]


def _spread_s(times_s: Floats, one: int, two: int) -> float:
    last_s = times_s[two] if two < len(times_s) else times_s[-1]
    # A pause after the last arrival does not belong to the stretch.
    spread_s = min(float(last_s), float(times_s[two - 1])) - float(times_s[one])
    return 0.0 if spread_s < _AT_ONCE_S else spread_s


def _farthest(times_s: Floats, one: int, two: int) -> tuple[float, int]:
    """Return the largest distance of the curve from a straight line, in messages, and the cut."""
    if two - one < _LEAST_MESSAGES:
        return 0.0, one
    part_s = times_s[one:two]
    span_s = part_s[-1] - part_s[0]
    if span_s < _AT_ONCE_S:
        return 0.0, one
    line = (part_s - part_s[0]) / span_s * (two - one)
    gap = np.abs(line - np.arange(two - one))
    # Equal times stay together, and the ends are no cuts.
    inner = np.flatnonzero(np.diff(part_s, prepend=part_s[0]) > 0.0)
    if not len(inner):
        return 0.0, one
    cut = int(inner[np.argmax(gap[inner])])
    return float(gap[cut]), one + cut
