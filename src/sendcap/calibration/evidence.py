"""What the estimates need of the table: counts of all of it, and samples that are bounded."""

from __future__ import annotations

from collections.abc import Sequence
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
_REFUSED: Final = (number_of(THROTTLED), number_of(UNREACHABLE))
"""Reasons for which a server has not even looked at the address."""


@dataclass
class OfProvider:
    """What is known of one provider.

    Attributes
    ----------
    messages
        Lives whose first attempt is in the log.
    looked_at
        Those of them of which an attempt was not refused for all alike.
    ends
        How they ended, by outcome.
    hard, soft_first, soft
        By reason: lives that ended in a hard bounce, first attempts that were soft bounces, all
        soft bounces.
    repeated, tried_again
        By reason: soft bounces that were followed by another attempt, and by another one with
        the same reason.
    tries
        Lives by the number of their attempts.
    uses
        Attempts by the use of their connection.
    """

    messages: int = 0
    looked_at: int = 0
    attempts: int = 0
    returned: int = 0
    ends: Ints = field(default_factory=lambda: np.zeros(6, np.int64))
    hard: Ints = field(default_factory=lambda: np.zeros(len(REASONS), np.int64))
    soft_first: Ints = field(default_factory=lambda: np.zeros(len(REASONS), np.int64))
    soft: Ints = field(default_factory=lambda: np.zeros(len(REASONS), np.int64))
    tried_again: Ints = field(default_factory=lambda: np.zeros(len(REASONS), np.int64))
    repeated: Ints = field(default_factory=lambda: np.zeros(len(REASONS), np.int64))
    tries: Ints = field(default_factory=lambda: np.zeros(_MOST_TRIES + 1, np.int64))
    uses: Ints = field(default_factory=lambda: np.zeros(_MOST_USES, np.int64))
    setup_s: Sample = field(default_factory=lambda: Sample(1))
    transaction_s: Sample = field(default_factory=lambda: Sample(1))
    delay_s: Sample = field(default_factory=lambda: Sample(1))
    clearing: dict[int, Sample] = field(default_factory=dict)
    busy_s: Floats = field(default_factory=lambda: np.zeros(0))
    in_bin: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    throttled_in_bin: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


