"""The chart that tells when Delivered % can be trusted: bands, the truth, and settling times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import WHITE, EndLabel, label_ends
from sendcap.charts.marks import draw_marks, scenario_marks
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
from sendcap.text.quantities import elapsed
from sendcap.text.shares import points_in_words

_WORDS: Final = """
Dashed across: the truth, what is delivered in the end. Grey: points around it.
Dots: from when on Delivered % stays within so many points of its final value."""


@house_style()
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

    For the options see `sendcap.charts`.
    """
    runs = study.replications
    time = bands_time([runs], scale, start, delivery)
    words = f"{about_the_replications(runs, delivery)}{about_the_band(runs)}{_WORDS}"
    panels = panels_on(
        ax,
        Heading(runs.scenario.title, "when can Delivered % be trusted?", words),
        [2.6] * len(study.modes),
        right_in=1.95,
        below_in=time.below_in,
    )
    time.on(panels)
    for panel, mode in zip(panels, study.modes, strict=True):
        _panel(panel, study, mode, delivery)
    draw_marks(panels, scenario_marks(runs.scenario, delivery))
    return panels


def _panel(panel: Axes, study: ConvergenceStudy, mode: Mode, delivery: str) -> None:
    runs, look = study.replications, MODE_LOOKS[mode]
    about = Quantity(mode, delivery, ALL_PROVIDERS, "delivered_pct")
    band = runs.band(about)
    truth = runs.spreads[about._replace(name="truth_pct")]["median"]
    final = runs.spreads[about]["median"]
    highest = float(np.nanmax(band.high)) if not np.isnan(band.high).all() else truth
    span = max(2.0 * study.tolerances_pt[0], 0.8 * (highest - truth))
    panel.set_ylim(truth - span, max(truth + 0.5 * span, highest + 0.06 * span))
    panel.set_title(f"Delivered %, {look.label}")
    shade_tolerances(panel, truth, study.tolerances_pt, -1.0, "top")
    panel.axhline(truth, color=INK, linewidth=0.9, linestyle=DASHES)
    draw_band(panel, band, look.colour, **look.keywords())
    _mark_settling(panel, study, about)
    ends = [EndLabel(f"truth  {truth:.2f} %", truth, INK)]
    ends.append(EndLabel(f"{look.label}  {final:.2f} %", final, look.colour))
    label_ends(panel, ends)


def _mark_settling(panel: Axes, study: ConvergenceStudy, delivered: Quantity) -> None:
    """Mark from when on the reading stays within each tolerance, with a label at the bottom."""
    low_s, high_s = panel.get_xlim()
    colour = MODE_LOOKS[delivered.mode].colour  # type: ignore[index]
    for row, tolerance in enumerate(reversed(study.tolerances_pt)):
        settling = study.replications.spreads[delivered._replace(name="settling_s", at=tolerance)]
        if not settling["n"]:
            continue
        at_s = min(max(settling["median"], low_s), high_s)
        y = 0.05 + 0.085 * row
        panel.axvline(at_s, ymax=y, color=GREY, linewidth=0.9)
        place: Look = {"xycoords": panel.get_xaxis_transform(), "annotation_clip": False}
        panel.annotate("●", (at_s, y), color=colour, size=9, ha="center", va="center", **place)
        panel.annotate(
            f"within {points_in_words(tolerance)} after {elapsed(settling['median'])}",
            (at_s, y),
            xytext=(7, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=8.5,
            color=INK,
            bbox=WHITE,
            **place,
        )
