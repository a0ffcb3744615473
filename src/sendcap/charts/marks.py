"""Vertical lines that mark moments: when deliveries start, when their validity ends, outages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox, BboxBase

from sendcap.charts.figures import cut_within
from sendcap.charts.narrow import broken
from sendcap.charts.style import DASHES, GREY, INK, figure_of
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.scenario import Delivery, Scenario

if TYPE_CHECKING:
    from sendcap.run import Run


_MOST: Final = 4
"""With more deliveries, one label stands for all of them."""
_MOST_ENDS: Final = 2
_ALIKE: Final = 1.05
_MOST_LINES: Final = 24
"""With more of them, their starts are no longer drawn: lines would hide the data."""
_WIDEST: Final = 0.5
"""A span of a larger share of the axis tells nothing."""
_LONGEST: Final = 32
"""Letters of a name in a label."""
_LETTERS: Final = 22
"""Of a line of a label in a narrow figure, so that it fits on one side of its mark."""
_VISIBLE: Final = 0.004
"""Two moments this share of the axis apart can be told apart."""


class Mark(NamedTuple):
    """A moment, or a span of time, with a label; an empty label is not drawn."""

    label: str
    first_s: float
    last_s: float
    is_start: bool = False
    note: str = ""  # second line of the label of a span


def run_marks(run: Run, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return the marks of a run: starts, outages, ends of validity."""
    ends = _ends_of_validity(expiry_spans(run, delivery), "(first to last message)")
    return [*_starts(run.as_sent, delivery), *_outages(run.scenario, delivery), *ends]


