"""The outcomes of attempts at a provider: refusals, whoever the message is for, and fates."""

import math
from typing import Final, Literal, NamedTuple

import numpy as np

from sendcap.fluid.spans import Floats, Spans, counted
from sendcap.fluid.variation import ONE_BY_ONE, Lump
from sendcap.model.addresses import THROTTLED, TRANSIENT, UNREACHABLE
from sendcap.scenario import Fault, Provider, Rate

Answer = Literal["answered", "unreachable", "throttled"]
"""An answer that depends on the message, or a refusal."""

_POINTS: Final = (np.arange(8) + 0.5) / 8.0 - 0.5
"""Points in a span of ages at which cleared faults are counted."""


class Refused(NamedTuple):
    """The refused shares of cohorts' attempts."""

    unreachable: Floats  # finish in an outage
    throttled: Floats  # above the provider's tolerance
    later_s: Floats  # mean finish of the refused attempts, after that of all attempts

    @property
    def share(self) -> Floats:
        """Share of the attempts that are refused."""
        return self.unreachable + self.throttled


class Refusals:
    """A provider's refusals, in steps of time with constant shares.

    The tolerance lets a rate through and a burst at once; the fluid's share above it is throttled.
    Chance adds to that: attempts that finish close together are throttled below the rate, too, when
    the burst is small. Finishes are taken as a Poisson process, and the loss as that of M/M/1/K
    with K = 2·burst − 1. That is exact for a burst of 1, Erlang's system with one server, and near
    a load of 1 for a large burst: tokens at constant intervals halve the variance and with it the
    room needed. Where all are late, messages that come at once are tried one right after another.
    """

    def __init__(
        self,
        provider: Provider,
        ips: int,
        step_s: float,
        lump: Lump = ONE_BY_ONE,
        late: float = 0.0,
    ) -> None:
        self.step_s = step_s
        self._tolerance = provider.tolerance
        if isinstance(provider.tolerance, Rate):
            self._per_s = provider.tolerance.per_s * ips
            self._burst = float(provider.tolerance.burst_or_limit * ips)
        ends_s = max((outage.at + outage.lasts for outage in provider.outages), default=0.0)
        begins_s = np.arange(math.ceil(ends_s / step_s)) * step_s
        self._unreachable = np.zeros(len(begins_s))
        for outage in provider.outages:
            until_s = np.minimum(begins_s + step_s, outage.at + outage.lasts)
            lost_s = np.maximum(until_s - np.maximum(begins_s, outage.at), 0.0)
            self._unreachable += lost_s / step_s
        self._throttled = np.zeros(0)
        self.lump, self._late = lump, late

    @property
    def possible(self) -> bool:
        """Whether any attempt may be refused."""
        return self._tolerance is not None or len(self._unreachable) > 0

    def learn(self, finish: Spans, tried: Floats) -> None:
        """Note the finishes of attempts, and their number."""
        if self._tolerance is None:
            return
        counts = counted(finish, tried[None, :], self.step_s)[0]
        # Attempts in an outage use up no tolerance.
        counts = counts * (1.0 - _padded(self._unreachable, len(counts)))
        load = _around(counts, 2.0 * float(np.median(finish.last_s - finish.first_s)) / self.step_s)
        above = self._above(counts)
        if self._late < 0.0:
            self._throttled = above
            return
        throttled = above + self._by_chance(load / (self._per_s * self.step_s))
        if self._late > 0.0:
            throttled = np.maximum(throttled, self._of_lumps(counts))
        self._throttled = np.minimum(throttled, 1.0)

    def of(self, finish: Spans) -> Refused:
        """Return the refused shares of attempts that finish in these spans."""
        unreachable = _mean_in(self._unreachable, self.step_s, finish)
        if not len(self._throttled):
            throttled, refuses = np.zeros(len(unreachable)), self._unreachable
        else:
            steps = max(len(self._unreachable), len(self._throttled))
            reachable = 1.0 - _padded(self._unreachable, steps)
            above = _padded(self._throttled, steps) * reachable
            throttled, refuses = _mean_in(above, self.step_s, finish), above + 1.0 - reachable
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
        """Return the share of the attempts with each answer, step by step."""
        unreachable = _padded(self._unreachable, steps)
        throttled = _padded(self._throttled, steps) * (1.0 - unreachable)
        answered = np.maximum(1.0 - unreachable - throttled, 0.0)
        return {"answered": answered, "unreachable": unreachable, "throttled": throttled}

    def _of_lumps(self, counts: Floats) -> Floats:
        """Return the share that is throttled of messages that are tried one right after another."""
        lump = self.lump
        allowed = self._burst + self._per_s * lump.lasts_s
        messages = np.minimum(self._within(max(lump.lasts_s, lump.every_s), counts), lump.messages)
        at_a_time = np.minimum(self._within(lump.attempt_s, counts), lump.at_a_time)
        # Of those that finish together, the burst is let through.
        passed = np.minimum(
            allowed / np.maximum(messages, 1.0), self._burst / np.maximum(at_a_time, 1.0)
        )
        return np.maximum(1.0 - passed, 0.0)

    def _within(self, seconds: float, counts: Floats) -> Floats:
        """Return the attempts within so many seconds around each step, at least in the step."""
        steps = max(seconds / self.step_s, 1.0)
        return _around(counts, 0.5 * steps) * steps

    def _above(self, counts: Floats) -> Floats:
        """Return the throttled share of the fluid in each step."""
        left, allowed = self._burst, self._per_s * self.step_s
        shares = np.zeros(len(counts))
        # Between the few steps with more than is allowed, what is left only grows.
        more = np.flatnonzero(counts > allowed)
        grown = np.concatenate(([0.0], np.cumsum(np.maximum(allowed - counts, 0.0))))
        gained = np.diff(grown[more], prepend=0.0)
        for number, count, gain in zip(
            more.tolist(), counts[more].tolist(), gained.tolist(), strict=True
        ):
            left = min(left + gain, self._burst) + allowed - count
            if left < 0.0:
                shares[number] = -left / count
                left = 0.0
        return shares

    def _by_chance(self, load: Floats) -> Floats:
        """Return the loss of M/M/1/K less that of a fluid."""
        room = 2.0 * self._burst / self.lump.queues - 1.0
        critical = np.abs(load - 1.0) < 1e-9
        # Above a load of 1 in powers of its inverse, lest they overflow.
        low = np.where(critical, 0.5, np.minimum(load, 1.0 / np.maximum(load, 1e-300)))
        share = (1.0 - low) / (1.0 - low ** (room + 1.0))
        lost = np.where(load > 1.0, share, share * low**room)
        lost = np.where(critical, 1.0 / (room + 1.0), lost)
        return lost - np.maximum(1.0 - 1.0 / np.maximum(load, 1.0), 0.0)


