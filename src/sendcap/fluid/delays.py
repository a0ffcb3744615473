"""Delays: counts per bin, later by a random time; by numerical convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from sendcap.fluid.spans import Floats, Spans, counted

Cdf = Callable[[Floats], Floats]

_TAIL: Final = 1e-7
"""Share of the latest messages that come with the last bin."""
_MOST_BINS: Final = 1 << 20
_FINE_BINS: Final = 64
_FINE, _COARSE = 32, 4
"""Points at which the distribution function is looked at, in each of the first bins and later."""


class Delay:
    """A random time by which counts per bin are delayed.

    Parameters
    ----------
    cdf
        Its distribution function.
    lowest_s
        No time is below it.
    bin_s
        Width of the bins.
    until_s
        Messages with a longer delay are left out; by default none is.
    """

    def __init__(self, cdf: Cdf, lowest_s: float, bin_s: float, until_s: float = np.inf) -> None:
        self._bin_s = bin_s
        # A shift is exact, so only what is random is left to the convolution.
        self.lowest_s = lowest_s
        self._shares = _shares(lambda time_s: cdf(time_s + lowest_s), bin_s, until_s - lowest_s)

    def counted(self, spans: Spans, messages: Floats) -> Floats:
        """Return how many messages come in each bin after the delay; see `spans.counted`."""
        return _convolved(counted(spans.later(self.lowest_s), messages, self._bin_s), self._shares)

    def later(self, counts: Floats) -> Floats:
        """Return counts per bin, shape (kinds, bins), after the delay; ``lowest_s`` is for others.

        Within a bin they are taken to be spread evenly.
        """
        return _convolved(counts, self._shares)


def _shares(cdf: Cdf, bin_s: float, until_s: float) -> Floats:
    """Return the shares of what comes evenly in one bin that come in it and in the bins after.

    With U uniform in the bin and X the delay in bins, U + X ≤ k has the probability that the
    distribution function has on average between k − 1 and k.
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
    from scipy.signal import fftconvolve

    if len(shares) == 1 or not counts.shape[1]:
        unmoved: Floats = counts * shares.sum()
        return unmoved
    later: Floats = np.maximum(fftconvolve(counts, shares[None, :], axes=1), 0.0)
    # The transform's rounding must not make or lose messages.
    total, should = later.sum(axis=1), counts.sum(axis=1) * shares.sum()
    later *= np.divide(should, total, out=np.zeros_like(total), where=total > 0.0)[:, None]
    return later
