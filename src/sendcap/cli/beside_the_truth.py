"""The dashboard of a run at the moments that matter, each mode beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sendcap
from sendcap.cli.tables import cell, show_table
from sendcap.readings.modes import MODE_LABELS
from sendcap.text.clock import brief_moment

_FIGURES: Final = {
    "sent": "Sent",
    "failed": "Failed",
    "pending": "Pending",
    "delivered_pct": "Delivered %",
    "bounces_errors_pct": "Bounces + errors %",
}
_TRUTH: Final = (
    "The truth: Sent is accepted and not returned, Failed is failed for good, Pending is relayed "
    "and still under way; percentages are of all messages to deliver."
)


def show_key_moments(run: sendcap.Run) -> list[sendcap.Dashboard]:
    """Print the dashboards when the relay is done, the next morning and at the end, one table.

    Returns all of them, those of the end last.
    """
    from sendcap.readings.key_moments import key_moments

    start, modes = run.scenario.start, run.scenario.reporting.modes
    moments = key_moments(run.ledger, start)
    dashboards, rows = [], []
    for name, time_s in moments:
        when = brief_moment(time_s, start, time_s)
        rows.append([f"{name}, {when}", *[""] * len(_FIGURES)])
        for mode in modes:
            shown = run.dashboard(time_s, mode, compute_stats=True)
            dashboards.append(shown)
            figures = {name: getattr(shown, name) for name in _FIGURES}
            rows.append(_row(MODE_LABELS[mode], figures))
        rows.append(_row("the truth", _true(run.truth(time_s))))
    show_table("The dashboard, and the truth", ["", *_FIGURES.values()], rows, _TRUTH)
    return dashboards


def _true(truth: sendcap.Truth) -> dict[str, float]:
    return {
        "sent": truth.delivered,
        "failed": truth.failed,
        "pending": truth.untried + truth.backing_off,
        "delivered_pct": truth.delivered_pct,
        "bounces_errors_pct": truth.failed_pct,
    }


def _row(label: str, figures: Mapping[str, Any]) -> list[str]:
    return [f"  {label}", *(cell(name, figures[name]) for name in _FIGURES)]
