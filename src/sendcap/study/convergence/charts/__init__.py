"""Charts of convergence: when Delivered % is reliable, and what a change does to it."""

from typing import Final

from sendcap.charts.drawing import charts_in

_HERE: Final = "sendcap.study.convergence.charts"
CHARTS: Final = {
    "ConvergenceStudy": charts_in(
        _HERE,
        {
            "reading.converging": "when Delivered % is close to its end, and stays there",
            "reading.reading_error": "how far Delivered % is from the truth over time",
            "remaining": "what the error of Delivered % consists of over time",
            "settling": "when Delivered % of each provider is close to its end",
        },
    ),
    "Comparison": charts_in(
        _HERE, {"comparison": "Delivered % of A and B over time, and their difference"}
    ),
}
"""The charts of each result, the usual one first."""
