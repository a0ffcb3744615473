"""The calibration report: data, messages, providers, retries, feedback, missing keys."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD
from sendcap.calibration.estimates import FaultEstimate, ProviderEstimates
from sendcap.calibration.evidence import Evidence
from sendcap.calibration.families import Fit
from sendcap.calibration.feedback import times_of
from sendcap.calibration.fitting import fits_badly
from sendcap.calibration.lives import OPEN
from sendcap.calibration.times import Times, observed, percent
from sendcap.text.quantities import counted, listed, precise
from sendcap.text.quoting import printable

if TYPE_CHECKING:
    from sendcap.calibration.calibrate import Calibration
    from sendcap.calibration.verification import Verification

_SHOWN_POLICIES: Final = 3
_three: Final = "{:.3g}".format
_four: Final = "{:.4g}".format
_QUANTILES: Final = (0.5, 0.9, 0.99)
_ENDS: Final = (ACCEPTED, HARD, EXPIRED, OPEN)


class Table(NamedTuple):
    """Cells of a table: names in the first column, values in the others."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Section(NamedTuple):
    """A part of the report: a title, sentences and tables."""

    title: str
    content: list[str | Table]


def report(calibration: Calibration, verification: Verification | None = None) -> str:
    """Return the report as text."""
    parts = sections(calibration)
    if verification is not None:
        parts.append(verification.section())
    return "\n\n".join(map(_text, parts)) + "\n"


def _text(section: Section) -> str:
    lines = [section.title, "=" * len(section.title)]
    for part in section.content:
        lines += [part] if isinstance(part, str) else _aligned(part)
    return "\n".join(lines)


