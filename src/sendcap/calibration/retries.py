"""The retry policy of an MTA, recognised by the gaps between the attempts of a message.

Candidates are the policies of a scenario, with parameters read off the gaps. A policy predicts a
range for the next attempt; a gap inside is explained. Wide ranges explain anything, so candidates
are compared by likelihood: a gap is uniform in its range, or, if something else caused it, in a
day; and each parameter costs as much as in Schwarz's criterion.

Some MTAs give a message up at an age: KumoMTA at the failure after which the next attempt would
come too late (``max_age``: ``crates/kumod/src/queue``), PowerMTA likewise (``bounce-after``),
Postfix at the first failure at which the message is old enough (``maximal_queue_lifetime``:
``src/qmgr/qmgr_active.c``). So every retry that was made says that the age is larger, and every
message given up at a failure that it is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.evidence import LEAST_EXPIRED, Gaps
from sendcap.calibration.retry_candidates import Candidate, candidates
from sendcap.calibration.retry_exim_checks import delays_s, within_bounds
from sendcap.calibration.round_times import roundest, written
from sendcap.scenario import (
    EximRetry,
    KumomtaRetry,
    MomentumRetry,
    OpensmtpdRetry,
    PostfixRetry,
    PowermtaRetry,
    RetryPolicy,
)

_UNEXPLAINED_S: Final = 86_400.0
_FEW: Final = 2000
_CLOSELY: Final = 60
"""Candidates judged by all gaps."""
_LEAST_GAPS: Final = 5
_FORGIVEN_S: Final = 2.0
"""Whole-second stamps may be off by one at either end."""
_LEAST_WIDTH_S: Final = 1.0
_AT_A_SCAN_S: Final = 5.0
_AFTER_A_SCAN: Final = ((2.0, 0.7), (15.0, 0.2))
"""How far from a scan attempts begin, and how many: a long queue takes its time."""
_CLOCK_S: Final = 1.5
_EARLY_S: Final = 2.5
"""A scan of Postfix takes what is due within a second, by whole seconds."""
_MOSTLY: Final = 0.9
"""Share of the gaps that end with the expected queue scan."""
_OWN: Final[dict[str, type[RetryPolicy]]] = {
    "postfix": PostfixRetry,
    "kumomta": KumomtaRetry,
    "powermta": PowermtaRetry,
    "momentum": MomentumRetry,
    "exim": EximRetry,
    "opensmtpd": OpensmtpdRetry,
}
"""The rule of the MTA that writes a format."""
_OWN_SCORE: Final = 10.0
_OWN_SCORE_OF_A_GAP: Final = 0.7
"""An MTA follows its own rule rather than another that fits as well, at such log odds: another
would have to say each gap about twice as closely."""
_AGES: Final[dict[type[RetryPolicy], str]] = {
    KumomtaRetry: "max_age",
    PowermtaRetry: "bounce_after",
    PostfixRetry: "maximal_queue_lifetime",
}
"""The setting of each policy that has one."""
_FOR_EVER_S: Final = 1e9
_AT_ONCE_S: Final = 30.0
_RARE: Final = 0.01
_A_LITTLE: Final = 1.001
"""An attempt takes some time, and clocks differ."""


@dataclass(frozen=True)
class Recognised:
    """A retry policy, and the number of gaps that it explains."""

    policy: RetryPolicy
    explained: int
    gaps: int
    description: str  # policy in words
    score: float  # log-likelihood less the cost of the parameters
    run_s: float = 0.0  # time between queue runs, which start a queue runner each; 0 if unknown

    def __str__(self) -> str:
        explained = f"{self.explained:,} of {self.gaps:,} gaps between attempts"
        return f"{self.description}: explains {explained}"


def recognise(
    gaps: Gaps, slack_s: float, formats: frozenset[str] = frozenset(), run_s: float = 0.0
) -> list[Recognised]:
    """Return the candidates, the best first; none for fewer than five gaps.

    Where the due time of an attempt is unknown, ``slack_s`` is tolerated from there to the end.
    Of rules that fit about as well, the one of the MTA that wrote the logs is taken. ``run_s`` is
    the time between queue runs by the log's own lines, 0 without any.
    """
    if len(gaps) < _LEAST_GAPS:
        return []
    own = tuple(_OWN[name] for name in formats if name in _OWN)
    found = list(candidates(gaps, formats, run_s))
    if len(gaps) > _FEW:
        # Most candidates are far off, which a few gaps show; the sample is in random order.
        few: Gaps = gaps[:_FEW].view(np.recarray)
        found.sort(key=lambda each: -_judged(each, few, slack_s, own).score)
        found = found[:_CLOSELY]
    judged = [_judged(each, gaps, slack_s, own) for each in found]
    return sorted(judged, key=lambda policy: -policy.score)


def _judged(
    candidate: Candidate, gaps: Gaps, slack_s: float, own: tuple[type[RetryPolicy], ...]
) -> Recognised:
    policy = candidate.policy
    if candidate.checked and isinstance(policy, EximRetry):
        explained = within_bounds(delays_s(policy, gaps), gaps)
        density = explained * _at_runs(gaps, candidate.late_s)
    else:
        low_s, due_s = predicted(policy, gaps, candidate.late_s)
        low_s, due_s = low_s - _FORGIVEN_S, due_s + _FORGIVEN_S
        high_s = due_s + np.where(gaps.exact, 0.0, slack_s)
        explained = (gaps.gap_s >= low_s) & (gaps.gap_s <= high_s)
        density = np.nan_to_num(_density(candidate, gaps, low_s, due_s, slack_s))
    count, total = int(explained.sum()), len(gaps)
    # One more explained gap and one more unexplained, so that neither is impossible.
    wrong = (total - count + 1.0) / (total + 2.0)
    score = float(np.log((1.0 - wrong) * density + wrong / _UNEXPLAINED_S).sum())
    score -= 0.5 * candidate.size * math.log(total)
    if isinstance(policy, own):
        score += _OWN_SCORE + _OWN_SCORE_OF_A_GAP * total
    run_s = candidate.late_s if candidate.checked else 0.0
    return Recognised(policy, count, total, candidate.description, score, run_s)


def _density(
    candidate: Candidate, gaps: Gaps, low_s: Floats, due_s: Floats, slack_s: float
) -> Floats:
    """Return the probability density of each gap, per second, if the policy is right.

    A known due time is uniform over the predicted range. If only the end of the attempt is known,
    the density of the delay decays exponentially.
    """
    width_s = np.maximum(due_s - low_s, _LEAST_WIDTH_S)
    inside = (gaps.gap_s >= low_s) & (gaps.gap_s <= due_s)
    late_s = np.maximum(gaps.gap_s - due_s, 0.0)
    decaying = np.exp(-late_s / slack_s) / (width_s + slack_s)
    density = np.where(gaps.exact, inside / width_s, np.where(gaps.gap_s >= low_s, decaying, 0.0))
    if candidate.late_s:
        return _at_passes(density, candidate.late_s, gaps, low_s, due_s)
    if isinstance(candidate.policy, PostfixRetry):
        return _at_scans(density, candidate.policy, gaps)
    return density


def _at_runs(gaps: Gaps, run_s: float) -> Floats:
    """Return the density of gaps that are in their bounds: after the first, whole queue runs.

    The first failure is at any moment between two runs, the others are a little after one.
    """
    off_s = np.abs(gaps.gap_s - run_s * np.rint(gaps.gap_s / run_s))
    width_s = np.minimum(2.0 * _AT_A_SCAN_S, run_s)
    at_run = (1.0 - _MOSTLY) / run_s + _MOSTLY * (off_s <= _AT_A_SCAN_S) / width_s
    return np.where(gaps.failures > 0, at_run, 1.0 / run_s)


def _at_passes(density: Floats, pass_s: float, gaps: Gaps, low_s: Floats, due_s: Floats) -> Floats:
    """Return the density if attempts after the first begin with passes of a queue runner."""
    passes = np.maximum(np.floor(due_s / pass_s) - np.ceil(low_s / pass_s) + 1.0, 1.0)
    off_s = np.abs(gaps.gap_s - pass_s * np.rint(gaps.gap_s / pass_s))
    at_pass = (off_s <= _AT_A_SCAN_S) & (gaps.gap_s >= low_s) & (gaps.gap_s <= due_s)
    width_s = passes * min(2.0 * _AT_A_SCAN_S, pass_s)
    there = (1.0 - _MOSTLY) * density + _MOSTLY * at_pass / width_s
    return np.where(gaps.failures > 0, there, density)


def predicted(policy: RetryPolicy, gaps: Gaps, late_s: float = 0.0) -> tuple[Floats, Floats]:
    """Return the range of the next attempt after a failure, up to so much later than due.

    A policy is taken as if it never gave up because of a message's age.
    """
    if isinstance(policy, PostfixRetry):
        # The moments of the queue scans are unknown: one in each queue_run_delay.
        low_s = np.clip(gaps.age_s, policy.minimal_backoff_time, policy.maximal_backoff_time)
        return low_s - _EARLY_S, low_s + policy.queue_run_delay
    policy = endless(policy)
    finish_s = np.where(np.isnan(gaps.age_s), gaps.failing_s, gaps.age_s)
    arrived_s = np.zeros(len(gaps))
    ends = []
    # The delay before was late, too, by an unknown time.
    for draw, shorter_s in ((0.0, late_s), (1.0, 0.0)):
        due_s = policy.due_s(
            gaps.failures,
            finish_s,
            arrived_s,
            finish_s - gaps.failing_s,
            np.maximum(gaps.previous_s - shorter_s, 0.0),
            np.full(len(gaps), draw),
        )
        ends.append(np.where(np.isinf(due_s), np.nan, due_s - finish_s))
    return np.minimum(*ends), np.maximum(*ends) + late_s


def _at_scans(density: Floats, policy: PostfixRetry, gaps: Gaps) -> Floats:
    """Return the density if an attempt after the first begins with Postfix's next queue scan.

    So did the failed one, and the next one is a multiple of scans later. Stamps of whole seconds
    may leave two of them.
    """
    scan_s = policy.queue_run_delay
    least_s = np.clip(gaps.age_s, policy.minimal_backoff_time, policy.maximal_backoff_time)
    known = (gaps.failures > 0) & gaps.exact & ~np.isnan(least_s + gaps.took_s)
    density = np.where(known, (1.0 - _MOSTLY) * density, density)
    for clock_s in (-_EARLY_S, _CLOCK_S):
        next_s = np.ceil((gaps.took_s + least_s + clock_s) / scan_s) * scan_s - gaps.took_s
        for off_s, share in _AFTER_A_SCAN:
            there = known & (np.abs(gaps.gap_s - next_s) <= off_s)
            density[there] += 0.5 * share / (2.0 * off_s)
    return density


def endless(policy: RetryPolicy) -> RetryPolicy:
    """Return the policy as if messages never got too old."""
    name = _AGES.get(type(policy))
    return policy.model_copy(update={name: _FOR_EVER_S}) if name else policy


def lasting(
    policy: RetryPolicy, gaps: Gaps, given_up: Gaps, validity_s: float | None
) -> RetryPolicy:
    """Return the policy with the age that the log shows.

    The default stays if the log has no message given up at a failure, and none that is older.
    """
    name = _AGES.get(type(policy))
    if name is None:
        return policy
    oldest_s = float(_tested_s(policy, gaps).max(initial=0.0))
    told = given_up[given_up.gap_s <= _AT_ONCE_S]
    age_s = float(getattr(policy, name))
    refused_s = _tested_s(policy, told)
    if len(refused_s) >= LEAST_EXPIRED:
        age_s = roundest(oldest_s + 1.0, max(float(np.quantile(refused_s, _RARE)), oldest_s + 1.0))
    elif (longest_s := max(oldest_s, validity_s or 0.0)) > _A_LITTLE * age_s:
        age_s = roundest(longest_s, 2.0 * longest_s)
    return type(policy).model_validate({**policy.model_dump(), name: written(age_s)})


def _tested_s(policy: RetryPolicy, gaps: Gaps) -> Floats:
    """Return the ages that are compared with the limit, as far as they are known."""
    if isinstance(policy, PostfixRetry):
        return np.asarray(gaps.age_s[~np.isnan(gaps.age_s)], np.float64)
    count = len(gaps)
    due_s = endless(policy).due_s(
        gaps.failures, gaps.age_s, np.zeros(count), np.zeros(count), gaps.previous_s,
        np.full(count, 0.5),
    )  # fmt: skip
    return np.asarray(due_s[due_s < _FOR_EVER_S], np.float64)
