"""Charts of a calibration: the log against the fitted model."""

from __future__ import annotations

from typing import Final

from sendcap.charts.drawing import Chart

_HERE: Final = "sendcap.calibration.charts"
CHARTS: Final = {
    "Calibration": (
        Chart(
            "calibration",
            "times in the log and the fitted distributions, for each provider",
            f"{_HERE}.calibration:calibration_chart",
        ),
    ),
    "Verification": (
        Chart(
            "verification",
            "time to accept in the log and as simulated",
            f"{_HERE}.verification:verification_chart",
        ),
    ),
}
"""The charts of each result, the usual one first."""