class Outcome(NamedTuple):
    """The outcomes of cohorts' attempts, in messages."""

    accepted: Floats  # (cohorts,)
    hard: Floats  # (reasons, cohorts), in the order of the provider's reasons
    soft: Floats  # (reasons, cohorts), in the order of `soft_reasons`


def soft_reasons(provider: Provider) -> tuple[str, ...]:
    """Return the reasons of soft bounces at a provider."""
    return (TRANSIENT, UNREACHABLE, THROTTLED, *(fault.reason for fault in provider.faults))


class Fates:
    """The pending messages of cohorts, by the state of their addresses."""

    def __init__(self, provider: Provider, messages: Floats) -> None:
        self._provider = provider
        hard = np.array([reason.share for reason in provider.hard]).reshape(-1, 1)
        faulty = np.array([fault.share for fault in provider.faults]).reshape(-1, 1)
        self._hard = hard * messages
        self._faulty = faulty * messages
        self._good = max(1.0 - float(hard.sum() + faulty.sum()), 0.0) * messages
        # The share of faults not cleared yet, as of the last attempt.
        self._uncleared = np.ones_like(self._faulty)

    @property
    def pending(self) -> Floats:
        """Number of pending messages in each cohort."""
        pending: Floats = self._hard.sum(axis=0) + self._faulty.sum(axis=0) + self._good
        return pending

    def go_on(self, shares: Floats) -> None:
        """Retain these shares of the pending messages, whatever the state of the address."""
        self._hard *= shares
        self._faulty *= shares
        self._good *= shares

    def tried(self, first: Spans, finish: Spans, refused: Refused) -> Outcome:
        """Return the outcomes of an attempt at all pending messages; soft bounces stay pending.

        Faults last from the finish of the first attempts that are seen.
        """
        answered = np.maximum(1.0 - refused.share, 0.0)
        self._clear(first, finish)
        pending = self.pending
        hard = self._hard * answered
        self._hard -= hard
        transient = self._good * answered * self._provider.transient
        accepted = self._good * answered - transient
        self._good -= accepted
        soft = np.stack(
            [
                transient,
                pending * refused.unreachable,
                pending * refused.throttled,
                *(self._faulty * answered),
            ]
        )
        return Outcome(accepted, hard, soft)

    def _clear(self, first: Spans, finish: Spans) -> None:
        """Clear the faults that end before the attempts' finish."""
        age_s = finish.middle_s - first.middle_s
        variance_s2 = np.maximum(finish.variance_s2 - first.variance_s2, 0.0)
        age_s = age_s + np.sqrt(12.0 * variance_s2) * _POINTS[:, None]
        for number, fault in enumerate(self._provider.faults):
            uncleared = _uncleared(fault, age_s).mean(axis=0)
            before = self._uncleared[number]
            stays = np.divide(uncleared, before, out=np.zeros_like(before), where=before > 0.0)
            cleared = self._faulty[number] * (1.0 - np.minimum(stays, 1.0))
            self._faulty[number] -= cleared
            self._good += cleared
            self._uncleared[number] = np.minimum(uncleared, before)


def _uncleared(fault: Fault, age_s: Floats) -> Floats:
    """Return the probability that a fault lasts longer than these ages, in seconds."""
    if fault.never == 1.0:
        return np.ones_like(age_s)
    return 1.0 - (1.0 - fault.never) * fault.clears_after.cdf(np.maximum(age_s, 0.0))


def _padded(steps: Floats, length: int) -> Floats:
    return np.pad(steps[:length], (0, max(length - len(steps), 0)))


def _around(counts: Floats, steps: float) -> Floats:
    """Return the mean over some steps to both sides: overlapping cohorts are no load."""
    come = np.concatenate(([0.0], np.cumsum(counts)))
    edges = np.arange(len(come))
    middle = edges[:-1] + 0.5
    reach = max(steps, 0.5)
    around: Floats = np.interp(middle + reach, edges, come)
    around -= np.interp(middle - reach, edges, come)
    return around / (2.0 * reach)


def _mean_in(shares: Floats, step_s: float, spans: Spans) -> Floats:
    """Return the mean of a share in steps of time over spans."""
    begin_s, end_s = spans.ends_s
    if not len(shares):
        return np.zeros(len(begin_s))
    summed_s = np.concatenate(([0.0], np.cumsum(shares))) * step_s
    edges_s = np.arange(len(summed_s)) * step_s
    within_s = np.interp(end_s, edges_s, summed_s) - np.interp(begin_s, edges_s, summed_s)
    return within_s / (end_s - begin_s)
