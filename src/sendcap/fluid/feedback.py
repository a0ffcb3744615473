"""Feedback: the time until events at the MTA become known to Campaign."""

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import numpy as np

from sendcap.fluid.spans import Delay, Floats, Spans, counted
from sendcap.ledger import Event, Series
from sendcap.scenario import ASYNCHRONOUS_LIMIT_S, Scenario

REPORTED: Final[tuple[Event, ...]] = ("accepted", "hard", "soft", "expired", "async_bounced")
"""Events that are reported one by one; their subsets come with them."""
_SUBSETS: Final[tuple[Event, ...]] = (
    "recovered",
    "hard_after_soft",
    "soft_first",
    "expired_untried",
)


class Latencies:
    """The delays of reports, for counts per bin.

    For the synchronous latency bins are cut into a number of steps: what happens in a step is taken
    to happen evenly in it.
    """

    def __init__(self, scenario: Scenario, parts: int) -> None:
        synchronous, asynchronous = scenario.feedback.synchronous, scenario.feedback.asynchronous
        bin_s = scenario.time.bin
        self.step_s = bin_s / parts
        self._parts = parts
        self._cdf = synchronous.cdf
        self._synchronous = Delay(synchronous.cdf, synchronous.lowest_s, self.step_s)
        within = float(asynchronous.cdf(np.array([ASYNCHRONOUS_LIMIT_S]))[0])

        def returned(time_s: Floats) -> Floats:
            return np.minimum(asynchronous.cdf(time_s) / within, 1.0)

        def known(time_s: Floats) -> Floats:
            # Not before the message's acceptance is known.
            return returned(time_s) * synchronous.cdf(time_s)

        self._returned = Delay(returned, asynchronous.lowest_s, bin_s)
        lowest_s = max(asynchronous.lowest_s, synchronous.lowest_s)
        self._return_known = Delay(known, lowest_s, bin_s)

    @cached_property
    def _unshifted(self) -> Delay:
        return Delay(self._cdf, 0.0, self.step_s)

    @cached_property
    def _both(self) -> Delay:
        lowest_s = self._synchronous.lowest_s
        return Delay(lambda time_s: self._cdf(time_s) ** 2, lowest_s, self.step_s)

    def happened_and_known(
        self, spans: Spans, messages: Floats, shares: Callable[[int], Floats] | None = None
    ) -> tuple[Floats, Floats]:
        """Return counts per bin at the MTA and, of reports that come at once, at Campaign.

        For a number of steps, ``shares`` returns the share of each kind that counts (kinds, steps).
        """
        happened = counted(spans, messages, self.step_s)
        if shares is not None:
            happened *= shares(happened.shape[1])
        if self._synchronous.lowest_s == 0.0:
            known = self._synchronous.later(happened)
        elif shares is None:
            known = self._synchronous.counted(spans, messages)
        else:
            known = self._unshifted.later(happened)
        return self._in_bins(happened), self._in_bins(known)

    def expired_at_once(self, spans: Spans, messages: Floats) -> tuple[Floats, Floats]:
        """Return the counts of expiries that are known when their soft bounce is."""
        happened = counted(spans, messages, self.step_s)
        return self._in_bins(happened), self._in_bins(self._both.counted(spans, messages))

    def returned(self, accepted: Spans, messages: Floats) -> tuple[Floats, Floats]:
        """Return the counts of asynchronous bounces, from the acceptance of their messages."""
        return (
            self._returned.counted(accepted, messages),
            self._return_known.counted(accepted, messages),
        )

    def _in_bins(self, steps: Floats) -> Floats:
        missing = -steps.shape[1] % self._parts
        steps = np.pad(steps, ((0, 0), (0, missing)))
        bins: Floats = steps.reshape(len(steps), -1, self._parts).sum(axis=2)
        return bins


def taken_in(scenario: Scenario, counts: Mapping[Series, Floats]) -> dict[Series, Floats]:
    """Return counts per bin with the reports known when Campaign takes them in.

    In the counts passed, reports are known when they arrive.
    """
    feedback, bin_s = scenario.feedback, scenario.time.bin
    taken = dict(counts)
    known = [
        series
        for series in counts
        if series.clock == "known" and series.event in (*REPORTED, *_SUBSETS)
    ]
    if not known or (feedback.polling is None and feedback.rate is None):
        return taken
    bins = max(len(counts[series]) for series in known)
    edges_s = np.linspace(0.0, bins * bin_s, bins + 1)
    arrived = {series: _cumulative(counts[series], bins) for series in known}
    looked_at = edges_s
    if feedback.polling is not None:
        looked_at = _last_polls_s(feedback.polling, edges_s[-1], bin_s)
    if feedback.rate is not None:
        reports = np.sum([arrived[series] for series in known if series.event in REPORTED], axis=0)
        until_s = scenario.time.horizon or math.inf
        looked_at = _one_by_one(looked_at, edges_s, reports, feedback.rate.per_s, until_s)
    for series, cumulative in arrived.items():
        taken[series] = np.diff(np.interp(looked_at, edges_s, cumulative))
    return taken


def _cumulative(counts: Floats, bins: int) -> Floats:
    come = np.zeros(bins + 1)
    come[1 : len(counts) + 1] = counts
    return np.cumsum(come)


def _last_polls_s(polling_s: float, end_s: float, bin_s: float) -> Floats:
    """Return the last poll of Campaign before each edge, until all has been polled."""
    edges_s = np.arange(math.ceil((end_s + polling_s) / bin_s) + 2) * bin_s
    polls: Floats = np.maximum(np.ceil(edges_s / polling_s * (1.0 - 1e-12)) - 1.0, 0.0)
    return polls * polling_s


def _one_by_one(
    looked_at_s: Floats, edges_s: Floats, arrived: Floats, per_s: float, until_s: float
) -> Floats:
    """Return, for each edge until all are taken in, the arrival of the last report taken in.

    Before an edge, reports that had arrived when Campaign last looked can be taken in, so many per
    second; what comes after ``until_s`` is of no interest.
    """
    bin_s = edges_s[1]
    more = math.ceil(min(arrived[-1] / per_s, until_s) / bin_s) + 1
    could = np.interp(np.pad(looked_at_s, (0, more), mode="edge"), edges_s, arrived)
    granted = np.arange(len(could)) * bin_s * per_s
    taken = np.minimum(np.minimum.accumulate(could - granted) + granted, could)
    if until_s == math.inf:
        taken[-1] = arrived[-1]
    # Rounding must not take a report back.
    taken = np.maximum.accumulate(taken)
    return np.interp(taken, arrived, edges_s)
