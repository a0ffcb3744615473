"""The chart of a comparison: Delivered % of A and of B, and their difference, for each mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import panels_for, stacked_panels
from sendcap.charts.labels import EndLabel, label_ends
from sendcap.charts.style import GREY, INK, MODE_LOOKS, house_style
from sendcap.charts.timeaxis import Scale, Start
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.convergence.charts.bands import draw_band, times_of
from sendcap.study.replication.recording import Quantity
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.readings.modes import Mode
    from sendcap.study.convergence.compare import Comparison

_CURVES_IN: Final = 2.0
_DIFFERENCE_IN: Final = 1.3
_LONGEST: Final = 24
"""Letters of a name in a label."""
_NAMES: Final = {"delivered_pct": "Delivered %", "bounces_errors_pct": "Bounces + errors %"}


def comparison(
    its: Comparison,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw Delivered % of A and B over time, and B less A, for each mode.

    Where a soft bounce shows as failed at once, Bounces + errors % is drawn as well.

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
    plans = [(mode, "delivered_pct") for mode in its.modes]
    plans += [(mode, "bounces_errors_pct") for mode in its.modes if mode in ("efs", "legacy")]
    times = times_of([its.a, its.b], scale, start)
    with house_style():
        one, two = its.names
        title = its.a.scenario.title or "Two deliveries"
        heights = [_CURVES_IN, _DIFFERENCE_IN] * len(plans)
        panels = panels_for(
            ax,
            heights,
            lambda: stacked_panels(
                title,
                f"{_short(one)} and {_short(two)}",
                (_about(its), _about_the_lines(its)),
                heights,
                right_in=2.4,
                gap_in=0.5,
                below_in=times.room_in,
            )[1],
        )
        for panel in panels:
            times.of(panel)
        for number, (mode, name) in enumerate(plans):
            about = Quantity(mode, ALL_DELIVERIES, ALL_PROVIDERS, name)
            _curves(panels[2 * number], its, about)
            _difference(panels[2 * number + 1], its, about)
        times.below(panels)
    return panels


def _about(its: Comparison) -> str:
    if its.a.n > 1:
        return f"{its.a.n} pairs of simulations; in each pair both have the same draws."
    if its.same_draws:
        return "One run of each, with the same draws: how much is chance cannot be told."
    return "One run of each, with different draws: what is chance cannot be told."


def _about_the_lines(its: Comparison) -> str:
    one, two = its.names
    lines = f"Grey: {_short(one)}; in colour: {_short(two)}."
    if its.a.n > 1:
        lines += f" Line: the median; band: the middle {share_text(its.a.confidence)}."
    return lines


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _curves(panel: Axes, its: Comparison, about: Quantity) -> None:
    import numpy as np

    mode: Mode = about.mode  # type: ignore[assignment]
    look = MODE_LOOKS[mode]
    bands = (its.a.band(about), its.b.band(about))
    panel.set_title(f"{_NAMES[about.name]}, {look.label}")
    ends = [float(band.median[-1]) for band in bands]
    told = np.concatenate([band.median for band in bands])
    told = told[~np.isnan(told)]
    if len(told):
        panel.set_ylim(*_range(told, ends, about.name))
    draw_band(panel, bands[0], GREY, color=GREY, linewidth=3.2, alpha=0.75)
    draw_band(panel, bands[1], look.colour, color=look.colour, linewidth=1.6)
    labels = [
        EndLabel(f"{_short(name)}  {end:.2f} %", end, colour)
        for name, end, colour in zip(its.names, ends, (GREY, look.colour), strict=True)
        if not np.isnan(end)
    ]
    label_ends(panel, labels, size=7.5)


def _range(told: object, ends: list[float], name: str) -> tuple[float, float]:
    """Return the range in which the curves differ: near their ends, if they climb from 0."""
    import numpy as np

    low, high = float(np.min(told)), float(np.max(told))  # type: ignore[call-overload]
    if name == "delivered_pct" and low < 50.0 < min(ends):
        low = min(ends) - max(2.0 * (high - min(ends)), 2.0)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def _difference(panel: Axes, its: Comparison, about: Quantity) -> None:
    import numpy as np

    mode: Mode = about.mode  # type: ignore[assignment]
    look = MODE_LOOKS[mode]
    band = its.difference(about)
    one, two = its.names
    panel.set_title(f"{_short(two)} less {_short(one)}, in points", fontweight="normal")
    draw_band(panel, band, look.colour, color=look.colour, linewidth=1.6)
    panel.axhline(0.0, color=INK, linewidth=0.8)
    end = float(band.median[-1])
    if not np.isnan(end):
        label_ends(panel, [EndLabel(_signed(end), end, look.colour)])


def _signed(points: float) -> str:
    """Return a difference in points, however small it is."""
    return f"{points:+.2g}".replace("-", "\N{MINUS SIGN}") if abs(points) >= 5e-5 else "0"
