"""Attempts: cohorts go from attempt to attempt at a provider until all have met their end."""

from __future__ import annotations

from itertools import count
from typing import Final, NamedTuple, Protocol

import numpy as np

from sendcap.fluid.handover import Cohorts
from sendcap.fluid.refusals import Fates, Outcome, Refused, soft_reasons
from sendcap.fluid.spans import SHORTEST_S, Floats, Spans, chance
from sendcap.scenario import Mta, Provider, RetryPolicy

_NOTHING: Final = 1e-9
"""Share of the messages that is followed no further: it expires."""
_ALMOST_ONE: Final = 1.0 - 2.0**-53


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


class Queue(Protocol):
    """How attempts get through a provider's queue."""

    def start(self, number: int, arrivals: Spans, expiry: Spans) -> tuple[Spans, Floats]:
        """Return the starts of attempts, and the shares of them that start before they expire.

        First attempts have the number 0.
        """

    def refused(self, finish: Spans) -> Refused:
        """Return the shares of attempts that the provider refuses."""


def followed(
    provider: Provider, mta: Mta, cohorts: Cohorts, messages: Floats, queue: Queue
) -> list[Attempt]:
    """Return the attempts of all cohorts at a provider, one after the other.

    Each cohort has a number of messages for this provider.
    """
    fates = Fates(provider, messages)
    expiry, relayed = cohorts.expiry, cohorts.relayed
    takes_s, takes_variance_s2 = chance(provider.transaction_time)
    # What the ingress holds back beyond its expiry never comes.
    in_time, arrivals = _before(cohorts.ready, expiry)
    late = (1.0 - in_time) * messages
    fates.go_on(in_time)
    by_reason = np.zeros((len(soft_reasons(provider)), len(messages)))
    by_reason[0] = 1.0
    backoff = _Backoff(mta.retry, relayed)
    first: Spans | None = None
    attempts: list[Attempt] = []
    for number in count():
        coming = fates.pending
        start, starts = queue.start(number, arrivals, expiry)
        untried = by_reason * ((1.0 - starts) * coming + late)
        late = np.zeros(len(messages))
        fates.go_on(starts)
        tried = fates.pending
        finish = start.later(takes_s, takes_variance_s2)
        first = first or finish
        refused = queue.refused(finish)
        outcome = fates.tried(first, finish, refused)
        pending = fates.pending
        due = backoff.due(number, finish.later(_soft_later_s(tried, pending, refused)))
        at_once = np.ones(len(messages)) if mta.expire == "on-failure" else 1.0 * due.never
        goes_on, due = _before(due, expiry)
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
    """Return how much later than all attempts those finish that bounce softly, on average."""
    share = refused.share
    refused_ones = share * tried
    others_later_s = -refused.later_s * share / np.where(share < 1.0, 1.0 - share, 1.0)
    moved = refused_ones * refused.later_s + (pending - refused_ones) * others_later_s
    return moved / np.where(pending > 0.0, pending, 1.0)


class _Backoff:
    """When cohorts are due again, by the rule's answers for their first and their last message.

    Where these come together, waiting for a queue scan, chance in the attempts' times does not
    matter any more.
    """

    def __init__(self, retry: RetryPolicy, relayed: Spans) -> None:
        self._retry = retry
        self._arrived_s = np.concatenate((relayed.first_s, relayed.last_s))
        self._previous_s = np.zeros(len(self._arrived_s))
        self._first_failed_s = self._previous_s

    def due(self, number: int, finish: Spans) -> Spans:
        """Return when they are due again after attempt ``number``; infinite if never."""
        finish = finish.stretched()
        finish_s = np.concatenate((finish.first_s, finish.last_s))
        if number == 0:
            self._first_failed_s = finish_s

        def due_s(uniform: float) -> Floats:
            return self._retry.due_s(
                np.full(len(finish_s), number),
                finish_s,
                self._arrived_s,
                self._first_failed_s,
                self._previous_s,
                np.full(len(finish_s), uniform),
            )

        middle_s = due_s(0.5)
        first_s, last_s = np.split(middle_s, 2)
        spread = _difference(last_s, first_s) / (finish.last_s - finish.first_s)
        variance_s2 = finish.variance_s2 * np.clip(spread, 0.0, 1.0) ** 2
        if self._retry.needs_uniform:
            jitter_s = _difference(due_s(_ALMOST_ONE), due_s(0.0)).reshape(2, -1).mean(axis=0)
            variance_s2 = variance_s2 + jitter_s**2 / 12.0
        self._previous_s = np.where(np.isinf(middle_s), 0.0, middle_s - finish_s)
        # A cohort that is given up in part is given up.
        given_up = np.isinf(first_s) | np.isinf(last_s)
        return Spans(
            np.where(given_up, np.inf, first_s), np.where(given_up, np.inf, last_s), variance_s2
        )


def _difference(one: Floats, two: Floats) -> Floats:
    """Return the difference, 0 where one of them is infinite."""
    finite = np.isfinite(one) & np.isfinite(two)
    return np.subtract(one, two, out=np.zeros_like(one), where=finite)


def _before(times: Spans, expiry: Spans) -> tuple[Floats, Spans]:
    """Return which shares of cohorts come no later than they expire, and when those come.

    What never comes is given the time of its expiry, so that all times are finite.
    """
    never = times.never
    first_s = np.where(never, -1.0, expiry.first_s - times.first_s)
    last_s = np.where(never, -1.0, expiry.last_s - times.last_s)
    variance_s2 = np.where(never, 0.0, np.maximum(times.variance_s2 - expiry.variance_s2, 0.0))
    # How long before their expiry they come: an even stretch, of which the part above 0 counts.
    slack_s = 0.5 * (first_s + last_s)
    half_s = 0.5 * np.sqrt((last_s - first_s) ** 2 + 12.0 * variance_s2)
    most_s = slack_s + half_s
    shares = np.where(
        half_s > SHORTEST_S,
        np.clip(most_s / np.maximum(2.0 * half_s, SHORTEST_S), 0.0, 1.0),
        slack_s >= 0.0,
    )
    times = Spans(
        np.where(never, expiry.first_s, times.first_s),
        np.where(never, expiry.last_s, times.last_s),
        times.variance_s2,
    )
    cut = (shares > 0.0) & (shares < 1.0)
    if not cut.any():
        return shares, times
    # Those in time have the most slack: they come earlier, and in a shorter stretch.
    middle_s = times.middle_s - np.where(cut, 0.5 * most_s - slack_s, 0.0)
    narrower = np.where(cut, shares, 1.0)
    half_s = 0.5 * (times.last_s - times.first_s) * narrower
    return shares, Spans(middle_s - half_s, middle_s + half_s, times.variance_s2 * narrower**2)
