"""The numbers behind the dashboard that can be dragged through time.

The page holds the figures at some edges of the ledger, and for each step of the slider which of
them the dashboard shows: those of the moment, as last refreshed, and as opens and clicks were.
A moment between two edges has the figures of the one before, and the page says so.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.charts.ticks import wall_labels
from sendcap.readings.dashboard import refreshed_s
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS, Mode, known
from sendcap.readings.summary import accepted_at_s
from sendcap.readings.tables import relayed_by_s
from sendcap.readings.truth import fates
from sendcap.report.flow import flows
from sendcap.run import Run
from sendcap.text.clock import after, dated
from sendcap.text.quantities import counted

Ints = npt.NDArray[np.int64]

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
LAST_S: Final = 7 * _DAY
# (until, step): the first hour can be dragged as finely as the first day.
_STEPS: Final = ((_HOUR, _MINUTE), (4 * _HOUR, 5 * _MINUTE), (_DAY, 15 * _MINUTE), (LAST_S, _HOUR))
JUMPS_S: Final = (15 * _MINUTE, _HOUR, 4 * _HOUR, _DAY, 3.5 * _DAY, LAST_S)
"""Moments that a button leads to, and that the printed table has."""
_LATER_STEPS: Final = tuple(hours * _HOUR for hours in (1, 2, 3, 6, 12, 24))
_MOST_LATER: Final = 300
"""Steps after the week, of a programme that lasts longer."""
_MOST_DELIVERIES: Final = 12
_COUNTS: Final = ("sent", "failed", "pending")
_PERCENTAGES: Final = ("delivered_pct", "bounces_errors_pct", "open_rate_pct", "click_through_pct")


def first_s(runs: Iterable[Run]) -> float:
    """Return where the slider begins: in the minute in which the first delivery starts."""
    starts_s = [each.at for run in runs for each in run.as_sent.deliveries]
    return min(starts_s) // _MINUTE * _MINUTE


def last_s(runs: Iterable[Run]) -> float:
    """Return where the slider ends: with what was simulated, and not before a week has passed."""
    runs = list(runs)
    ends_s = [
        each.at + each.spread + run.as_sent.honoured_validity(each)
        for run in runs
        for each in run.as_sent.deliveries
    ]
    return max(first_s(runs) + LAST_S, *(run.ledger.end_s for run in runs), *ends_s)


def steps_s(last_s: float = LAST_S, first_s: float = 0.0) -> list[float]:
    """Return the moments at which the slider stops, in seconds, up to one after the last."""
    steps = [0.0]
    after_s = last_s - first_s
    later_s = next(
        (step_s for step_s in _LATER_STEPS if (after_s - LAST_S) / step_s <= _MOST_LATER),
        _LATER_STEPS[-1],
    )
    for until_s, step_s in (*_STEPS, (after_s, later_s)):
        while steps[-1] < until_s:
            steps.append(steps[-1] + step_s)
    return [first_s + step for step in steps]


def jumps_s(steps: Sequence[float]) -> list[float]:
    """Return the moments that a button leads to: the usual ones, doubled weeks, and the last."""
    jumps, after_s = list(JUMPS_S), steps[-1] - steps[0]
    while 2.0 * jumps[-1] < after_s:
        jumps.append(2.0 * jumps[-1])
    return [steps[0] + jump for jump in (*jumps, *([after_s] if after_s > jumps[-1] else []))]


def spoken(seconds: float) -> str:
    """Return a time in words that can be read aloud.

    >>> spoken(0.0), spoken(60.0), spoken(97_200.0), spoken(570.0)
    ('0 minutes', '1 minute', '1 day 3 hours', '9 minutes 30 seconds')
    """
    parts = []
    rest = round(seconds)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(counted(count, unit))
    return " ".join(parts) or "0 minutes"


def in_full(seconds: float, start: datetime | None) -> str:
    """Return a time in words, and by the clock where there is one.

    >>> in_full(3600.0, datetime(2026, 11, 27, 9))
    '1 hour (Fri 27 Nov 10:00)'
    """
    text = spoken(seconds)
    return text if start is None else f"{text} ({dated(after(start, seconds))})"


def opens_s(runs: Iterable[Run], steps: Sequence[float]) -> float:
    """Return the moment that is shown at first: when the dashboard shows that the relay is done.

    That is the first step with all figures refreshed since then, those of opens and clicks, too,
    of all runs. A backlog has been relayed before; there it is half of all that is accepted.
    """
    return max(_first_shown_s(run, steps) for run in runs)


def _first_shown_s(run: Run, steps: Sequence[float]) -> float:
    reporting, start = run.scenario.reporting, run.scenario.start
    periods_s = (reporting.refresh, reporting.engagement_refresh)
    done_s = (
        accepted_at_s(run.ledger, 50) or 0.0
        if run.scenario.backlog and len(run.scenario.deliveries) == 1
        else relayed_by_s(run.ledger)
    )
    later = (step for step in steps if step >= done_s)
    return next(
        (
            step
            for step in later
            if all(refreshed_s(step, period_s, start) >= done_s for period_s in periods_s)
        ),
        steps[-1],
    )


def slider(start: datetime | None, steps: Sequence[float], opens_s: float) -> dict[str, Any]:
    """Return the steps of the slider, in words and by the clock, and where it opens."""
    clock: list[str] = []
    if start is not None:
        # One by one, so that each has its day.
        moments = [after(start, step) for step in steps]
        clock = [wall_labels([moment])[0].replace("\n", ", ") for moment in moments]
    return {
        "seconds": list(steps),
        "spoken": [spoken(step) for step in steps],
        "clock": clock,
        "jumps": [steps.index(jump) for jump in jumps_s(steps)],
        "first": min(bisect_left(steps, opens_s), len(steps) - 1),
    }


def moments(slider: Mapping[str, Any]) -> list[str]:
    """Return the steps of the slider as the page tells them."""
    clock = slider["clock"] or [""] * len(slider["spoken"])
    return [
        f"{spoken} ({time})" if time else spoken
        for spoken, time in zip(slider["spoken"], clock, strict=True)
    ]


def dashboards(
    run: Run, modes: Sequence[Mode], steps: Sequence[float], title: str = ""
) -> dict[str, Any]:
    """Return all figures of a run that the page shows at any step, as JSON can hold them."""
    reporting, start = run.scenario.reporting, run.scenario.start
    periods_s = {"now": 0.0, "shown": reporting.refresh, "engagement": reporting.engagement_refresh}
    moments_s = {
        name: [refreshed_s(step, period_s, start) for step in steps]
        for name, period_s in periods_s.items()
    }
    edges = {name: run.ledger.last_edges(times_s) for name, times_s in moments_s.items()}
    rows = np.unique(np.concatenate(list(edges.values())))
    # Each delivery has a dashboard if they are few.
    names = run.ledger.written
    names = (ALL_DELIVERIES, *(names if 1 < len(names) <= _MOST_DELIVERIES else ()))
    titles = {name: title if name == ALL_DELIVERIES else name for name in names}
    return {
        **{name: np.searchsorted(rows, edge).tolist() for name, edge in edges.items()},
        "asOf": {
            name: [
                spoken(moment_s if edge == run.ledger.bins else edge * run.ledger.bin_s)
                if moment_s > 0.0 or name == "now"
                else None  # nothing has been refreshed yet
                for moment_s, edge in zip(moments_s[name], edges[name].tolist(), strict=True)
            ]
            for name in edges
        },
        "modes": [{"name": mode, "label": MODE_LABELS[mode]} for mode in modes],
        "deliveries": [_delivery(run, name, modes, rows) for name in names],
        "flow": flows(run.ledger, titles, rows),
    }


def _delivery(run: Run, delivery: str, modes: Sequence[Mode], rows: Ints) -> dict[str, Any]:
    happened = known(run.ledger, delivery, clock="happened")
    columns = fates(happened)
    end_pct = 100.0 * float(columns["delivered"][-1]) / (happened.to_deliver or math.nan)
    return {
        "name": "All deliveries" if delivery == ALL_DELIVERIES else delivery,
        "toDeliver": happened.to_deliver,
        "modes": [_columns(run, mode, delivery, rows) for mode in modes],
        "truth": {name: _rounded(column[rows]) for name, column in columns.items()},
        "truthPct": _shown(end_pct),
    }


def _columns(run: Run, mode: Mode, delivery: str, rows: Ints) -> dict[str, list[Any]]:
    figures = run.readings.figures(mode, delivery, run.scenario.reporting.denominator)
    shares = {name: getattr(figures, name)[rows] for name in _PERCENTAGES}
    # The page cannot tell it: a difference of rounded figures is off by up to a hundredth.
    shares["from_end_pt"] = shares["delivered_pct"] - figures.delivered_pct[-1]
    return {name: _rounded(getattr(figures, name)[rows]) for name in _COUNTS} | {
        name: list(map(_shown, column.tolist())) for name, column in shares.items()
    }


def _rounded(counts: npt.NDArray[Any]) -> list[int]:
    """Return numbers of messages; expected ones need not be whole."""
    rounded: list[int] = np.rint(counts).astype(np.int64).tolist()
    return rounded


def _shown(pct: float) -> float | None:
    """Return a percentage as it is shown; a share of nothing is None."""
    return None if math.isnan(pct) else round(pct, 2)
