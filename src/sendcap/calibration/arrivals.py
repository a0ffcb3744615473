"""The arrival pattern: a blast, a stream through the hours of the day, or a few deliveries."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.scenario import format_duration
from sendcap.text.quantities import HOUR_S

_MOST: Final = 24
_LEAST_MESSAGES: Final = 200
_OFF: Final = 0.02
"""A stretch is split where the count is off by more than this share of all messages."""
_AT_ONCE_S: Final = 1.0
_STEP: Final = 1.5
"""What comes within seconds is a batch of the relay: a smaller distance is no pattern."""
_STEP_S: Final = 2.0
_FEW: Final = 3
"""As many stretches are no stream."""
_STREAM_S: Final = 6 * HOUR_S
"""A stream lasts longer."""
_BLAST: Final = 5.0
"""A blast is as many times as fast as all messages on average."""
_LEAST_BLAST: Final = 0.02
"""Share of the messages of a blast."""
_LONGEST_SPREAD_S: Final = 14 * 86_400.0
_LEAST_STREAM: Final = 0.05
"""A smaller share beside blasts are their edges."""


class Stretch(NamedTuple):
    """A stretch of evenly spaced arrivals."""

    at_s: float  # counted from the first arrival
    spread_s: float
    share: float  # of all messages
    hours: tuple[float, ...] = ()  # of a stream: weights of the hours of the day from 00:00


def deliveries(arrived_s: Floats, span_s: float = 0.0) -> list[Stretch]:
    """Approximate arrivals by blasts and a stream; by the span without any arrivals.

    A few even stretches are deliveries as they are. Of more, over many hours, those that are much
    faster than the average are blasts, and the others together a stream, whose pattern is the rate
    in each hour of the day. Times are seconds since 1970 by the log's clock.
    """
    parts = stretches(arrived_s, span_s)
    if len(parts) <= _FEW:
        return parts
    times_s = np.sort(arrived_s)
    first_s, whole_s = float(times_s[0]), float(times_s[-1] - times_s[0])
    if whole_s < _STREAM_S:
        return parts
    blasts = _blasts(parts, whole_s)
    since_s = times_s - first_s
    rest = np.ones(len(times_s), np.bool_)
    for blast in blasts:
        rest &= (since_s < blast.at_s) | (since_s > blast.at_s + blast.spread_s)
    if rest.mean() < _LEAST_STREAM:
        whole = math.fsum(blast.share for blast in blasts)
        return [blast._replace(share=blast.share / whole) for blast in blasts]
    stream_s = times_s[rest]
    begins_s, lasts_s = float(stream_s[0]) - first_s, float(stream_s[-1] - stream_s[0])
    stream = Stretch(begins_s, lasts_s, float(rest.mean()), _hours(stream_s, blasts, first_s))
    return sorted([stream, *blasts])


def _blasts(parts: Sequence[Stretch], whole_s: float) -> list[Stretch]:
    """Return the fast stretches, those that follow upon each other as one."""
    blasts: list[Stretch] = []
    for part in parts:
        if part.share * whole_s < _BLAST * max(part.spread_s, _AT_ONCE_S):
            continue
        before = blasts[-1] if blasts else None
        if before is not None and part.at_s - (before.at_s + before.spread_s) < HOUR_S / 6.0:
            ends_s = part.at_s + part.spread_s
            blasts[-1] = Stretch(before.at_s, ends_s - before.at_s, before.share + part.share)
        else:
            blasts.append(part)
    return [blast for blast in blasts if blast.share >= _LEAST_BLAST]


def _hours(stream_s: Floats, blasts: Sequence[Stretch], first_s: float) -> tuple[float, ...]:
    """Return the rate of a stream in each hour of the day, relative to the highest."""
    edges_s = np.arange(stream_s[0] // HOUR_S, stream_s[-1] // HOUR_S + 2) * HOUR_S
    counts, _ = np.histogram(stream_s, edges_s)
    begin_s, end_s = np.maximum(edges_s[:-1], stream_s[0]), np.minimum(edges_s[1:], stream_s[-1])
    covered_s = end_s - begin_s
    for blast in blasts:
        from_s, to_s = first_s + blast.at_s, first_s + blast.at_s + blast.spread_s
        # What the stream had meanwhile, nobody can tell from the blast.
        covered_s -= np.maximum(np.minimum(end_s, to_s) - np.maximum(begin_s, from_s), 0.0)
    hour = (edges_s[:-1] // HOUR_S).astype(np.int64) % 24
    total = np.bincount(hour, counts, 24)
    seconds = np.bincount(hour, np.maximum(covered_s, 0.0), 24)
    rate = np.divide(total, seconds, out=np.zeros(24), where=seconds > 0.0)
    return tuple(np.round(rate / rate.max(), 3).tolist())


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
    off = max(_OFF * len(times_s), _STEP * _largest_step(times_s))
    while len(cuts) <= _MOST:
        ordered = pairwise(sorted(cuts))
        distance, cut = max(_farthest(times_s, one, two) for one, two in ordered)
        if distance <= off:
            break
        cuts.add(cut)
    return [_stretch(times_s, one, two) for one, two in pairwise(sorted(cuts))]


def _largest_step(times_s: Floats) -> int:
    """Return the most messages that come within two seconds, unless they are most of all."""
    within = np.searchsorted(times_s, times_s + _STEP_S) - np.arange(len(times_s))
    most = int(within.max())
    return most if 2 * most < len(times_s) or most == len(times_s) else 0


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


def delivery_tables(
    arrivals: Sequence[Stretch], messages: int, audience: Mapping[str, float], validity: str | None
) -> list[dict[str, Any]]:
    """Return deliveries of a scenario with these arrivals."""
    tables = []
    for position, stretch in enumerate(arrivals, 1):
        table: dict[str, Any] = {
            "name": _name(position, stretch, arrivals),
            "messages": max(round(messages * stretch.share), 1),
            "at": format_duration(round(stretch.at_s, 1)),
        }
        spread_s = min(round(stretch.spread_s, 1), _LONGEST_SPREAD_S)
        if spread_s:
            table["spread"] = format_duration(spread_s)
        if stretch.hours:
            table["pattern"] = list(stretch.hours)
        if validity is not None:
            table["validity"] = validity
        tables.append({**table, "audience": dict(audience)})
    return tables


def _name(position: int, stretch: Stretch, arrivals: Sequence[Stretch]) -> str:
    if len(arrivals) == 1:
        return "log"
    if stretch.hours:
        return "stream"
    beside_a_stream = any(each.hours for each in arrivals)
    return f"{'blast' if beside_a_stream else 'log'}-{position:02d}"
