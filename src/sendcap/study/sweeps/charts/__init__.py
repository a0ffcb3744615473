"""Charts of sweeps and of sensitivity."""

from typing import Final

from sendcap.charts.drawing import charts_in

_HERE: Final = "sendcap.study.sweeps.charts"
_LINE: Final = "a measure along one parameter, a line for each value of another one"
_SHARE: Final = "share of each measure's variance due to each parameter"
CHARTS: Final = {
    "DataFrame": charts_in(
        _HERE,
        {
            "sweep_line": _LINE,
            "sweep_grid.sweep_heat_map": "a measure over two parameters",
            "tornado": "how far each parameter moves a measure",
        },
    ),
    "Sensitivity": charts_in(_HERE, {"sensitivity.sensitivity_chart": _SHARE}),
    "Screening": charts_in(
        _HERE,
        {"sensitivity.screening_chart": "size of the effect of each parameter on each measure"},
    ),
}
"""The charts of each result, the usual one first."""
