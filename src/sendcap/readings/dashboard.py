"""The Deployment dashboard: what the planner sees on the screen at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sendcap.errors import SendcapError
from sendcap.ledger import Ledger
from sendcap.readings.displayed_figures import DisplayedFigures
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS, Denominator, Mode
from sendcap.scenario.durations import format_duration
from sendcap.scenario.start import since_midnight_s
from sendcap.text.quantities import elapsed
from sendcap.text.shares import percentage

if TYPE_CHECKING:
    from sendcap.readings.dynamic_report import DynamicReport

REFRESH_S = 600.0
ENGAGEMENT_REFRESH_S = 3600.0
EARLY_OPENS: Final = (
    "Rates above 100 %: Campaign knows opens and clicks at once; that these messages are sent, "
    "it knows once their reports have come."
)
"""A note below a dashboard that has such a rate; see `opens_are_early`."""


FIGURES: Final = {
    "to_deliver": "To deliver",
    "relayed": "Relayed",
    "sent": "Sent",
    "failed": "Failed",
    "pending": "Pending",
    "delivered_pct": "Delivered %",
    "bounces_errors_pct": "Bounces + errors %",
    "open_rate_pct": "Open rate %",
    "click_through_pct": "Click-through rate %",
}
"""The figures of a dashboard, with the product's names for them."""


@dataclass(frozen=True)
class Dashboard(DisplayedFigures):
    """The figures on the dashboard of one delivery, or of all, in one mode.

    Attributes
    ----------
    mode, delivery
        Reporting mode, and name of the delivery; ``"*"`` is all deliveries together.
    time_s
        The moment in question, in seconds.
    as_of_s
        The last count at or before the last refresh: the figures are as of then.
    engagement_as_of_s
        The same for the open rate and the click-through rate.
    to_deliver, relayed, sent, failed, pending
        Messages; expected ones are rounded.
    delivered_pct, bounces_errors_pct, open_rate_pct, click_through_pct
        In percent; NaN for a share of nothing, and for rates that are not simulated. The last two
        are opens and clicks of the messages sent, and above 100 while reports of messages that
        are already opened are still to come.
    """

    mode: Mode
    delivery: str
    time_s: float
    as_of_s: float
    engagement_as_of_s: float
    to_deliver: int
    relayed: int
    sent: int
    failed: int
    pending: int
    delivered_pct: float
    bounces_errors_pct: float
    open_rate_pct: float
    click_through_pct: float

    LABELS = FIGURES

    def _about(self) -> str:
        return (
            f"{MODE_LABELS[self.mode]}, at {elapsed(self.time_s)}: Delivered "
            f"{percentage(self.delivered_pct)} %, Bounces + errors "
            f"{percentage(self.bounces_errors_pct)} %"
        )


def refreshed_s(time_s: float, refresh_s: float, start: datetime | None = None) -> float:
    """Return the last refresh at or before a time, and 0 before the first one.

    Refreshes are at multiples of ``refresh_s`` from midnight by the clock of ``start``, the moment
    of t = 0; without it from t = 0. 0 refreshes all the time.
    """
    if refresh_s <= 0 or math.isinf(time_s):
        return time_s
    began_s = 0.0 if start is None else since_midnight_s(start)
    # The rounding of the division is forgiven, and that of the difference.
    last_s = math.floor((began_s + time_s) / refresh_s * (1 + 1e-12)) * refresh_s
    return max(round(last_s - began_s, 6), 0.0) if began_s else last_s


def dashboard(
    readings: Readings,
    t_s: float,
    mode: Mode,
    delivery: str = ALL_DELIVERIES,
    *,
    refresh_s: float = REFRESH_S,
    engagement_refresh_s: float = ENGAGEMENT_REFRESH_S,
    start: datetime | None = None,
    compute_stats: bool = False,
    denominator: Denominator = "default",
) -> Dashboard:
    """Return the dashboard as it looks at a moment; see `sendcap.Run.dashboard`.

    The figures are renewed every ``refresh_s``; the rates of opens and clicks, opens and messages
    sent alike, every ``engagement_refresh_s``; see `refreshed_s`.
    """
    if not t_s >= 0:
        raise SendcapError(f"no dashboard at {t_s:g} s: the simulation starts at 0")
    if compute_stats:
        _require_count(readings.ledger, t_s)
        refresh_s = engagement_refresh_s = 0.0
    refreshes_s = [refreshed_s(t_s, each, start) for each in (refresh_s, engagement_refresh_s)]
    edge, engagement_edge = readings.ledger.last_edges(refreshes_s).tolist()
    columns = readings.figures(mode, delivery, denominator)
    return Dashboard(
        mode=mode,
        delivery=delivery,
        time_s=float(t_s),
        as_of_s=float(columns.time_s[edge]),
        engagement_as_of_s=float(columns.time_s[engagement_edge]),
        to_deliver=round(float(columns.to_deliver[edge])),
        relayed=round(float(columns.relayed[edge])),
        sent=round(float(columns.sent[edge])),
        failed=round(float(columns.failed[edge])),
        pending=round(float(columns.pending[edge])),
        delivered_pct=float(columns.delivered_pct[edge]),
        bounces_errors_pct=float(columns.bounces_errors_pct[edge]),
        open_rate_pct=float(columns.open_rate_pct[engagement_edge]),
        click_through_pct=float(columns.click_through_pct[engagement_edge]),
    )


def opens_are_early(shown: Dashboard | DynamicReport) -> bool:
    """Tell whether messages have been opened or clicked that Campaign does not know to be sent."""
    return shown.open_rate_pct > 100.0 or shown.click_through_pct > 100.0


def _require_count(ledger: Ledger, t_s: float) -> None:
    """Refuse a moment between two counts; after the end nothing changes.

    Within a bin events need not be even: reports taken in by polling all come at one moment.
    """
    before_s = int(ledger.last_edges(t_s)) * ledger.bin_s
    if t_s < ledger.end_s and not math.isclose(t_s, before_s, rel_tol=1e-11):
        times_s = (t_s, ledger.bin_s, before_s, before_s + ledger.bin_s)
        moment, bin_, earlier, later = (format_duration(round(each_s, 6)) for each_s in times_s)
        raise SendcapError(
            f"no figures at {moment}: the run has counts every {bin_}; "
            f"give {earlier} or {later}, or lower time.bin and simulate again"
        )
