"""Spans of time in which cohorts of messages pass a point, and their counts per bin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy import fft

from sendcap.scenario import RandomTime

Floats = npt.NDArray[np.float64]

Cdf = Callable[[Floats], Floats]

SHORTEST_S = 1e-6
"""Shortest stretch: a flow has no steps, and the messages of a cohort have an order."""
AN_INSTANT_S = 1e-3
"""Duration of simultaneous events, which happen in order."""
_ROUNDING = 1e-14
_TAIL: Final = 1e-7
"""Share of the latest messages that is counted in the last bin."""
_MOST_BINS: Final = 1 << 20
_FINE_BINS: Final = 64
_FINE, _COARSE = 32, 4
"""Points per bin at which the distribution function is evaluated: in the first bins and later."""


class Spans(NamedTuple):
    """The times at which cohorts pass a point, each cohort evenly over a stretch of time.

    ``first_s`` and ``last_s`` are mean times of the first and the last message; the messages in
    between are in order. By the variance of each message's time, messages overtake each other.
    """

    first_s: Floats
    last_s: Floats
    variance_s2: Floats

    @property
    def middle_s(self) -> Floats:
        """Mean times."""
        return 0.5 * (self.first_s + self.last_s)

    @property
    def never(self) -> npt.NDArray[np.bool_]:
        """Cohorts that never pass: their times are infinite."""
        return np.isinf(self.last_s)

    @property
    def width_s(self) -> Floats:
        """Lengths of even stretches with the same variance as the times."""
        return np.sqrt((self.last_s - self.first_s) ** 2 + 12.0 * self.variance_s2)

    @property
    def ends_s(self) -> tuple[Floats, Floats]:
        """Beginnings and ends of these stretches: never before 0, nor at once."""
        middle_s, half_s = self.middle_s, 0.5 * self.width_s
        begin_s = np.maximum(middle_s - half_s, 0.0)
        return begin_s, np.maximum(middle_s + half_s, begin_s + SHORTEST_S)

    def stretched(self) -> Spans:
        """Return the spans, none shorter than `SHORTEST_S` without the variance."""
        half_s = 0.5 * np.maximum(self.last_s - self.first_s, SHORTEST_S)
        return Spans(self.middle_s - half_s, self.middle_s + half_s, self.variance_s2)

    def in_order(self) -> Spans:
        """Return the spans with moments put one after the other, within an instant."""
        count = len(self.first_s)
        moment = self.width_s <= SHORTEST_S
        after_s = np.where(moment, AN_INSTANT_S / count * np.arange(count), 0.0)
        lasts_s = np.where(moment, AN_INSTANT_S / count, 0.0)
        return Spans(self.first_s + after_s, self.last_s + after_s + lasts_s, self.variance_s2)

    def later(self, mean_s: Floats | float, variance_s2: Floats | float = 0.0) -> Spans:
        """Return the spans after an independent random delay."""
        return Spans(self.first_s + mean_s, self.last_s + mean_s, self.variance_s2 + variance_s2)

    def not_before(self, other: Spans) -> Spans:
        """Return the spans, each message no earlier than in another span."""
        return Spans(
            np.maximum(self.first_s, other.first_s),
            np.maximum(self.last_s, other.last_s),
            self.variance_s2,
        )

    def replaced(self, other: Spans, chosen: npt.NDArray[np.bool_]) -> Spans:
        """Return the spans, with those of others for the chosen cohorts."""
        return Spans(
            *(np.where(chosen, theirs, own) for own, theirs in zip(self, other, strict=True))
        )

    def part(self, chosen: npt.NDArray[np.bool_] | slice) -> Spans:
        """Return the spans of some cohorts."""
        return Spans(self.first_s[chosen], self.last_s[chosen], self.variance_s2[chosen])

    @classmethod
    def joined(cls, parts: list[Self]) -> Spans:
        """Return the spans of all parts, one after the other."""
        return Spans(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def chance(time: RandomTime) -> tuple[float, float]:
    """Return mean and variance of a time, the variance at most that of an even stretch from 0.

    An even stretch from 0 has a variance of a third of the squared mean.
    """
    mean_s = time.mean_s
    variance_s2 = max(time.second_moment_s2 - mean_s**2, 0.0)
    return mean_s, min(variance_s2, mean_s**2 / 3.0)


def counted(spans: Spans, messages: Floats, bin_s: float) -> Floats:
    """Return the messages per bin; bin k is k·bin_s ≤ t < (k + 1)·bin_s, from 0.

    Messages of shape (kinds, cohorts) become counts of shape (kinds, bins), up to the last bin with
    a message; the sums are those of the messages.
    """
    some = np.any(messages, axis=0)
    messages = messages[:, some]
    if not messages.shape[1]:
        return np.zeros((len(messages), 0))
    begin_s, end_s = spans.part(some).ends_s
    first = np.floor(begin_s / bin_s).astype(np.int64)
    last = np.maximum(np.ceil(end_s / bin_s).astype(np.int64) - 1, first)
    # A cohort has equally many messages in each bin between the first and the last; differences
    # from bin to bin count them, however many bins there are.
    # None where there is no bin between: large differences would leave their rounding behind.
    between = np.where(last > first + 1, bin_s / (end_s - begin_s), 0.0)
    tail = np.where(last > first, (end_s - last * bin_s) / (end_s - begin_s), 0.0)
    head = 1.0 - tail - np.maximum(last - first - 1, 0) * between
    bins = int(last.max()) + 1
    at_ends = np.concatenate((first, last))
    changes = np.concatenate((np.minimum(first + 1, bins - 1), last))
    counts = np.empty((len(messages), bins))
    for row, kind in zip(counts, messages, strict=True):
        np.cumsum(np.bincount(changes, _pair(between * kind, -between * kind), bins), out=row)
        # Rounding leaves no messages between the cohorts.
        row[np.abs(row) < _ROUNDING * kind.sum()] = 0.0
        row += np.bincount(at_ends, _pair(head * kind, tail * kind), bins)
    return counts


def _pair(one: Floats, two: Floats) -> Floats:
    return np.concatenate((one, two))


class Delay:
    """A random delay of counts per bin, by numerical convolution.

    Messages with a delay above ``until_s`` are left out.
    """

    def __init__(self, cdf: Cdf, lowest_s: float, bin_s: float, until_s: float = np.inf) -> None:
        self._bin_s = bin_s
        # A shift is exact; only the random rest is convolved.
        self.lowest_s = lowest_s
        self._shares = _shares(lambda time_s: cdf(time_s + lowest_s), bin_s, until_s - lowest_s)

    def counted(self, spans: Spans, messages: Floats) -> Floats:
        """Return the messages per bin after the delay; see `counted`."""
        return _convolved(counted(spans.later(self.lowest_s), messages, self._bin_s), self._shares)

    def later(self, counts: Floats) -> Floats:
        """Return counts per bin, shape (kinds, bins), after the delay without ``lowest_s``.

        Messages are taken to be spread evenly within a bin.
        """
        return _convolved(counts, self._shares)


def _shares(cdf: Cdf, bin_s: float, until_s: float) -> Floats:
    """Return the shares of a bin's messages that are in the same bin and the next ones after.

    With U uniform in the bin and X the delay in bins, the probability of U + X ≤ k is the mean of
    the distribution function between k − 1 and k.
    """
    bins, most = 1, max(min(np.ceil(until_s / bin_s) + 1, _MOST_BINS), 1)
    while bins < most and cdf(np.array([(bins - 1) * bin_s]))[0] < 1.0 - _TAIL:
        bins *= 2
    bins = int(min(bins, most))
    fine = min(bins, _FINE_BINS)
    means = [_mean_in_bins(cdf, bin_s, 0, fine, _FINE)]
    means.append(_mean_in_bins(cdf, bin_s, fine, bins, _COARSE))
    within = np.concatenate(means)
    if until_s == np.inf:
        last = min(int(np.searchsorted(within, 1.0 - _TAIL)), bins - 1)
        within = within[: last + 1]
        within[-1] = 1.0
    return np.diff(within, prepend=0.0)


def _mean_in_bins(cdf: Cdf, bin_s: float, first: int, end: int, points: int) -> Floats:
    within = (np.arange(points) + 0.5) / points
    at = np.arange(first, end)[:, None] + within
    mean: Floats = cdf(at.ravel() * bin_s).reshape(-1, points).mean(axis=1)
    return mean


def _convolved(counts: Floats, shares: Floats) -> Floats:
    if len(shares) == 1 or not counts.shape[1]:
        unmoved: Floats = counts * shares.sum()
        return unmoved
    later: Floats = np.maximum(_summed_later(counts, shares), 0.0)
    # The transform's rounding must not add or lose messages.
    total, should = later.sum(axis=1), counts.sum(axis=1) * shares.sum()
    later *= np.divide(should, total, out=np.zeros_like(total), where=total > 0.0)[:, None]
    return later


def _summed_later(counts: Floats, shares: Floats) -> Floats:
    """Return what `scipy.signal.fftconvolve` does, which takes half a second to import."""
    if counts.shape[1] == 1:
        return counts * shares
    length = counts.shape[1] + len(shares) - 1
    quick = fft.next_fast_len(length, real=True)
    both: Floats = fft.irfft(fft.rfft(counts, quick) * fft.rfft(shares, quick), quick)
    return both[:, :length]
