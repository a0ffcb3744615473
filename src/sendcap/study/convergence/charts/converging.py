"""The chart that tells when Delivered % can be trusted: bands, the truth, and settling times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import magnify, name_rows, write_at
from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.labels import WHITE, EndLabel, label_ends
from sendcap.charts.marks import draw_marks, position, scenario_marks
from sendcap.charts.style import DASHES, INK, MODE_LOOKS, Look, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.convergence.charts.bands import (
    about_the_band,
    about_the_replications,
    bands_time,
    draw_band,
    shade_tolerances,
)
from sendcap.study.convergence.converge import ConvergenceStudy
from sendcap.study.replication.recording import Quantity
from sendcap.text.quantities import elapsed, listed

_STRIP_IN: Final = 0.62
"""Height of the strip with the settling times."""
_LEFT_SHARE: Final = 0.15
"""Left of this share of the axis, a time stands on the right of the dot."""


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

    Each has the median of the replications with the band of their middle, and the truth with the
    tolerances around it. A strip below shows when the reading stays within each of them.

    For the options see `sendcap.charts`.
    """
    runs = study.replications
    time = bands_time([runs], scale, start, delivery)
    words = f"{about_the_replications(runs, delivery)}{about_the_band(runs)}\n{_words(study)}"
    panels = panels_on(
        ax,
        Heading(runs.scenario.title, "when can Delivered % be trusted?", words),
        [2.3, _STRIP_IN] * len(study.modes),
        right_in=1.95,
        below_in=time.below_in,
    )
    time.on(panels)
    for panel, strip, mode in zip(panels[::2], panels[1::2], study.modes, strict=True):
        about = Quantity(mode, delivery, ALL_PROVIDERS, "delivered_pct")
        _panel(panel, study, about)
        _settling(strip, study, about)
    draw_marks(panels, scenario_marks(runs.scenario, delivery))
    return panels


def _words(study: ConvergenceStudy) -> str:
    tolerances = listed([f"±{tolerance:g}" for tolerance in reversed(study.tolerances_pt)])
    noun = "point" if study.tolerances_pt[0] == 1.0 else "points"
    return (
        "Dashed across: the truth, what is delivered in the end. "
        f"Grey around it: within {tolerances} {noun}."
    )


def _panel(panel: Axes, study: ConvergenceStudy, about: Quantity) -> None:
    runs, look = study.replications, MODE_LOOKS[about.mode]  # type: ignore[index]
    band = runs.band(about)
    truth = runs.spreads[about._replace(name="truth_pct")]["median"]
    final = runs.spreads[about]["median"]
    highest = float(np.nanmax(band.high)) if not np.isnan(band.high).all() else truth
    span = max(2.0 * study.tolerances_pt[0], 0.8 * (highest - truth))
    limits = (truth - span, max(truth + 0.5 * span, highest + 0.06 * span))
    magnify(panel, *limits, f"Delivered %, {look.label}", [band.median])
    shade_tolerances(panel, truth, study.tolerances_pt, -1.0, "top")
    panel.axhline(truth, color=INK, linewidth=0.9, linestyle=DASHES)
    draw_band(panel, band, look.colour, **look.keywords())
    ends = [EndLabel(f"truth  {truth:.2f} %", truth, INK)]
    ends.append(EndLabel(f"{look.label}  {final:.2f} %", final, look.colour))
    label_ends(panel, ends)


def _settling(strip: Axes, study: ConvergenceStudy, delivered: Quantity) -> None:
    """Draw when the reading has settled within each tolerance: a row each, the widest on top."""
    low_s, high_s = strip.get_xlim()
    colour = MODE_LOOKS[delivered.mode].colour  # type: ignore[index]
    tolerances = tuple(reversed(study.tolerances_pt))
    strip.set_ylim(-0.5, len(tolerances) - 0.5)
    strip.set_title("Within so many points of the final value, from then on", fontweight="normal")
    name_rows(strip, [f"±{tolerance:g}" for tolerance in tolerances])
    for row, tolerance in enumerate(tolerances):
        settling = study.replications.spreads[delivered._replace(name="settling_s", at=tolerance)]
        if not settling["n"]:
            continue
        at_s = min(max(settling["median"], low_s), high_s)
        strip.plot([at_s, high_s], [row, row], color=colour, linewidth=2.0, alpha=0.4)
        strip.plot(at_s, row, "o", color=colour, markersize=5.0, clip_on=False)
        side = -1.0 if position(strip, at_s) > _LEFT_SHARE else 1.0
        look: Look = {"fontsize": 8.5, "color": INK, "bbox": WHITE}
        look["horizontalalignment"] = "right" if side < 0.0 else "left"
        write_at(strip, (at_s, row), elapsed(settling["median"]), (7.0 * side, 0.0), **look)
