"""Attempts at a provider: cohorts go through the queue again and again until all are final."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

import numpy as np

from sendcap.errors import ScenarioError
from sendcap.fluid.backoff import Backoff, before_expiry
from sendcap.fluid.handover import Cohorts
from sendcap.fluid.limits import Fifo, Limit, limits_of
from sendcap.fluid.refusals import Fates, Outcome, Refusals, Refused, soft_reasons
from sendcap.fluid.spans import Floats, Spans, chance
from sendcap.fluid.variation import AS_EXPECTED, Variation
from sendcap.scenario import Provider, Queue, Scenario
from sendcap.scenario.constraints import queue_constraints

_NOTHING: Final = 1e-9
"""Share of the messages that is followed no further: it expires."""
_SETTLED_S: Final = 0.05
"""When no arrival moves by more, waits and retries agree."""
_MOST_ROUNDS: Final = 200
_SEEN: Final = 0.5
"""Share in an outage from which on a cohort's attempts count as not seen by the provider."""


class Expired(NamedTuple):
    """Messages that expire."""

    at: Spans
    by_reason: Floats  # (reasons, cohorts), by the last soft bounce; rows as in `Outcome.soft`


class Attempt(NamedTuple):
    """The n-th attempts of cohorts; arrays of shape (cohorts,)."""

    arrivals: Spans  # at the queue
    coming: Floats  # messages
    tried: Floats  # those of them that do not expire before
    start: Spans
    finish: Spans
    answered: Floats  # shares of the attempts that are not refused
    outcome: Outcome
    untried: Expired  # before the attempt
    expired: tuple[Expired, ...]  # after the attempt, and before another one


def settled(
    scenario: Scenario,
    path: Queue,
    cohorts: Cohorts,
    messages: Floats,
    refusals: Refusals,
    variation: Variation = AS_EXPECTED,
) -> list[Attempt]:
    """Return the attempts of a queue, whose waits are those that they cause.

    Waits depend on when retries come, and these on the waits before. Starting from first attempts
    alone, both are worked out in turn. Retries come later than the attempts that they follow, so
    each round is exact further into the future than the one before it.
    """
    provider = scenario.providers[path.provider]
    pace = variation.pace(scenario, path, float(messages.sum()))
    limits = limits_of(queue_constraints(scenario, path), provider, path.ips, pace)
    queue = _Queue(provider, path.ips, limits, refusals)
    if cohorts.flow:
        # Batches are taken for a flow, but the last messages of each wait.
        queue.late_s = max(variation.queues, 0.0) / 2.0 * refusals.lump.batch_s
    queue.let_in(cohorts.ready, messages)
    attempts = _followed(scenario, path.provider, cohorts, messages, queue)
    for _ in range(_MOST_ROUNDS):
        before = attempts
        queue.learn(attempts, cohorts.expiry)
        attempts = _followed(scenario, path.provider, cohorts, messages, queue)
        if _moved_s(before, attempts) <= _SETTLED_S:
            return attempts
    raise ScenarioError(
        f"expected: {path.name}: waits and retries do not agree after {_MOST_ROUNDS} rounds; "
        "simulate"
    )


def _moved_s(before: Sequence[Attempt], after: Sequence[Attempt]) -> float:
    """Return the shift of attempts between two rounds, weighted by their share of messages."""
    if len(before) != len(after):
        return np.inf
    total = before[0].coming.sum()
    moved = 0.0
    for one, two in zip(before, after, strict=True):
        shift_s = np.abs(two.finish.middle_s - one.finish.middle_s)
        moved += float((shift_s * two.tried).sum()) + 3600.0 * float(
            np.abs(two.tried - one.tried).sum()
        )
    return moved / total if total > 0.0 else 0.0


def _followed(
    scenario: Scenario, name: str, cohorts: Cohorts, messages: Floats, queue: _Queue
) -> list[Attempt]:
    """Return the attempts of all cohorts at a provider, one after the other.

    Each cohort has a number of messages for this provider.
    """
    provider, on_failure = scenario.providers[name], scenario.expires_on_failure(name)
    fates = Fates(provider, messages)
    expiry, relayed = cohorts.expiry, cohorts.relayed
    takes_s, takes_variance_s2 = chance(provider.transaction_time)
    # What the ingress holds back beyond its expiry never comes.
    in_time, arrivals = before_expiry(cohorts.ready, expiry)
    late = (1.0 - in_time) * messages
    fates.go_on(in_time)
    by_reason = np.zeros((len(soft_reasons(provider)), len(messages)))
    by_reason[0] = 1.0
    backoff = Backoff(scenario.retry_of(name), relayed)
    first, reached = cohorts.ready, np.zeros(len(messages), np.bool_)
    attempts: list[Attempt] = []
    for number in count():
        coming = fates.pending
        start, starts = queue.start(number, arrivals, expiry)
        untried = by_reason * ((1.0 - starts) * coming + late)
        late = np.zeros(len(messages))
        fates.go_on(starts)
        tried = fates.pending
        finish = start.later(takes_s, takes_variance_s2)
        # A fault lasts from the first attempt that the provider sees.
        first = first.replaced(finish, ~reached)
        refused = queue.refusals.of(finish)
        reached = reached | (refused.unreachable < _SEEN)
        outcome = fates.tried(first, finish, refused)
        pending = fates.pending
        due = backoff.due(number, finish.later(_soft_later_s(tried, pending, refused)))
        at_once = np.ones(len(messages)) if on_failure else 1.0 * due.never
        goes_on, due = before_expiry(due, expiry)
        if (pending * goes_on).sum() <= _NOTHING * messages.sum():
            goes_on = np.zeros(len(messages))
        by_reason = outcome.soft / np.where(pending > 0.0, pending, 1.0)
        ends = by_reason * (1.0 - goes_on) * pending
        expired = (
            Expired(finish, ends * at_once),
            Expired(expiry.not_before(finish), ends * (1.0 - at_once)),
        )
        answered = np.maximum(1.0 - refused.share, 0.0)
        never_tried = Expired(expiry.not_before(relayed), untried)
        times = (arrivals, coming, tried, start, finish)
        attempts.append(Attempt(*times, answered, outcome, never_tried, expired))
        if not goes_on.any():
            break
        fates.go_on(goes_on)
        arrivals = due.in_order()
    return attempts