def _aligned(table: Table) -> list[str]:
    """Return a table as lines: left-aligned names and right-aligned values, all printable."""
    cells = [[printable(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for name, *values in cells:
        aligned = [cell.rjust(width) for cell, width in zip(values, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *aligned]).rstrip())
    return lines


def sections(calibration: Calibration) -> list[Section]:
    """Return the parts of the report."""
    parts = [
        Section("Data", [*_data(calibration)]),
        Section("Messages", [*_messages(calibration)]),
        *_shared(calibration),
        *(Section(f"Provider {each.name}", [*_provider(each)]) for each in calibration.providers),
        Section("Retry policy", [*_policies(calibration)]),
    ]
    if calibration.feedback:
        parts.append(Section("Feedback", [*_feedback(calibration)]))
    missing: list[str | Table] = [f"- {line}" for line in calibration.missing]
    parts.append(Section("Not in this log (the scenario has defaults or assumptions)", missing))
    return parts


def _data(calibration: Calibration) -> Iterator[str | Table]:
    rows = []
    for file in calibration.files:
        sizes = (f"{file.read_bytes / 1e6:.1f}", f"{file.lines:,}", f"{file.used:,}")
        rows.append((file.name, file.format, *sizes, file.remark))
    yield Table(("file", "format", "MB", "lines", "attempts used", "remark"), rows)
    skipped = calibration.skipped
    for title, counts in (
        ("Lines passed over", skipped.other),
        ("Unreadable lines", skipped.malformed),
    ):
        if counts.total():
            yield f"{title}:"
        for reason, count in counts.most_common():
            if count:
                yield f"- {reason}: {count:,}"
            for line in skipped.samples.get(reason, []):
                yield f"    {line.file}, line {line.line}: {line.shape}"
    if skipped.malformed:
        yield "The samples show letters as x and digits as 0, so that they contain no address."


def _messages(calibration: Calibration) -> Iterator[str | Table]:
    evidence = calibration.evidence
    span_s = evidence.last_s - evidence.first_s
    yield f"The attempts in the log span {precise(max(span_s, 0.0))}."
    if not evidence.strict:
        yield (
            "Most messages arrived before the log begins. They count as new and as arriving at its "
            "beginning, although some may have been tried before: use shares and delays with care."
        )
    if calibration.small:
        names = ", ".join(f"{name} {count}" for name, count in calibration.small.items())
        yield f"Providers with too few attempts for estimates, counted as other: {names}."
    if evidence.partial:
        yield (
            f"{counted(evidence.partial, 'message')} may have been tried before the log begins: "
            f"the later attempts count, the outcomes do not."
        )
    yield from _known_by_other_records(evidence)
    still = sum(int(provider.ends[OPEN]) for provider in evidence.providers.values())
    still -= evidence.waiting + evidence.withdrawn
    if still:
        deferred = counted(still, "message was", "messages were")
        yield f"{deferred} still deferred at the end of the log (right-censored)."
    else:
        yield "No message was still deferred at the end of the log."
    rows = []
    for provider in calibration.providers:
        ends = evidence.providers[provider.name].ends
        shares = (int(ends[end]) / max(provider.messages, 1) for end in _ENDS)
        counts = (f"{provider.messages:,}", f"{provider.attempts:,}")
        rows.append((provider.name, *counts, *map(percent, shares)))
    yield Table(
        ("provider", "messages", "attempts", "accepted %", "hard %", "expired %", "open %"), rows
    )
    yield "Brackets hold 90 % intervals. The best fit has the lowest AIC, or is simpler;"
    yield "“off by” is its largest distance from the data, in percentage points."


def _known_by_other_records(evidence: Evidence) -> Iterator[str]:
    """Yield what counts although the log has no attempt or no end of it."""
    if evidence.untold:
        yield (
            f"{counted(evidence.untold, 'message is', 'messages are')} known by the expiry only, "
            f"counted as expired by a fault that never clears: the attempts are not in the log."
        )
    if evidence.removed:
        removed = counted(evidence.removed, "message was", "messages were")
        yield f"{removed} bounced by an operator, counted as open."
    if evidence.waiting:
        waiting = counted(evidence.waiting, "message was", "messages were")
        yield f"{waiting} received and not tried within the log, counted as open."


def _shared(calibration: Calibration) -> Iterator[Section]:
    shared = calibration.shared
    if shared is not None:
        connections, lasted_s = shared.held.level.text(_four), shared.held.lasted_s
        sentence = (
            f"{listed(shared.providers)} share a limit of connections: {connections} were in use "
            f"for {lasted_s:g} s, of all together and of each not."
        )
        yield Section("Shared limit", [sentence])


def _provider(provider: ProviderEstimates) -> Iterator[str | Table]:
    if provider.connect_times is not None:
        yield from _fitted("Connect time", provider.connect, provider.connect_times)
    if provider.connect_mean is not None:
        yield f"Connect time: mean {provider.connect_mean.text(precise)}, of a few connections."
    if provider.transaction_times is not None:
        yield from _fitted("Transaction time", provider.transaction, provider.transaction_times)
    if provider.transaction_mean is not None:
        yield f"Transaction time: mean {provider.transaction_mean.text(precise)}."
    yield from _connections(provider)
    if provider.hard:
        yield "Hard bounces:"
        for reason, bounced in provider.hard.items():
            yield f"- {reason}: {bounced.percent} {provider.among(reason)}"
    if provider.transient_reasons:
        share = provider.transient.percent
        yield f"Transient soft bounces: {share} of the attempts ({provider.reasons_text})."
    for reason, count in provider.thin.items():
        few = counted(count, "message")
        yield f"- {reason}: {few}, too few for a fault; the first attempts count here."
    for fault in provider.faults:
        yield from _fault(fault, provider.among(fault.reason))
    if provider.returned.value > 0:
        yield f"Asynchronous bounces: {provider.returned.percent} of the accepted messages."


def _fault(fault: FaultEstimate, of: str) -> Iterator[str | Table]:
    if fault.untold:
        yield f"Expired without an attempt in the log ({fault.reason}): {fault.share.percent}."
        return
    yield f"Fault {fault.reason} ({_kind(fault)}): {fault.share.percent} {of}."
    if fault.fits:
        yield f"Never clears: {fault.never.percent} of them."
        if fault.is_shaped:
            yield from _fitted("Clears after", fault.fits, fault.times)
        else:
            few = counted(round(fault.times.count), "message is", "messages are")
            mean = fault.fits[0].mean_s.text(precise)
            yield f"Clears after: mean {mean}; {few} too few for a shape: exponential is assumed."
    else:
        yield "None of them cleared within the log."


def _kind(fault: FaultEstimate) -> str:
    """Return how long a fault stays: the reason alone says what it is."""
    if fault.clears_by_next_attempt:
        return "gone at the next attempt"
    if fault.clears_at_one_age:
        return "clears at the same age for all messages"
    return "stays with the address for a time"


def _fitted(name: str, fits: list[Fit], times: Times) -> Iterator[str | Table]:
    best = fits[0]
    cv = "" if best.family in ("exponential", "constant") else f", cv {best.cv.text(_three)}"
    yield f"{name}: {best.family}, mean {best.mean_s.text(precise)}{cv}; {best.count:,.0f} values."
    if best.family == "constant":
        return
    if best.family == "empirical":
        yield "No family is within 5 points of the data, so the scenario has the data's quantiles."
    elif fits_badly(best):
        yield (
            f"No family fits, and {counted(round(best.count), 'value is', 'values are')} too few "
            f"for their quantiles: the mean holds, the shape does not."
        )
    least = min(fit.aic for fit in fits if not math.isnan(fit.aic))
    rows = []
    for fit in fits:
        aic = f"+{fit.aic - least:.1f}" if fit.aic > least else f"{least:.1f}"
        aic = "" if math.isnan(fit.aic) else aic
        never = "" if fit.never is None else percent(fit.never.value)
        quantiles = (precise(fit.quantile_s(share)) for share in _QUANTILES)
        rows.append((fit.family, aic, f"{100 * fit.distance:.1f}", never, *quantiles))
    rows.append(("data", "", "", "", *(_data_quantile(times, share) for share in _QUANTILES)))
    yield Table(("  fit", "AIC", "off by, pt", "never %", "50 %", "90 %", "99 %"), rows)


def _data_quantile(times: Times, share: float) -> str:
    """Return the quantile of the data, or the range of it."""
    ends = []
    for early in (True, False):
        at_s, upto = observed(times, early=early)
        position = int(np.searchsorted(upto, share - 1e-12))
        ends.append(float(at_s[position]) if position < len(at_s) else math.inf)
    low, high = ends
    if math.isinf(low):
        return "–"
    return precise(high) if high <= 1.1 * low else f"{precise(low)} to {precise(high)}"


def _connections(provider: ProviderEstimates) -> Iterator[str]:
    per, ceiling = provider.per_connection, provider.ceiling
    if per is not None:
        limit = "a limit" if per.limit else "not a limit"
        several = round(per.recipients, 2) > 1.0
        yield (
            f"{'Transactions' if several else 'Messages'} per connection: {per.mean:.3g} on "
            f"average, {per.most} at most, which is {limit} ({per.closed_there:,} of "
            f"{per.connections:,} connections ended there)."
        )
        if several:
            yield f"Recipients per transaction: {per.recipients:.3g} on average."
    if math.isfinite(ceiling.connections):
        yield f"Connections: {ceiling.in_use}."
    if ceiling.level is not None:
        of_connections = ceiling.limited_by == "connections"
        limit, unit = ("connections", "connections") if of_connections else ("a rate", "attempts/s")
        yield (f"Limited by {limit}: {ceiling.level.text(_four)} {unit}, in {ceiling.stretches}.")
    if provider.accepts is not None:
        yield f"The provider accepted {provider.accepts} of them, and refused further ones."
    if ceiling.pause_s is not None:
        yield f"Attempts came one by one, with {precise(ceiling.pause_s)} between them."
    fastest = [f"{pace:.4g}/s in the fastest {name}" for name, pace in ceiling.fastest.items()]
    if fastest:
        yield f"Attempts: {', '.join(fastest)}."
    if provider.tolerated is not None:
        yield f"While throttling, it accepted {provider.tolerated[0].text(_four)} attempts/s."


def _policies(calibration: Calibration) -> Iterator[str | Table]:
    if not calibration.policies:
        yield "Too few messages were tried again to recognise a policy."
        return
    known = calibration.policy
    yield "No policy was recognised; the best candidates are:" if known is None else f"{known}."
    rows = [
        (each.description, f"{each.explained:,}", f"{each.gaps:,}", f"{each.score:.0f}")
        for each in calibration.policies
    ]
    # Different rules may be the same list.
    yield Table(
        ("candidate", "explained", "of", "score"), list(dict.fromkeys(rows))[:_SHOWN_POLICIES]
    )


def _feedback(calibration: Calibration) -> Iterator[str | Table]:
    for reason, count in calibration.feedback_skipped.most_common():
        yield f"- {counted(count, 'row')} skipped: {reason}"
    times = times_of(calibration.latency_s)
    yield from _fitted("From the event to Campaign", calibration.feedback, times)
