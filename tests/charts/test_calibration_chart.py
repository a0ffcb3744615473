from __future__ import annotations

import pytest
from in_bytes import as_svg
from on_a_figure import on_a_figure

from sendcap.calibration import charts
from sendcap.calibration.calibrate import calibrate
from sendcap.calibration.verification import verify

calibration_chart = on_a_figure(charts.calibration_chart)
verification_chart = on_a_figure(charts.verification_chart)
LINE = (
    "2026-11-26T{:02d}:{:02d}:{:02d}.5+00:00 mx1 postfix/smtp[7]: 4Xab{}: to=<ann@gmail.com>, "
    "relay=gmail-smtp-in.l.google.com[192.0.2.1]:25, delay={}, delays={}/0/0.3/0.{}{}, "
    "dsn={}, status={} (x 450 {} mailbox full)"
)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A log in which every fifth message or so is deferred, some for good."""
    lines = []
    for n in range(200):
        clock = (9, n // 60, n % 60)
        if n % 5:
            lines.append(LINE.format(*clock, n, 1, 0.1, n % 9 + 1, n % 7, "2.0.0", "sent", "2.0.0"))
            continue
        for tried in range(n // 10 % 4 + 1):
            last = tried == n // 10 % 4 and n % 3
            dsn, status = ("2.0.0", "sent") if last else ("4.2.2", "deferred")
            age = 1200 * (2**tried - 1)
            when = 9 * 3600 + n + age
            clock = (when // 3600, when // 60 % 60, when % 60)
            lines.append(LINE.format(*clock, n, age + 1, age, 3, n % 7, dsn, status, dsn))
    path = tmp_path_factory.mktemp("log") / "mail.log"
    path.write_text("\n".join(lines))
    return calibrate([path])


def texts(figure) -> str:
    words = [text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text"))]
    return "\n".join(words)


def test_the_chart_has_data_and_model_of_each_quantity(found) -> None:
    figure = calibration_chart(found)
    told = texts(figure)
    for words in ("gmail", "time to connect", "mailbox full, 17 %", "gaps between attempts"):
        assert words in told
    lines = [line for panel in figure.axes for line in panel.lines]
    assert len(lines) >= 5
    assert "explains" in told


def test_nothing_is_cut_off(found) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = calibration_chart(found)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = figure.bbox.width, figure.bbox.height
    for text in figure.findobj(
        lambda each: hasattr(each, "get_window_extent") and hasattr(each, "get_text")
    ):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert box.x0 >= -1, text.get_text()
            assert box.x1 <= width + 1, text.get_text()
            assert box.y0 >= -1, text.get_text()
            assert box.y1 <= height + 1, text.get_text()


def test_the_same_calibration_gives_the_same_bytes(found) -> None:
    one, two = (as_svg(calibration_chart.__wrapped__(found)) for _ in range(2))
    assert one == two


def test_the_self_check_shows_log_and_simulation(found) -> None:
    figure = verification_chart(verify(found))
    panel = next(panel for panel in figure.axes if panel.get_title(loc="left") == "gmail")
    assert len(panel.lines) == 2


def test_they_are_drawn_on_axes_that_are_given_and_on_nothing_else(found) -> None:
    from matplotlib.figure import Figure

    for chart, drawn in (
        (charts.calibration_chart, found),
        (charts.verification_chart, verify(found)),
    ):
        figure = Figure(figsize=(9, 8))
        left, right = figure.subplots(1, 2)
        panels = chart(drawn, left)
        box = left.get_window_extent()
        for panel in panels:
            extent = panel.get_window_extent()
            assert box.x0 - 1 <= extent.x0 < extent.x1 <= box.x1 + 1
            assert box.y0 - 1 <= extent.y0 < extent.y1 <= box.y1 + 1
        assert not right.lines
        assert not right.child_axes
        assert figure.get_suptitle() == ""
