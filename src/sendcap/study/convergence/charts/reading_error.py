"""The chart of a reading's error: how far Delivered % is from the truth, at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import panels_for, stacked_panels
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import GREY, INK, MODE_LOOKS, house_style
from sendcap.charts.timeaxis import Scale, Start
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.convergence.charts.bands import (
    about_the_band,
    about_the_replications,
    draw_band,
    times_of,
)
from sendcap.study.replication.recording import Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.study.convergence.converge import ConvergenceStudy

_PANEL_IN: Final = 4.6
_DECADES: Final = (0.01, 0.1, 1.0, 10.0, 100.0)


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

    Parameters
    ----------
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.
    scale, start
        Of the time axis; see `sendcap.charts.delivered.delivered`.

    Returns
    -------
    Axes
        Those on which it is drawn.
    """
    its = study.replications
    times = times_of([its], scale, start, delivery)
    with house_style():
        (panel,) = panels_for(
            ax,
            [_PANEL_IN],
            lambda: stacked_panels(
                its.scenario.title or "Delivery",
                "how far off is Delivered %?",
                (
                    f"{about_the_replications(its, delivery)} {about_the_band(its)}".strip(),
                    "Zero is the truth, what is delivered in the end. Grey: within the tolerances.",
                    "The axis is logarithmic on both sides: each step is ten times the one before.",
                ),
                [_PANEL_IN],
                below_in=times.room_in,
            )[1],
        )
        times.of(panel)
        _error_axis(panel, study, delivery)
        ends = []
        for mode in sorted(study.modes, key=lambda name: -MODE_LOOKS[name].width):
            look = MODE_LOOKS[mode]
            band = its.band(Quantity(mode, delivery, ALL_PROVIDERS, "error_pt"))
            draw_band(panel, band, look.colour, **look.keywords())
            ends.append(EndLabel(look.label, float(band.median[-1]), look.colour))
        label_ends(panel, ends)
        panel.set_title("Delivered % less the truth, in points")
        times.below([panel], delivery)
    return panel


def _error_axis(panel: Axes, study: ConvergenceStudy, delivery: str) -> None:
    import numpy as np

    finest, widest = study.tolerances_pt[-1], study.tolerances_pt[0]
    low, high = -2.0 * widest, 2.0 * widest
    for mode in study.modes:
        its = study.replications.band(Quantity(mode, delivery, ALL_PROVIDERS, "error_pt"))
        if not np.isnan(its.low).all():
            low = min(low, 1.3 * float(np.nanmin(its.low)))
            high = max(high, 1.3 * float(np.nanmax(its.high)))
    panel.set_yscale("symlog", linthresh=finest, linscale=0.6)
    panel.set_ylim(low, high)
    steps = [step for step in _DECADES if step >= 0.999 * finest]
    places = [step for step in (*(-step for step in steps), 0.0, *steps) if low <= step <= high]
    panel.set_yticks(places, [_signed(place) for place in places])
    panel.set_yticks([], minor=True)
    for tolerance in study.tolerances_pt:
        panel.axhspan(-tolerance, tolerance, color=INK, alpha=0.055, linewidth=0)
        panel.annotate(
            f"±{tolerance:g}",
            xy=(0.005, -tolerance),
            xycoords=("axes fraction", "data"),
            xytext=(0, 1.5),
            textcoords="offset points",
            verticalalignment="bottom",
            fontsize=7.5,
            color=GREY,
        )
    panel.axhline(0.0, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    for text, y, alignment in (("too high", 0.985, "top"), ("too low", 0.015, "bottom")):
        panel.text(
            1.01,
            y,
            text,
            transform=panel.transAxes,
            verticalalignment=alignment,
            color=GREY,
            fontweight="bold",
        )


def _signed(points: float) -> str:
    return f"{points:+g}".replace("-", "\N{MINUS SIGN}") if points else "0"
