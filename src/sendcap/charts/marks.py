"""Vertical lines that mark moments: when deliveries start, when their validity ends, outages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from sendcap.charts.expiry import ExpirySpan, expiry_spans
from sendcap.charts.style import GREY, INK
from sendcap.readings.modes import ALL_DELIVERIES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from sendcap.run import Run
    from sendcap.scenario import Scenario

_MOST: Final = 4
"""With more deliveries, one label stands for all of them."""
_LONGEST: Final = 32
"""Letters of a name in a label."""
_VISIBLE: Final = 0.004
"""Two moments this share of the axis apart can be told apart."""
_SIZE: Final = 8.5
_PAD: Final = 1.5
_Side = Literal["right", "left"]
"""Of a label, the one that its line is on."""
_FIRST_TO_LAST: Final = "(first to last message)"
_DOT: Final = 4.0
"""Points around the middle of a dot that belong to it."""
_AWAY: Final = 5.0
"""Points between a line and its label."""


class Mark(NamedTuple):
    """A moment, or a span of time, with its label; a label of nothing is not drawn."""

    label: str
    first_s: float
    last_s: float
    starts: bool
    note: str = ""
    """A second line of the label where it is a span of time."""


class _Box(NamedTuple):
    """A rectangle in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    def overlaps(self, other: _Box) -> bool:
        across = self.x0 < other.x1 and other.x0 < self.x1
        return across and self.y0 < other.y1 and other.y0 < self.y1

    def within(self, other: _Box) -> bool:
        across = other.x0 <= self.x0 and self.x1 <= other.x1
        return across and other.y0 <= self.y0 and self.y1 <= other.y1


