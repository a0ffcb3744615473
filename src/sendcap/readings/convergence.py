"""The convergence of a run's Delivered %: when the dashboard can be trusted, and how far.

All times are seconds from t = 0. Readings are those at the edges of the ledger's bins, as Campaign
knew them; the dashboard itself shows them as last refreshed, up to `reporting.refresh` later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.errors import SendcapError
from sendcap.readings.kpis import figures_of
from sendcap.readings.modes import (
    ALL_DELIVERIES,
    ALL_PROVIDERS,
    Denominator,
    Mode,
    denominator_counts,
    statuses,
)
from sendcap.readings.remaining import BothClocks

if TYPE_CHECKING:
    from sendcap.run import Run

Floats = npt.NDArray[np.float64]

TOLERANCES_PT: Final = (1.0, 0.5, 0.1)
"""Tolerances of Delivered % in points, unless others are asked for."""

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
MOMENTS_S: Final = (
    15 * _MINUTE,
    *(hours * _HOUR for hours in (1, 4, 12, 24, 48, 72, 84)),
    7 * _DAY,
)
"""Moments at which planners look: over the first day, at the end of 3.5 days, after a week."""

_ROUNDING_PT: Final = 1e-9
_OF_THE_CLIFF: Final = (0.01, 0.99)


class Cliff(NamedTuple):
    """The fall of Delivered % without EFS when the validity ends."""

    height_pt: float  # lost by all expiries together, in points
    begins_s: float  # 1 % of them are known
    ends_s: float  # 99 % are known

    @property
    def width_s(self) -> float:
        """Duration of the fall."""
        return self.ends_s - self.begins_s


class Overshoot(NamedTuple):
    """The rise of Bounces + errors % above its final value."""

    peak_pct: float
    peak_s: float
    above_final_pt: float
    gone_s: Mapping[
        float, float
    ]  # by tolerance: within it from then on; NaN if never above by more


@dataclass(frozen=True)
class Convergence:
    """The convergence of Delivered % of some messages in one run and mode."""

    final_pct: float  # the reading at the end of the run
    truth_pct: float  # accepted and not returned by then, of the messages to deliver
    settling_s: Mapping[float, float]  # by tolerance in points; see `settling_s`
    errors_pt: Mapping[float, float]  # by moment in seconds, from the final reading
    cliff: Cliff | None  # without EFS, if any message expires
    overshoot: Overshoot | None  # in modes in which a soft bounce shows as failed at once


def convergence(
    run: Run,
    mode: Mode,
    delivery: str = ALL_DELIVERIES,
    provider: str = ALL_PROVIDERS,
    *,
    tolerances_pt: Sequence[float] = TOLERANCES_PT,
    moments_s: Sequence[float] = MOMENTS_S,
) -> Convergence:
    """Return the convergence of Delivered % in a run, of some messages or (``"*"``) all."""
    require_tolerances(tolerances_pt)
    clocks = BothClocks.of(run.readings, delivery, provider)
    denominator = run.scenario.reporting.denominator
    columns = figures_of(clocks.time_s, clocks.known, mode, denominator)
    reading_pct = columns.delivered_pct
    rows = clocks.rows(run.ledger.last_edges(moments_s))
    return Convergence(
        final_pct=float(reading_pct[-1]),
        truth_pct=clocks.truth_pct,
        settling_s={
            tolerance: settling_s(clocks.time_s, reading_pct, tolerance)
            for tolerance in tolerances_pt
        },
        errors_pt=dict(zip(moments_s, (reading_pct[rows] - reading_pct[-1]).tolist(), strict=True)),
        cliff=cliff(clocks, mode, denominator),
        overshoot=overshoot(clocks.time_s, columns.bounces_errors_pct, mode, tolerances_pt),
    )


def require_tolerances(tolerances_pt: Sequence[float]) -> None:
    """Refuse tolerances that no reading can stay within."""
    for tolerance in tolerances_pt:
        if not 0.0 < tolerance < float("inf"):
            raise SendcapError(f"tolerance: must be above 0 points, such as 0.1pt, not {tolerance}")
    if not tolerances_pt:
        raise SendcapError("tolerance: give one at least, such as 0.1pt")


def settling_s(time_s: Floats, reading_pct: Floats, tolerance_pt: float) -> float:
    """Return the earliest time from which on a reading stays within a tolerance of its last value.

    Where the reading is NaN, it is not within; the time is NaN if the last value is.
    """
    if np.isnan(reading_pct[-1]):
        return float("nan")
    # In this form NaN is outside.
    outside = ~(np.abs(reading_pct - reading_pct[-1]) <= tolerance_pt + _ROUNDING_PT)
    outside_at = np.flatnonzero(outside)
    return float(time_s[outside_at[-1] + 1]) if len(outside_at) else float(time_s[0])


def cliff(clocks: BothClocks, mode: Mode, denominator: Denominator = "default") -> Cliff | None:
    """Return the fall of Delivered % at the end of validity, which exists without EFS only."""
    expired = clocks.known.expired
    if mode != "without-efs" or not expired[-1]:
        return None
    total = denominator_counts(clocks.known, statuses(clocks.known, mode), mode, denominator)[-1]
    first, last = (int(np.searchsorted(expired, share * expired[-1])) for share in _OF_THE_CLIFF)
    return Cliff(
        height_pt=100.0 * int(expired[-1]) / int(total),
        # The bin in which it begins, from its lower edge.
        begins_s=float((clocks.edges[first] - 1) * clocks.bin_s),
        ends_s=float(clocks.time_s[last]),
    )


def overshoot(
    time_s: Floats, bounces_errors_pct: Floats, mode: Mode, tolerances_pt: Sequence[float]
) -> Overshoot | None:
    """Return the rise of Bounces + errors % above the final value, and the end of it."""
    final_pct = float(bounces_errors_pct[-1])
    if mode not in ("efs", "legacy") or np.isnan(final_pct):
        return None
    peak = int(np.nanargmax(bounces_errors_pct))
    peak_pct, peak_s = float(bounces_errors_pct[peak]), float(time_s[peak])
    gone_s = {
        tolerance: (
            settling_s(time_s[peak:], bounces_errors_pct[peak:], tolerance)
            if peak_pct - final_pct > tolerance + _ROUNDING_PT
            else float("nan")
        )
        for tolerance in tolerances_pt
    }
    return Overshoot(peak_pct, peak_s, peak_pct - final_pct, gone_s)
