"""The calibration report: what was read, what was found, how well it fits, what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD
from sendcap.calibration.calibrate import Calibration
from sendcap.calibration.estimates import ProviderFound
from sendcap.calibration.fitting import Fit
from sendcap.calibration.lives import OPEN
from sendcap.calibration.times import Times, observed
from sendcap.calibration.verification import Compared, Verification
from sendcap.calibration.words import percent, seconds, told

if TYPE_CHECKING:
    pass

_SHOWN_POLICIES: Final = 3
_QUANTILES: Final = (0.5, 0.9, 0.99)


def report(found: Calibration, verified: Verification | None = None) -> str:
    """Return the report as text."""
    parts = [
        _section("What was read", _read(found)),
        _section("Messages", _messages(found)),
    ]
    parts += [_section(f"Provider {its.name}", _provider(its)) for its in found.providers]
    parts.append(_section("Retry policy", _policies(found)))
    if found.feedback:
        parts.append(_section("Feedback", _feedback(found)))
    parts.append(
        _section(
            "What this log does not tell: the scenario has defaults or assumptions for it",
            (f"- {line}" for line in found.missing),
        )
    )
    if verified is not None:
        parts.append(_section("Self-check: the fitted scenario, simulated", check_lines(verified)))
    return "\n\n".join(parts) + "\n"


def _section(title: str, lines: Iterator[str] | Sequence[str]) -> str:
    return "\n".join((title, "=" * len(title), *lines))


def _read(found: Calibration) -> Iterator[str]:
    yield from table(
        ("file", "format", "MB", "lines", "attempts used", "remark"),
        [
            (
                its.name,
                its.format,
                f"{its.read_bytes / 1e6:.1f}",
                f"{its.lines:,}",
                f"{its.used:,}",
                its.remark,
            )
            for its in found.files
        ],
    )
    for title, counts in (
        ("Lines that are about something else", found.skipped.other),
        ("Lines that could not be read", found.skipped.malformed),
    ):
        told_of = [(name, count) for name, count in counts.most_common() if count]
        if told_of:
            yield f"{title}:"
        for name, count in told_of:
            yield f"- {name}: {count:,}"
            for sample in found.skipped.samples.get(name, []):
                yield f"    {sample.file}, line {sample.line}: {sample.shape}"
    if found.skipped.malformed:
        yield "Of a line its shape is shown: letters as x, digits as 0. Nobody's address is in it."


def _messages(found: Calibration) -> Iterator[str]:
    evidence = found.evidence
    span_s = evidence.last_s - evidence.first_s
    yield f"The log's attempts span {seconds(max(span_s, 0.0))}."
    if not evidence.strict:
        yield (
            "Most messages came before the log begins. They count as new and as coming when it "
            "begins, although some may have been tried before: take shares and delays with care."
        )
    if found.small:
        names = ", ".join(f"{name} {count}" for name, count in found.small.items())
        yield f"Too few attempts for estimates of their own, so they count as other: {names}."
    if evidence.partial:
        yield (
            f"{evidence.partial:,} messages may have been tried before the log begins; their "
            f"later attempts count, their outcomes do not."
        )
    still = evidence.ended(OPEN)
    yield (
        f"{still:,} messages were still deferred when it ends; they count as what they are, tried "
        f"so long in vain (right-censored)."
        if still
        else "No message was still deferred when it ends."
    )
    rows = []
    for its in found.providers:
        mine = evidence.providers[its.name]
        shares = (
            percent(int(mine.ends[end]) / max(its.messages, 1))
            for end in (ACCEPTED, HARD, EXPIRED, OPEN)
        )
        rows.append((its.name, f"{its.messages:,}", f"{its.attempts:,}", *shares))
    yield from table(
        ("provider", "messages", "attempts", "accepted %", "hard %", "expired %", "open %"), rows
    )
    yield "Below, what is in brackets is a 90 % interval. Of the distributions that were fitted,"
    yield "that with the lowest AIC explains the data best; it is off by so many points at most."


def _provider(its: ProviderFound) -> Iterator[str]:
    for name, fits, times in (
        ("Time to connect", its.connect, its.connect_times),
        ("Time of a transaction", its.transaction, its.transaction_times),
    ):
        if times is not None:
            yield from _fitted(name, fits, times)
    if its.transaction_mean is not None:
        yield f"Time of a transaction: mean {told(its.transaction_mean, seconds)}."
    yield from _connections(its)
    if its.hard:
        yield "Hard bounces, share of the messages:"
        yield from (f"- {name}: {told(part, percent)}" for name, part in its.hard.items())
    if its.transient_reasons:
        reasons = ", ".join(f"{name} {count:,}" for name, count in its.transient_reasons.items())
        yield f"Soft bounces that come anew at each attempt: {told(its.transient, percent)} of the"
        yield f"attempts ({reasons})."
    for reason, count in its.thin.items():
        yield f"- {reason}: {count} messages, too few for a fault; their first attempts are here."
    for fault in its.faults:
        what = "greylisting" if fault.greylisting else "stays with the address for a time"
        yield f"Fault {fault.reason} ({what}): {told(fault.share, percent)} of the messages."
        if fault.fits:
            yield f"Never clears: {told(fault.never, percent)} of them."
            yield from _fitted("Clears after", fault.fits, fault.times)
        else:
            yield "None of them cleared while the log lasts."
    if its.returned.value > 0:
        yield f"Asynchronous bounces: {told(its.returned, percent)} of the accepted."


def _fitted(name: str, fits: list[Fit], times: Times) -> Iterator[str]:
    its = fits[0]
    shape = "" if its.family in ("exponential", "constant") else f", cv {told(its.cv, _three)}"
    yield f"{name}: {its.family}, mean {told(its.mean_s, seconds)}{shape}; {its.count:,.0f} values."
    if its.family == "constant":
        return
    if its.family == "empirical":
        yield "No family is within 5 points of the data, so the scenario has the data's quantiles."
    rows = []
    first = min(fit.aic for fit in fits if not math.isnan(fit.aic))
    for fit in fits:
        quantiles = (seconds(quantile_s(fit, share)) for share in _QUANTILES)
        more = f"+{fit.aic - first:.1f}" if fit.aic > first else f"{first:.1f}"
        more = "" if math.isnan(fit.aic) else more
        never = "" if fit.never is None else percent(fit.never.value)
        rows.append((fit.family, more, f"{100 * fit.distance:.1f}", never, *quantiles))
    data = (_data_quantile(times, share) for share in _QUANTILES)
    rows.append(("the data", "", "", "", *data))
    yield from table(("  fitted", "AIC", "off by, pt", "never %", "50 %", "90 %", "99 %"), rows)


def _data_quantile(times: Times, share: float) -> str:
    """Return the data's quantile, or the times that it is between."""
    import numpy as np

    ends = []
    for early in (True, False):
        at_s, upto = observed(times, early=early)
        place = int(np.searchsorted(upto, share - 1e-12))
        ends.append(float(at_s[place]) if place < len(at_s) else math.inf)
    low, high = ends
    if math.isinf(low):
        return "–"
    return seconds(high) if high <= 1.1 * low else f"{seconds(low)} to {seconds(high)}"


