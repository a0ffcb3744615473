"""Calibration: from delivery logs to a scenario, with the estimates behind it."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from sendcap.calibration.arrivals import Stretch, deliveries
from sendcap.calibration.attempts import RECEIVED, Floats, Ints
from sendcap.calibration.estimates import ProviderEstimates, estimates_of
from sendcap.calibration.evidence import Evidence, Gaps
from sendcap.calibration.families import Fit
from sendcap.calibration.feedback import latencies_s, times_of
from sendcap.calibration.fitting import best
from sendcap.calibration.logs.reading import Context, Skipped
from sendcap.calibration.logs.recognising import FORMATS, READERS, FileRead, counted_once, read_logs
from sendcap.calibration.providers import Providers, read_map
from sendcap.calibration.report import sections
from sendcap.calibration.retries import Recognised, lasting, recognise
from sendcap.calibration.scenarios import fitted_scenario
from sendcap.calibration.sharing import Shared, shared_limit
from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.mailbox_providers import OTHER
from sendcap.scenario import KumomtaRetry, Scenario
from sendcap.text.quantities import counted

_LEAST_ATTEMPTS: Final = 30
_LONGEST_SLACK_S: Final = 120.0
_LONGEST_S: Final = 366 * 86_400.0
_KEPT: Final = 20
"""Candidates for the retry policy."""
_EXPLAINED: Final = 0.5
"""Least share of explained gaps of a recognised policy."""


@dataclass(frozen=True)
class Calibration(Drawable):
    """A scenario fitted to logs, and the estimates behind it.

    Attributes
    ----------
    scenario
        The fitted scenario.
    text
        The scenario's file; comments give the source of each figure.
    missing
        Keys without an estimate, each with a reason.
    files
        The logs.
    skipped
        Lines that were not used.
    providers
        Estimates for each provider, the one with the most messages first.
    shared
        A limit over several providers that held them back; None if none did.
    small
        Providers with too few attempts for estimates, counted as other: name to attempts.
    policies
        Candidates for the retry policy, the best first.
    gaps
        Gaps between attempts, the data of the policies.
    arrivals
        Blasts and a stream, or a few stretches of even arrivals.
    validity_s
        Age of messages at expiry; None if too few expired.
    feedback
        Distributions of the latency of feedback, the best first; empty without a table.
    latency_s
        Latencies of feedback, the data of the distributions.
    feedback_skipped
        Number of unused rows of the table of feedback, by reason.
    evidence
        Counts and samples behind the estimates.
    """

    scenario: Scenario = field(init=False)
    text: str = field(init=False)
    missing: list[str] = field(init=False)
    files: list[FileRead]
    skipped: Skipped
    providers: list[ProviderEstimates]
    shared: Shared | None
    small: dict[str, int]
    policies: list[Recognised]
    gaps: Gaps
    arrivals: list[Stretch]
    validity_s: float | None
    feedback: list[Fit]
    latency_s: Floats
    feedback_skipped: Counter[str]
    evidence: Evidence

    def __post_init__(self) -> None:
        vars(self).update(fitted_scenario(self))

    @property
    def policy(self) -> Recognised | None:
        """The recognised retry policy, if any explains enough gaps."""
        best = self.policies[0] if self.policies else None
        return best if best and best.explained >= _EXPLAINED * best.gaps else None

    @property
    def origin_s(self) -> float:
        """Time of t = 0 of the scenario, in seconds since 1970."""
        arrived_s = self.evidence.arrivals_s.values()
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
        Name of the format of all files, such as ``"postfix"``, as the guide's page *Logs* has it;
        by default detected from each file.
    providers
        Host or domain suffix to provider, or the path of a CSV file with these two columns.
    year
        Year of each file's first line, for stamps without one; by default the latest year that
        is not after the file's time of change.
    feedback
        Path of a CSV file with the times of events and the times at which Campaign knew them.
    progress
        Called now and then with the bytes read so far.

    Raises
    ------
    SendcapError
        If a file cannot be read, or none contains a delivery.
    """
    _check(logs, format)
    if providers is not None and not isinstance(providers, Mapping):
        providers = read_map(Path(providers))
    latency_s, unused = latencies_s(feedback)
    context = Context(Providers(providers), year)
    with context.attempts:
        paths = [Path(log) for log in logs]
        files = counted_once(read_logs(paths, context, format, progress), context)
        evidence, small = _evidence(context, files)
    estimates, shared = _estimates(evidence)
    gaps = evidence.gaps.values().view(np.recarray)
    policies = _policies(evidence, gaps, files, context.queue_runs_s)
    return Calibration(
        files=files,
        skipped=context.skipped,
        providers=estimates,
        shared=shared,
        small=small,
        policies=policies,
        gaps=gaps,
        arrivals=_arrivals(evidence, files),
        validity_s=_validity_s(evidence, policies),
        feedback=best(times_of(latency_s)) if len(latency_s) else [],
        latency_s=latency_s,
        feedback_skipped=unused,
        evidence=evidence,
    )


def _check(logs: Sequence[str | os.PathLike[str]], name: str | None) -> None:
    if not logs:
        raise SendcapError("give at least one log")
    if name is not None and name not in FORMATS:
        raise SendcapError(f"format: {name!r} is not one of {', '.join(FORMATS)}")


