"""Estimates for one provider: times, connections, ceilings, bounces and faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sendcap.calibration import ceilings, connections
from sendcap.calibration.attempts import ACCEPTED, Floats, Ints, Records
from sendcap.calibration.evidence import Evidence, ProviderEvidence
from sendcap.calibration.families import Fit
from sendcap.calibration.fitting import best, best_or_measured
from sendcap.calibration.outcomes import (
    GREYLISTED,
    MAILBOX_FULL,
    REASONS,
    THROTTLED,
    UNREACHABLE,
    number_of,
)
from sendcap.calibration.times import Figure, Times, share

_LEAST_TIMES: Final = 30
_LEAST_FAULTY: Final = 5
_LEAST_SHAPED: Final = 20
_LEAST_AGAIN: Final = 20
_OF_THE_ADDRESS: Final = frozenset({GREYLISTED, MAILBOX_FULL, UNREACHABLE})
"""Reasons that belong to the address unless the log says otherwise: the next attempt meets them."""
_PERSISTS: Final = 2.0


@dataclass(frozen=True)
class FaultEstimate:
    """A reason for soft bounces that stays with an address for a time.

    Attributes
    ----------
    share
        Share of the provider's messages.
    fits
        Distributions of the time until it clears, the best first; empty if it never did.
    times
        Data of the fits.
    never
        Share of these messages whose fault never clears.
    """

    reason: str
    share: Figure
    fits: list[Fit]
    times: Times
    never: Figure

    @property
    def greylisting(self) -> bool:
        """Whether the fault clears at the same age for all messages."""
        return bool(self.fits) and self.fits[0].family == "constant"


@dataclass(frozen=True)
class ProviderEstimates:
    """The estimates for a provider.

    Attributes
    ----------
    connect, transaction
        Distributions of the times, the best first; empty if the log has none.
    connect_times, transaction_times
        Data of the fits.
    transaction_mean
        The mean alone, if stamps are too coarse for a distribution.
    hard
        Shares of the messages, by reason.
    transient, transient_reasons
        Probability of a soft bounce at an attempt; counts by reason.
    faults
        Reasons that stay with an address for a time.
    returned
        Share of the accepted messages with an asynchronous bounce.
    tolerated
        Attempts per second that passed while others were throttled, and the number of minutes.
    thin
        Reasons with too few messages for a fault; their first attempts count as transient.
    """

    name: str
    messages: int
    attempts: int
    connect: list[Fit]
    connect_times: Times | None
    transaction: list[Fit]
    transaction_times: Times | None
    transaction_mean: Figure | None
    per_connection: connections.PerConnection | None
    ceiling: ceilings.Ceiling
    hard: dict[str, Figure]
    transient: Figure
    transient_reasons: dict[str, int]
    faults: list[FaultEstimate]
    returned: Figure
    tolerated: tuple[Figure, int] | None
    thin: dict[str, int] = field(default_factory=dict)


class SessionEvidence:
    """Evidence from connections, if the log distinguishes them."""

    def __init__(self, evidence: Evidence, sharp: bool) -> None:
        self._rows: Records = evidence.sessions.rows()
        self.one_in = evidence.sessions.one_in
        self.uses: dict[int, Ints] = connections.session_uses(self._rows)
        self.transactions: dict[int, Times] = {}
        self.means: dict[int, Figure] = {}
        if len(self._rows) > 1 and sharp:
            self.transactions = connections.session_transactions(self._rows)
        elif len(self._rows) > 1:
            self.means = connections.coarse_transactions(self._rows)
        self._evidence = evidence

    def open(self, number: int) -> Floats | None:
        """Return the mean number of open connections to a provider in each bin; None if unknown."""
        if number not in self.uses:
            return None
        first_s, bin_s, bins = self._evidence.first_s, self._evidence.bin_s, self._evidence.bins
        return ceilings.open_sessions(self._rows, number, first_s, bin_s, bins) * self.one_in


def estimates_of(
    name: str, number: int, evidence: Evidence, sessions: SessionEvidence
) -> ProviderEstimates:
    """Return the estimates for a provider."""
    provider = evidence.providers[name]
    connect_times = _measured(provider.setup_s.columns()[0])
    transaction_times = _measured(provider.transaction_s.columns()[0])
    ceiling = ceilings.ceiling(provider, evidence.bin_s, sessions.open(number))
    mean = None
    if transaction_times is None and ceiling.limited_by != "rate":
        # At a rate limit, the gaps between attempts would be those of the rate.
        transaction_times = _enough(sessions.transactions.get(number))
        mean = sessions.means.get(number)
    uses = provider.uses
    if not uses[1:].any():
        uses = sessions.uses.get(number, np.zeros(2, np.int64))
    tolerated = ceilings.tolerated(provider, evidence.bin_s)
    faults, thin = _faults(provider)
    transient, reasons = _transient(provider, faults, thin, tolerated is not None)
    return ProviderEstimates(
        name=name,
        messages=provider.messages,
        attempts=provider.attempts,
        connect=best_or_measured(connect_times) if connect_times else [],
        connect_times=connect_times,
        transaction=best_or_measured(transaction_times) if transaction_times else [],
        transaction_times=transaction_times,
        transaction_mean=mean,
        per_connection=connections.per_connection(uses),
        ceiling=ceiling,
        hard={
            REASONS[reason]: share(int(provider.hard[reason]), provider.looked_at)
            for reason in np.flatnonzero(provider.hard).tolist()
        },
        transient=transient,
        transient_reasons=reasons,
        faults=faults,
        returned=share(provider.returned, int(provider.ends[ACCEPTED])),
        tolerated=tolerated,
        thin=thin,
    )


def _measured(values_s: Floats) -> Times | None:
    return connections.rounded(values_s) if len(values_s) >= _LEAST_TIMES else None


def _enough(times: Times | None) -> Times | None:
    return times if times is not None and times.count >= _LEAST_TIMES else None


def stays(provider: ProviderEvidence, reason: int) -> bool:
    """Tell whether a reason stays with an address, or is drawn anew at every attempt.

    If drawn anew, it is as frequent at a second attempt after it as at first attempts.
    """
    again, of = int(provider.repeated[reason]), int(provider.tried_again[reason])
    base = int(provider.soft_first[reason]) / max(provider.messages, 1)
    if of < _LEAST_AGAIN:
        return REASONS[reason] in _OF_THE_ADDRESS
    repeats = share(again, of)
    if repeats.low > _PERSISTS * base:
        return True
    if repeats.high < base / _PERSISTS:
        # First attempts alone meet it.
        return True
    return REASONS[reason] == GREYLISTED


def _faults(provider: ProviderEvidence) -> tuple[list[FaultEstimate], dict[str, int]]:
    faults, thin = [], {}
    for reason, sample in sorted(provider.clearing.items()):
        if REASONS[reason] == THROTTLED or not stays(provider, reason):
            continue
        count = int(provider.soft_first[reason])
        if count < _LEAST_FAULTY:
            thin[REASONS[reason]] = count
            continue
        affected = share(count, provider.looked_at)
        faults.append(_fault(REASONS[reason], affected, *sample.columns()))
    return faults, thin


def _fault(reason: str, affected: Figure, low_s: Floats, high_s: Floats) -> FaultEstimate:
    times = Times.of(low_s, high_s)
    if np.isinf(high_s).all():
        return FaultEstimate(reason, affected, [], times, share(len(high_s), len(high_s)))
    # A few messages do not show a shape.
    names = None if times.count >= _LEAST_SHAPED else ("exponential",)
    fits = best(times, names=names)
    if times.censored:
        # A share that never clears costs a parameter, which AIC has to justify.
        fits = sorted([*fits, *best(times, never=True, names=names)], key=lambda fit: fit.aic)
    never = fits[0].never or Figure(0.0, 0.0, share(0, int(times.count)).high)
    return FaultEstimate(reason, affected, fits, times, never)


def _transient(
    provider: ProviderEvidence, faults: list[FaultEstimate], thin: dict[str, int], tolerance: bool
) -> tuple[Figure, dict[str, int]]:
    """Return the probability of a soft bounce drawn anew at each attempt, and the counts."""
    own = {number_of(fault.reason) for fault in faults}
    if tolerance:
        own.add(number_of(THROTTLED))
    soft = {reason: int(provider.soft[reason]) for reason in np.flatnonzero(provider.soft).tolist()}
    elsewhere = sum(count for reason, count in soft.items() if reason in own)
    counts = {REASONS[reason]: count for reason, count in soft.items() if reason not in own}
    for reason, count in thin.items():
        elsewhere += counts[reason] - count
        counts[reason] = count
    counts = {reason: count for reason, count in counts.items() if count}
    hard = int(provider.hard.sum())
    return share(sum(counts.values()), max(provider.attempts - hard - elsewhere, 0)), counts
