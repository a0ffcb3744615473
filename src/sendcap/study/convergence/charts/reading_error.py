"""The chart of a reading's error: how far Delivered % is from the truth, at every moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import WHITE, EndLabel, label_ends
from sendcap.charts.marks import draw_marks, scenario_marks
from sendcap.charts.narrow import is_narrow
from sendcap.charts.style import DASHES, GREY, INK, MODE_LOOKS, Look, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Mode
from sendcap.study.convergence.charts.bands import (
    about_the_band,
    about_the_replications,
    bands_time,
    draw_band,
    shade_tolerances,
)
from sendcap.study.convergence.converge import ConvergenceStudy
from sendcap.study.replication.recording import Quantity
from sendcap.study.replication.replications import Band
from sendcap.text.quantities import MINUS

_DECADES: Final = (0.01, 0.1, 1.0, 10.0, 100.0)
_WORDS: Final = """
Zero is the truth, what is delivered in the end. Grey: within the tolerances.
The axis is logarithmic on both sides: each step is ten times the one before."""


@house_style()
def reading_error(
    study: ConvergenceStudy,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> Axes:
    """Draw how far Delivered % is from the truth over time, a line for each mode.

    The axis is linear within the finest tolerance and logarithmic outside, above and below.

    For the options see `sendcap.charts`.
    """
    runs = study.replications
    time = bands_time([runs], scale, start, delivery)
    words = f"{about_the_replications(runs, delivery)}{about_the_band(runs)}{_WORDS}"
    heading = Heading(runs.scenario.title, "how far off is Delivered %?", words)
    (panel,) = panels_on(ax, heading, [4.6], right_in=1.95, below_in=time.below_in)
    time.on([panel])
    bands = {
        mode: runs.band(Quantity(mode, delivery, ALL_PROVIDERS, "error_pt"))
        for mode in sorted(study.modes, key=lambda mode: -MODE_LOOKS[mode].width)
    }
    _error_axis(panel, study.tolerances_pt, bands)
    ends = []
    for mode, band in bands.items():
        look = MODE_LOOKS[mode]
        draw_band(panel, band, look.colour, **look.keywords())
        ends.append(EndLabel(look.label, float(band.median[-1]), look.colour))
    label_ends(panel, ends)
    panel.set_title("Delivered % less the truth, in points")
    draw_marks([panel], scenario_marks(runs.scenario, delivery))
    return panel


def _error_axis(panel: Axes, tolerances_pt: tuple[float, ...], bands: Mapping[Mode, Band]) -> None:
    finest, widest = tolerances_pt[-1], tolerances_pt[0]
    low = min([-2.0 * widest, *(1.3 * np.nanmin(b.low, initial=0.0) for b in bands.values())])
    high = max([2.0 * widest, *(1.3 * np.nanmax(b.high, initial=0.0) for b in bands.values())])
    panel.set_yscale("symlog", linthresh=finest, linscale=0.6)
    panel.set_ylim(low, high)
    steps = [step for step in _DECADES if step >= 0.999 * finest]
    shown = [step for step in (*(-step for step in steps), 0.0, *steps) if low <= step <= high]
    panel.set_yticks(shown, [f"{step:+g}".replace("-", MINUS) if step else "0" for step in shown])
    panel.set_yticks([], minor=True)
    shade_tolerances(panel, 0.0, tolerances_pt, 1.5, "bottom")
    panel.axhline(0.0, color=INK, linewidth=0.9, linestyle=DASHES)
    for text, y, va in (("too high", 0.985, "top"), ("too low", 0.015, "bottom")):
        look: Look = {"verticalalignment": va, "color": GREY, "fontweight": "bold"}
        if is_narrow():
            look |= {"horizontalalignment": "right", "bbox": WHITE}
        x = 0.99 if is_narrow() else 1.01
        panel.text(x, y, text, transform=panel.transAxes, **look)