def quantile_s(fit: Fit, share: float) -> float:
    """Return the time by which a share has come, infinite if it never does."""
    import numpy as np

    low, high = 1e-6, 1e10
    if float(fit.cdf(np.array([high]))[0]) < share:
        return math.inf
    for _ in range(80):
        middle = math.sqrt(low * high)
        if float(fit.cdf(np.array([middle]))[0]) < share:
            low = middle
        else:
            high = middle
    return high


def _connections(its: ProviderFound) -> Iterator[str]:
    per, ceiling = its.per_connection, its.ceiling
    if per is not None:
        limit = "a limit" if per.limit else "no limit that was reached"
        yield (
            f"Messages per connection: {per.mean:.3g} on average, {per.most} at most, which is "
            f"{limit} ({per.closed_there:,} of {per.connections:,} connections ended there)."
        )
    if math.isfinite(ceiling.connections):
        yield f"Connections in use at a time: {ceiling.connections:.1f} at most."
    if ceiling.limited_by and ceiling.level is not None:
        unit = "connections" if ceiling.limited_by == "connections" else "attempts/s"
        what = "the connections" if ceiling.limited_by == "connections" else "a rate"
        yield (
            f"Held back by {what}: {told(ceiling.level, _four)} {unit}, in {ceiling.blocks} "
            f"stretches of {ceiling.block_s:g} s."
        )
    if ceiling.pause_s is not None:
        yield f"Attempts come one by one, with {seconds(ceiling.pause_s)} between them."
    fastest = [
        f"{value:.4g}/s in the fastest {name}"
        for name, value in (
            ("second", ceiling.per_second),
            ("minute", ceiling.per_minute),
            ("hour", ceiling.per_hour),
        )
        if math.isfinite(value)
    ]
    yield f"Attempts: {', '.join(fastest)}."
    if its.tolerated is not None:
        yield f"While it throttled, it let {told(its.tolerated[0], _four)}/s through."


def _policies(found: Calibration) -> Iterator[str]:
    if not found.policies:
        yield "Too few messages were tried again."
        return
    if found.policy is None:
        yield "None was recognised; the best candidates:"
    else:
        its = found.policy
        yield f"{its.told}: explains {its.explained:,} of {its.gaps:,} gaps between attempts."
    yield from table(
        ("candidate", "explained", "of", "score"),
        [
            (its.told, f"{its.explained:,}", f"{its.gaps:,}", f"{its.score:.0f}")
            for its in found.policies[:_SHOWN_POLICIES]
        ],
    )


def _feedback(found: Calibration) -> Iterator[str]:
    from sendcap.calibration.feedback import times_of

    for name, count in found.feedback_skipped.most_common():
        yield f"- {count:,} rows left out: {name}"
    yield from _fitted("From the event to Campaign", found.feedback, times_of(found.latency_s))


def check_lines(verified: Verification) -> Iterator[str]:
    """Return the self-check as lines."""
    yield from table(
        ("provider", "what", "log", "simulated", ""),
        [
            (
                its.provider,
                its.what,
                compared(its, its.log),
                compared(its, its.simulated),
                "" if its.close else "differs",
            )
            for its in verified.rows
        ],
    )
    apart = sum(not its.close for its in verified.rows)
    yield (
        f"{len(verified.rows) - apart} of {len(verified.rows)} are close: times within a quarter "
        f"or 2 s, shares within a point, attempts per message within 5 %."
    )


def compared(its: Compared, value: float) -> str:
    """Return a compared number in its unit."""
    if its.unit == "s":
        return seconds(value)
    return f"{100 * value:.2f} %" if its.unit == "share" else f"{value:.3f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines; the first column to the left, numbers to the right.

    Whatever would move the cursor or break the line is replaced.
    """
    cells = [[_plain(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    lines = []
    for row in cells:
        padded = [row[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(padded).rstrip())
    return lines


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _three(value: float) -> str:
    return f"{value:.3g}"


def _four(value: float) -> str:
    return f"{value:.4g}"
