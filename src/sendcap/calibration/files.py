"""The files of a calibration: scenario, report, estimates, self-check and charts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sendcap.calibration.calibrate import Calibration
from sendcap.calibration.charts.calibration import calibration_chart
from sendcap.calibration.charts.verification import verification_chart
from sendcap.calibration.report import report
from sendcap.calibration.tables import estimates
from sendcap.calibration.verification import Verification
from sendcap.charts.style import save_png
from sendcap.files.directory import Contents
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario.files import SCENARIO

_REPORT: Final = "report.txt"
_ESTIMATES: Final = "estimates.csv"
_CHART: Final = "calibration.png"
_CHECK: Final = "self-check.csv"
_CHECK_CHART: Final = "self-check.png"

CALIBRATION: Final = Contents(
    "a saved calibration",
    frozenset({_REPORT, _ESTIMATES}),
    frozenset({SCENARIO, _REPORT, _ESTIMATES, _CHART, _CHECK, _CHECK_CHART}),
)


def write_calibration(
    calibration: Calibration, verification: Verification | None, folder: Path
) -> None:
    """Write the files into an existing directory."""
    write_text(folder / SCENARIO, calibration.text)
    write_text(folder / _REPORT, report(calibration, verification))
    write_csv(folder / _ESTIMATES, estimates(calibration))
    save_png(calibration_chart(calibration), folder / _CHART)
    if verification is not None:
        write_csv(folder / _CHECK, verification.frame())
        save_png(verification_chart(verification), folder / _CHECK_CHART)
