"""The chart of a comparison: Delivered % of A and of B, and their difference, for each mode."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, magnify
from sendcap.charts.figures import Heading
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.marks import draw_marks, scenario_marks
from sendcap.charts.style import GREY, INK, MODE_LOOKS, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.convergence.charts.reading import about_the_band, bands_time, draw_band
from sendcap.study.convergence.compare import Comparison
from sendcap.study.replication.recording import Quantity
from sendcap.text.quantities import MINUS
from sendcap.text.quoting import shortened
from sendcap.text.shares import signed_points

_NAMES: Final = {"delivered_pct": "Delivered %", "bounces_errors_pct": "Bounces + errors %"}


@house_style()
def comparison(
    result: Comparison,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw Delivered % of A and B over time, and the difference B − A, for each mode.

    The lines are means, as in the table of the differences.

    Where a soft bounce shows as failed at once, Bounces + errors % is drawn as well.

    For the options see `sendcap.charts`.
    """
    plans = [(mode, "delivered_pct") for mode in result.modes]
    plans += [(mode, "bounces_errors_pct") for mode in result.modes if mode in ("efs", "legacy")]
    time = bands_time([result.a, result.b], scale, start)
    one, two = map(shortened, result.names)
    band = about_the_band(result.a, "mean")
    words = f"{result.about_the_draws}\nGrey: {one}; in colour: {two}.{band}"
    panels = time.panels(
        ax,
        Heading(result.a.scenario.title, f"comparison of {one} and {two}", words),
        [2.0, 1.3] * len(plans),
        right_in=2.35,
    )
    for above, below, plan in zip(panels[::2], panels[1::2], plans, strict=True):
        about = Quantity(plan[0], ALL_DELIVERIES, ALL_PROVIDERS, plan[1])
        _curves(above, result, about)
        _difference(below, result, about)
    draw_marks(panels, scenario_marks(result.a.scenario))
    return panels


def _curves(panel: Axes, result: Comparison, about: Quantity) -> None:
    look = MODE_LOOKS[about.mode]  # type: ignore[index]
    bands = (result.a.band(about), result.b.band(about))
    title = f"{_NAMES[about.name]}, {look.label}"
    panel.set_title(title)
    ends = [float(band.mean[-1]) for band in bands]
    known = np.concatenate([band.mean for band in bands])
    known = known[~np.isnan(known)]
    if len(known):
        magnify(panel, *_range(known, ends, about.name), title, [known])
    draw_band(panel, bands[0], GREY, bands[0].mean, color=GREY, linewidth=3.2, alpha=0.75)
    draw_band(panel, bands[1], look.colour, bands[1].mean, color=look.colour, linewidth=1.6)
    labels = [
        EndLabel(f"{shortened(name)}  {end:.2f} %", end, colour)
        for name, end, colour in zip(result.names, ends, (GREY, look.colour), strict=True)
    ]
    label_ends(panel, labels, size=7.5)


def _range(known: Floats, ends: list[float], name: str) -> tuple[float, float]:
    """Return the range in which the curves differ: near their ends, if they climb from 0."""
    low, high = float(known.min()), float(known.max())
    if name == "delivered_pct" and low < 50.0 < min(ends):
        low = min(ends) - max(2.0 * (high - min(ends)), 2.0)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def _difference(panel: Axes, result: Comparison, about: Quantity) -> None:
    look = MODE_LOOKS[about.mode]  # type: ignore[index]
    band = result.difference(about)
    one, two = map(shortened, result.names)
    panel.set_title(f"Difference: {two} {MINUS} {one}, in points", fontweight="normal")
    draw_band(panel, band, look.colour, band.mean, color=look.colour, linewidth=1.6)
    panel.axhline(0.0, color=INK, linewidth=0.8)
    end = float(band.mean[-1])
    label_ends(panel, [EndLabel(signed_points(end), end, look.colour)])
