from __future__ import annotations

import itertools

import pytest
from in_bytes import as_small_png, as_svg
from matplotlib.figure import Figure
from matplotlib.text import Text
from on_a_figure import on_a_figure

from sendcap.charts.style import house_style
from sendcap.scenario.stages import Stage
from sendcap.study.capacity.charts.answers import levers_chart
from sendcap.study.capacity.searches.levers import Gain, Levers
from sendcap.study.replication.estimates import Estimate

CONNECTIONS = "+10 % connections per IP (at least one more)"

levers_chart = on_a_figure(levers_chart)

RELAY = Stage("relay", "relay", 1.0, 100.0, ())
SLOW = Stage("provider", "a provider with a name that is long.example", 1.0, 100.0, ())


def estimate(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 3)


def found(*gains: Gain) -> Levers:
    return Levers(0.99, estimate(3500.0, 3700.0), SLOW, gains, 0.95, 12)


@pytest.fixture
def levers() -> Levers:
    many = ", ".join(f"provider{n} 10 → 11" for n in range(30))
    return found(
        Gain(CONNECTIONS, many, estimate(300.0, 420.0), 4, RELAY),
        Gain("one more IP", "8 → 9", estimate(110.0, 130.0), None, None),
        Gain("+10 % relay rate", "100/s → 110/s", estimate(-20.0, 90.0), 3, SLOW),
        Gain("one more relay worker", "1 → 2", estimate(-0.5, 0.25), 0, None),
        Gain("+10 % ingress rate", "30/s → 33/s", estimate(-40.0, -20.0), 0, None),
    )


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_a_bar_for_each_lever_what_gains_most_on_top(levers) -> None:
    figure = levers_chart(levers, "A title")
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert [name.replace("\n", " ") for name in names] == [
        gain.lever for gain in reversed(levers.gains)
    ]
    widths = [patch.get_width() for patch in axes.patches]
    assert widths == pytest.approx([0.0, 0.0, 35.0, 120.0, 360.0])
    assert figure.texts[0].get_text() == "A title: what to buy first"
    assert "95 % confidence" in figure.texts[1].get_text()


def test_intervals_lie_on_the_axis(levers) -> None:
    (axes,) = levers_chart(levers).axes
    ends = [x for line in axes.collections for x in line.get_paths()[0].vertices[:, 0]]
    assert min(ends) == 0.0
    assert max(ends) == 420.0 < axes.get_xlim()[1]


def test_what_is_told_beside_a_bar_is_only_what_is_known(levers) -> None:
    told = texts(levers_chart(levers))
    for text in (
        "6m (10.0 %)",
        "2m (3.3 %)",
        "nothing that is certain, at most 1m 30s",
        "nothing",
        "up to 4 of them, then the relay holds up",
        "however many, the bottleneck stays where it is",
        "costs 30s",
        "8 → 9",
    ):
        assert told.count(text) == 1


def test_labels_neither_overlap_nor_leave_the_figure(levers) -> None:
    figure = levers_chart(levers, "A title " + "that goes on " * 20)
    with house_style():
        figure.draw_without_rendering()
        (axes,) = figure.axes
        boxes = sorted(map(Text.get_window_extent, axes.texts), key=lambda box: box.y0)
        for lower, upper in itertools.pairwise(boxes):
            assert lower.y1 <= upper.y0 + 1.0
        boxes += map(Text.get_window_extent, [*figure.texts, *axes.get_yticklabels()])
        assert all(box.x0 >= 0.0 and box.x1 <= figure.bbox.x1 for box in boxes)
        assert all(box.y0 >= 0.0 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_the_same_levers_give_the_same_bytes(levers) -> None:
    one, two = (as_svg(levers_chart.__wrapped__(levers, "odd: $ and 100 % 中")) for _ in range(2))
    assert one == two


def test_levers_that_gain_nothing_can_be_drawn() -> None:
    nothing = Gain("one more IP", "1 → 2", estimate(0.0, 0.0), 0, None)
    assert as_small_png(levers_chart(found(nothing)))


def test_it_can_be_drawn_on_axes_of_ones_own(levers) -> None:
    figure = Figure()
    assert levers_chart(levers, ax=figure.subplots()) is figure
