"""Estimates for one provider: times, connections, ceilings, bounces and faults."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import t as student

from sendcap.calibration.attempts import ACCEPTED, Floats
from sendcap.calibration.ceilings import Ceiling, ceiling, tolerated
from sendcap.calibration.connections import PerConnection, per_connection
from sendcap.calibration.evidence import Evidence, ProviderEvidence, Sample
from sendcap.calibration.families import Fit
from sendcap.calibration.fitting import best, best_or_measured
from sendcap.calibration.reasons import (
    GREYLISTED,
    INVALID_DOMAIN,
    MAILBOX_FULL,
    NUMBERS,
    OTHER,
    REASONS,
    THROTTLED,
    UNREACHABLE,
)
from sendcap.calibration.times import Figure, Times, share
from sendcap.text.quantities import counted

_LEAST_TIMES: Final = 30
_LEAST_FOR_A_MEAN: Final = 5
_LEAST_FAULTY: Final = 5
_LEAST_REFUSED: Final = 10
_NEARLY_ALL: Final = 0.9
_LEAST_SHAPED: Final = 20
_LEAST_AGAIN: Final = 20
_OF_THE_ADDRESS: Final = frozenset({GREYLISTED, MAILBOX_FULL, UNREACHABLE})
"""Reasons that belong to the address unless the log says otherwise: the next attempt meets them."""
_WITHOUT_A_SERVER: Final = frozenset({INVALID_DOMAIN, UNREACHABLE})
"""Reasons that an MTA finds before a server looks at a message."""
_PERSISTS: Final = 2.0
_OTHERWISE_BY_CHANCE: Final = 0.01
"""How often chance makes a reason that is drawn anew look like one that stays, or the reverse."""


@dataclass(frozen=True)
class FaultEstimate:
    """A reason for soft bounces that stays with an address for a time."""

    reason: str
    share: Figure  # of the provider's messages
    fits: list[Fit]  # of the time until it clears, the best first; empty if it never did
    times: Times  # data of the fits
    never: Figure  # share of these messages whose fault never clears
    untold: bool = False  # whether the log has nothing but the expiry of these messages

    @property
    def clears_at_one_age(self) -> bool:
        """Whether the fault may clear at the same age for all messages, as greylisting does."""
        return bool(self.fits) and self.fits[0].family == "constant"

    @property
    def is_shaped(self) -> bool:
        """Whether messages are enough for a shape of the time; an assumption is none."""
        return self.times.count >= _LEAST_SHAPED or self.clears_at_one_age

    @property
    def clears_by_next_attempt(self) -> bool:
        """Whether no next attempt ever met the fault, which leaves the age open."""
        return self.clears_at_one_age and self.fits[0].mean_s.low <= 0.0


@dataclass(frozen=True)
class ProviderEstimates:
    """The estimates for a provider; of several distributions the best comes first."""

    name: str
    messages: int
    attempts: int
    connect: list[Fit]  # empty if the log has no such times
    connect_times: Times | None
    connect_mean: Figure | None  # if connections are too few for a distribution
    transaction: list[Fit]
    transaction_times: Times | None
    transaction_mean: Figure | None  # if stamps are too coarse for a distribution
    per_connection: PerConnection | None
    ceiling: Ceiling
    tried: int  # messages that were tried, as far as the log tells
    looked_at: int  # messages of which a server, or the look for it, said something
    hard: dict[str, Figure]  # shares of the messages, by reason
    transient: Figure  # probability of a soft bounce at an attempt
    transient_reasons: dict[str, int]
    faults: list[FaultEstimate]
    returned: Figure  # share of the accepted messages with an asynchronous bounce
    # Attempts per second that passed while others were throttled, and the number of minutes.
    tolerated: tuple[Figure, int] | None
    accepts: int | None  # connections, more than which the provider refused
    # Reasons with too few messages for a fault; their first attempts count as transient.
    thin: dict[str, int]

    def base(self, reason: str) -> int:
        """Return the number of messages among which a reason would show."""
        return self.tried if reason in _WITHOUT_A_SERVER else self.looked_at

    def among(self, reason: str) -> str:
        """Return in words of which messages the share of a reason is."""
        base = self.base(reason)
        if base == self.messages:
            return "of the messages"
        tried = "tried" if base == self.tried else "that a server looked at"
        return f"of the {counted(base, 'message')} {tried}"

    @property
    def reasons_text(self) -> str:
        """Reasons of transient soft bounces with counts, as text."""
        counts = self.transient_reasons.items()
        return ", ".join(f"{reason} {count:,}" for reason, count in counts)


def estimates_of(name: str, number: int, evidence: Evidence) -> ProviderEstimates:
    """Return the estimates for a provider."""
    provider, sessions, bins = evidence.providers[name], evidence.sessions, evidence.bins
    connect_times = _measured(provider.setup_s)
    transaction_times = _measured(provider.transaction_s, provider.together)
    limit = ceiling(provider, bins.width_s, sessions.open(number, bins), evidence.seconds.width_s)
    mean = None
    if transaction_times is None and limit.limited_by != "rate":
        # At a rate limit, the gaps between attempts would be those of the rate.
        transaction_times = sessions.transactions.get(number)
        if transaction_times is not None and transaction_times.count < _LEAST_TIMES:
            transaction_times = None
        mean = sessions.means.get(number)
    uses, carried = provider.uses, provider.carried
    if not uses[1:].any():
        uses, carried = sessions.uses.get(number, uses), sessions.carried(number)
    allowed = tolerated(provider, bins.width_s)
    # Bounces may come back of messages that were accepted before the log begins.
    accepted = int(provider.ends[ACCEPTED])
    faults, thin = _faults(provider)
    accepts = _accepts(provider, limit)
    transient, reasons = _transient(
        provider, faults, thin, allowed is not None or accepts is not None
    )
    return ProviderEstimates(
        name=name,
        messages=provider.messages,
        attempts=provider.attempts,
        connect=best_or_measured(connect_times) if connect_times else [],
        connect_times=connect_times,
        connect_mean=_mean_of_few(provider.setup_s),
        transaction=best_or_measured(transaction_times) if transaction_times else [],
        transaction_times=transaction_times,
        transaction_mean=mean,
        per_connection=per_connection(uses, carried),
        ceiling=limit,
        tried=_tried(provider),
        looked_at=provider.looked_at,
        hard={
            REASONS[reason]: _share(provider, REASONS[reason], int(provider.hard[reason]))
            for reason in np.flatnonzero(provider.hard).tolist()
        },
        transient=transient,
        transient_reasons=reasons,
        faults=faults,
        returned=share(min(provider.returned, accepted), accepted),
        tolerated=allowed,
        accepts=accepts,
        thin=thin,
    )


def _tried(provider: ProviderEvidence) -> int:
    return int(provider.tries.sum() + provider.untold.sum())


def _share(provider: ProviderEvidence, reason: str, count: int) -> Figure:
    """Return the share of the messages that a reason concerns.

    A message that no server has looked at says nothing about its mailbox, but that its domain is
    one: that is looked up before. Where the others are taken for all, domains that are none have
    their own share of all.
    """
    tried = _tried(provider)
    if reason in _WITHOUT_A_SERVER:
        return share(count, tried)
    no_domain = int(provider.hard[NUMBERS[INVALID_DOMAIN]])
    among = provider.looked_at - no_domain
    of = among * tried / (tried - no_domain) if among > 0 and tried > no_domain else 0.0
    return share(count, max(round(of), count))


def _accepts(provider: ProviderEvidence, limit: Ceiling) -> int | None:
    """Return how many connections a provider accepts, if it refuses further ones.

    Nearly all that it throttles is refused at the greeting, while the connections that are open
    stay as many.
    """
    throttled = int(provider.soft[NUMBERS[THROTTLED]])
    if provider.refused < max(_LEAST_REFUSED, _NEARLY_ALL * throttled):
        return None
    if limit.limited_by != "connections" or limit.level is None:
        return None
    return max(round(limit.level.value), 1)


def _measured(sample: Sample, together: Sample | None = None) -> Times | None:
    values_s = sample.values()
    if len(values_s) < _LEAST_TIMES:
        return None
    return Times.rounded(values_s, 1.0 if together is None else together.values())


def _mean_of_few(sample: Sample) -> Figure | None:
    """Return the mean of times that are too few for a distribution; None if they are not.

    With connections that are used again, a log of thousands of messages has a few only.
    """
    values_s = sample.values()
    if not _LEAST_FOR_A_MEAN <= len(values_s) < _LEAST_TIMES:
        return None
    middle_s = Times.rounded(values_s)
    mean_s = float(np.average(middle_s.middle_s, weights=middle_s.weight))
    off_s = float(student.ppf(0.95, len(values_s) - 1) * values_s.std(ddof=1))
    error_s = off_s / math.sqrt(len(values_s))
    return Figure(mean_s, max(mean_s - error_s, 0.0), mean_s + error_s)


def stays(provider: ProviderEvidence, reason: int) -> bool:
    """Tell whether a reason stays with an address, or is drawn anew at every attempt.

    If drawn anew, it is as frequent at a second attempt after it as at first attempts.
    """
    again, of = int(provider.repeated[reason]), int(provider.tried_again[reason])
    base = int(provider.soft_first[reason]) / max(provider.messages, 1)
    if of < _LEAST_AGAIN:
        return REASONS[reason] in _OF_THE_ADDRESS
    repeats = share(again, of, _OTHERWISE_BY_CHANCE)
    more, first_only = repeats.low > _PERSISTS * base, repeats.high < base / _PERSISTS
    return more or first_only or REASONS[reason] == GREYLISTED


def _faults(provider: ProviderEvidence) -> tuple[list[FaultEstimate], dict[str, int]]:
    faults, thin = [], {}
    for reason, sample in sorted(provider.clearing.items()):
        if REASONS[reason] == THROTTLED or not stays(provider, reason):
            continue
        count = int(provider.soft_first[reason])
        if count < _LEAST_FAULTY:
            thin[REASONS[reason]] = count
            continue
        affected = _share(provider, REASONS[reason], count)
        faults.append(_fault(REASONS[reason], affected, *sample.values().T))
    return [*faults, *_untold(provider, {fault.reason for fault in faults})], thin


def _untold(provider: ProviderEvidence, told: set[str]) -> Iterator[FaultEstimate]:
    """Yield faults of messages known only by their expiry, which never cleared."""
    for reason in np.flatnonzero(provider.untold).tolist():
        count, name = int(provider.untold[reason]), REASONS[reason] or OTHER
        name = f"{name} until expiry" if name in told else name
        none = Times(*np.zeros((3, 0)))
        never = Figure(1.0)
        affected = _share(provider, REASONS[reason] or OTHER, count)
        yield FaultEstimate(name, affected, [], none, never, untold=True)


def _fault(reason: str, affected: Figure, low_s: Floats, high_s: Floats) -> FaultEstimate:
    times = Times.of(low_s, high_s)
    if np.isinf(high_s).all():
        return FaultEstimate(reason, affected, [], times, share(len(high_s), len(high_s)))
    # A few messages do not show a shape: the simplest one is an assumption.
    names = None if times.count >= _LEAST_SHAPED else ("exponential",)
    fits = best(times, names=names)
    if times.censored:
        # A share that never clears costs a parameter, which AIC has to justify.
        lost = best(times, never=True, names=names)
        better = bool(lost) and (not fits or lost[0].aic < fits[0].aic)
        fits = [*lost, *fits] if better else [*fits, *lost]
    never = fits[0].never or Figure(0.0, 0.0, share(0, int(times.count)).high)
    return FaultEstimate(reason, affected, fits, times, never)


def _transient(
    provider: ProviderEvidence, faults: list[FaultEstimate], thin: dict[str, int], tolerance: bool
) -> tuple[Figure, dict[str, int]]:
    """Return the probability of a soft bounce drawn anew at each attempt, and the counts."""
    own = {NUMBERS[fault.reason] for fault in faults if not fault.untold}
    if tolerance:
        own.add(NUMBERS[THROTTLED])
    soft = {reason: int(provider.soft[reason]) for reason in np.flatnonzero(provider.soft).tolist()}
    elsewhere = sum(count for reason, count in soft.items() if reason in own)
    counts = {REASONS[reason]: count for reason, count in soft.items() if reason not in own}
    for reason, count in thin.items():
        elsewhere += counts[reason] - count
        counts[reason] = count
    counts = {reason: count for reason, count in counts.items() if count}
    hard = int(provider.hard.sum())
    return share(sum(counts.values()), max(provider.attempts - hard - elsewhere, 0)), counts
