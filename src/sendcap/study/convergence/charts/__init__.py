"""Charts of convergence: when Delivered % is reliable, and what a change does to it."""

from __future__ import annotations

from typing import Final

from sendcap.charts.drawing import Chart

CHARTS: Final = {
    "ConvergenceStudy": (
        Chart(
            "converging",
            "when Delivered % is close to its end, and stays there",
            "sendcap.study.convergence.charts.converging:converging",
        ),
        Chart(
            "reading-error",
            "how far Delivered % is from the truth over time",
            "sendcap.study.convergence.charts.reading_error:reading_error",
        ),
        Chart(
            "remaining",
            "what the error of Delivered % consists of over time",
            "sendcap.study.convergence.charts.remainder:remainder",
        ),
        Chart(
            "settling",
            "when Delivered % of each provider is close to its end",
            "sendcap.study.convergence.charts.settling:settling",
        ),
    ),
    "Comparison": (
        Chart(
            "comparison",
            "Delivered % of A and B over time, and their difference",
            "sendcap.study.convergence.charts.comparison:comparison",
        ),
    ),
}
"""The charts of each result, the usual one first."""
