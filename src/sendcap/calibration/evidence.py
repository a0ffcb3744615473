"""Evidence for the estimates: counts of all attempts, and bounded samples of their times."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.calibration.attempts import (
    ACCEPTED,
    EXPIRED,
    HARD,
    RECEIVED,
    REMOVED,
    SOFT,
    UNNAMED,
    Attempts,
    Floats,
    Ints,
    Records,
    leads,
)
from sendcap.calibration.backlogs import Backlog
from sendcap.calibration.connections import Sessions
from sendcap.calibration.lives import BEFORE_S, OPEN, Lives, gaps_s, lives
from sendcap.calibration.reasons import NUMBERS, REASONS, THROTTLED, UNREACHABLE

_SAMPLE: Final = 200_000
LEAST_EXPIRED: Final = 5
_MOST_GAPS: Final = 50_000
_MOST_TRIES: Final = 200
_MOST_USES: Final = 65_536
_OUTCOMES: Final = 6
_MOMENT_S: Final = 0.1
_NO_TIME_S: Final = 0.005
"""Below that, Postfix's times are 0."""
_THROTTLED: Final = NUMBERS[THROTTLED]
_NOT_LOOKED_AT: Final = (_THROTTLED, NUMBERS[UNREACHABLE])
"""Reasons that say nothing about the address: they concern all mail alike."""

GAP: Final = np.dtype(
    [
        ("failures", "i8"),  # soft bounces before the failed attempt
        ("age_s", "f8"),  # of the message at the failure; NaN if the arrival is unknown
        ("failing_s", "f8"),  # since the first soft bounce of the message
        ("previous_s", "f8"),  # previous gap; 0 for the first
        ("gap_s", "f8"),  # from the failure until the next attempt is due
        ("exact", "?"),  # whether the due time is known, rather than the end of the attempt alone
        ("took_s", "f8"),  # duration of the failed attempt from the due time; NaN if unknown
        # By whole seconds from the failure: until when it was not due yet, 0 if unknown, and until
        # the next attempt began, or ended if that is unknown.
        ("least_s", "f8"),
        ("most_s", "f8"),
    ]
)
"""A gap between a failed attempt and the next."""
Gaps = np.recarray[Any, Any]


class Sample:
    """The first values of something, a random sample of bounded size, however long the log.

    A part of the table of attempts is a random sample of the messages, and within a part lives are
    in the order of their hashes.
    """

    def __init__(self, most: int = _SAMPLE, dtype: npt.DTypeLike = np.float64) -> None:
        self._parts = [np.zeros(0, dtype)]
        self._room = most

    def add(self, values: npt.NDArray[Any]) -> None:
        """Add values, as far as they fit."""
        part = values[: self._room]
        self._room -= len(part)
        if len(part):
            self._parts.append(part.astype(self._parts[0].dtype))

    def values(self) -> npt.NDArray[Any]:
        """Return the sample."""
        return np.concatenate(self._parts)


class ProviderEvidence:
    """Counts and samples of one provider, over a number of bins of time, and of seconds."""

    def __init__(self, bins: int, seconds: int = 1, moments: int = 1) -> None:
        self.messages = 0  # lives whose first attempt is in the log
        self.looked_at = 0  # of these, the server looked at the address at least once
        self.attempts = 0
        self.returned = 0
        self.refused = self.carried = 0  # attempts throttled at the greeting; by known connections
        self.ends = np.zeros(_OUTCOMES, np.int64)  # lives by outcome
        self.tries = np.zeros(_MOST_TRIES + 1, np.int64)  # lives by number of attempts
        self.uses = np.zeros(_MOST_USES, np.int64)  # transactions by use of their connection
        # By reason: lives that ended in a hard bounce; first attempts that were soft bounces; all
        # soft bounces; those followed by another attempt, and by one with the same reason; messages
        # of which nothing but the expiry is in the log.
        self.hard, self.soft_first, self.soft, self.tried_again, self.repeated, self.untold = (
            np.zeros((6, len(REASONS)), np.int64)
        )
        self.setup_s, self.transaction_s, self.delay_s = Sample(), Sample(), Sample()
        self.together = Sample()  # recipients among which each of the transactions is shared
        # By reason: bounds of the time at which the fault of a first attempt cleared.
        self.clearing: dict[int, Sample] = {}
        # By bin: seconds of connections, attempts, throttled attempts.
        self.busy_s = np.zeros(bins)
        self.in_bin, self.throttled_in_bin = np.zeros((2, bins), np.int64)
        self.backlog = Backlog(seconds, moments)