def scenario_marks(scenario: Scenario, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return the marks of a scenario; validity ends as that of the first messages."""
    ends = validity_marks(scenario, delivery)
    return [*_starts(scenario, delivery), *_outages(scenario, delivery), *ends]


def stage_marks(scenario: Scenario) -> list[Mark]:
    """Return the starts and outages of a scenario in order of time."""
    marks = [*_starts(scenario, ALL_DELIVERIES), *_outages(scenario, ALL_DELIVERIES)]
    return sorted(marks, key=lambda mark: mark.first_s)


def validity_marks(scenario: Scenario, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return the ends of the first messages' validity."""
    ends_s = {
        each.name: each.at + scenario.honoured_validity(each) for each in chosen(scenario, delivery)
    }
    return _ends_of_validity([Mark(name, end, end) for name, end in ends_s.items()], "")


def expiry_spans(run: Run, delivery: str = ALL_DELIVERIES) -> list[Mark]:
    """Return when messages expire, by delivery that relayed any, the first one first.

    The ledger tells when messages were relayed no finer than in bins, so with the clock's origin
    there, the span is as much wider.
    """
    spans = []
    for each in chosen(run.as_sent, delivery):
        relayed = run.ledger.sparse("relayed", clock="happened", delivery=each.name).bins
        if not len(relayed):
            continue
        first_s = last_s = each.at
        if run.scenario.mta.clock_origin == "relayed":
            bin_s = run.ledger.bin_s
            first_s, last_s = int(relayed[0]) * bin_s, int(relayed[-1] + 1) * bin_s
        validity_s = run.scenario.honoured_validity(each)
        spans.append(Mark(each.name, first_s + validity_s, last_s + validity_s))
    return sorted(spans, key=lambda span: (span.first_s, span.last_s))


def chosen(scenario: Scenario, delivery: str) -> list[Delivery]:
    """Return the deliveries of that name, or all of them."""
    return [
        each for each in scenario.deliveries if delivery in (ALL_DELIVERIES, each.name, each.parent)
    ]


def _starts(scenario: Scenario, delivery: str) -> list[Mark]:
    """Return the starts of the deliveries after the first."""
    if delivery != ALL_DELIVERIES:
        return []
    names: dict[float, list[str]] = {}
    for each in sorted(scenario.deliveries, key=lambda each: each.at):
        if each.is_started:
            names.setdefault(each.at, []).append(each.name)
    later = list(names)[1:]
    if len(later) > _MOST_LINES:
        return []
    if len(later) <= _MOST:
        labels = [f"start of {', '.join(map(_short, names[at]))}" for at in later]
    else:
        others = sum(len(names[at]) for at in later)
        labels = [f"start of the {others} other deliveries"] + [""] * (len(later) - 1)
    return [Mark(label, at, at, is_start=True) for label, at in zip(labels, later, strict=True)]


def _ends_of_validity(spans: Sequence[Mark], note: str) -> list[Mark]:
    """Return the ends of validity: of two deliveries each, of more or alike ones all together.

    Those of more would be as many labels, one upon the other.
    """
    if not spans:
        return []
    first_s, last_s = min(span.first_s for span in spans), max(span.last_s for span in spans)
    if len(spans) != _MOST_ENDS or last_s / first_s < _ALIKE:
        return [Mark("end of validity", first_s, last_s, note=note)]
    return [
        span._replace(label=f"end of validity, {_short(span.label)}", note=note) for span in spans
    ]


def _outages(scenario: Scenario, delivery: str) -> list[Mark]:
    """Return the outages of the providers that have messages, in order of time."""
    used = {provider for each in chosen(scenario, delivery) for provider in each.audience}
    marks = [
        Mark(f"{_short(name)} unreachable", outage.at, outage.at + outage.lasts)
        for name, provider in scenario.providers.items()
        for outage in provider.outages
        if name in used
    ]
    marks.sort(key=lambda mark: mark.first_s)
    if len(marks) > _MOST:
        # One label stands for all of them: they are too many to be told apart.
        marks[1:] = [mark._replace(label="") for mark in marks[1:]]
    return marks


def _short(name: str) -> str:
    return cut_within(name, _LONGEST)


def draw_marks(panels: Sequence[Axes], marks: Sequence[Mark], *, at_top: bool = False) -> None:
    """Draw a line at each moment, and a band to the end of a span; label them on the first panel.

    The labels are as far down as there is room, or as far up with ``at_top``. The panels must have
    their final limits and positions, and the data drawn: labels keep away from them, from each
    other and, where they can, from other marks.
    """
    top = panels[0]
    low_s, high_s = top.get_xlim()
    taken = boxes(top)
    labels = []
    last = -math.inf
    for mark in marks:
        if not low_s < mark.first_s <= high_s:
            continue
        if mark.is_start:
            # Of a year's starts, so many that they would be one grey area are left out.
            at = position(top, mark.first_s)
            if at - last < _VISIBLE and not mark.label:
                continue
            last = at
        share = position(top, mark.last_s) - position(top, mark.first_s)
        if share > _WIDEST:
            continue
        wide = share > _VISIBLE
        colour, width, style = (GREY, 0.7, ":") if mark.is_start else (INK, 0.9, DASHES)
        for panel in panels:
            panel.axvline(mark.first_s, color=colour, linewidth=width, linestyle=style, zorder=1)
            if wide:
                last_s = min(mark.last_s, high_s)
                panel.axvspan(mark.first_s, last_s, color=INK, alpha=0.09, linewidth=0)
        if label := broken(mark.label, _LETTERS):
            labels.append(
                top.annotate(
                    f"{label}\n{broken(mark.note, _LETTERS)}" if wide and mark.note else label,
                    xy=(mark.first_s, 0.0),
                    xycoords=("data", "axes fraction"),
                    xytext=(AWAY_PT, 0.0),
                    textcoords="offset points",
                    verticalalignment="bottom",
                    fontsize=LABEL_PT,
                    color=colour,
                    # Above the lines of other marks, and below the data.
                    zorder=1.8,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": PAD_PT},
                )
            )
    arrange(top, labels, taken, at_top=at_top)


def position(axes: Axes, time_s: float) -> float:
    """Return the position of a time, as a share of the axis."""
    pixels = axes.transData.transform((time_s, 0.0))
    return float(axes.transAxes.inverted().transform(pixels)[0])


# Positions for the labels of vertical lines: where they hide the least of a chart.

LABEL_PT: Final = 8.5
"""Size of a label."""
PAD_PT: Final = 1.5
AWAY_PT: Final = 5.0
"""Between a line and the label."""
_DOT_PT: Final = 4.0
"""Around the middle of a dot, belonging to it."""
_ROWS: Final = 40
_Points = npt.NDArray[np.float64]
_Side = Literal["right", "left"]
"""Of a label, the one that the line is on."""


def boxes(axes: Axes) -> list[BboxBase]:
    """Return the boxes of the dots and words on a pair of axes, in pixels."""
    away = _DOT_PT * figure_of(axes).dpi / 72
    dots: list[BboxBase] = []
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        if len(points) == 1 and np.isfinite(points).all():
            middle = axes.transData.transform(points[0])
            dots.append(Bbox([middle - away, middle + away]))
    return dots + [text.get_window_extent() for text in axes.texts if text.get_text()]


def arrange(
    axes: Axes, labels: Sequence[Annotation], taken: Sequence[BboxBase], *, at_top: bool
) -> None:
    """Move each label to where it hides least, of such positions the lowest, or the highest."""
    pixels = figure_of(axes).dpi / 72
    panel = axes.get_window_extent()
    curves = list(_curves(axes))
    lines = np.array([axes.transData.transform((label.xy[0], 0.0))[0] for label in labels])
    placed: list[BboxBase] = []
    for label, line in zip(labels, lines, strict=True):
        size = label.get_window_extent()
        positions: list[tuple[int, int, Bbox, _Side, float]] = []
        for row, side in product(range(_ROWS), get_args(_Side)):
            up = AWAY_PT + 0.5 * LABEL_PT * row
            if at_top:
                up = (panel.height - size.height) / pixels - up
            x = line + AWAY_PT * pixels if side == "left" else line - AWAY_PT * pixels - size.width
            box = Bbox.from_bounds(x, panel.y0 + up * pixels, size.width, size.height)
            box = box.padded(PAD_PT * pixels)
            x0, y0, x1, y1 = box.extents
            inside = panel.x0 <= x0 and x1 <= panel.x1 and panel.y0 <= y0 and y1 <= panel.y1
            hidden = (
                1000 * (not inside or box.count_overlaps(placed) > 0)
                + 20 * box.count_overlaps(taken)
                + int(((x0 < lines) & (lines < x1)).sum())
            )
            positions.append((hidden, len(positions), box, side, up))
        # Curves take the longest to look at: only where the rest hides no more than the best.
        best = (math.inf, 0)
        for hidden, number, box, *_ in sorted(positions, key=lambda position: position[:2]):
            if hidden > best[0]:
                break
            crossed = sum(_crosses(points, box) for points in curves)
            best = min(best, (hidden + 10 * crossed, number))
        _, _, box, side, up = positions[best[1]]
        placed.append(box)
        label.set_horizontalalignment(side)
        label.set_position((-AWAY_PT if side == "right" else AWAY_PT, up))


def _crosses(points: _Points, box: Bbox) -> bool:
    """Tell whether a line passes through a box; of a long one, only what is near is looked at."""
    across = points[:, 0]
    right, left = across >= box.x0, across <= box.x1
    near = np.flatnonzero((right[:-1] | right[1:]) & (left[:-1] | left[1:]))
    return bool(near.size) and Path(points[near[0] : near[-1] + 2]).intersects_bbox(
        box, filled=False
    )


def _curves(axes: Axes) -> Iterator[_Points]:
    """Yield the points of the data's lines in pixels."""
    low_s, high_s = axes.get_xlim()
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        shown = (points[:, 0] >= low_s) & (points[:, 0] <= high_s) & ~np.isnan(points[:, 1])
        # Marks have two points, one above the other.
        if np.ptp(points[:, 0]) > 0 and shown.any():
            yield axes.transData.transform(points[shown])
