"""The Deployment dashboard: what the planner sees on the screen at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sendcap.errors import SendcapError
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import ALL_DELIVERIES, Denominator, Mode

if TYPE_CHECKING:
    from sendcap.ledger import Ledger

REFRESH_S = 600.0
ENGAGEMENT_REFRESH_S = 3600.0


@dataclass(frozen=True)
class Dashboard:
    """The figures on the dashboard of one delivery, or of all, in one mode.

    Attributes
    ----------
    mode, delivery
        Whose figures they are; delivery ``"*"`` is all of them together.
    time_s
        The moment at which somebody looks, in seconds.
    as_of_s
        The moment that the figures tell about: when they were last refreshed.
    engagement_as_of_s
        The same for the open rate and the click-through rate.
    to_deliver, relayed, sent, failed, pending
        Messages; expected ones are rounded.
    delivered_pct, bounces_errors_pct, open_rate_pct, click_through_pct
        Percentages of 100; NaN where they are a share of nothing.
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


def _periods(time_s: float, period_s: float) -> int:
    """Return how many whole periods have passed, forgiving the rounding of the division."""
    return math.floor(time_s / period_s * (1 + 1e-12))


def refreshed_s(time_s: float, refresh_s: float) -> float:
    """Return when figures refreshed at every multiple of ``refresh_s`` were last refreshed."""
    if refresh_s <= 0 or math.isinf(time_s):
        return time_s
    return _periods(time_s, refresh_s) * refresh_s


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
    """Return the dashboard as it looks at a moment.

    Parameters
    ----------
    source
        A ledger, or the cached readings of one.
    t_s
        The moment, in seconds. After the end of the run nothing changes any more.
    refresh_s, engagement_refresh_s
        The figures are renewed at multiples of the first; the rates of opens and clicks, opens
        and messages sent alike, at multiples of the second. 0 renews them all the time.
    compute_stats
        Figures as of ``t_s`` itself, as the button *Compute stats* gives them; that is as of the
        last edge of the ledger's bins at or before it.

    Raises
    ------
    SendcapError
        If the moment is before 0, or if there is no such mode, delivery or denominator.
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