class Evidence:
    """Counts and samples of all providers; ``merged`` is the number under which each counts.

    Times are in seconds since 1970. ``strict`` is that of `sendcap.calibration.lives.lives`.
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
        self.bins, self.seconds = attempts.bins(), attempts.bins(1.0)
        self.moments, self.sharp = attempts.bins(_MOMENT_S), attempts.sharp
        numbers = [bins.number for bins in (self.bins, self.seconds, self.moments)]
        self.providers = {name: ProviderEvidence(*numbers) for name in providers}
        self.gaps = Sample(_MOST_GAPS, GAP)
        # Last failures of messages that expired; the gap is the time until then.
        self.given_up = Sample(_MOST_GAPS, GAP)
        self.ages_s = Sample()  # of messages when they expired
        self.arrivals_s = Sample(2 * _SAMPLE)
        self.sessions = Sessions(sharp=attempts.sharp)
        self.partial = 0  # lives that began before the log
        # Messages known only by their expiry, only by their reception, bounced by an operator.
        self.untold = self.waiting = self.removed = 0
        self.withdrawn = 0  # of those bounced by an operator, the ones that count as open
        self._unnamed = 0  # of those that are open, with no recipient
        for part in attempts.parts():
            part["provider"] = merged[part["provider"]]
            self._take(lives(part, self.first_s, strict=strict))
        self._share_unnamed()

    def _take(self, part: Lives) -> None:
        rows, complete = part.rows, part.complete
        self.sessions.add(rows)
        self.partial += int((~complete).sum())
        self.withdrawn += int((part.withdrawn & complete).sum())
        provider = rows["provider"]
        of_life = provider[part.first]
        follows, gap_s = gaps_s(part)
        failed, after = rows[follows], rows[follows + 1]
        again = (after["outcome"] == SOFT) & (after["reason"] == failed["reason"])
        # A first attempt is due when the message comes.
        due_s = np.where(part.number == 0, rows["arrived_s"], np.nan)
        due_s = np.where(np.isnan(rows["ready_s"]), due_s, rows["ready_s"])
        for number, evidence in enumerate(self.providers.values()):
            own = provider == number
            self._take_attempts(evidence, rows[own])
            evidence.backlog.take(rows[own], due_s[own], self.seconds, self.moments)
            self._take_lives(evidence, part, np.flatnonzero((of_life == number) & complete))
            chosen = failed["provider"] == number
            evidence.tried_again += _by_reason(failed[chosen])
            evidence.repeated += _by_reason(failed[chosen & again])
            evidence.returned += int((part.returned["provider"] == number).sum())
        self._take_gaps(part, follows, gap_s)
        self._take_given_up(part)
        untold = self._take_untold(part)
        # Across all providers: in the order of the hashes, so that the sample is random.
        arrived_s = np.append(rows["arrived_s"][part.first[complete]], untold["arrived_s"])
        self.arrivals_s.add(self._came_s(arrived_s[~np.isnan(arrived_s)]))
        expired = (part.end == EXPIRED) & complete
        age_s = part.expired_s[expired] - rows["arrived_s"][part.last[expired]]
        expired = untold["outcome"] == EXPIRED
        age_s = np.append(age_s, (untold["finished_s"] - untold["arrived_s"])[expired])
        self.ages_s.add(age_s[~np.isnan(age_s)])

    def _take_attempts(self, evidence: ProviderEvidence, rows: Records) -> None:
        evidence.attempts += len(rows)
        setup_s, transaction_s = rows["setup_s"], rows["transaction_s"]
        evidence.setup_s.add(setup_s[(rows["use"] == 1) & ~np.isnan(setup_s)])
        soft = rows["outcome"] == SOFT
        throttled = soft & (rows["reason"] == _THROTTLED)
        # Refused at the greeting: no transaction was begun, and the connection carried nothing.
        refused = throttled & (rows["use"] == 1) & (transaction_s < _NO_TIME_S)
        evidence.refused += int(refused.sum())
        measured = ~np.isnan(transaction_s) & ~refused
        evidence.transaction_s.add(transaction_s[measured])
        evidence.together.add(np.maximum(rows["together"][measured], 1))
        evidence.carried += int(np.count_nonzero(rows["use"][~refused]))
        used = np.minimum(rows["use"][~refused & leads(rows)], _MOST_USES - 1)
        evidence.uses += np.bincount(used, minlength=_MOST_USES)
        evidence.soft += _by_reason(rows[soft])
        bins = self.bins.of(rows["finished_s"])
        evidence.in_bin += np.bincount(bins, minlength=self.bins.number)
        evidence.throttled_in_bin += np.bincount(bins[throttled], minlength=self.bins.number)
        known = rows[~np.isnan(rows["started_s"])]
        self.bins.add_spans(evidence.busy_s, known["started_s"], known["finished_s"])

    def _take_lives(self, evidence: ProviderEvidence, part: Lives, which: Ints) -> None:
        rows, first, last, end = part.rows, part.first[which], part.last[which], part.end[which]
        evidence.messages += len(which)
        evidence.ends += np.bincount(end, minlength=_OUTCOMES)
        tries = np.minimum(part.tries[which], _MOST_TRIES)
        evidence.tries += np.bincount(tries, minlength=_MOST_TRIES + 1)
        looked_at = ~np.isin(rows["reason"], _NOT_LOOKED_AT) | (rows["outcome"] != SOFT)
        evidence.looked_at += int(np.logical_or.reduceat(looked_at, part.first)[which].sum())
        evidence.hard += _by_reason(rows[last[end == HARD]])
        failed = rows["outcome"][first] == SOFT
        evidence.soft_first += _by_reason(rows[first[failed]])
        accepted = last[end == ACCEPTED]
        delay_s = rows["finished_s"][accepted] - self._came_s(rows["arrived_s"][accepted])
        evidence.delay_s.add(delay_s[~np.isnan(delay_s)])
        if failed.any():
            _take_clearing(evidence, part, which[failed])

    def _take_given_up(self, part: Lives) -> None:
        which = np.flatnonzero((part.end == EXPIRED) & part.complete)
        last = part.rows[part.last[which]]
        gaps = np.zeros(len(which), GAP)
        gaps["failures"] = part.tries[which] - 1
        gaps["age_s"] = last["finished_s"] - last["arrived_s"]
        gaps["failing_s"] = last["finished_s"] - part.rows["finished_s"][part.first[which]]
        before = part.rows["finished_s"][np.maximum(part.last[which] - 1, part.first[which])]
        gaps["previous_s"] = last["finished_s"] - before
        gaps["gap_s"] = part.expired_s[which] - last["finished_s"]
        gaps["took_s"] = last["finished_s"] - last["ready_s"]
        self.given_up.add(gaps)

    def _take_untold(self, part: Lives) -> Records:
        """Count messages of which the log has no attempt; return those that came with the log."""
        untold = part.untold
        whole = ~(untold["arrived_s"] < self.first_s - BEFORE_S) | (not self.strict)
        self.partial += int((~whole).sum())
        self.removed += part.removed
        untold = untold[whole]
        outcome = untold["outcome"]
        self.untold += int((outcome == EXPIRED).sum())
        self.waiting += int((outcome == RECEIVED).sum())
        self.withdrawn += int((outcome == REMOVED).sum())
        named = (untold["recipient"] >= UNNAMED) | (outcome == EXPIRED)
        self._unnamed += int((~named).sum())
        for number, evidence in enumerate(self.providers.values()):
            chosen = named & (untold["provider"] == number)
            expired = untold[chosen & (outcome == EXPIRED)]
            evidence.messages += int(chosen.sum())
            evidence.looked_at += len(expired)
            evidence.ends[EXPIRED] += len(expired)
            evidence.ends[OPEN] += int(chosen.sum()) - len(expired)
            evidence.untold += _by_reason(expired)
        return untold

    def _share_unnamed(self) -> None:
        """Count messages whose provider nobody knows at all of them, by their other messages."""
        every = list(self.providers.values())
        weights = np.array([evidence.messages for evidence in every], np.float64)
        edges = np.cumsum(weights if weights.any() else np.ones(len(every)))
        parts = np.diff(np.round(edges / edges[-1:] * self._unnamed), prepend=0.0)
        for evidence, count in zip(every, parts.astype(np.int64).tolist(), strict=True):
            evidence.messages += count
            evidence.ends[OPEN] += count

    def _came_s(self, arrived_s: Floats) -> Floats:
        """Return arrivals; unless strict, a message waiting when the log began came just then."""
        return arrived_s if self.strict else np.maximum(arrived_s, self.first_s - 1.0)

    def _take_gaps(self, part: Lives, follows: Ints, gap_s: Floats) -> None:
        complete = part.complete[part.life[follows]]
        follows, gap_s = follows[complete], gap_s[complete]
        failed, finished_s = part.rows[follows], part.rows["finished_s"]
        before_s = np.zeros(len(part.rows))
        later = follows[part.number[follows + 1] > 0] + 1
        before_s[later] = gap_s
        gaps = np.zeros(len(follows), GAP)
        gaps["failures"] = part.number[follows]
        gaps["age_s"] = failed["finished_s"] - failed["arrived_s"]
        gaps["failing_s"] = failed["finished_s"] - finished_s[part.first[part.life[follows]]]
        gaps["previous_s"] = before_s[follows]
        gaps["gap_s"] = gap_s
        gaps["exact"] = ~np.isnan(part.rows["ready_s"][follows + 1])
        gaps["took_s"] = failed["finished_s"] - failed["ready_s"]
        after, failed_s = part.rows[follows + 1], np.floor(failed["finished_s"])
        begun_s = np.where(np.isnan(after["started_s"]), after["finished_s"], after["started_s"])
        gaps["least_s"] = np.fmax(np.floor(after["not_due_s"]) - failed_s, 0.0)
        gaps["most_s"] = np.floor(begun_s) - failed_s
        self.gaps.add(gaps)

    @property
    def validity_s(self) -> float | None:
        """Age of messages at expiry; None if too few expired."""
        ages_s = self.ages_s.values()
        return float(np.quantile(ages_s, 0.05)) if len(ages_s) >= LEAST_EXPIRED else None

    @property
    def messages(self) -> int:
        """Messages of all providers."""
        return sum(evidence.messages for evidence in self.providers.values())


def _take_clearing(evidence: ProviderEvidence, part: Lives, which: Ints) -> None:
    """Add the bounds of the time at which the faults of first attempts cleared."""
    finished_s, all_reasons = part.rows["finished_s"], part.rows["reason"]
    first, last, reason = part.first[which], part.last[which], all_reasons[part.first[which]]
    same = (part.rows["outcome"] == SOFT) & (all_reasons == all_reasons[part.first[part.life]])
    numbers = np.where(same, np.arange(len(same)), 0)
    still = np.maximum.reduceat(numbers, part.first)[which]
    low_s = finished_s[still] - finished_s[first]
    after = np.minimum(still + 1, len(part.rows) - 1)
    high_s = np.where(still < last, finished_s[after] - finished_s[first], np.inf)
    for number in np.unique(reason).tolist():
        chosen = reason == number
        sample = evidence.clearing.setdefault(number, Sample(dtype=("f8", 2)))
        sample.add(np.column_stack((low_s, high_s))[chosen])


def _by_reason(rows: Records) -> Ints:
    return np.bincount(rows["reason"], minlength=len(REASONS))
