"""The chart that tells when Delivered % can be trusted: bands, the truth, and settling times."""

from __future__ import annotations

from collections.abc import Sequence
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
from sendcap.study.replication.replications import spread
from sendcap.text.quantities import elapsed
from sendcap.text.shares import points_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.readings.modes import Mode
    from sendcap.study.convergence.converge import ConvergenceStudy

_PANEL_IN: Final = 2.6
_ABOUT_THE_TRUTH: Final = (
    "Dashed across: the truth, what is delivered in the end. Grey: points around it."
)
_ABOUT_THE_DOTS: Final = (
    "Dots: from when on Delivered % stays within so many points of its final value."
)


def converging(
    study: ConvergenceStudy,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw Delivered % near the truth, a panel for each mode.

    Each has the median of the replications with the band of their middle, the truth with the
    tolerances around it, and from when on the reading stays within each of them.

    Parameters
    ----------
    ax
        Draw on these, a panel each, or divide one pair of axes into panels. By default a new figure
        gets them, which is not attached to pyplot.
    scale, start
        Of the time axis; see `sendcap.charts.delivered.delivered`.

    Returns
    -------
    list of Axes
        The panels, from top to bottom.
    """
    its = study.replications
    times = times_of([its], scale, start, delivery)
    with house_style():
        heights = [_PANEL_IN] * len(study.modes)
        panels = panels_for(
            ax,
            heights,
            lambda: stacked_panels(
                its.scenario.title or "Delivery",
                "when can Delivered % be trusted?",
                (
                    f"{about_the_replications(its, delivery)} {about_the_band(its)}".strip(),
                    _ABOUT_THE_TRUTH,
                    _ABOUT_THE_DOTS,
                ),
                heights,
                below_in=times.room_in,
            )[1],
        )
        for panel, mode in zip(panels, study.modes, strict=True):
            times.of(panel)
            _panel(panel, study, mode, delivery)
        times.below(panels, delivery)
    return panels


def _panel(panel: Axes, study: ConvergenceStudy, mode: Mode, delivery: str) -> None:
    import numpy as np

    its, look = study.replications, MODE_LOOKS[mode]
    about = Quantity(mode, delivery, ALL_PROVIDERS, "delivered_pct")
    band = its.band(about)
    truth = spread(its.numbers[about._replace(name="truth_pct")], its.confidence)["median"]
    final = spread(its.numbers[about], its.confidence)["median"]
    widest = study.tolerances_pt[0]
    highest = float(np.nanmax(band.high)) if not np.isnan(band.high).all() else truth
    span = max(2.0 * widest, 0.8 * (highest - truth))
    panel.set_ylim(truth - span, max(truth + 0.5 * span, highest + 0.06 * span))
    panel.set_title(f"Delivered %, {look.label}")
    for tolerance in study.tolerances_pt:
        _shade(panel, truth, tolerance)
    panel.axhline(truth, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    draw_band(panel, band, look.colour, **look.keywords())
    _mark_settling(panel, study, mode, delivery)
    ends = [EndLabel(f"truth  {truth:.2f} %", truth, INK)]
    ends.append(EndLabel(f"{look.label}  {final:.2f} %", final, look.colour))
    label_ends(panel, ends)


def _shade(panel: Axes, truth_pct: float, tolerance_pt: float) -> None:
    """Shade what is within a tolerance of the truth."""
    panel.axhspan(
        truth_pct - tolerance_pt, truth_pct + tolerance_pt, color=INK, alpha=0.055, linewidth=0
    )
    panel.annotate(
        f"±{tolerance_pt:g}",
        xy=(0.005, truth_pct - tolerance_pt),
        xycoords=("axes fraction", "data"),
        xytext=(0, -1.0),
        textcoords="offset points",
        verticalalignment="top",
        fontsize=7.5,
        color=GREY,
    )


def _mark_settling(panel: Axes, study: ConvergenceStudy, mode: Mode, delivery: str) -> None:
    """Mark from when on the reading stays within each tolerance, with a label at the bottom."""
    its = study.replications
    low_s, high_s = panel.get_xlim()
    colour = MODE_LOOKS[mode].colour
    for row, tolerance in enumerate(reversed(study.tolerances_pt)):
        about = Quantity(mode, delivery, ALL_PROVIDERS, "settling_s", tolerance)
        found = spread(its.numbers[about], its.confidence)
        if not found["n"]:
            continue
        at = min(max(found["median"], low_s), high_s)
        y = 0.05 + 0.085 * row
        panel.axvline(at, ymax=y, color=GREY, linewidth=0.9)
        panel.annotate(
            "●",
            xy=(at, y),
            xycoords=panel.get_xaxis_transform(),
            color=colour,
            size=9,
            horizontalalignment="center",
            verticalalignment="center",
            annotation_clip=False,
        )
        panel.annotate(
            f"within {points_in_words(tolerance)} after {elapsed(found['median'])}",
            xy=(at, y),
            xycoords=panel.get_xaxis_transform(),
            xytext=(7, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=8.5,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
            annotation_clip=False,
        )