def _soft_later_s(tried: Floats, pending: Floats, refused: Refused) -> Floats:
    """Return the mean delay of attempts that bounce softly, after that of all attempts."""
    share = refused.share
    refused_ones = share * tried
    others_later_s = -refused.later_s * share / np.where(share < 1.0, 1.0 - share, 1.0)
    moved = refused_ones * refused.later_s + (pending - refused_ones) * others_later_s
    return moved / np.where(pending > 0.0, pending, 1.0)


class _Queue:
    """A provider's queue as it is known after a round."""

    def __init__(
        self, provider: Provider, ips: int, limits: Sequence[Limit], refusals: Refusals
    ) -> None:
        self._limits = limits
        self._connections = float(provider.connections_per_ip * ips)
        self._idle_s = provider.idle_timeout
        self._attempt_s = provider.transaction_time.mean_s
        self._connect_s, self._connect_variance_s2 = chance(provider.connect_time)
        limit = provider.messages_per_connection
        self._reconnects = 0.0 if limit == "unlimited" else 1.0 / limit
        self.refusals = refusals
        self.late_s = 0.0
        self._in_time: list[Floats] | None = None

    def let_in(self, arrivals: Spans, messages: Floats) -> None:
        """Note the arrivals, all of which will be tried."""
        self._fifo = Fifo(self._limits, arrivals, messages)

    def learn(self, attempts: Sequence[Attempt], expiry: Spans) -> None:
        """Note the attempts of a round."""
        late = self._in_time is not None or any(
            bool((attempt.untried.by_reason.sum(axis=0) > 0.0).any()) for attempt in attempts
        )
        tried = np.concatenate([attempt.tried for attempt in attempts])
        finish = Spans.joined([attempt.finish for attempt in attempts])
        self.refusals.learn(finish, tried)
        if late and self._limits:
            self._in_time = _in_time(self._limits, attempts, expiry)
            coming = np.concatenate([attempt.coming for attempt in attempts])
            tried = coming * np.concatenate(self._in_time)
        self.let_in(Spans.joined([attempt.arrivals for attempt in attempts]), tried)

    def start(self, number: int, arrivals: Spans, expiry: Spans) -> tuple[Spans, Floats]:
        """Return the starts of attempts, and the shares of them that start before they expire.

        First attempts have the number 0.
        """
        start = self._fifo.through(arrivals).later(self.late_s)
        share = self._connecting(arrivals.middle_s)
        mean_s = share * self._connect_s
        square_s2 = share * (self._connect_variance_s2 + self._connect_s**2)
        # A message that has waited for a connection is behind one that made it.
        idle = start.middle_s - arrivals.middle_s < mean_s
        start = start.not_before(arrivals.later(mean_s))
        start = start.later(0.0, np.where(idle, square_s2 - mean_s**2, 0.0))
        if self._in_time is not None and number < len(self._in_time):
            return start, self._in_time[number]
        return start, np.where(start.middle_s <= expiry.middle_s, 1.0, 0.0)

    def _connecting(self, at_s: Floats) -> Floats:
        """Return the shares of the messages that have to wait for a connection to be made.

        All have that come when connections are idle beyond their timeout, which are used in turn;
        and the first ones.
        """
        window_s = max(self._idle_s, 1.0)
        come = self._fifo.come(at_s + window_s) - self._fifo.come(at_s - window_s)
        per_s = come / (2.0 * window_s)
        idle = per_s * (self._idle_s + self._attempt_s) < self._connections
        new = self._fifo.come(at_s) < self._connections
        return np.where(idle | new, 1.0, self._reconnects)


def _in_time(limits: Sequence[Limit], attempts: Sequence[Attempt], expiry: Spans) -> list[Floats]:
    """Return the shares of the attempts of each round that start before they expire.

    What expires while it waits leaves room for others. So the attempts are let in one cohort
    after the other, each up to what the limits have granted by its expiry.
    """
    arrives_s = np.concatenate([attempt.arrivals.middle_s for attempt in attempts])
    coming = np.concatenate([attempt.coming for attempt in attempts])
    expires_s = np.tile(expiry.middle_s, len(attempts))
    order = np.argsort(arrives_s, kind="stable")
    order = order[coming[order] > 0.0]
    at_arrival, at_expiry = [], []
    for limit in limits:
        at_arrival.append(limit.granted(arrives_s[order]).tolist())
        granted = limit.granted(expires_s[order]) + limit.burst(expires_s[order])
        at_expiry.append(granted.tolist())
    shares = np.ones(len(coming))
    taken = [-np.inf] * len(limits)
    for position, messages in enumerate(coming[order].tolist()):
        taken = [max(before, at[position]) for before, at in zip(taken, at_arrival, strict=True)]
        room = (at[position] - before for before, at in zip(taken, at_expiry, strict=True))
        goes = max(min(messages, *room), 0.0)
        taken = [before + goes for before in taken]
        shares[order[position]] = goes / messages
    return np.split(shares, len(attempts))
