"""A first-in-first-out stage as a fluid: when what comes starts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sendcap.fluid.limits import Limit, Steady
from sendcap.fluid.spans import Floats, Spans

_MOST_PASSES = 8
"""Limits that hold each other back are met after a few passes."""


class Fifo:
    """A stage that lets messages start in the order in which they come, as its limits allow.

    With A(t) messages come by t, a limit that has granted C(t) by then lets the message start
    that comes at t when C has reached max over u ≤ t of (C(u) − A(u)), plus A(t), less the burst.

    Parameters
    ----------
    limits
        All of them hold.
    arrivals, messages
        When cohorts come, and how many messages each has.
    """

    def __init__(self, limits: Sequence[Limit], arrivals: Spans, messages: Floats) -> None:
        some = messages > 0.0
        begin_s, end_s = arrivals.part(some).ends_s
        per_s = messages[some] / (end_s - begin_s)
        changes_s = np.concatenate((begin_s, end_s))
        order = np.argsort(changes_s, kind="stable")
        self._t_s = changes_s[order]
        rates = np.maximum(np.cumsum(np.concatenate((per_s, -per_s))[order]), 0.0)
        self._come = np.concatenate(([0.0], np.cumsum(rates[:-1] * np.diff(self._t_s))))
        self._starts_s = self._limited(limits)

    def _limited(self, limits: Sequence[Limit]) -> Floats:
        starts_s = self._t_s
        if not len(starts_s):
            return starts_s
        steady = all(isinstance(limit, Steady) for limit in limits)
        for _ in range(1 if steady or len(limits) == 1 else _MOST_PASSES):
            before_s = starts_s
            for limit in limits:
                # Steady ones may be met all at once; where one changes with time, the next has
                # to see what it has held back.
                asks_s = self._t_s if steady else starts_s
                granted = np.maximum.accumulate(limit.granted(asks_s) - self._come)
                earliest_s = limit.when(granted + self._come - limit.burst(asks_s))
                starts_s = limit.opens_s(np.maximum(starts_s, earliest_s))
            if np.array_equal(starts_s, before_s):
                break
        # Rounding must not let anyone overtake.
        return np.maximum.accumulate(starts_s)

    def starts_s(self, t_s: Floats) -> Floats:
        """Return when messages start that come at these moments."""
        if not len(self._t_s):
            return t_s
        return np.maximum(np.interp(t_s, self._t_s, self._starts_s), t_s)

    def come(self, t_s: Floats) -> Floats:
        """Return how many have come by then."""
        return np.interp(t_s, self._t_s, self._come) if len(self._t_s) else np.zeros(len(t_s))

    def through(self, arrivals: Spans) -> Spans:
        """Return when cohorts start that come in these spans."""
        arrivals = arrivals.stretched()
        first_s, last_s = self.starts_s(arrivals.first_s), self.starts_s(arrivals.last_s)
        begin_s, end_s = (self.starts_s(its) for its in arrivals.ends_s)
        # What the queue makes of the chance in their arrivals.
        variance_s2 = ((end_s - begin_s) ** 2 - (last_s - first_s) ** 2) / 12.0
        return Spans(
            first_s, last_s, np.where(arrivals.variance_s2 > 0.0, variance_s2, 0.0).clip(0.0)
        )
