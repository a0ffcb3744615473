"""Each chart looks as its picture in `pictures`, which somebody has looked at.

Fonts differ from one version of matplotlib to the next, so letters are not compared: only that
there is about as much ink where a text belongs. All else has to be the same but for a few pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from pictures import BASELINES, PICTURES, draw, put

from sendcap.charts.style import figure_of

if TYPE_CHECKING:
    from sendcap.charts.style import Drawn

LIGHTER = 0.12
"""Pixels that differ by less, of 1, are the same: edges are not smoothed alike everywhere."""
PIXELS = 12
"""As many may differ: less than the shortest line has."""
LAID_OUT_BY_TEXT = {"remaining": 600, "sensitivity": 6000, "statuses-linear": 400}
"""The same with another version of matplotlib than drew the pictures, which was 3.11: the width of
a text moves something else there."""
AROUND = 2.0
WIDER = 0.03
"""Pixels around a text that belong to it, and such a share of its width on both sides."""


def difference(expected, actual, boxes, pixels=PIXELS) -> str:
    """What is wrong with a picture; empty if nothing is."""
    one, two = (matplotlib.image.imread(path)[..., :3] for path in (expected, actual))
    if np.abs(np.subtract(one.shape, two.shape)).max() > 1:
        return f"{one.shape} became {two.shape}"
    # Halves of a pixel are not rounded alike everywhere.
    rows, columns = np.minimum(one.shape, two.shape)[:2]
    one, two = one[:rows, :columns], two[:rows, :columns]
    away = np.ones(one.shape[:2], bool)
    for x0, y0, x1, y1 in boxes:
        rows = slice(max(int(y0 - AROUND), 0), int(y1 + AROUND) + 1)
        aside = AROUND + WIDER * (x1 - x0)
        columns = slice(max(int(x0 - aside), 0), int(x1 + aside) + 1)
        away[rows, columns] = False
        if one[rows, columns].size == 0:
            continue
        inks = [float((1.0 - each[rows, columns]).mean()) for each in (one, two)]
        if abs(inks[0] - inks[1]) > 0.35 * max(inks) + 0.005:
            return f"the text at {x0:.0f}, {y0:.0f} is not as it was"
    differ = (np.abs(one - two).max(axis=2) > LIGHTER) & away
    return f"{differ.sum()} pixels differ" if differ.sum() > pixels else ""


@pytest.mark.parametrize("name", PICTURES)
def test_it_looks_as_it_did(name, tmp_path) -> None:
    actual = tmp_path / f"{name}.png"
    boxes = draw(name, actual)
    another = not matplotlib.__version__.startswith("3.11.")
    pixels = LAID_OUT_BY_TEXT.get(name, PIXELS) if another else PIXELS
    found = difference(BASELINES / f"{name}.png", actual, boxes, pixels)
    assert not found, f"{found}: look at {actual}, and draw it anew with tests/charts/pictures.py"


def test_every_picture_is_of_a_chart() -> None:
    assert {path.stem for path in BASELINES.glob("*.png")} == set(PICTURES)


def without_a_line(drawn: Drawn) -> None:
    """Remove the line of least ink: the dashed one of a mark."""
    lines = [line for axes in figure_of(drawn).axes for line in axes.lines]
    min(lines, key=lambda line: (len(line.get_xdata()), line.get_linewidth())).remove()


def without_a_text(drawn: Drawn) -> None:
    next(text for axes in figure_of(drawn).axes for text in axes.texts).remove()


def in_another_colour(drawn: Drawn) -> None:
    figure_of(drawn).axes[0].lines[0].set_color("#2ca02c")


@pytest.mark.parametrize("name", ["delivered", "converging", "time-to-accept"])
def test_what_is_missing_is_noticed(name, tmp_path) -> None:
    drawn = PICTURES[name]()
    before, boxes = tmp_path / "drawn.png", put(drawn, tmp_path / "drawn.png")
    # Each from the picture that the one before has left.
    for change in (without_a_line, in_another_colour, without_a_text):
        change(drawn)
        after = tmp_path / f"{change.__name__}.png"
        now = put(drawn, after)
        assert difference(before, after, boxes), change.__name__
        before, boxes = after, now
