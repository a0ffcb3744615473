"""Charts of readings over time, with bands: near the truth, and the error."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import Floats, magnify, name_rows, write_at
from sendcap.charts.figures import Heading
from sendcap.charts.labels import WHITE, EndLabel, label_ends
from sendcap.charts.marks import chosen, draw_marks, position, scenario_marks
from sendcap.charts.narrow import is_narrow
from sendcap.charts.style import DASHES, GREY, INK, MODE_LOOKS, Look, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start, TimeAxis, time_axis
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Mode
from sendcap.study.convergence.converge import ConvergenceStudy
from sendcap.study.replication.recording import Quantity
from sendcap.study.replication.replications import Band, Replications
from sendcap.text.quantities import MINUS, counted, elapsed, listed

_STRIP_IN: Final = 0.62
"""Height of the strip with the settling times."""
_LEFT_SHARE: Final = 0.15
"""Left of this share of the axis, a time stands on the right of the dot."""

_DECADES: Final = (0.01, 0.1, 1.0, 10.0, 100.0)
_ERROR_WORDS: Final = """
Zero is the truth, what is delivered in the end. Grey: within the tolerances.
The axis is logarithmic on both sides: each step is ten times the one before."""


def about_the_replications(replications: Replications, delivery: str = ALL_DELIVERIES) -> str:
    """Return what was replicated, and how often."""
    messages = sum(each.messages for each in chosen(replications.scenario, delivery))
    name = "" if delivery == ALL_DELIVERIES else f"{delivery}: "
    before = "" if replications.scenario.population is None else " before exclusions"
    n = replications.n
    times = "1 simulation" if n == 1 else f"{n} simulations with different draws"
    return f"{name}{counted(messages, 'message')}{before}, {times}."


def about_the_band(replications: Replications, line: str = "median") -> str:
    """Return the meaning of a line and a band; nothing if there is no band."""
    if replications.n == 1:
        return ""
    return f" Line: the {line}; band: {replications.between} of them."


def bands_time(
    studies: Sequence[Replications],
    scale: Scale | None,
    start: Start,
    delivery: str = ALL_DELIVERIES,
) -> TimeAxis:
    """Return the axis of time of replications, from the first change to a little after the last."""
    return time_axis(studies[0].scenario, _limits_s(studies, delivery), scale, start)


def _limits_s(studies: Iterable[Replications], delivery: str) -> tuple[float, float]:
    first, last = float("inf"), 0.0
    for study in studies:
        for about, curves in study.curves.items():
            if about.name not in ("delivered_pct", "bounces_errors_pct"):
                continue
            if delivery not in (ALL_DELIVERIES, about.delivery):
                continue
            changes = np.flatnonzero((np.diff(np.nan_to_num(curves, nan=-1.0)) != 0.0).any(axis=0))
            if len(changes):
                first = min(first, float(study.moments_s[changes[0] + 1]))
                last = max(last, float(study.moments_s[changes[-1] + 1]))
    if not last:
        return 1.0, 2.0
    return first, max(last, 2.0 * first)


def draw_band(
    panel: Axes, band: Band, colour: str, middle: Floats | None = None, **look: Any
) -> None:
    """Draw a line through replications, usually the median, and the band of most of them."""
    # After the last moment nothing changes any more.
    end_s = max(float(band.time_s[-1]), panel.get_xlim()[1])
    time_s = np.append(band.time_s, end_s)
    middle = band.median if middle is None else middle
    low, line, high = (np.append(y, y[-1]) for y in (band.low, middle, band.high))
    panel.fill_between(time_s, low, high, color=colour, alpha=0.25, linewidth=0)
    panel.plot(time_s, line, **look)


def shade_tolerances(
    panel: Axes, middle: float, tolerances_pt: Sequence[float], above_pt: float, va: str
) -> None:
    """Shade what is within each tolerance of a value, named at the lower edge."""
    for tolerance in tolerances_pt:
        low, high = middle - tolerance, middle + tolerance
        panel.axhspan(low, high, color=INK, alpha=0.055, linewidth=0)
        panel.annotate(
            f"±{tolerance:g}",
            xy=(0.005, low),
            xycoords=("axes fraction", "data"),
            xytext=(0, above_pt),
            textcoords="offset points",
            verticalalignment=va,
            fontsize=7.5,
            color=GREY,
        )


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
    panels = time.panels(
        ax,
        Heading(runs.scenario.title, "when can Delivered % be trusted?", words),
        [2.3, _STRIP_IN] * len(study.modes),
        right_in=1.95,
    )
    for panel, strip, mode in zip(panels[::2], panels[1::2], study.modes, strict=True):
        about = Quantity(mode, delivery, ALL_PROVIDERS, "delivered_pct")
        _near_the_truth(panel, study, about)
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


def _near_the_truth(panel: Axes, study: ConvergenceStudy, about: Quantity) -> None:
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
    words = f"{about_the_replications(runs, delivery)}{about_the_band(runs)}{_ERROR_WORDS}"
    heading = Heading(runs.scenario.title, "how far off is Delivered %?", words)
    (panel,) = time.panels(ax, heading, [4.6], right_in=1.95)
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
