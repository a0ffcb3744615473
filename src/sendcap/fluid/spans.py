"""Spans: when cohorts of messages are somewhere, as stretches of time."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sendcap.scenario import RandomTime

Floats = npt.NDArray[np.float64]

SHORTEST_S = 1e-6
"""No stretch is shorter: a flow has no steps, and its messages an order."""

AN_INSTANT_S = 1e-3
"""What happens at once takes so long, and keeps its order."""
_ROUNDING = 1e-14


class Spans(NamedTuple):
    """When each cohort passes some place: its messages come evenly over a stretch of time.

    Attributes
    ----------
    first_s, last_s : ndarray, shape (cohorts,)
        When its first and its last message come, on average. In between they keep their order.
    variance_s2 : ndarray, shape (cohorts,)
        Of the chance in each message's time, by which they overtake each other.
    """

    first_s: Floats
    last_s: Floats
    variance_s2: Floats

    @property
    def middle_s(self) -> Floats:
        """When it comes on average."""
        return 0.5 * (self.first_s + self.last_s)

    @property
    def width_s(self) -> Floats:
        """Length of the even stretch that has the same variance as its times."""
        width_s: Floats = np.sqrt((self.last_s - self.first_s) ** 2 + 12.0 * self.variance_s2)
        return width_s

    @property
    def ends_s(self) -> tuple[Floats, Floats]:
        """When this stretch begins and when it ends: never before 0, nor at once."""
        middle_s, half_s = self.middle_s, 0.5 * self.width_s
        begin_s = np.maximum(middle_s - half_s, 0.0)
        return begin_s, np.maximum(middle_s + half_s, begin_s + SHORTEST_S)

    def stretched(self) -> Spans:
        """Return the spans, none of them shorter than `SHORTEST_S`, whatever chance adds."""
        half_s = 0.5 * np.maximum(self.last_s - self.first_s, SHORTEST_S)
        return Spans(self.middle_s - half_s, self.middle_s + half_s, self.variance_s2)

    def in_order(self) -> Spans:
        """Return the spans, with those that are moments one after the other, within an instant."""
        count = len(self.first_s)
        moment = self.width_s <= SHORTEST_S
        after_s = np.where(moment, AN_INSTANT_S / count * np.arange(count), 0.0)
        lasts_s = np.where(moment, AN_INSTANT_S / count, 0.0)
        return Spans(self.first_s + after_s, self.last_s + after_s + lasts_s, self.variance_s2)

    def later(self, mean_s: Floats | float, variance_s2: Floats | float = 0.0) -> Spans:
        """Return the spans after a random delay that is independent of all else."""
        return Spans(self.first_s + mean_s, self.last_s + mean_s, self.variance_s2 + variance_s2)

    def not_before(self, other: Spans) -> Spans:
        """Return the spans, each message no earlier than in the other ones."""
        return Spans(
            np.maximum(self.first_s, other.first_s),
            np.maximum(self.last_s, other.last_s),
            self.variance_s2,
        )

    def part(self, chosen: npt.NDArray[np.bool_] | slice) -> Spans:
        """Return those of some of the cohorts."""
        return Spans(self.first_s[chosen], self.last_s[chosen], self.variance_s2[chosen])

    @classmethod
    def joined(cls, parts: list[Self]) -> Spans:
        """Return all of them, one after the other."""
        return Spans(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def chance(time: RandomTime) -> tuple[float, float]:
    """Return mean and variance of a time, as far as an even stretch can have them.

    A stretch that begins at the earliest at 0 has at most a third of the squared mean.
    """
    mean_s = time.mean_s
    variance_s2 = max(time.second_moment_s2 - mean_s**2, 0.0)
    return mean_s, min(variance_s2, mean_s**2 / 3.0)


def counted(spans: Spans, messages: Floats, bin_s: float) -> Floats:
    """Return how many messages come in each bin; bin k is k·bin_s ≤ t < (k + 1)·bin_s.

    Parameters
    ----------
    spans
        When they come; nothing comes before 0.
    messages : shape (kinds, cohorts)
        How many there are of each kind.

    Returns
    -------
    ndarray, shape (kinds, bins)
        Up to the last bin in which one comes. The sums are those of the messages.
    """
    some = np.any(messages, axis=0)
    messages = messages[:, some]
    if not messages.shape[1]:
        return np.zeros((len(messages), 0))
    begin_s, end_s = spans.part(some).ends_s
    first = np.floor(begin_s / bin_s).astype(np.int64)
    last = np.maximum(np.ceil(end_s / bin_s).astype(np.int64) - 1, first)
    # In each bin between its first and its last one a cohort has as many messages; they are
    # counted as differences from bin to bin, however many bins there are.
    between = np.where(last > first, bin_s / (end_s - begin_s), 0.0)
    tail = np.where(last > first, (end_s - last * bin_s) / (end_s - begin_s), 0.0)
    head = 1.0 - tail - np.maximum(last - first - 1, 0) * between
    bins = int(last.max()) + 1
    at_ends = np.concatenate((first, last))
    changes = np.concatenate((np.minimum(first + 1, bins - 1), last))
    found = np.empty((len(messages), bins))
    for row, its in zip(found, messages, strict=True):
        np.cumsum(np.bincount(changes, _pair(between * its, -between * its), bins), out=row)
        # What rounding leaves between the cohorts is nothing.
        row[np.abs(row) < _ROUNDING * its.sum()] = 0.0
        row += np.bincount(at_ends, _pair(head * its, tail * its), bins)
    return found


def _pair(one: Floats, two: Floats) -> Floats:
    return np.concatenate((one, two))
