"""Why the dashboard and Dynamic reporting show different percentages at the same moment.

One thing after the other is swapped, from the dashboard's formula to that of Dynamic reporting: the
moment, then the denominator, by the messages that are in the one and not in the other. Each swap
changes both percentages by some points, and together these are the whole difference.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from sendcap.ledger import Ledger
from sendcap.readings.dashboard import Dashboard
from sendcap.readings.dynamic_report import DynamicReport
from sendcap.readings.modes import (
    Denominator,
    Known,
    Mode,
    Statuses,
    denominator_counts,
    denominator_of,
    known,
    statuses,
)
from sendcap.text.clock import moment_text
from sendcap.text.quantities import counted

_DIVIDED: Final = (
    "The dashboard counts them in what it divides by; Dynamic reporting divides only by messages "
    "with a result, Sent or Failed."
)
_NOT_DIVIDED: Final = (
    "Dynamic reporting counts them in what it divides by; the dashboard divides only by messages "
    "relayed."
)
CauseName = Literal["moment", "not relayed", "failed at the relay", "pending", "no figures"]


@dataclass(frozen=True)
class Cause:
    """One reason why two percentages differ.

    Attributes
    ----------
    name
        ``"moment"``, ``"not relayed"``, ``"failed at the relay"``, ``"pending"`` or, where one of
        the two has no percentages, ``"no figures"``.
    words
        The reason in words.
    delivered_pt, bounces_errors_pt
        What it adds to Dynamic reporting's Delivered % and Bounces + errors %, in points; NaN
        without figures.
    """

    name: CauseName
    words: str
    delivered_pt: float
    bounces_errors_pt: float


@dataclass(frozen=True)
class Explanation:
    """The dashboard beside Dynamic reporting, and the causes of their differences.

    Attributes
    ----------
    deployment, dynamic
        Both reports, of one moment, mode and delivery.
    causes
        The causes, without those that change nothing. Their points sum to the difference.
    """

    deployment: Dashboard
    dynamic: DynamicReport
    causes: tuple[Cause, ...]

    @property
    def delivered_pt(self) -> float:
        """Delivered % of Dynamic reporting less that of the dashboard, in points."""
        return self.dynamic.delivered_pct - self.deployment.delivered_pct

    @property
    def bounces_errors_pt(self) -> float:
        """The same for Bounces + errors %."""
        return self.dynamic.bounces_errors_pct - self.deployment.bounces_errors_pct


class _Step(NamedTuple):
    """Both percentages after a swap, and what has been swapped."""

    name: CauseName
    words: str
    delivered_pct: float
    bounces_errors_pct: float


def explanation(
    ledger: Ledger,
    deployment: Dashboard,
    dynamic: DynamicReport,
    *,
    start: datetime | None = None,
    denominator: Denominator = "default",
) -> Explanation:
    """Return why two reports on the same moment, mode and delivery differ."""
    words = _no_figures(deployment, dynamic, start)
    if words:
        return Explanation(deployment, dynamic, (Cause("no figures", words, math.nan, math.nan),))
    moments_s = (deployment.as_of_s, dynamic.as_of_s)
    counts = known(ledger, deployment.delivery, edges=ledger.last_edges(moments_s))
    moments = [moment_text(moment_s, start) for moment_s in moments_s]
    order = 1 if moments_s[0] >= moments_s[1] else -1
    steps = list(_steps(counts, deployment.mode, denominator, moments, order))
    return Explanation(deployment, dynamic, tuple(_causes(steps)))


def _no_figures(deployment: Dashboard, dynamic: DynamicReport, start: datetime | None) -> str:
    """Return why one of the reports has no percentages; empty where both have."""
    if not dynamic.has_figures:
        night = moment_text(dynamic.first_night_s, start)
        return f"Dynamic reporting has no figures until the first night, {night}."
    if math.isnan(dynamic.delivered_pct):
        night = moment_text(dynamic.as_of_s, start)
        return (
            f"Dynamic reporting has no percentages: nothing had been processed at the last night, "
            f"{night}."
        )
    if math.isnan(deployment.delivered_pct):
        refreshed = moment_text(deployment.as_of_s, start)
        return (
            f"The dashboard has no percentages: its denominator was 0 at the last refresh, "
            f"{refreshed}."
        )
    return ""


def _steps(
    counts: Known, mode: Mode, denominator: Denominator, moments: Sequence[str], order: int
) -> Iterator[_Step]:
    """Yield the percentages of the dashboard, and those after each swap.

    The first of each count is that of the last refresh, the second that of the last night.
    """
    status = statuses(counts, mode)
    divisors = denominator_counts(counts, status, mode, denominator)
    relayed, failed = float(counts.relayed[1]), float(counts.relay_failed[1])
    processed = float(status.sent[1] + status.failed[1])
    denominator = denominator_of(mode, denominator)

    def step(name: CauseName, words: str, edge: int, divisor: float) -> _Step:
        parts = (float(status.sent[edge]), float(status.failed[edge]))
        return _Step(
            name, words, *(100.0 * part / divisor if divisor else math.nan for part in parts)
        )

    yield step("moment", "", 0, float(divisors[0]))
    yield step("moment", _of_the_moment(status, moments, order), 1, float(divisors[1]))
    if denominator == "relayed":
        words = f"{_messages(failed)} had failed at the relay by the last night. {_NOT_DIVIDED}"
        yield step("failed at the relay", words, 1, relayed + failed)
    elif denominator == "to-deliver":
        waiting = counts.to_deliver - relayed - failed
        words = f"{_messages(waiting)} had not been relayed by the last night. {_DIVIDED}"
        yield step("not relayed", words, 1, relayed + failed)
    if denominator != "processed":
        pending = relayed + failed - processed
        words = f"{_messages(pending)} were Pending at the last night. {_DIVIDED}"
        yield step("pending", words, 1, processed)


def _causes(steps: Sequence[_Step]) -> Iterator[Cause]:
    """Yield the swaps that change something; one without percentages goes with the next."""
    before, skipped = steps[0], ""
    for after in steps[1:]:
        words = f"{skipped} {after.words}".strip()
        if math.isnan(after.delivered_pct):
            skipped = words
            continue
        delivered_pt = after.delivered_pct - before.delivered_pct
        bounces_errors_pt = after.bounces_errors_pct - before.bounces_errors_pct
        if delivered_pt or bounces_errors_pt:
            yield Cause(after.name, words, delivered_pt, bounces_errors_pt)
        before, skipped = after, ""


def _of_the_moment(status: Statuses, moments: Sequence[str], order: int) -> str:
    words = (
        f"Dynamic reporting counts up to the last night, {moments[1]}; the dashboard up to the "
        f"last refresh, {moments[0]}."
    )
    changes = [
        f"{name} {'rose' if more > 0 else 'fell'} by {abs(round(more)):,}"
        for name, counts in (("Sent", status.sent), ("Failed", status.failed))
        if round(more := order * float(counts[0] - counts[1]))
    ]
    return f"{words} In between {' and '.join(changes)}." if changes else words


def _messages(count: float) -> str:
    return counted(round(count), "message")