def start_marks(scenario: Scenario, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return the starts of the deliveries after the first; there is none after a single one."""
    if delivery != ALL_DELIVERIES:
        return []
    names: dict[float, list[str]] = {}
    for its in sorted(scenario.deliveries, key=lambda its: its.at):
        names.setdefault(its.at, []).append(its.name)
    later = list(names)[1:]
    if len(later) <= _MOST:
        return [Mark(f"start of {', '.join(map(_short, names[at]))}", at, at, True) for at in later]
    others = sum(len(names[at]) for at in later)
    first = f"start of the {others} other deliveries"
    return [Mark(first if at == later[0] else "", at, at, True) for at in later]


def expiry_marks(run: Run, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return the ends of validity, of each delivery or, where they are many or alike, of all."""
    return _ends_of_validity(expiry_spans(run, delivery), _FIRST_TO_LAST)


def validity_marks(scenario: Scenario, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return when the first messages' validity ends, of each delivery or of all as above."""
    return _ends_of_validity(
        [
            ExpirySpan(its.name, its.at + its.honoured_validity, its.at + its.honoured_validity)
            for its in scenario.deliveries
            if delivery in (ALL_DELIVERIES, its.name)
        ],
        note="",
    )


def _ends_of_validity(spans: list[ExpirySpan], note: str) -> list[Mark]:
    if not spans:
        return []
    first_s, last_s = min(its.first_s for its in spans), max(its.last_s for its in spans)
    alike = last_s / first_s < 1.05
    if len(spans) == 1 or alike or len(spans) > _MOST:
        return [Mark("end of validity", first_s, last_s, False, note)]
    return [
        Mark(f"end of validity, {_short(its.delivery)}", its.first_s, its.last_s, False, note)
        for its in spans
    ]


def run_marks(run: Run, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return all that is marked on a chart of a run: starts, outages, ends of validity."""
    return [
        *start_marks(run.scenario, delivery),
        *outage_marks(run.scenario, delivery),
        *expiry_marks(run, delivery),
    ]


def scenario_marks(scenario: Scenario, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return what is marked where there is no run: starts, outages, ends of validity."""
    return [
        *start_marks(scenario, delivery),
        *outage_marks(scenario, delivery),
        *validity_marks(scenario, delivery),
    ]


def outage_marks(scenario: Scenario, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return the outages of the providers that have messages, in order of time."""
    used = {
        provider
        for its in scenario.deliveries
        if delivery in (ALL_DELIVERIES, its.name)
        for provider in its.audience
    }
    marks = [
        Mark(f"{_short(name)} unreachable", its.at, its.at + its.lasts, False)
        for name, provider in scenario.providers.items()
        for its in provider.outages
        if name in used
    ]
    marks.sort(key=lambda mark: mark.first_s)
    # One label stands for all of them where they are too many to be told apart.
    return [
        mark if len(marks) <= _MOST or not number else mark._replace(label="")
        for number, mark in enumerate(marks)
    ]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def draw_marks(axes: Sequence[Axes], marks: Sequence[Mark], *, at_top: bool = False) -> None:
    """Draw a line at each moment, and a band to the end of a span; label them on the first axes.

    The labels are as far down as there is room, or as far up with ``at_top``. The axes must have
    their final limits and place on the figure, and the data drawn: labels keep away from it, from
    each other and, where they can, from other marks.
    """
    top = axes[0]
    low_s, high_s = top.get_xlim()
    annotations: list[Annotation] = []
    there = list(_boxes(top))
    for mark in marks:
        if not low_s < mark.first_s <= high_s:
            continue
        wide = _place(top, mark.last_s) - _place(top, mark.first_s) > _VISIBLE
        for panel in axes:
            if mark.starts:
                panel.axvline(mark.first_s, color=GREY, linewidth=0.7, linestyle=":", zorder=1)
            else:
                dashes = (0, (4, 3))
                panel.axvline(mark.first_s, color=INK, linewidth=0.9, linestyle=dashes, zorder=1)
            if wide:
                last_s = min(mark.last_s, high_s)
                panel.axvspan(mark.first_s, last_s, color=INK, alpha=0.09, linewidth=0)
        if mark.label:
            annotations.append(
                top.annotate(
                    f"{mark.label}\n{mark.note}" if wide and mark.note else mark.label,
                    xy=(mark.first_s, 0.0),
                    xycoords=("data", "axes fraction"),
                    xytext=(0.0, 0.0),
                    textcoords="offset points",
                    verticalalignment="bottom",
                    fontsize=_SIZE,
                    color=GREY if mark.starts else INK,
                    # Above the lines of other marks, and below the data.
                    zorder=1.8,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": _PAD},
                )
            )
    _arrange(top, annotations, there, at_top=at_top)


def _place(axes: Axes, time_s: float) -> float:
    """Return where a time is, as a share of the axis."""
    pixels = axes.transData.transform((time_s, 0.0))
    return float(axes.transAxes.inverted().transform(pixels)[0])


def _arrange(
    axes: Axes, annotations: Sequence[Annotation], there: Sequence[_Box], *, at_top: bool
) -> None:
    """Move each label to where it hides least, of such places the lowest, or the highest."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes are not on a figure")
    pixels = figure.dpi / 72
    extent = axes.get_window_extent()
    panel = _Box(extent.x0, extent.y0, extent.x1, extent.y1)
    curves = list(_curves(axes))
    lines = [float(axes.transData.transform((its.xy[0], 0.0))[0]) for its in annotations]
    taken: list[_Box] = []
    for annotation, line in zip(annotations, lines, strict=True):
        size = annotation.get_window_extent()
        best: tuple[float, _Box, _Side, float] | None = None
        for row in range(40):
            up = _AWAY + 0.5 * _SIZE * row
            if at_top:
                up = (panel.y1 - panel.y0 - size.height) / pixels - up
            for side in get_args(_Side):
                box = _box(line, panel.y0 + up * pixels, size.width, size.height, side, pixels)
                blocked = not box.within(panel) or any(map(box.overlaps, taken))
                cost = (
                    1000.0 * blocked
                    + 10.0 * sum(_crosses(box, curve) for curve in curves)
                    + 20.0 * sum(map(box.overlaps, there))
                    + sum(box.x0 < other < box.x1 for other in lines)
                    + 0.01 * row
                )
                if best is None or cost < best[0]:
                    best = (cost, box, side, up)
        if best is None:
            raise AssertionError
        _, box, side, up = best
        taken.append(box)
        annotation.set_horizontalalignment(side)
        annotation.set_position((-_AWAY if side == "right" else _AWAY, up))


def _box(line: float, y: float, width: float, height: float, side: _Side, pixels: float) -> _Box:
    """Return the box of a label at a line."""
    pad, away = _PAD * pixels, _AWAY * pixels
    x = line - away - width if side == "right" else line + away
    return _Box(x - pad, y - pad, x + width + pad, y + height + pad)


def _curves(axes: Axes) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the data's lines in pixels, as arrays of shape (2, points)."""
    import numpy as np

    low_s, high_s = axes.get_xlim()
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        shown = (points[:, 0] >= low_s) & (points[:, 0] <= high_s) & ~np.isnan(points[:, 1])
        # Marks have two points, one above the other.
        if np.ptp(points[:, 0]) > 0 and shown.any():
            yield axes.transData.transform(points[shown]).T


def _boxes(axes: Axes) -> Iterator[_Box]:
    """Yield where there are dots and words already, in pixels."""
    import numpy as np

    figure = axes.get_figure(root=True)
    away = _DOT * (figure.dpi / 72 if figure is not None else 1.0)
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        if len(points) == 1 and np.isfinite(points).all():
            x, y = axes.transData.transform(points[0])
            yield _Box(x - away, y - away, x + away, y + away)
    for text in axes.texts:
        if text.get_text():
            extent = text.get_window_extent()
            yield _Box(extent.x0, extent.y0, extent.x1, extent.y1)


def _crosses(box: _Box, curve: npt.NDArray[np.float64]) -> bool:
    import numpy as np

    x, y = curve
    if box.x1 < x[0] or x[-1] < box.x0:
        return False
    ends = np.interp([box.x0, box.x1], x, y)
    inside = np.append(y[(box.x0 < x) & (x < box.x1)], ends)
    return bool(inside.min() < box.y1 and box.y0 < inside.max())
