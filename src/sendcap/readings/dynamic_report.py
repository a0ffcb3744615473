"""Dynamic reporting: the product's source of truth, with formulas and a rhythm of its own."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from sendcap.errors import SendcapError
from sendcap.readings.displayed_figures import DisplayedFigures
from sendcap.readings.kpis import Readings, percentage
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS, Mode, failure_types, known
from sendcap.text.clock import after, time_on
from sendcap.text.quantities import DAY_S, elapsed
from sendcap.text.shares import percentage as percentage_text

_LATEST_S: Final = 36_525 * 86_400.0


@dataclass(frozen=True)
class DynamicReport(DisplayedFigures):
    """The figures of Dynamic reporting on one delivery, or on all, in one mode.

    Attributes
    ----------
    mode, delivery
        Reporting mode, and name of the delivery; ``"*"`` is all deliveries together.
    time_s
        The moment in question, in seconds.
    as_of_s
        The last nightly aggregation: the figures are as of then. NaN before the first night, when
        there are no figures: messages are 0, percentages NaN.
    first_night_s
        The first aggregation of all.
    processed
        Delivered + bounces and errors; the product writes *Processed/sent*.
    delivered, bounces_errors
        Messages with status *Sent*, and with status *Failed*.
    soft_bounces, hard_bounces
        Failed messages whose failure is of this type. Those that failed at the relay, expired
        untried or bounced asynchronously are neither.
    delivered_pct, bounces_errors_pct, soft_bounces_pct, hard_bounces_pct
        In percent of ``processed``; NaN for a share of nothing.
    open_rate_pct, click_through_pct
        In percent of ``delivered``; NaN also for rates that are not simulated.
    """

    mode: Mode
    delivery: str
    time_s: float
    as_of_s: float
    first_night_s: float
    processed: int
    delivered: int
    bounces_errors: int
    soft_bounces: int
    hard_bounces: int
    delivered_pct: float
    bounces_errors_pct: float
    soft_bounces_pct: float
    hard_bounces_pct: float
    open_rate_pct: float
    click_through_pct: float

    def _about(self) -> str:
        return (
            f"{MODE_LABELS[self.mode]}, at {elapsed(self.time_s)}: delivered "
            f"{percentage_text(self.delivered_pct)} % of the processed"
        )

    @property
    def has_figures(self) -> bool:
        """Whether there has been a night."""
        return not math.isnan(self.as_of_s)


def dynamic_report(
    readings: Readings,
    t_s: float,
    mode: Mode,
    delivery: str = ALL_DELIVERIES,
    *,
    start: datetime | None = None,
) -> DynamicReport:
    """Return Dynamic reporting as it looks at a moment; see `sendcap.Run.dynamic_report`."""
    require_moment(t_s)
    # The calendar has an end, and the run has had one long before.
    night_s = last_night_s(min(t_s, _LATEST_S), start)
    edges = readings.ledger.last_edges([night_s or 0.0])
    figures = readings.figures_at(edges, [mode], delivery, "processed")[mode]
    processed = figures.sent + figures.failed
    types = failure_types(known(readings.ledger, delivery, edges=edges), mode)
    return DynamicReport(
        mode=mode,
        delivery=delivery,
        time_s=float(t_s),
        as_of_s=math.nan if night_s is None else night_s,
        first_night_s=first_night_s(start),
        processed=round(float(processed[0])),
        delivered=round(float(figures.sent[0])),
        bounces_errors=round(float(figures.failed[0])),
        soft_bounces=round(float(types.soft[0])),
        hard_bounces=round(float(types.hard[0])),
        delivered_pct=float(figures.delivered_pct[0]),
        bounces_errors_pct=float(figures.bounces_errors_pct[0]),
        soft_bounces_pct=float(percentage(types.soft, processed)[0]),
        hard_bounces_pct=float(percentage(types.hard, processed)[0]),
        open_rate_pct=float(figures.open_rate_pct[0]),
        click_through_pct=float(figures.click_through_pct[0]),
    )


def require_moment(t_s: float) -> None:
    """Refuse a moment before the simulation."""
    if not t_s >= 0:
        raise SendcapError(f"no report at {t_s:g} s: the simulation starts at 0")


# The nightly aggregation: 02:00 by the clock.

_AT: Final = time(2)
"""Campaign's technical workflow *reportingAggregates* runs then, every day."""


def last_night_s(t_s: float, start: datetime | None) -> float | None:
    """Return the last aggregation at or before a moment; None before the first one.

    Where daylight saving skips 02:00 it is the moment of the change; of two 02:00 it is the first.
    Without a start nights count from t = 0: the first one is at 1 d. One at t = 0 itself has seen
    no message, and counts as none.
    """
    if start is None:
        # The rounding of the division is forgiven.
        nights = math.floor(t_s / DAY_S * (1 + 1e-12))
        return nights * DAY_S if nights > 0 else None
    earlier = [night_s for night_s in _around(t_s, start) if 0.0 < night_s <= t_s]
    return max(earlier, default=None)


def first_night_s(start: datetime | None) -> float:
    """Return the first aggregation, which is after t = 0."""
    if start is None:
        return DAY_S
    return min(night_s for night_s in _around(0.0, start) if night_s > 0.0)


def _around(t_s: float, start: datetime) -> Iterator[float]:
    """Yield the nights around a moment."""
    today = after(start, t_s).date()
    for days in (-1, 0, 1):
        yield time_on(today + timedelta(days=days), _AT, start)
