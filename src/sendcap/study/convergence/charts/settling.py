"""The chart of settling times by provider: the slow ones decide."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.charts.axes import name_rows, write_at
from sendcap.charts.figures import Heading, left_of_rows
from sendcap.charts.labels import WHITE, name_beside
from sendcap.charts.marks import draw_marks, scenario_marks
from sendcap.charts.narrow import Named
from sendcap.charts.style import GREY, INK, MODE_LOOKS, SHADE, Look, house_style
from sendcap.charts.ticks import Scale
from sendcap.charts.timeaxis import Start, time_axis
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.convergence.charts.reading import about_the_replications
from sendcap.study.convergence.converge import ConvergenceStudy
from sendcap.study.replication.recording import Quantity
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import shortened
from sendcap.text.shares import points_in_words

_DOT_IN: Final = 0.15
"""Height of a mode's dot, with the time beside it."""
_MARK_IN: Final = 0.19
"""Height of the label of a mark, below the rows."""
_FILLED: Final = 0.72
"""Share of a row that the dots of the modes take."""


@house_style()
def settling(
    study: ConvergenceStudy,
    ax: Axes | Sequence[Axes] | None = None,
    *,
    scale: Scale | None = None,
    start: Start = None,
) -> list[Axes]:
    """Draw when Delivered % starts to stay within each tolerance, by provider and mode.

    A panel for each tolerance; the providers are in the order of their share of the messages.

    For the options see `sendcap.charts`.
    """
    runs = study.replications
    providers = _providers(study)
    time = time_axis(runs.scenario, _limits_s(study), scale, start)
    words = [about_the_replications(runs)]
    if runs.n > 1:
        words.append(f"Dot: the median; bar: {runs.between} of them.")
    words.append("Of each provider: what Delivered % of its messages alone would show.")
    row_in = _DOT_IN * len(study.modes)
    marks = scenario_marks(runs.scenario)
    labels = sum(1 for mark in marks if mark.label and time.first_s < mark.first_s <= time.last_s)
    rows = [float(len(providers))] * len(study.tolerances_pt)
    rows[0] += labels * _MARK_IN / row_in
    what = "when does each provider's Delivered % settle?"
    panels = time.panels(
        ax,
        Heading(runs.scenario.title, what, "\n".join(words)),
        [row_in * count for count in rows],
        left_in=left_of_rows(list(providers.values())),
        right_in=1.95,
    )
    for panel, tolerance, count in zip(panels, study.tolerances_pt, rows, strict=True):
        panel.set_ylim(count - 0.4, -0.6)
        name_rows(panel, list(providers.values()))
        for row in range(0, len(providers), 2):
            panel.axhspan(row - 0.5, row + 0.5, color=SHADE, linewidth=0, zorder=0)
        panel.set_title(f"stays within {points_in_words(tolerance)} of its final value from")
        _dots(panel, study, list(providers), tolerance)
    looks = [MODE_LOOKS[mode] for mode in study.modes]
    name_beside(panels[0], [Named(look.colour, look.label) for look in looks], 1.0, 1.09)
    draw_marks(panels, marks)
    return panels


def _providers(study: ConvergenceStudy) -> dict[str, str]:
    """Return each provider's label on the axis, after that of all of them together."""
    counts = study.replications.scenario.at_providers()
    return {ALL_PROVIDERS: "all together"} | {
        name: f"{shortened(name)}  {100.0 * counts[name] / counts.total():.3g} %"
        for name in sorted(counts, key=lambda name: -counts[name])
        if counts[name]
    }


def _limits_s(study: ConvergenceStudy) -> tuple[float, float]:
    numbers = study.replications.numbers.items()
    times_s = np.concatenate([values for about, values in numbers if about.name == "settling_s"])
    times_s = times_s[times_s > 0.0]
    if not len(times_s):
        return 1.0, 2.0
    return 0.8 * float(times_s.min()), float(times_s.max())


def _dots(panel: Axes, study: ConvergenceStudy, providers: list[str], tolerance_pt: float) -> None:
    first_s = panel.get_xlim()[0]
    for row, provider in enumerate(providers):
        for number, mode in enumerate(study.modes):
            about = Quantity(mode, ALL_DELIVERIES, provider, "settling_s", tolerance_pt)
            times_s = study.replications.spreads[about]
            if not times_s["n"]:
                continue
            y = row + _FILLED * ((number + 0.5) / len(study.modes) - 0.5)
            look: Look = {"color": MODE_LOOKS[mode].colour, "clip_on": False}
            low, median, high = (max(times_s[end], first_s) for end in ("low", "median", "high"))
            panel.plot([low, high], [y, y], linewidth=5.0, alpha=0.35, **look)
            panel.plot([median], [y], "o", markersize=5.5, zorder=4, **look)
            write_at(
                panel,
                (high, y),
                elapsed(times_s["median"]),
                (6, 0),
                fontsize=7.5,
                color=INK if provider == ALL_PROVIDERS else GREY,
                annotation_clip=False,
                bbox=WHITE | {"pad": 0.3},
            )
