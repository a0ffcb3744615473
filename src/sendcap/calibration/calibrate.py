"""Calibration: logs in, a scenario out, and all that was found on the way."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sendcap.calibration import retries
from sendcap.calibration.arrivals import Stretch, stretches
from sendcap.calibration.attempts import Attempts, Floats, Ints
from sendcap.calibration.estimates import ProviderFound, SessionEvidence, found_of
from sendcap.calibration.evidence import Evidence
from sendcap.calibration.feedback import fits as feedback_fits
from sendcap.calibration.feedback import latencies_s
from sendcap.calibration.fitting import Fit
from sendcap.calibration.logs.reading import Context
from sendcap.calibration.logs.recognising import FORMATS, FileRead, read_logs
from sendcap.calibration.logs.skipped import Skipped
from sendcap.calibration.providers import Providers, read_map
from sendcap.calibration.retry_candidates import Gaps
from sendcap.calibration.scenario_file import scenario_text
from sendcap.errors import SendcapError
from sendcap.mailbox_providers import OTHER
from sendcap.scenario import Scenario, loads

_LEAST_ATTEMPTS: Final = 30
_LEAST_EXPIRED: Final = 5
_LONGEST_SLACK_S: Final = 120.0
_EXPLAINED: Final = 0.5
"""A policy that explains fewer gaps is not recognised."""


@dataclass(frozen=True)
class Calibration:
    """What logs have told.

    Attributes
    ----------
    scenario
        The scenario, complete.
    text
        Its file: the keys that were found, each with where it is from.
    files
        What was read.
    skipped
        What was not used.
    providers
        What was found of each, the one with the most messages first.
    small
        Providers with too few attempts for estimates, which count as other, and how many.
    policies
        Retry policies, the one that explains the gaps best first.
    arrivals
        Stretches of even arrivals.
    feedback
        Distributions of the feedback's latency, the best first; empty without a table.
    latency_s
        What they were fitted to.
    missing
        What this log does not tell: keys and why.
    evidence
        The counts and samples behind it.
    """

    scenario: Scenario
    text: str
    files: list[FileRead]
    skipped: Skipped
    providers: list[ProviderFound]
    small: dict[str, int]
    policies: list[retries.Recognised]
    gaps: Gaps
    arrivals: list[Stretch]
    arrived_known: bool
    validity_s: float | None
    feedback: list[Fit]
    latency_s: Floats
    feedback_skipped: Counter[str]
    missing: list[str]
    evidence: Evidence

    @property
    def policy(self) -> retries.Recognised | None:
        """The retry policy in use, None if none was recognised."""
        best = self.policies[0] if self.policies else None
        return best if best and best.explained >= _EXPLAINED * best.gaps else None

    @property
    def origin_s(self) -> float:
        """When t = 0 of the scenario is, in seconds since 1970."""
        (arrived_s,) = self.evidence.arrivals.columns()
        return float(arrived_s.min()) if len(arrived_s) else self.evidence.first_s


def calibrate(
    logs: Sequence[str | os.PathLike[str]],
    *,
    format: str | None = None,  # noqa: A002 (what the option is called)
    providers: Mapping[str, str] | str | os.PathLike[str] | None = None,
    year: int | None = None,
    feedback: str | os.PathLike[str] | None = None,
    progress: Callable[[int], None] | None = None,
    attempts: Callable[[Attempts], object] | None = None,
) -> Calibration:
    """Read delivery logs and fit a scenario to them.

    Parameters
    ----------
    logs
        Paths of files, plain or compressed; rotated ones in any order.
    format
        ``"postfix"``, ``"kumomta"``, ``"powermta"`` or ``"momentum"``; recognised by the content
        of each file by default.
    providers
        Ends of MX host names or domains to providers' names, or the path of a CSV file of them.
    year
        Of the first line of each file, for stamps without a year; by default the latest that the
        file's own time allows.
    feedback
        Path of a CSV file with the time of an event and the time when Campaign knew it.
    progress
        Called now and then with the bytes read so far.
    attempts
        Called with the table of attempts before anything is read, for whoever has to clean up.

    Raises
    ------
    SendcapError
        If a file cannot be read, or there is no delivery in any.
    """
    if not logs:
        raise SendcapError("give at least one log")
    if format is not None and format not in FORMATS:
        raise SendcapError(f"format: {format!r} is not one of {', '.join(FORMATS)}")
    given = providers
    if given is not None and not isinstance(given, Mapping):
        given = read_map(Path(given))
    latency_s, left_out = np.zeros(0), Counter[str]()
    if feedback is not None:
        latency_s, left_out = latencies_s(Path(feedback))
    context = Context(Providers(given), year)
    with context.attempts as table:
        if attempts is not None:
            attempts(table)
        files = read_logs([Path(log) for log in logs], context, format, progress)
        _require_deliveries(table, files, context.skipped)
        merged, small = _merged(context.providers, table.by_provider)
        evidence = Evidence(table, context.providers.names, merged)
        if evidence.messages < evidence.partial:
            # A log that begins in the middle of a backlog tells more if its messages count as new.
            evidence = Evidence(table, context.providers.names, merged, strict=False)
        sessions = SessionEvidence(evidence, table.sharp)
    if not evidence.messages:
        raise SendcapError(
            "every message in the log had been tried before it begins; give the logs before it, too"
        )
    found = [
        found_of(name, number, evidence, sessions)
        for number, name in enumerate(context.providers.names)
        if evidence.providers[name].messages
    ]
    found.sort(key=lambda its: -its.messages)
    return _assembled(files, context.skipped, found, small, evidence, latency_s, left_out)


def _merged(providers: Providers, attempts: Ints) -> tuple[Ints, dict[str, int]]:
    """Return which provider each counts as: those with few attempts are other ones."""
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
    lines = sum(its.lines for its in files)
    kinds = Counter({**skipped.malformed, **skipped.other})
    why = "; ".join(f"{name}: {count:,}" for name, count in kinds.most_common(3))
    names = ", ".join(its.name for its in files[:3])
    raise SendcapError(
        f"{names}: no delivery attempt in {lines:,} lines ({why or 'all of them empty'}); give a "
        f"log with deliveries to other servers, or tell its format with --format"
    )


def _assembled(
    files: list[FileRead],
    skipped: Skipped,
    found: list[ProviderFound],
    small: dict[str, int],
    evidence: Evidence,
    latency_s: Floats,
    left_out: Counter[str],
) -> Calibration:
    missing: list[str] = []
    gaps = Gaps.of(evidence.gaps.columns())
    policies = retries.recognise(gaps, _slack_s(evidence))
    (arrived_s,) = evidence.arrivals.columns()
    if len(arrived_s):
        arrivals = stretches(arrived_s)
    else:
        arrivals = [Stretch(0.0, evidence.last_s - evidence.first_s, 1.0)]
        missing.append("deliveries: the log does not tell when messages came; spread evenly")
    (ages_s,) = evidence.ages.columns()
    validity_s = float(np.quantile(ages_s, 0.05)) if len(ages_s) >= _LEAST_EXPIRED else None
    if validity_s is None:
        missing.append("deliveries.validity: fewer than 5 messages expired")
    fits = feedback_fits(latency_s) if len(latency_s) else []
    if not fits:
        missing.append("feedback.synchronous: a table of event times was not given (--feedback)")
    its = policies[0] if policies else None
    if its is None or its.explained < _EXPLAINED * its.gaps:
        missing.append(f"mta.retry: {_why_no_policy(its, len(gaps))}")
        its = None
    text = scenario_text(files, found, evidence, arrivals, validity_s, its, fits, missing)
    return Calibration(
        scenario=loads(text, "the fitted scenario"),
        text=text,
        files=files,
        skipped=skipped,
        providers=found,
        small=small,
        policies=policies,
        gaps=gaps,
        arrivals=arrivals,
        arrived_known=bool(len(arrived_s)),
        validity_s=validity_s,
        feedback=fits,
        latency_s=latency_s,
        feedback_skipped=left_out,
        missing=missing,
        evidence=evidence,
    )


def _why_no_policy(its: retries.Recognised | None, gaps: int) -> str:
    if its is None:
        return f"{gaps} messages were tried again after a soft bounce; 5 are needed"
    return f"none explains the gaps; the best, {its.told}, explains {its.explained} of {its.gaps}"


def _slack_s(evidence: Evidence) -> float:
    """Return how long an attempt usually waits and takes."""
    delays = [its.delay_s.columns()[0] for its in evidence.providers.values()]
    delay_s = np.concatenate(delays)
    if not len(delay_s):
        return 10.0
    return float(np.clip(2.0 * np.quantile(delay_s, 0.5), 2.0, _LONGEST_SLACK_S))
