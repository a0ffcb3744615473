"""Calibration: from delivery logs to a scenario, with the estimates behind it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sendcap.calibration.arrivals import Stretch, stretches
from sendcap.calibration.attempts import Attempts, Floats, Ints
from sendcap.calibration.estimates import ProviderEstimates, SessionEvidence, estimates_of
from sendcap.calibration.evidence import Evidence
from sendcap.calibration.families import Fit
from sendcap.calibration.feedback import fits as feedback_fits
from sendcap.calibration.feedback import latencies_s
from sendcap.calibration.logs.reading import Context, Skipped
from sendcap.calibration.logs.recognising import FORMATS, FileRead, read_logs
from sendcap.calibration.providers import Providers, read_map
from sendcap.calibration.retries import Recognised, recognise
from sendcap.calibration.retry_candidates import Gaps
from sendcap.calibration.scenarios import scenario_text
from sendcap.calibration.sentences import sections
from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.mailbox_providers import OTHER
from sendcap.scenario import Scenario, loads

_LEAST_ATTEMPTS: Final = 30
_LEAST_EXPIRED: Final = 5
_LONGEST_SLACK_S: Final = 120.0
_EXPLAINED: Final = 0.5
"""Least share of explained gaps of a recognised policy."""


@dataclass(frozen=True)
class Calibration(Drawable, charts="sendcap.calibration.charts"):
    """A scenario fitted to logs, and the estimates behind it.

    Attributes
    ----------
    scenario
        The fitted scenario.
    text
        The scenario's file; comments give the source of each figure.
    files
        The logs.
    skipped
        Lines that were not used.
    providers
        Estimates for each provider, the one with the most messages first.
    small
        Providers with too few attempts for estimates, counted as other: name to attempts.
    policies
        Candidates for the retry policy, the best first.
    gaps
        Gaps between attempts, the data of the policies.
    arrivals
        Stretches of even arrivals.
    validity_s
        Age of messages at expiry; None if too few expired.
    feedback
        Distributions of the latency of feedback, the best first; empty without a table.
    latency_s
        Latencies of feedback, the data of the distributions.
    feedback_skipped
        Number of unused rows of the table of feedback, by reason.
    missing
        Keys without an estimate, each with a reason.
    evidence
        Counts and samples behind the estimates.
    """

    scenario: Scenario
    text: str
    files: list[FileRead]
    skipped: Skipped
    providers: list[ProviderEstimates]
    small: dict[str, int]
    policies: list[Recognised]
    gaps: Gaps
    arrivals: list[Stretch]
    validity_s: float | None
    feedback: list[Fit]
    latency_s: Floats
    feedback_skipped: Counter[str]
    missing: list[str]
    evidence: Evidence

    @property
    def policy(self) -> Recognised | None:
        """The recognised retry policy, if any."""
        return _best(self.policies)

    @property
    def origin_s(self) -> float:
        """Time of t = 0 of the scenario, in seconds since 1970."""
        (arrived_s,) = self.evidence.arrivals.columns()
        return float(arrived_s.min()) if len(arrived_s) else self.evidence.first_s

    def sentences(self) -> list[str]:
        """Return the report in sentences, without the tables."""
        return [
            line for section in sections(self) for line in section.content if isinstance(line, str)
        ]


def calibrate(
    logs: Sequence[str | os.PathLike[str]],
    *,
    format: str | None = None,  # noqa: A002 (the name of the option)
    providers: Mapping[str, str] | str | os.PathLike[str] | None = None,
    year: int | None = None,
    feedback: str | os.PathLike[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Calibration:
    """Read delivery logs and fit a scenario to them.

    Parameters
    ----------
    logs
        Paths of log files, plain or compressed; rotated ones in any order.
    format
        ``"postfix"``, ``"kumomta"``, ``"powermta"`` or ``"momentum"``; by default detected from
        each file.
    providers
        Host or domain suffix to provider, or the path of a CSV file with these two columns.
    year
        Year of the first line of each file, for stamps without one; by default the latest year
        that is not after the file's time of change.
    feedback
        Path of a CSV file with the times of events and the times at which Campaign knew them.
    progress
        Called now and then with the bytes read so far.

    Raises
    ------
    SendcapError
        If a file cannot be read, or no file contains a delivery.
    """
    if not logs:
        raise SendcapError("give at least one log")
    if format is not None and format not in FORMATS:
        raise SendcapError(f"format: {format!r} is not one of {', '.join(FORMATS)}")
    if providers is not None and not isinstance(providers, Mapping):
        providers = read_map(Path(providers))
    latency_s, unused = np.zeros(0), Counter[str]()
    if feedback is not None:
        latency_s, unused = latencies_s(Path(feedback))
    context = Context(Providers(providers), year)
    names = context.providers.names
    with context.attempts as table:
        files = read_logs([Path(log) for log in logs], context, format, progress)
        _require_deliveries(table, files, context.skipped)
        merged, small = _merged(context.providers, table.by_provider)
        evidence = Evidence(table, names, merged)
        if evidence.messages < evidence.partial:
            # A log that begins within a backlog says more if its first messages count as new.
            evidence = Evidence(table, names, merged, strict=False)
        sessions = SessionEvidence(evidence, table.sharp)
    if not evidence.messages:
        raise SendcapError(
            "every message was first tried before this log starts; add the earlier logs"
        )
    estimates = [
        estimates_of(name, number, evidence, sessions)
        for number, name in enumerate(names)
        if evidence.providers[name].messages
    ]
    estimates.sort(key=lambda provider: -provider.messages)
    return _assembled(files, context.skipped, estimates, small, evidence, latency_s, unused)


def _merged(providers: Providers, attempts: Ints) -> tuple[Ints, dict[str, int]]:
    """Return the number under which each provider counts; those with few attempts are other."""
    numbers = np.arange(len(attempts))
    names = list(providers.names)
    few = {
        name: int(attempts[number])
        for number, name in enumerate(names)
        if attempts[number] < _LEAST_ATTEMPTS and name != OTHER
    }
    if len(few) == len(names):
        return numbers, {}
    other = providers.number_of(OTHER) if few else 0
    for number, name in enumerate(names):
        if name in few:
            numbers[number] = other
    return numbers, few


def _require_deliveries(table: Attempts, files: list[FileRead], skipped: Skipped) -> None:
    if table.count and np.isfinite(table.first_s):
        return
    lines = sum(file.lines for file in files)
    kinds = Counter({**skipped.malformed, **skipped.other}).most_common(3)
    reasons = "; ".join(f"{reason}: {count:,}" for reason, count in kinds)
    names = ", ".join(file.name for file in files[:3])
    raise SendcapError(
        f"{names}: no delivery attempt in {lines:,} lines ({reasons or 'all empty'}); give a log "
        f"with deliveries to other servers, or set --format"
    )


def _assembled(
    files: list[FileRead],
    skipped: Skipped,
    providers: list[ProviderEstimates],
    small: dict[str, int],
    evidence: Evidence,
    latency_s: Floats,
    feedback_skipped: Counter[str],
) -> Calibration:
    missing: list[str] = []
    gaps = Gaps.of(evidence.gaps.columns())
    policies = recognise(gaps, _slack_s(evidence))
    (arrived_s,) = evidence.arrivals.columns()
    if len(arrived_s):
        arrivals = stretches(arrived_s)
    else:
        arrivals = [Stretch(0.0, evidence.last_s - evidence.first_s, 1.0)]
        missing.append("deliveries: the log has no arrival times, so arrivals are spread evenly")
    (ages_s,) = evidence.ages.columns()
    validity_s = float(np.quantile(ages_s, 0.05)) if len(ages_s) >= _LEAST_EXPIRED else None
    if validity_s is None:
        missing.append(f"deliveries.validity: fewer than {_LEAST_EXPIRED} messages expired")
    fits = feedback_fits(latency_s) if len(latency_s) else []
    if not fits:
        missing.append("feedback.synchronous: needs a table of event times (--feedback)")
    policy = _best(policies)
    if policy is None:
        missing.append(f"mta.retry: {_why_no_policy(policies, len(gaps))}")
    text = scenario_text(files, providers, evidence, arrivals, validity_s, policy, fits, missing)
    return Calibration(
        scenario=loads(text, "the fitted scenario"),
        text=text,
        files=files,
        skipped=skipped,
        providers=providers,
        small=small,
        policies=policies,
        gaps=gaps,
        arrivals=arrivals,
        validity_s=validity_s,
        feedback=fits,
        latency_s=latency_s,
        feedback_skipped=feedback_skipped,
        missing=missing,
        evidence=evidence,
    )


def _best(policies: Sequence[Recognised]) -> Recognised | None:
    """Return the first policy, if it explains enough gaps."""
    best = policies[0] if policies else None
    return best if best and best.explained >= _EXPLAINED * best.gaps else None


def _why_no_policy(policies: Sequence[Recognised], gaps: int) -> str:
    if not policies:
        return f"only {gaps} messages were tried again after a soft bounce; 5 are needed"
    return f"no policy explains enough gaps; the best candidate is {policies[0]}"


def _slack_s(evidence: Evidence) -> float:
    """Return the usual time from the due time of an attempt to the end."""
    delays = [provider.delay_s.columns()[0] for provider in evidence.providers.values()]
    delay_s = np.concatenate(delays)
    if not len(delay_s):
        return 10.0
    return float(np.clip(2.0 * np.quantile(delay_s, 0.5), 2.0, _LONGEST_SLACK_S))
