"""The chart of settling times by provider: the slow ones decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sendcap.charts.figures import panels_for, stacked_panels
from sendcap.charts.marks import scenario_marks
from sendcap.charts.style import GREY, INK, MODE_LOOKS, SHADE, house_style
from sendcap.charts.timeaxis import Scale, Start
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.convergence.charts.bands import about_the_replications, times_between
from sendcap.study.replication.recording import Quantity
from sendcap.study.replication.replications import spread
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import shortened
from sendcap.text.shares import points_in_words, share_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.study.convergence.converge import ConvergenceStudy

_DOT_IN: Final = 0.15
"""Height of a mode's dot, with its time beside it."""
_LETTER_IN: Final = 0.076
"""About how wide a letter of a provider's name is."""
_MARK_IN: Final = 0.19
"""Height of the label of a mark, below the rows."""
_FILLED: Final = 0.72
"""Share of a row that the dots of its modes take."""


def settling(
    study: ConvergenceStudy,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw from when on Delivered % stays within each tolerance, for each provider and mode.

    A panel for each tolerance; the providers are in the order of their share of the messages.

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
    providers = _providers(study)
    times = times_between(its.scenario, _limits_s(study), scale, start)
    words = [about_the_replications(its)]
    if its.n > 1:
        words.append(f"Dot: the median; bar: the middle {share_text(its.confidence)} of them.")
    words.append("Of each provider: what Delivered % of its messages alone would show.")
    row_in = _DOT_IN * len(study.modes)
    marks = scenario_marks(its.scenario)
    below = sum(1 for mark in marks if mark.label and times.first_s < mark.first_s <= times.last_s)
    rows = [len(providers) + below * _MARK_IN / row_in] + [len(providers)] * (
        len(study.tolerances_pt) - 1
    )
    with house_style():
        heights = [row_in * each for each in rows]
        panels = panels_for(
            ax,
            heights,
            lambda: stacked_panels(
                its.scenario.title or "Delivery",
                "whose Delivered % settles when?",
                words,
                heights,
                left_in=max(1.6, 0.25 + _LETTER_IN * max(map(len, providers.values()))),
                gap_in=0.6,
                below_in=times.room_in,
            )[1],
        )
        for panel, tolerance, shown in zip(panels, study.tolerances_pt, rows, strict=True):
            times.of(panel)
            panel.set_ylim(shown - 0.4, -0.6)
            panel.set_yticks(range(len(providers)), list(providers.values()))
            panel.tick_params(axis="y", length=0)
            panel.grid(visible=False, axis="y")
            for row in range(0, len(providers), 2):
                panel.axhspan(row - 0.5, row + 0.5, color=SHADE, linewidth=0, zorder=0)
            panel.set_title(f"stays within {points_in_words(tolerance)} of its final value from")
            _dots(panel, study, list(providers), tolerance)
        _legend(panels[0], study)
        times.below(panels)
    return panels


def _providers(study: ConvergenceStudy) -> dict[str, str]:
    """Return what each provider is called on the axis, after all of them together."""
    counts: dict[str, int] = {}
    for (_, name), count in study.replications.scenario.to_deliver().items():
        counts[name] = counts.get(name, 0) + count
    total = sum(counts.values())
    largest_first = sorted((its for its in counts.items() if its[1]), key=lambda its: -its[1])
    return {ALL_PROVIDERS: "all together"} | {
        name: f"{shortened(name)}  {100.0 * count / total:.3g} %" for name, count in largest_first
    }


def _limits_s(study: ConvergenceStudy) -> tuple[float, float]:
    import numpy as np

    its = study.replications
    times = [times for about, times in its.numbers.items() if about.name == "settling_s"]
    there = np.concatenate(times)
    there = there[there > 0.0]
    if not len(there):
        return 1.0, 2.0
    return 0.8 * float(there.min()), 1.25 * float(there.max())


def _dots(panel: Axes, study: ConvergenceStudy, providers: list[str], tolerance_pt: float) -> None:
    its, modes = study.replications, study.modes
    first_s = panel.get_xlim()[0]
    for row, provider in enumerate(providers):
        for number, mode in enumerate(modes):
            about = Quantity(mode, ALL_DELIVERIES, provider, "settling_s", tolerance_pt)
            found = spread(its.numbers[about], its.confidence)
            if not found["n"]:
                continue
            y = row + _FILLED * ((number + 0.5) / len(modes) - 0.5)
            colour = MODE_LOOKS[mode].colour
            low, median, high = (max(found[name], first_s) for name in ("low", "median", "high"))
            panel.plot([low, high], [y, y], color=colour, linewidth=5.0, alpha=0.35, clip_on=False)
            panel.plot([median], [y], "o", color=colour, markersize=5.5, clip_on=False, zorder=4)
            panel.annotate(
                elapsed(found["median"]),
                xy=(high, y),
                xytext=(6, 0),
                textcoords="offset points",
                verticalalignment="center",
                fontsize=7.5,
                color=INK if provider == ALL_PROVIDERS else GREY,
                annotation_clip=False,
            )


def _legend(panel: Axes, study: ConvergenceStudy) -> None:
    from matplotlib.lines import Line2D

    looks = [MODE_LOOKS[mode] for mode in study.modes]
    panel.legend(
        [Line2D([], [], color=look.colour, marker="o", linewidth=0) for look in looks],
        [look.label for look in looks],
        loc="upper left",
        bbox_to_anchor=(1.05, 1.0),
        frameon=False,
        fontsize=8.5,
        borderaxespad=0.0,
    )
