"""Charts of sweeps and of sensitivity."""

from __future__ import annotations

from typing import Final

from sendcap.charts.drawing import Chart, charts_in

_HERE: Final = "sendcap.study.sweeps.charts"
CHARTS: Final = {
    "DataFrame": charts_in(
        _HERE,
        {
            "sweep-line": "a measure along one parameter, a line for each value of another one",
            "sweep-heat-map": "a measure over two parameters",
            "tornado": "how far each parameter moves a measure",
        },
    ),
    "Sensitivity": (
        Chart(
            "sensitivity",
            "share of each measure's variance due to each parameter",
            f"{_HERE}.sensitivity:sensitivity_chart",
        ),
    ),
    "Screening": (
        Chart(
            "screening",
            "size of the effect of each parameter on each measure",
            f"{_HERE}.sensitivity:screening_chart",
        ),
    ),
}
"""The charts of each result, the usual one first."""
