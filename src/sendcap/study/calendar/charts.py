"""The charts of a calendar."""

from __future__ import annotations

from typing import Final

from sendcap.charts.drawing import Chart

CHARTS: Final = {
    "Calendar": (
        Chart(
            "calendar",
            "when each delivery waits, is relayed, is accepted and settles",
            "sendcap.study.calendar.chart:calendar",
        ),
    ),
}
"""The charts of each result, the usual one first."""
