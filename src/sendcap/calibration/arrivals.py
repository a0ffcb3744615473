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
    """A stretch of evenly spaced arrivals."""

    at_s: float  # counted from the first arrival
    spread_s: float
    share: float  # of all messages


def stretches(arrived_s: Floats, span_s: float = 0.0) -> list[Stretch]:
    """Approximate arrivals by at most 24 stretches of even arrivals; by the span without any.

    The curve of arrivals is cut repeatedly where it is farthest from a straight line, as lines on
    maps are simplified. Source: D. H. Douglas and T. K. Peucker, "Algorithms for the reduction of
    the number of points required to represent a digitized line", Cartographica 10 (1973).
    """
    if not len(arrived_s):
        return [Stretch(0.0, span_s, 1.0)]
    times_s = np.sort(arrived_s) - arrived_s.min()
    cuts = {0, len(times_s)}
    while len(cuts) <= _MOST:
        ordered = pairwise(sorted(cuts))
        distance, cut = max(_farthest(times_s, one, two) for one, two in ordered)
        if distance <= _OFF * len(times_s):
            break
        cuts.add(cut)
    return [_stretch(times_s, one, two) for one, two in pairwise(sorted(cuts))]


def _stretch(times_s: Floats, one: int, two: int) -> Stretch:
    first_s, last_s = float(times_s[one]), float(times_s[two - 1])
    spread_s = last_s - first_s
    return Stretch(first_s, 0.0 if spread_s < _AT_ONCE_S else spread_s, (two - one) / len(times_s))


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
