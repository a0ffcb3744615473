"""Refusals: attempts that a provider answers with a soft bounce, whoever they are for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from sendcap.fluid.spans import Floats, Spans, counted
from sendcap.scenario import Provider

Answer = Literal["answered", "unreachable", "throttled"]
"""What an attempt gets: an answer that depends on the message, or a refusal."""


class Refused(NamedTuple):
    """Which shares of cohorts' attempts are refused, and when.

    Attributes
    ----------
    unreachable, throttled
        Shares that finish in an outage, and that are above the provider's tolerance.
    later_s
        How much later than all of them the refused ones finish, on average.
    """

    unreachable: Floats
    throttled: Floats
    later_s: Floats

    @property
    def share(self) -> Floats:
        """Share of the attempts that are refused."""
        return self.unreachable + self.throttled


class Refusals:
    """What a provider refuses, in steps of time; in each of them the share is constant.

    Of attempts above the tolerance, which lets a rate through and a burst at once, the fluid's
    share is throttled. To that comes what chance adds: attempts that finish close together are
    throttled below the rate, too, when the burst is small. They are taken to finish as a Poisson
    process, and to be lost as by M/M/1/K with K = 2·burst − 1. That is exact for a burst of 1,
    which is Erlang's system with one server, and near a load of 1 for a large burst: the tokens
    come at constant intervals, which halves the variance and with it the room that is needed.

    Parameters
    ----------
    provider
        With its outages and its tolerance.
    ips
        Source addresses; the tolerance is for each of them.
    step_s
        Length of a step.
    """

    def __init__(self, provider: Provider, ips: int, step_s: float) -> None:
        self.step_s = step_s
        self._tolerance = provider.tolerance
        if provider.tolerance is not None:
            self._per_s = provider.tolerance.per_s * ips
            self._burst = float(provider.tolerance.burst_or_limit * ips)
        ends_s = max((its.at + its.lasts for its in provider.outages), default=0.0)
        begins_s = np.arange(math.ceil(ends_s / step_s)) * step_s
        self._unreachable = np.zeros(len(begins_s))
        for its in provider.outages:
            until_s = np.minimum(begins_s + step_s, its.at + its.lasts)
            self._unreachable += np.maximum(until_s - np.maximum(begins_s, its.at), 0.0) / step_s
        self._throttled = np.zeros(0)

    @property
    def possible(self) -> bool:
        """Whether anything may be refused."""
        return self._tolerance is not None or len(self._unreachable) > 0

    def learn(self, finish: Sequence[Spans], tried: Sequence[Floats]) -> None:
        """Note when attempts finish, and how many."""
        if self._tolerance is None:
            return
        count = np.concatenate(tried)[None, :]
        spans = Spans.joined(list(finish))
        counts = counted(spans, count, self.step_s)[0]
        # Nothing that fails in an outage counts.
        counts = counts * (1.0 - _padded(self._unreachable, len(counts)))
        load = _around(counts, 2.0 * float(np.median(spans.last_s - spans.first_s)) / self.step_s)
        by_chance = self._by_chance(load / (self._per_s * self.step_s))
        self._throttled = np.minimum(self._above(counts) + by_chance, 1.0)

    def of(self, finish: Spans) -> Refused:
        """Return what is refused of attempts that finish in these spans."""
        unreachable = _mean_in(self._unreachable, self.step_s, finish)
        if not len(self._throttled):
            throttled, refuses = np.zeros(len(unreachable)), self._unreachable
        else:
            steps = max(len(self._unreachable), len(self._throttled))
            reachable = 1.0 - _padded(self._unreachable, steps)
            its = _padded(self._throttled, steps) * reachable
            throttled, refuses = _mean_in(its, self.step_s, finish), its + 1.0 - reachable
        share = unreachable + throttled
        partly = (share > 0.0) & (share < 1.0)
        if not partly.any():
            return Refused(unreachable, throttled, np.zeros(len(share)))
        at_s = (np.arange(len(refuses)) + 0.5) * self.step_s
        moment = _mean_in(refuses * at_s, self.step_s, finish)
        later_s = np.divide(moment, share, out=finish.middle_s.copy(), where=partly)
        half_s = 0.5 * finish.width_s
        return Refused(unreachable, throttled, np.clip(later_s - finish.middle_s, -half_s, half_s))

    def in_steps(self, steps: int) -> dict[Answer, Floats]:
        """Return which shares of the attempts get each answer, step by step."""
        unreachable = _padded(self._unreachable, steps)
        throttled = _padded(self._throttled, steps) * (1.0 - unreachable)
        answered = np.maximum(1.0 - unreachable - throttled, 0.0)
        return {"answered": answered, "unreachable": unreachable, "throttled": throttled}

    def _above(self, counts: Floats) -> Floats:
        """Return the share of the fluid that is throttled in each step."""
        left, allowed = self._burst, self._per_s * self.step_s
        shares = np.zeros(len(counts))
        for number, count in enumerate(counts.tolist()):
            left += allowed - count
            if left < 0.0:
                shares[number] = -left / count
            left = min(max(left, 0.0), self._burst)
        return shares

    def _by_chance(self, load: Floats) -> Floats:
        """Return the share that M/M/1/K loses, less what a fluid loses."""
        room = 2.0 * self._burst - 1.0
        critical = np.abs(load - 1.0) < 1e-9
        # Above a load of 1 in powers of its inverse, lest they overflow.
        low = np.where(critical, 0.5, np.minimum(load, 1.0 / np.maximum(load, 1e-300)))
        share = (1.0 - low) / (1.0 - low ** (room + 1.0))
        lost = np.where(load > 1.0, share, share * low**room)
        lost = np.where(critical, 1.0 / (room + 1.0), lost)
        by_chance: Floats = lost - np.maximum(1.0 - 1.0 / np.maximum(load, 1.0), 0.0)
        return by_chance


def _padded(steps: Floats, length: int) -> Floats:
    return np.pad(steps[:length], (0, max(length - len(steps), 0)))


def _around(counts: Floats, steps: float) -> Floats:
    """Return the mean over some steps to both sides: cohorts overlap, which is no load."""
    come = np.concatenate(([0.0], np.cumsum(counts)))
    edges = np.arange(len(come))
    middle = edges[:-1] + 0.5
    reach = max(steps, 0.5)
    counted_: Floats = np.interp(middle + reach, edges, come) - np.interp(
        middle - reach, edges, come
    )
    return counted_ / (2.0 * reach)


def _mean_in(shares: Floats, step_s: float, spans: Spans) -> Floats:
    """Return the mean of a share in steps of time over spans."""
    begin_s, end_s = spans.ends_s
    if not len(shares):
        return np.zeros(len(begin_s))
    summed_s = np.concatenate(([0.0], np.cumsum(shares))) * step_s
    edges_s = np.arange(len(summed_s)) * step_s
    within_s = np.interp(end_s, edges_s, summed_s) - np.interp(begin_s, edges_s, summed_s)
    mean: Floats = within_s / (end_s - begin_s)
    return mean