def _evidence(context: Context, files: list[FileRead]) -> tuple[Evidence, dict[str, int]]:
    """Return the evidence, and the providers that are too small for estimates of their own."""
    attempts, names = context.attempts, context.providers.names
    if not np.isfinite(attempts.first_s):
        raise _without_deliveries(files, context)
    merged, small = _merged(context.providers, attempts.by_provider)
    evidence = Evidence(attempts, names, merged)
    if evidence.messages < evidence.partial:
        # A log that begins within a backlog says more if its first messages count as new.
        evidence = Evidence(attempts, names, merged, strict=False)
    if not evidence.messages:
        raise SendcapError(
            "every message was first tried before this log starts; add the earlier logs"
        )
    return evidence, small


def _estimates(evidence: Evidence) -> tuple[list[ProviderEstimates], Shared | None]:
    """Return the estimates for each provider, and the limit that several share."""
    estimates = [
        estimates_of(name, number, evidence)
        for number, (name, provider) in enumerate(evidence.providers.items())
        if provider.messages
    ]
    estimates.sort(key=lambda provider: -provider.messages)
    # A plateau of many stretches is a provider's own limit.
    backlogs = {
        each.name: evidence.providers[each.name].backlog
        for each in estimates
        if each.ceiling.blocks <= 1
    }
    shared = shared_limit(backlogs, evidence.seconds, evidence.moments, sharp=evidence.sharp)
    if shared is None:
        return estimates, None
    return [
        replace(each, ceiling=each.ceiling.sharing(shared.held.level))
        if each.name in shared.providers
        else each
        for each in estimates
    ], shared


def _merged(providers: Providers, attempts: Ints) -> tuple[Ints, dict[str, int]]:
    """Return the number under which each provider counts; those with few attempts are other."""
    numbers = np.arange(len(attempts))
    few = {
        name: int(attempts[number])
        for number, name in enumerate(providers.names)
        if attempts[number] < _LEAST_ATTEMPTS and name != OTHER
    }
    if len(few) == int((attempts > 0).sum()):
        return numbers, {}
    for name in few:
        numbers[providers.number_of(name)] = providers.number_of(OTHER)
    return numbers, few


def _without_deliveries(files: list[FileRead], context: Context) -> SendcapError:
    lines = counted(sum(file.lines for file in files), "line")
    skipped, outcomes = context.skipped, [part["outcome"] for part in context.attempts.parts()]
    received = sum(int(np.count_nonzero(each == RECEIVED)) for each in outcomes)
    kinds = Counter({"messages received": received, **skipped.malformed, **skipped.other})
    told = [f"{reason}: {count:,}" for reason, count in kinds.most_common(3) if count]
    names = ", ".join(file.name for file in files[:3])
    remarks = "".join(f"; {file.remark}" for file in files[:3] if file.remark)
    formats = dict.fromkeys(file.format for file in files)
    where = "; ".join(f"{name} has them in {READERS[name].attempts}" for name in formats)
    return SendcapError(
        f"{names}: no delivery attempt in {lines} ({'; '.join(told) or 'all empty'}){remarks}; "
        f"give the log of deliveries to other servers: {where}"
    )


def _arrivals(evidence: Evidence, files: list[FileRead]) -> list[Stretch]:
    """Return how messages arrived; logs of more than a scenario may last are an error."""
    arrivals = deliveries(evidence.arrivals_s.values(), evidence.last_s - evidence.first_s)
    if max(stretch.at_s for stretch in arrivals) <= _LONGEST_S:
        return arrivals
    names = ", ".join(file.name for file in files[:3])
    ends_s = (evidence.first_s, evidence.last_s)
    first, last = (datetime.fromtimestamp(end_s, UTC) for end_s in ends_s)
    raise SendcapError(
        f"{names}: the records are of {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, and a "
        f"scenario has at most 366 days; give the logs of less, without lines of a wrong clock"
    )


def _policies(
    evidence: Evidence, gaps: Gaps, files: list[FileRead], runs_s: list[float]
) -> list[Recognised]:
    """Return the candidates for the retry policy, the best first."""
    run_s = float(np.median(runs_s)) if runs_s else 0.0
    given_up = evidence.given_up.values().view(np.recarray)
    found = recognise(gaps, _slack_s(evidence), frozenset(file.format for file in files), run_s)
    return [
        replace(each, policy=lasting(each.policy, gaps, given_up, evidence.validity_s))
        for each in found[:_KEPT]
    ]


def _validity_s(evidence: Evidence, policies: list[Recognised]) -> float | None:
    """Return the validity that leaves the end of messages to a policy that expires them itself."""
    validity_s = evidence.validity_s
    policy = policies[0].policy if policies else None
    if validity_s is None or not isinstance(policy, KumomtaRetry):
        return validity_s
    return max(validity_s, policy.max_age)


def _slack_s(evidence: Evidence) -> float:
    """Return the usual time from the due time of an attempt to the end."""
    delay_s = np.concatenate([each.delay_s.values() for each in evidence.providers.values()])
    if not len(delay_s):
        return 10.0
    return float(np.clip(2.0 * np.quantile(delay_s, 0.5), 2.0, _LONGEST_SLACK_S))
