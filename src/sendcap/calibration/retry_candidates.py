"""Candidates for the retry policy: those of MTAs, with parameters read off the gaps."""

from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.evidence import Gaps
from sendcap.calibration.retry_exim import exim_rules, gaps_by_number
from sendcap.calibration.retry_exim_checks import checked_rules, run_apart_s
from sendcap.calibration.retry_scans import clamps, described
from sendcap.calibration.round_times import NEAR, near_rounds, nearest_round, written
from sendcap.scenario import (
    AdobeLegacyRetry,
    EximRetry,
    ExponentialRetry,
    KumomtaRetry,
    MomentumRetry,
    OpensmtpdRetry,
    PostfixRetry,
    PowermtaRetry,
    RetryPolicy,
    ScheduleRetry,
    format_duration,
)
from sendcap.text.shares import share_text

_FACTORS: Final = (2.0, 1.5, 3.0, 4.0)
_LARGEST_FACTOR: Final = 20.0
_LONGEST_LIST: Final = 12
_FLAT: Final = 1.1
_TYPICAL: Final = 0.3
"""Queueing delays some attempts, so the typical gap is below the median."""


class Candidate(NamedTuple):
    """A policy, and how much was read off the gaps."""

    policy: RetryPolicy
    size: int  # number of parameters
    description: str
    late_s: float = 0.0  # how long an attempt may wait after it is due
    checked: bool = False  # whether the log says when a message was not due yet


def candidates(
    gaps: Gaps, formats: frozenset[str] = frozenset(), run_s: float = 0.0
) -> Iterator[Candidate]:
    """Yield the candidates; ``formats`` are those of the logs, ``run_s`` parts queue runs."""
    yield Candidate(MomentumRetry(), 0, "Momentum's default, 20 minutes doubling to 12 hours")
    yield Candidate(KumomtaRetry(), 0, "KumoMTA's default, 20 minutes doubling")
    yield Candidate(EximRetry(), 0, "Exim's default rule")
    yield Candidate(AdobeLegacyRetry(), 0, "Campaign's own MTA, five a day an hour apart")
    yield Candidate(OpensmtpdRetry(), 0, "OpenSMTPD's rule, squares of 400 s after the arrival")
    yield Candidate(PostfixRetry(), 0, "Postfix's default rule, the age from 300 to 4000 s")
    for policy in clamps(gaps):
        yield Candidate(policy, 3, described(policy))
    middles = gaps_by_number(gaps, _TYPICAL)
    if len(middles):
        yield from _doubling(gaps, middles, formats)
        yield from _growing(gaps, middles)
        yield from _lists(gaps, middles, own="powermta" in formats)
    yield from _checked(gaps, run_s)
    for rule, size, late_s in exim_rules(gaps):
        runs = f", attempts up to {format_duration(late_s)} late" if late_s else ""
        yield Candidate(EximRetry(rule=rule), size, f"Exim's rule {rule}{runs}", late_s)


def _checked(gaps: Gaps, told_s: float) -> Iterator[Candidate]:
    """Yield Exim's rules with queue runs, where its log has what they left alone."""
    run_s = run_apart_s(gaps, told_s)
    if not run_s:
        return
    runs = f"queue runs every {format_duration(run_s)}"
    yield Candidate(EximRetry(), 1, f"Exim's default rule, {runs}", run_s, checked=True)
    for rule, size in checked_rules(gaps):
        policy = EximRetry(rule=rule)
        yield Candidate(policy, size + 1, f"Exim's rule {rule}, {runs}", run_s, checked=True)


def _firsts(gaps: Gaps, middles: Floats) -> set[float]:
    """Return round times for the first gap."""
    # The first gaps jitter about the middle of their range.
    first_s = gaps.gap_s[gaps.failures == 0]
    midrange_s = float(np.quantile(first_s, [0.02, 0.98]).mean())
    return near_rounds(float(middles[0])) | near_rounds(midrange_s)


