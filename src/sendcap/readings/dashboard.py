"""The Deployment dashboard: what the planner sees on the screen at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sendcap.errors import SendcapError
from sendcap.ledger import Ledger
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import ALL_DELIVERIES, Denominator, Mode

REFRESH_S = 600.0
ENGAGEMENT_REFRESH_S = 3600.0


@dataclass(frozen=True)
class Dashboard:
    """The figures on the dashboard of one delivery, or of all, in one mode.

    Attributes
    ----------
    mode, delivery
        Reporting mode, and name of the delivery; ``"*"`` is all deliveries together.
    time_s
        The moment in question, in seconds.
    as_of_s
        The last refresh: the figures are as of then.
    engagement_as_of_s
        The same for the open rate and the click-through rate.
    to_deliver, relayed, sent, failed, pending
        Messages; expected ones are rounded.
    delivered_pct, bounces_errors_pct, open_rate_pct, click_through_pct
        In percent; NaN for a share of nothing, and for rates that are not simulated.
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


def refreshed_s(time_s: float, refresh_s: float) -> float:
    """Return the last multiple of ``refresh_s``; the rounding of the division is forgiven."""
    if refresh_s <= 0 or math.isinf(time_s):
        return time_s
    return math.floor(time_s / refresh_s * (1 + 1e-12)) * refresh_s


def dashboard(
    source: Ledger | Readings,
    t_s: float,
    mode: Mode,
    delivery: str = ALL_DELIVERIES,
    *,
    refresh_s: float = REFRESH_S,
    engagement_refresh_s: float = ENGAGEMENT_REFRESH_S,
    compute_stats: bool = False,
    denominator: Denominator = "default",
) -> Dashboard:
    """Return the dashboard as it looks at a moment; see `sendcap.Run.dashboard`.

    The figures are renewed at multiples of ``refresh_s``; the rates of opens and clicks, opens and
    messages sent alike, at multiples of ``engagement_refresh_s``. 0 renews them all the time.
    """
    if not t_s >= 0:
        raise SendcapError(f"no dashboard at {t_s:g} s: the simulation starts at 0")
    if compute_stats:
        refresh_s = engagement_refresh_s = 0.0
    readings = Readings.of(source)
    edge = int(readings.ledger.last_edges(refreshed_s(t_s, refresh_s)))
    engagement_edge = int(readings.ledger.last_edges(refreshed_s(t_s, engagement_refresh_s)))
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
