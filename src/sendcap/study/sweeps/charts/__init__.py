"""Charts of sweeps and of sensitivity."""

from __future__ import annotations

from typing import Final

from sendcap.charts.drawing import Chart

CHARTS: Final = {
    "DataFrame": (
        Chart(
            "sweep-line",
            "a measure along one parameter, a line for each value of another one",
            "sendcap.study.sweeps.charts.sweep_line:sweep_line",
        ),
        Chart(
            "sweep-heat-map",
            "a measure over two parameters",
            "sendcap.study.sweeps.charts.sweep_heat_map:sweep_heat_map",
        ),
        Chart(
            "tornado",
            "how far each parameter moves a measure",
            "sendcap.study.sweeps.charts.tornado:tornado",
        ),
    ),
    "Sensitivity": (
        Chart(
            "sensitivity",
            "share of each measure's variance due to each parameter",
            "sendcap.study.sweeps.charts.sensitivity:sensitivity_chart",
        ),
    ),
    "Screening": (
        Chart(
            "screening",
            "size of the effect of each parameter on each measure",
            "sendcap.study.sweeps.charts.sensitivity:screening_chart",
        ),
    ),
}
"""The charts of each result, the usual one first."""