def _caps(middles: Floats) -> set[float | None]:
    """Return round times for the longest gap: where the gaps stop growing; None for no such."""
    flat = np.flatnonzero(middles[1:] / middles[:-1] < _FLAT)
    found: set[float | None] = {None}
    for number in flat[:1].tolist():
        # The last step up to the cap may be a small one.
        found |= near_rounds(float(middles[number])) | near_rounds(float(middles[number + 1]))
    return found


def _doubling(gaps: Gaps, middles: Floats, formats: frozenset[str]) -> Iterator[Candidate]:
    """Yield the rules that double, with other times: KumoMTA's, in its own log Momentum's."""
    rules: list[tuple[str, type[KumomtaRetry | MomentumRetry]]] = [("KumoMTA", KumomtaRetry)]
    if "momentum" in formats:
        rules.append(("Momentum", MomentumRetry))
    firsts, caps = _firsts(gaps, middles), _caps(middles)
    for first_s, cap, (name, rule) in product(sorted(firsts), _ordered(caps), rules):
        most_s = None if cap is None else max(cap, first_s)
        policy = rule(
            retry_interval=written(first_s),
            max_retry_interval="none" if most_s is None else written(most_s),
        )
        ceiling = "" if most_s is None else f", at most {format_duration(most_s)}"
        description = f"{name}'s rule, doubling from {format_duration(first_s)}{ceiling}"
        yield Candidate(policy, 1 + (cap is not None), description)


def _ordered(caps: set[float | None]) -> list[float | None]:
    return sorted(caps, key=lambda cap: cap or 0.0)


def _growing(gaps: Gaps, middles: Floats) -> Iterator[Candidate]:
    """Yield exponential policies."""
    rises = middles[1:] / middles[:-1]
    factors = {1.0}
    if len(rises):
        factors = {*_FACTORS, max(round(float(rises[0]) * 10.0) / 10.0, 1.0)}
    factors = {factor for factor in factors if factor <= _LARGEST_FACTOR}
    jitters = {0.0, 0.025, 0.05, 0.1, 0.2, _spread(gaps, middles)}
    for first_s, factor, cap, jitter in product(
        sorted(_firsts(gaps, middles)),
        sorted(factors),
        _ordered(_caps(middles)),
        sorted(jitters),
    ):
        policy = ExponentialRetry(
            first=written(first_s),
            factor=factor,
            max="none" if cap is None else written(max(cap, first_s)),
            jitter=jitter,
        )
        ceiling = "" if cap is None else f", at most {format_duration(cap)}"
        grows = "every" if factor == 1.0 else f"times {factor:g} from"
        description = f"{grows} {format_duration(first_s)}{ceiling}{_jittered(jitter)}"
        yield Candidate(policy, 2 + (cap is not None) + (jitter > 0.0), description)


def _lists(gaps: Gaps, middles: Floats, *, own: bool) -> Iterator[Candidate]:
    """Yield lists of delays whose last one repeats; in PowerMTA's own log as PowerMTA has them."""
    known = middles[:_LONGEST_LIST].tolist()
    for size, within in product(range(1, len(known) + 1), NEAR):
        delays = [nearest_round(middle_s, within) for middle_s in known]
        listed = ", ".join(map(format_duration, delays[:size]))
        times = [written(one) for one in delays[:size]]
        if own:
            yield Candidate(PowermtaRetry(retry_after=times), size, f"PowerMTA's list {listed}")
        for jitter in sorted({0.0, 0.05, _spread(gaps, middles)}):
            policy = ScheduleRetry(delays=times, jitter=jitter)
            yield Candidate(policy, size + (jitter > 0.0), f"the list {listed}{_jittered(jitter)}")


def _jittered(jitter: float) -> str:
    return f" ± {share_text(jitter)}" if jitter else ""


def _spread(gaps: Gaps, middles: Floats) -> float:
    """Return the jitter of the first gaps, to half a percent."""
    first_s = gaps.gap_s[gaps.failures == 0]
    if len(first_s) < 20 or not len(middles):
        return 0.0
    low, high = np.quantile(first_s, [0.01, 0.99 if gaps.exact.all() else 0.95])
    half = float((high - low) / max(high + low, 1.0))
    return min(max(round(half * 200.0) / 200.0, 0.0), 0.5)