class Evidence:
    """All of it.

    Parameters
    ----------
    merged
        For each provider the number of the one that it counts as.
    strict
        See `sendcap.calibration.lives.lives`.

    Attributes
    ----------
    first_s, last_s
        When the first and the last attempt finished, since 1970.
    bin_s
        Width of the bins of time; bin 0 begins a bin before ``first_s``.
    gaps
        Columns: failures before, age, failing time, previous gap, gap, whether it is exact, how
        long the attempt took that failed.
    ages
        Ages at which messages expired.
    arrivals
        When messages came, since 1970.
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
        self.bins = int(span_s / self.bin_s) + 3
        self.providers = {name: OfProvider() for name in providers}
        self._names = list(providers)
        self.gaps = Sample(7)
        self.ages = Sample(1)
        self.arrivals = Sample(1, 2 * SAMPLE)
        self.sessions = Sessions()
        self.partial = 0
        for part in attempts.parts():
            part["provider"] = merged[part["provider"]]
            self._take(lives(part, self.first_s, strict=strict))

    def _take(self, its: Lives) -> None:
        self.sessions.add(its.rows)
        self.partial += int((~its.whole).sum())
        provider = its.rows["provider"]
        of_life = provider[its.first]
        for number, name in enumerate(self._names):
            mine = self.providers[name]
            self._of_attempts(mine, its.rows[provider == number])
            self._of_lives(mine, its, np.flatnonzero((of_life == number) & its.whole))
            mine.returned += int((its.returned["provider"] == number).sum())
        self._of_repeats(its)
        self._of_gaps(its)
        whole = np.flatnonzero(its.whole)
        # In the order of their hashes, and not of their providers.
        arrived_s = its.rows["arrived_s"][its.first[whole]]
        self.arrivals.add(self._came_s(arrived_s[~np.isnan(arrived_s)]))
        expired = (its.end == EXPIRED) & its.whole
        age_s = its.expired_s[expired] - its.rows["arrived_s"][its.last[expired]]
        self.ages.add(age_s[~np.isnan(age_s)])

    def _of_attempts(self, mine: OfProvider, rows: Records) -> None:
        mine.attempts += len(rows)
        setup_s, transaction_s = rows["setup_s"], rows["transaction_s"]
        new = (rows["use"] == 1) & ~np.isnan(setup_s)
        mine.setup_s.add(setup_s[new])
        mine.transaction_s.add(transaction_s[(rows["use"] > 0) & ~np.isnan(transaction_s)])
        used = np.minimum(rows["use"], _MOST_USES - 1)
        mine.uses += np.bincount(used, minlength=_MOST_USES)
        bins = self._bin(rows["finished_s"])
        throttled = (rows["outcome"] == SOFT) & (rows["reason"] == _REFUSED[0])
        if not len(mine.in_bin):
            mine.in_bin = np.zeros(self.bins, np.int64)
            mine.throttled_in_bin = np.zeros(self.bins, np.int64)
            mine.busy_s = np.zeros(self.bins)
        mine.in_bin += np.bincount(bins, minlength=self.bins)
        mine.throttled_in_bin += np.bincount(bins[throttled], minlength=self.bins)
        known = ~np.isnan(rows["started_s"])
        self._add_busy(mine.busy_s, rows["started_s"][known], rows["finished_s"][known])

    def _bin(self, times_s: Floats) -> Ints:
        place = np.floor((times_s - self.first_s) / self.bin_s).astype(np.int64) + 1
        bins: Ints = np.clip(place, 0, self.bins - 1)
        return bins

    def _add_busy(self, busy_s: Floats, from_s: Floats, to_s: Floats) -> None:
        """Add to each bin how long of it was within the intervals."""
        for times_s, sign in ((from_s, 1.0), (to_s, -1.0)):
            bins = self._bin(times_s)
            edge_s = self.first_s + bins * self.bin_s
            rest_s = np.clip(edge_s - times_s, 0.0, self.bin_s)
            busy_s += sign * np.bincount(bins, rest_s, minlength=self.bins)
            counts = np.bincount(bins, minlength=self.bins)
            busy_s[1:] += sign * self.bin_s * np.cumsum(counts)[:-1]

    def _of_lives(self, mine: OfProvider, its: Lives, which: Ints) -> None:
        rows, first, last, end = its.rows, its.first[which], its.last[which], its.end[which]
        mine.messages += len(which)
        mine.ends += np.bincount(end, minlength=6)
        mine.tries += np.bincount(
            np.minimum(its.tries[which], _MOST_TRIES), minlength=_MOST_TRIES + 1
        )
        looked_at = ~np.isin(rows["reason"], _REFUSED) | (rows["outcome"] != SOFT)
        upto = np.append(0, np.cumsum(looked_at))
        mine.looked_at += int((upto[last + 1] > upto[first]).sum())
        mine.hard += _by_reason(rows[last[end == HARD]])
        failed = first[rows["outcome"][first] == SOFT]
        mine.soft_first += _by_reason(rows[failed])
        accepted = last[end == ACCEPTED]
        delay_s = rows["finished_s"][accepted] - self._came_s(rows["arrived_s"][accepted])
        mine.delay_s.add(delay_s[~np.isnan(delay_s)])
        self._of_clearing(mine, its, which)

    def _came_s(self, arrived_s: Floats) -> Floats:
        """Return when messages came, or when the log began with them there already."""
        return arrived_s if self.strict else np.maximum(arrived_s, self.first_s - 1.0)

    def _of_clearing(self, mine: OfProvider, its: Lives, which: Ints) -> None:
        """Find between which times faults have cleared that the first attempt met."""
        rows, first, last = its.rows, its.first[which], its.last[which]
        met = rows["outcome"][first] == SOFT
        first, last = first[met], last[met]
        if not len(first):
            return
        life = np.repeat(np.arange(len(first)), last - first + 1)
        place = np.arange(len(life)) - np.repeat(
            np.cumsum(last - first + 1) - (last - first + 1), last - first + 1
        )
        row = first[life] + place
        reason = rows["reason"][first]
        same = (rows["outcome"][row] == SOFT) & (rows["reason"][row] == reason[life])
        still = np.zeros(len(first), np.int64)
        np.maximum.at(still, life[same], row[same])
        begins_s = rows["finished_s"][first]
        low_s = rows["finished_s"][still] - begins_s
        after = np.minimum(still + 1, len(rows) - 1)
        high_s = np.where(still < last, rows["finished_s"][after] - begins_s, np.inf)
        for number in np.unique(reason).tolist():
            its_own = reason == number
            kept = mine.clearing.setdefault(number, Sample(2))
            kept.add(low_s[its_own], high_s[its_own])

    def _of_repeats(self, its: Lives) -> None:
        follows, _ = gaps_s(its)
        one, two = its.rows[follows], its.rows[follows + 1]
        again = (two["outcome"] == SOFT) & (two["reason"] == one["reason"])
        for number, name in enumerate(self._names):
            mine, chosen = self.providers[name], one["provider"] == number
            mine.tried_again += _by_reason(one[chosen])
            mine.repeated += _by_reason(one[chosen & again])
            soft = (its.rows["outcome"] == SOFT) & (its.rows["provider"] == number)
            mine.soft += _by_reason(its.rows[soft])

    def _of_gaps(self, its: Lives) -> None:
        follows, gap_s = gaps_s(its)
        life = np.cumsum(its.number == 0) - 1
        whole = its.whole[life[follows]]
        follows, gap_s = follows[whole], gap_s[whole]
        rows = its.rows[follows]
        before_s = np.zeros(len(its.rows))
        later = follows[its.number[follows + 1] > 0] + 1
        before_s[later] = gap_s
        first_s = its.rows["finished_s"][its.first[life[follows]]]
        self.gaps.add(
            its.number[follows],
            rows["finished_s"] - rows["arrived_s"],
            rows["finished_s"] - first_s,
            before_s[follows],
            gap_s,
            ~np.isnan(its.rows["ready_s"][follows + 1]),
            rows["finished_s"] - rows["ready_s"],
        )

    @property
    def messages(self) -> int:
        """Messages of all providers."""
        return sum(its.messages for its in self.providers.values())

    def ended(self, end: int) -> int:
        """Return how many messages ended like this; `OPEN` for those that had not."""
        return int(sum(its.ends[end] for its in self.providers.values()))


def _by_reason(rows: Records) -> Ints:
    return np.bincount(rows["reason"], minlength=len(REASONS))
