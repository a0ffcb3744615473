"""The numbers behind the dashboard that can be dragged through time.

The page holds the figures at some edges of the ledger, and for each step of the slider which of
them the dashboard shows: those of the moment, as last refreshed, and as opens and clicks were.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.style import MODE_LOOKS
from sendcap.charts.ticks import wall_labels
from sendcap.readings.dashboard import refreshed_s
from sendcap.readings.kpis import figures
from sendcap.readings.modes import ALL_DELIVERIES, known

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt

    from sendcap.ledger import Ledger
    from sendcap.readings.kpis import Figures
    from sendcap.readings.modes import Denominator, Known, Mode
    from sendcap.run import Run

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
LAST_S: Final = 7 * _DAY
# (until, step): the first hour can be dragged as finely as the first day.
_STEPS: Final = ((_HOUR, _MINUTE), (4 * _HOUR, 5 * _MINUTE), (_DAY, 15 * _MINUTE), (LAST_S, _HOUR))
JUMPS_S: Final = (15 * _MINUTE, _HOUR, 4 * _HOUR, _DAY, 3.5 * _DAY, LAST_S)
"""Moments that a button leads to, and that the printed table has."""
FIRST_S: Final = _HOUR
"""The moment that is shown at first."""
_MOST_DELIVERIES: Final = 12
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_PERCENTAGES: Final = (
    "delivered_pct",
    "bounces_errors_pct",
    "open_rate_pct",
    "click_through_pct",
)


def steps_s() -> list[float]:
    """Return the moments at which the slider stops, in seconds."""
    steps = [0.0]
    for until_s, step_s in _STEPS:
        while steps[-1] < until_s:
            steps.append(steps[-1] + step_s)
    return steps


def spoken(seconds: float) -> str:
    """Return a time in words that can be read aloud.

    Examples
    --------
    >>> spoken(0.0), spoken(60.0), spoken(97_200.0)
    ('0 minutes', '1 minute', '1 day 3 hours')
    """
    parts = []
    rest = round(seconds)
    for unit, length in _UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 minutes"


def slider(start: datetime | None) -> dict[str, Any]:
    """Return the steps of the slider, how each is called, and when it is on the wall."""
    steps = steps_s()
    clock: list[str] = []
    if start is not None:
        # One by one, so that each has its day.
        clock = [
            wall_labels([start + timedelta(seconds=step)])[0].replace("\n", ", ") for step in steps
        ]
    return {
        "seconds": steps,
        "spoken": [spoken(step) for step in steps],
        "clock": clock,
        "jumps": [steps.index(jump) for jump in JUMPS_S],
        "first": steps.index(FIRST_S),
    }


def deliveries_shown(ledger: Ledger) -> list[str]:
    """Return the deliveries with a dashboard: all together, and each of them if they are few."""
    names = ledger.deliveries
    return [ALL_DELIVERIES, *(names if 1 < len(names) <= _MOST_DELIVERIES else ())]


def modes_shown(run: Run) -> list[Mode]:
    """Return the modes side by side: without EFS and with it, and what else the scenario names."""
    both: list[Mode] = ["without-efs", "efs"]
    return both + [mode for mode in run.scenario.reporting.modes if mode not in both]


def dashboards(run: Run) -> dict[str, Any]:
    """Return all figures of a run that the page shows at any step, as JSON can hold them."""
    import numpy as np

    reporting = run.scenario.reporting
    steps = steps_s()
    edges = {
        name: run.ledger.last_edges([refreshed_s(step, period_s) for step in steps])
        for name, period_s in (
            ("now", 0.0),
            ("shown", reporting.refresh),
            ("engagement", reporting.engagement_refresh),
        )
    }
    rows = np.unique(np.concatenate(list(edges.values())))
    places = {name: np.searchsorted(rows, its).tolist() for name, its in edges.items()}
    modes = modes_shown(run)
    return {
        **places,
        "asOf": [_as_of(step, reporting.refresh) for step in steps],
        "engagementAsOf": [_as_of(step, reporting.engagement_refresh) for step in steps],
        "modes": [{"name": mode, "label": MODE_LOOKS[mode].label} for mode in modes],
        "deliveries": [
            _delivery(run.ledger, name, modes, reporting.denominator, rows)
            for name in deliveries_shown(run.ledger)
        ],
    }


def _as_of(step_s: float, period_s: float) -> str:
    return spoken(refreshed_s(step_s, period_s))


def _delivery(
    ledger: Ledger, delivery: str, modes: Sequence[Mode], denominator: Denominator, rows: Ints
) -> dict[str, Any]:
    its = truth(known(ledger, delivery, clock="happened"))
    return {
        "name": "All deliveries" if delivery == ALL_DELIVERIES else delivery,
        "toDeliver": int(its["to_deliver"]),
        "modes": [_columns(figures(ledger, mode, delivery, denominator), rows) for mode in modes],
        "truth": {
            name: [round(float(value)) for value in column[rows]]
            for name, column in its.items()
            if name != "to_deliver"
        },
        "truthPct": _pct(its["delivered"][-1], its["to_deliver"]),
    }


def _columns(its: Figures, rows: Ints) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: [round(float(value)) for value in getattr(its, name)[rows]]
        for name in ("sent", "failed", "pending")
    }
    for name in _PERCENTAGES:
        columns[name] = [_rounded(value) for value in getattr(its, name)[rows].tolist()]
    return columns


def truth(its: Known) -> dict[str, Any]:
    """Return what has become of the messages at each edge, whatever Campaign knows of it.

    Returns
    -------
    dict
        ``to_deliver``, one number; and arrays that add up to it: ``delivered`` (accepted, and not
        returned so far), ``backing_off`` (bounced softly, and to be tried again), ``untried``
        (relayed, and its first attempt has not ended), ``not_relayed`` (not yet), ``failed`` (for
        good).
    """
    backing_off = its.soft_first - its.recovered - its.hard_after_soft
    backing_off = backing_off - (its.expired - its.expired_untried)
    delivered = its.accepted - its.async_bounced
    failed = its.relay_failed + its.hard + its.expired + its.async_bounced
    untried = its.relayed - its.accepted - its.hard - its.expired - backing_off
    return {
        "to_deliver": its.to_deliver,
        "delivered": delivered,
        "backing_off": backing_off,
        "untried": untried,
        "not_relayed": its.to_deliver - its.relayed - its.relay_failed,
        "failed": failed,
    }


def _pct(part: float, whole: float) -> float | None:
    return _rounded(100.0 * float(part) / whole) if whole else None


def _rounded(value: float) -> float | None:
    """Return a percentage as it is shown; a share of nothing is None."""
    return None if math.isnan(value) else round(value, 2)
