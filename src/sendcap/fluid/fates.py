"""Fates: what becomes of the attempts of cohorts at a provider, as shares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sendcap.fluid.refusals import Refused
from sendcap.fluid.spans import Floats, Spans
from sendcap.model.addresses import THROTTLED, TRANSIENT, UNREACHABLE
from sendcap.scenario import Fault, Provider

_POINTS = (np.arange(8) + 0.5) / 8.0 - 0.5
"""Where in a span of ages it is looked whether faults have cleared."""


class Outcome(NamedTuple):
    """How the attempts of cohorts end, in messages.

    Attributes
    ----------
    accepted : shape (cohorts,)
    hard : shape (reasons, cohorts)
        Rows in the order of the provider's.
    soft : shape (reasons, cohorts)
        Rows as `soft_reasons` has them.
    """

    accepted: Floats
    hard: Floats
    soft: Floats


def soft_reasons(provider: Provider) -> tuple[str, ...]:
    """Return the reasons of soft bounces at a provider."""
    return (TRANSIENT, UNREACHABLE, THROTTLED, *(its.reason for its in provider.faults))


class Fates:
    """The messages of cohorts that have not met their end, by what is wrong with them.

    Parameters
    ----------
    provider
        Whose addresses they are.
    messages : ndarray, shape (cohorts,)
        How many messages each cohort has.
    """

    def __init__(self, provider: Provider, messages: Floats) -> None:
        self._provider = provider
        hard = np.array([its.share for its in provider.hard]).reshape(-1, 1)
        faulty = np.array([its.share for its in provider.faults]).reshape(-1, 1)
        self._hard = hard * messages
        self._faulty = faulty * messages
        self._good = max(1.0 - float(hard.sum() + faulty.sum()), 0.0) * messages
        # The share of the faulty that have not cleared, to see by how much it has shrunk.
        self._uncleared = np.ones_like(self._faulty)

    @property
    def pending(self) -> Floats:
        """Messages that have not met their end."""
        pending: Floats = self._hard.sum(axis=0) + self._faulty.sum(axis=0) + self._good
        return pending

    def go_on(self, shares: Floats) -> None:
        """Take the others out, whatever is wrong with them."""
        self._hard *= shares
        self._faulty *= shares
        self._good *= shares

    def tried(self, first: Spans, finish: Spans, refused: Refused) -> Outcome:
        """Let all that are pending be tried; what soft-bounces stays pending.

        Parameters
        ----------
        first, finish
            When their first attempts have finished, and when these do.
        refused
            What the provider refuses of them.
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
        """Let the faults clear that have not lasted until the attempts' finish."""
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
    """Return the probability that a fault lasts longer than so many seconds."""
    if fault.never == 1.0:
        return np.ones_like(age_s)
    uncleared: Floats = 1.0 - (1.0 - fault.never) * fault.clears_after.cdf(np.maximum(age_s, 0.0))
    return uncleared
