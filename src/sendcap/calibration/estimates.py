"""What a log says of one provider: times, connections, ceilings, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sendcap.calibration import ceilings, connections
from sendcap.calibration.attempts import ACCEPTED, Floats, Ints, Records
from sendcap.calibration.evidence import Evidence, OfProvider
from sendcap.calibration.fitting import Fit, best, best_or_measured
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
"""Reasons that are the address's unless the log says otherwise: the next attempt meets them too."""
_PERSISTS: Final = 2.0


@dataclass(frozen=True)
class FaultFound:
    """A reason for soft bounces that stays with an address for a time.

    Attributes
    ----------
    share
        Of the provider's messages.
    fits
        Distributions of when it clears, the best first; empty if it never did.
    times
        What they were fitted to.
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
        """Whether it is gone at the same age for all of them."""
        return bool(self.fits) and self.fits[0].family == "constant"


@dataclass(frozen=True)
class ProviderFound:
    """Everything that was estimated of a provider.

    Attributes
    ----------
    connect, transaction
        Distributions of the times, the best first; empty where the log does not tell them.
    connect_times, transaction_times
        What they were fitted to.
    transaction_mean
        The mean alone, where stamps are too coarse for more.
    hard
        Shares of the messages, by reason.
    transient
        Probability of a soft bounce at an attempt, and its reasons with their counts.
    returned
        Share of the accepted that came back.
    tolerated
        Attempts per second that were let through while others were throttled, and in how many
        minutes that was seen.
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
    faults: list[FaultFound]
    returned: Figure
    tolerated: tuple[Figure, int] | None
    thin: dict[str, int] = field(default_factory=dict)
    """Reasons with too few messages for a fault; their first attempts count as transient."""


class SessionEvidence:
    """What connections tell, where the log tells them apart."""

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
        """Return how many connections to a provider were open in each bin."""
        if number not in self.uses:
            return None
        its = self._evidence
        found = ceilings.open_sessions(self._rows, number, its.first_s, its.bin_s, its.bins)
        return found * self.one_in


def found_of(
    name: str, number: int, evidence: Evidence, sessions: SessionEvidence
) -> ProviderFound:
    """Estimate everything about a provider."""
    mine = evidence.providers[name]
    connect_times = _measured(mine.setup_s.columns()[0])
    transaction_times = _measured(mine.transaction_s.columns()[0])
    found_ceiling = ceilings.ceiling(mine, evidence.bin_s, sessions.open(number))
    held_back = found_ceiling.limited_by == "rate"
    mean = None
    if transaction_times is None and not held_back:
        # Otherwise the gaps between attempts are those of the rate.
        transaction_times = _enough(sessions.transactions.get(number))
        mean = sessions.means.get(number)
    uses = mine.uses if mine.uses[1:].any() else sessions.uses.get(number, np.zeros(2, np.int64))
    tolerated = ceilings.tolerated(mine, evidence.bin_s)
    faults, thin = _faults(mine)
    transient, reasons = _transient(mine, faults, thin, tolerated is not None)
    return ProviderFound(
        name=name,
        messages=mine.messages,
        attempts=mine.attempts,
        connect=best_or_measured(connect_times) if connect_times else [],
        connect_times=connect_times,
        transaction=best_or_measured(transaction_times) if transaction_times else [],
        transaction_times=transaction_times,
        transaction_mean=mean,
        per_connection=connections.per_connection(uses),
        ceiling=found_ceiling,
        hard={
            REASONS[reason]: share(int(mine.hard[reason]), mine.looked_at)
            for reason in np.flatnonzero(mine.hard).tolist()
        },
        transient=transient,
        transient_reasons=reasons,
        faults=faults,
        returned=share(mine.returned, int(mine.ends[ACCEPTED])),
        tolerated=tolerated,
        thin=thin,
    )


def _measured(values_s: Floats) -> Times | None:
    return connections.rounded(values_s) if len(values_s) >= _LEAST_TIMES else None


def _enough(times: Times | None) -> Times | None:
    return times if times is not None and times.count >= _LEAST_TIMES else None


def stays(mine: OfProvider, reason: int) -> bool:
    """Tell whether a reason stays with an address, or comes anew at every attempt.

    Where it comes anew, a message that met it meets it again as often as any does at first.
    """
    again, of = int(mine.repeated[reason]), int(mine.tried_again[reason])
    base = int(mine.soft_first[reason]) / max(mine.messages, 1)
    if of < _LEAST_AGAIN:
        return REASONS[reason] in _OF_THE_ADDRESS
    repeats = share(again, of)
    if repeats.low > _PERSISTS * base:
        return True
    if repeats.high < base / _PERSISTS:
        # Only first attempts meet it.
        return True
    return REASONS[reason] == GREYLISTED


def _faults(mine: OfProvider) -> tuple[list[FaultFound], dict[str, int]]:
    found, thin = [], {}
    for reason, sample in sorted(mine.clearing.items()):
        if REASONS[reason] == THROTTLED or not stays(mine, reason):
            continue
        count = int(mine.soft_first[reason])
        if count < _LEAST_FAULTY:
            # What its messages met again says nothing of others.
            thin[REASONS[reason]] = count
            continue
        found.append(_fault(REASONS[reason], share(count, mine.looked_at), *sample.columns()))
    return found, thin


def _fault(reason: str, part: Figure, low_s: Floats, high_s: Floats) -> FaultFound:
    times = Times.of(low_s, high_s)
    if np.isinf(high_s).all():
        return FaultFound(reason, part, [], times, share(len(high_s), len(high_s)))
    # Of a few messages no shape can be told.
    names = None if times.count >= _LEAST_SHAPED else ("exponential",)
    fits = best(times, names=names)
    if times.censored:
        # A share that never clears costs a parameter: it must earn it.
        fits = sorted([*fits, *best(times, never=True, names=names)], key=lambda its: its.aic)
    never = fits[0].never or Figure(0.0, 0.0, share(0, int(times.count)).high)
    return FaultFound(reason, part, fits, times, never)


def _transient(
    mine: OfProvider, faults: list[FaultFound], thin: dict[str, int], tolerance: bool
) -> tuple[Figure, dict[str, int]]:
    """Return the probability of a soft bounce that has to do with the attempt alone."""
    own = {number_of(its.reason) for its in faults}
    if tolerance:
        own.add(number_of(THROTTLED))
    soft = {reason: int(mine.soft[reason]) for reason in np.flatnonzero(mine.soft).tolist()}
    elsewhere = sum(count for reason, count in soft.items() if reason in own)
    counts = {REASONS[reason]: count for reason, count in soft.items() if reason not in own}
    for reason, count in thin.items():
        elsewhere += counts[reason] - count
        counts[reason] = count
    counts = {reason: count for reason, count in counts.items() if count}
    hard = int(mine.hard.sum())
    return share(sum(counts.values()), max(mine.attempts - hard - elsewhere, 0)), counts
