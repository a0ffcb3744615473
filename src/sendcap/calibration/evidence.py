"""Evidence for the estimates: counts of all attempts, and bounded samples of their times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sendcap.calibration.attempts import (
    ACCEPTED,
    EXPIRED,
    HARD,
    SOFT,
    Attempts,
    Floats,
    Ints,
    Records,
)
from sendcap.calibration.lives import Lives, gaps_s, lives
from sendcap.calibration.outcomes import REASONS, THROTTLED, UNREACHABLE, number_of
from sendcap.calibration.samples import SAMPLE, Sample, Sessions

_MOST_BINS: Final = 400_000
_MOST_TRIES: Final = 200
_MOST_USES: Final = 65_536
_OUTCOMES: Final = 6
_THROTTLED: Final = number_of(THROTTLED)
_NOT_LOOKED_AT: Final = (_THROTTLED, number_of(UNREACHABLE))
"""Reasons that say nothing about the address: they concern all mail alike."""


def _zeros(size: int) -> Callable[[], Ints]:
    return lambda: np.zeros(size, np.int64)


def _sample() -> Sample:
    return Sample(1)


@dataclass
class ProviderEvidence:
    """Counts and samples of one provider.

    Attributes
    ----------
    messages
        Lives whose first attempt is in the log.
    looked_at
        Those of which the server looked at the address at least once.
    ends
        Lives by outcome.
    hard, soft_first, soft
        By reason: lives that ended in a hard bounce, first attempts that were soft bounces, all
        soft bounces.
    tried_again, repeated
        By reason: soft bounces followed by another attempt, and by one with the same reason.
    tries
        Lives by number of attempts.
    uses
        Attempts by the use of their connection.
    clearing
        By reason: bounds of the time at which the fault of a first attempt cleared.
    busy_s, in_bin, throttled_in_bin
        By bin of time: seconds of connections, attempts, throttled attempts.
    """

    messages: int = 0
    looked_at: int = 0
    attempts: int = 0
    returned: int = 0
    ends: Ints = field(default_factory=_zeros(_OUTCOMES))
    hard: Ints = field(default_factory=_zeros(len(REASONS)))
    soft_first: Ints = field(default_factory=_zeros(len(REASONS)))
    soft: Ints = field(default_factory=_zeros(len(REASONS)))
    tried_again: Ints = field(default_factory=_zeros(len(REASONS)))
    repeated: Ints = field(default_factory=_zeros(len(REASONS)))
    tries: Ints = field(default_factory=_zeros(_MOST_TRIES + 1))
    uses: Ints = field(default_factory=_zeros(_MOST_USES))
    setup_s: Sample = field(default_factory=_sample)
    transaction_s: Sample = field(default_factory=_sample)
    delay_s: Sample = field(default_factory=_sample)
    clearing: dict[int, Sample] = field(default_factory=dict)
    busy_s: Floats = field(default_factory=lambda: np.zeros(0))
    in_bin: Ints = field(default_factory=_zeros(0))
    throttled_in_bin: Ints = field(default_factory=_zeros(0))


class Evidence:
    """Counts and samples of all providers.

    Parameters
    ----------
    attempts
        The table of attempts.
    providers
        Names by number.
    merged
        For each provider, the number under which it counts.
    strict
        See `sendcap.calibration.lives.lives`.

    Attributes
    ----------
    first_s, last_s
        End of the first and of the last attempt, in seconds since 1970.
    bin_s
        Width of the bins of time; bin 0 begins one bin before ``first_s``.
    gaps
        Columns: failures before, age, failing time, previous gap, gap, whether it is exact,
        duration of the failed attempt.
    ages
        Ages of messages when they expired.
    arrivals
        Arrivals of messages, in seconds since 1970.
    partial
        Lives that began before the log.
    """

    def __init__(
        self,
        attempts: Attempts,
        providers: Sequence[str],
        merged: Ints,
        *,
        strict: bool = True,
    ) -> None:
        self.strict = strict
        self.first_s, self.last_s = attempts.first_s, attempts.last_s
        least_s = 1.0 if attempts.sharp else 10.0
        span_s = self.last_s - self.first_s
        self.bin_s = max(least_s, least_s * np.ceil(span_s / _MOST_BINS / least_s))
        bins = int(span_s / self.bin_s) + 3
        self.providers = {
            name: ProviderEvidence(
                busy_s=np.zeros(bins),
                in_bin=np.zeros(bins, np.int64),
                throttled_in_bin=np.zeros(bins, np.int64),
            )
            for name in providers
        }
        self.bins = bins
        self.gaps = Sample(7)
        self.ages = Sample(1)
        self.arrivals = Sample(1, 2 * SAMPLE)
        self.sessions = Sessions()
        self.partial = 0
        for part in attempts.parts():
            part["provider"] = merged[part["provider"]]
            self._take(lives(part, self.first_s, strict=strict))

    def _take(self, part: Lives) -> None:
        self.sessions.add(part.rows)
        self.partial += int((~part.whole).sum())
        provider = part.rows["provider"]
        of_life = provider[part.first]
        for number, evidence in enumerate(self.providers.values()):
            self._take_attempts(evidence, part.rows[provider == number])
            self._take_lives(evidence, part, np.flatnonzero((of_life == number) & part.whole))
            evidence.returned += int((part.returned["provider"] == number).sum())
        self._take_repeats(part)
        self._take_gaps(part)
        # Across all providers: in the order of the hashes, so that the sample is random.
        arrived_s = part.rows["arrived_s"][part.first[part.whole]]
        self.arrivals.add(self._came_s(arrived_s[~np.isnan(arrived_s)]))
        expired = (part.end == EXPIRED) & part.whole
        age_s = part.expired_s[expired] - part.rows["arrived_s"][part.last[expired]]
        self.ages.add(age_s[~np.isnan(age_s)])

    def _take_attempts(self, evidence: ProviderEvidence, rows: Records) -> None:
        evidence.attempts += len(rows)
        setup_s, transaction_s = rows["setup_s"], rows["transaction_s"]
        evidence.setup_s.add(setup_s[(rows["use"] == 1) & ~np.isnan(setup_s)])
        evidence.transaction_s.add(transaction_s[(rows["use"] > 0) & ~np.isnan(transaction_s)])
        used = np.minimum(rows["use"], _MOST_USES - 1)
        evidence.uses += np.bincount(used, minlength=_MOST_USES)
        bins = bin_of(rows["finished_s"] - self.first_s, self.bin_s, self.bins)
        throttled = (rows["outcome"] == SOFT) & (rows["reason"] == _THROTTLED)
        evidence.in_bin += np.bincount(bins, minlength=self.bins)
        evidence.throttled_in_bin += np.bincount(bins[throttled], minlength=self.bins)
        known = ~np.isnan(rows["started_s"])
        from_s, to_s = rows["started_s"][known], rows["finished_s"][known]
        add_spans(evidence.busy_s, from_s - self.first_s, to_s - self.first_s, self.bin_s)

    def _take_lives(self, evidence: ProviderEvidence, part: Lives, which: Ints) -> None:
        rows, first, last, end = part.rows, part.first[which], part.last[which], part.end[which]
        evidence.messages += len(which)
        evidence.ends += np.bincount(end, minlength=_OUTCOMES)
        tries = np.minimum(part.tries[which], _MOST_TRIES)
        evidence.tries += np.bincount(tries, minlength=_MOST_TRIES + 1)
        looked_at = ~np.isin(rows["reason"], _NOT_LOOKED_AT) | (rows["outcome"] != SOFT)
        upto = np.append(0, np.cumsum(looked_at))
        evidence.looked_at += int((upto[last + 1] > upto[first]).sum())
        evidence.hard += _by_reason(rows[last[end == HARD]])
        failed = rows["outcome"][first] == SOFT
        evidence.soft_first += _by_reason(rows[first[failed]])
        accepted = last[end == ACCEPTED]
        delay_s = rows["finished_s"][accepted] - self._came_s(rows["arrived_s"][accepted])
        evidence.delay_s.add(delay_s[~np.isnan(delay_s)])
        if failed.any():
            _take_clearing(evidence, rows, first[failed], last[failed])

    def _came_s(self, arrived_s: Floats) -> Floats:
        """Return arrivals; unless strict, a message waiting when the log began came just then."""
        return arrived_s if self.strict else np.maximum(arrived_s, self.first_s - 1.0)

    def _take_repeats(self, part: Lives) -> None:
        follows, _ = gaps_s(part)
        one, two = part.rows[follows], part.rows[follows + 1]
        again = (two["outcome"] == SOFT) & (two["reason"] == one["reason"])
        for number, evidence in enumerate(self.providers.values()):
            chosen = one["provider"] == number
            evidence.tried_again += _by_reason(one[chosen])
            evidence.repeated += _by_reason(one[chosen & again])
            soft = (part.rows["outcome"] == SOFT) & (part.rows["provider"] == number)
            evidence.soft += _by_reason(part.rows[soft])

    def _take_gaps(self, part: Lives) -> None:
        follows, gap_s = gaps_s(part)
        life = np.cumsum(part.number == 0) - 1
        whole = part.whole[life[follows]]
        follows, gap_s = follows[whole], gap_s[whole]
        rows = part.rows[follows]
        before_s = np.zeros(len(part.rows))
        later = follows[part.number[follows + 1] > 0] + 1
        before_s[later] = gap_s
        first_s = part.rows["finished_s"][part.first[life[follows]]]
        self.gaps.add(
            part.number[follows],
            rows["finished_s"] - rows["arrived_s"],
            rows["finished_s"] - first_s,
            before_s[follows],
            gap_s,
            ~np.isnan(part.rows["ready_s"][follows + 1]),
            rows["finished_s"] - rows["ready_s"],
        )

    @property
    def messages(self) -> int:
        """Messages of all providers."""
        return sum(evidence.messages for evidence in self.providers.values())

    def ended(self, end: int) -> int:
        """Return the number of messages with an outcome; `OPEN` for those without one."""
        return int(sum(evidence.ends[end] for evidence in self.providers.values()))


def _take_clearing(evidence: ProviderEvidence, rows: Records, first: Ints, last: Ints) -> None:
    """Add the bounds of the time at which the faults of first attempts cleared."""
    sizes = last - first + 1
    life = np.repeat(np.arange(len(first)), sizes)
    row = first[life] + np.arange(len(life)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    reason = rows["reason"][first]
    same = (rows["outcome"][row] == SOFT) & (rows["reason"][row] == reason[life])
    still = np.zeros(len(first), np.int64)
    np.maximum.at(still, life[same], row[same])
    begins_s = rows["finished_s"][first]
    low_s = rows["finished_s"][still] - begins_s
    after = np.minimum(still + 1, len(rows) - 1)
    high_s = np.where(still < last, rows["finished_s"][after] - begins_s, np.inf)
    for number in np.unique(reason).tolist():
        chosen = reason == number
        sample = evidence.clearing.setdefault(number, Sample(2))
        sample.add(low_s[chosen], high_s[chosen])


def bin_of(times_s: Floats, bin_s: float, bins: int) -> Ints:
    """Return the bins of times; bin 0 ends at time 0."""
    position = np.floor(times_s / bin_s).astype(np.int64) + 1
    clipped: Ints = np.clip(position, 0, bins - 1)
    return clipped


def add_spans(total_s: Floats, from_s: Floats, to_s: Floats, bin_s: float) -> None:
    """Add to each bin the seconds of spans inside it; see `bin_of`."""
    for times_s, sign in ((from_s, 1.0), (to_s, -1.0)):
        bins = bin_of(times_s, bin_s, len(total_s))
        rest_s = np.clip(bins * bin_s - times_s, 0.0, bin_s)
        total_s += sign * np.bincount(bins, rest_s, minlength=len(total_s))
        counts = np.bincount(bins, minlength=len(total_s))
        total_s[1:] += sign * bin_s * np.cumsum(counts)[:-1]


def _by_reason(rows: Records) -> Ints:
    return np.bincount(rows["reason"], minlength=len(REASONS))
