"""The report in a browser: the slider, keys, touch, widths, paper; and nothing leaves the page."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import sendcap
from sendcap.readings.dashboard import EARLY_OPENS
from sendcap.report.flow import LAYOUTS, bands, texts, unpacked
from sendcap.report.moments import JUMPS_S, dashboards, steps_s

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install 'sendcap[browser]'"
)
pytestmark = pytest.mark.browser

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = (1280, 900), (375, 812)
TEXT_KPIS = ("delivered_pct", "bounces_errors_pct", "open_rate_pct", "click_through_pct")
STEPS = steps_s()


class Visit:
    """A page that is open, and what it did that it should not."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())

    def go(self, step: int) -> None:
        self.page.evaluate(
            """step => { const slider = document.getElementById("time"); slider.value = step;
            slider.dispatchEvent(new Event("input", { bubbles: true })); }""",
            step,
        )

    @property
    def step(self) -> int:
        return int(self.page.input_value("#time"))

    def figures(self, mode: str, run: int = 0) -> dict[str, str]:
        board = f'.run[data-run="{run}"] .board[data-name="{mode}"]'
        return dict(
            self.page.eval_on_selector_all(
                f"{board} [data-kpi]", "all => all.map(it => [it.dataset.kpi, it.textContent])"
            )
        )


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Any]:
    with playwright.sync_playwright() as driver:

        def opened(width: int, height: int, **options: Any) -> Any:
            return driver.chromium.launch_persistent_context(
                tmp_path_factory.mktemp("profile"),
                executable_path=CHROMIUM,
                args=list(FLAGS),
                viewport={"width": width, "height": height},
                offline=True,
                **options,
            )

        contexts = {
            DESKTOP: opened(*DESKTOP),
            PHONE: opened(*PHONE, has_touch=True, is_mobile=True, device_scale_factor=2),
        }
        yield contexts
        for context in contexts.values():
            context.close()


@pytest.fixture
def visit(browser, page) -> Iterator[Visit]:
    visitor = Visit(browser[DESKTOP].new_page(), page)
    yield visitor
    visitor.page.close()
    assert visitor.complaints == []
    assert visitor.requests == [page.as_uri()]


@pytest.fixture
def phone(browser, page) -> Iterator[Visit]:
    visitor = Visit(browser[PHONE].new_page(), page)
    yield visitor
    visitor.page.close()
    assert visitor.complaints == []
    assert visitor.requests == [page.as_uri()]


def shown(value: float) -> str:
    return "–" if value != value else f"{value:.2f} %"


def expected(dashboard: sendcap.Dashboard) -> dict[str, str]:
    counts = {"to_deliver": f"{dashboard.to_deliver:,}", "sent": f"{dashboard.sent:,}"}
    return counts | {name: shown(getattr(dashboard, name)) for name in TEXT_KPIS}


@pytest.mark.parametrize("step", [0, 1, 9, 25, 60, 77, 130, 200, 260, len(STEPS) - 1])
def test_the_slider_moves_the_tiles_to_the_figures_of_the_dashboard(visit, run, step) -> None:
    visit.go(step)
    for mode in ("without-efs", "efs"):
        assert visit.figures(mode) == expected(run.dashboard(STEPS[step], mode))


def test_with_compute_stats_they_are_those_of_kpis_csv(visit, run, tmp_path) -> None:
    run.save(tmp_path / "run")
    with (tmp_path / "run" / "kpis.csv").open(newline="") as file:
        rows = {
            (row["mode"], row["delivery"], float(row["time_s"])): row
            for row in csv.DictReader(file)
        }
    visit.page.check("#compute")
    for step in (1, 13, 59, 66, 150, 300):
        visit.go(step)
        for mode in ("without-efs", "efs"):
            row = rows[mode, "*", min(STEPS[step], run.ledger.end_s)]
            assert visit.figures(mode) == {
                "to_deliver": f"{int(row['to_deliver']):,}",
                "sent": f"{int(row['sent']):,}",
                **{name: shown(float(row[name] or "nan")) for name in TEXT_KPIS},
            }


def test_it_says_of_when_the_figures_are_and_why_a_rate_is_above_100_percent(
    browser, page, slow, tmp_path
) -> None:
    # The charts of the page do not matter.
    data = re.search(r'(?<=id="data">).*?(?=</script>)', text := page.read_text())
    figures = json.loads(data[0]) | {"runs": [dashboards(slow, ["without-efs", "efs"], STEPS)]}
    (tmp_path / "a.html").write_text(text.replace(data[0], json.dumps(figures)))
    visit = Visit(browser[DESKTOP].new_page(), tmp_path / "a.html")

    def as_of() -> str:
        return visit.page.text_content("[data-asof]")

    visit.go(61)
    assert slow.dashboard(STEPS[61], "efs").open_rate_pct > 100.0
    refreshed = "Figures as last refreshed: after 56 minutes; opens and clicks after 49 minutes. "
    assert as_of() == refreshed + EARLY_OPENS
    visit.page.check("#compute")
    assert as_of() == f"Figures as of the last count, after 1 hour 3 minutes. {EARLY_OPENS}"
    visit.go(len(STEPS) - 1)
    assert as_of() == "Figures as of this moment."
    visit.page.close()


def test_the_truth_below_is_that_of_the_ledger(visit, run) -> None:
    for step in (20, 90, len(STEPS) - 1):
        visit.go(step)
        edge = int(run.ledger.last_edges(STEPS[step]))
        accepted, returned = (
            int(run.ledger.cumulative(event, clock="happened")[edge])
            for event in ("accepted", "async_bounced")
        )
        assert visit.page.text_content("[data-truth=delivered]") == f"{accepted - returned:,}"
        widths = visit.page.eval_on_selector_all(
            ".bar span", "all => all.map(it => it.style.width)"
        )
        assert sum(float(width.removesuffix("%")) for width in widths) == pytest.approx(100.0)
    end = run.ledger.total("accepted") - run.ledger.total("async_bounced")
    assert visit.page.text_content("[data-end]") == shown(100 * end / run.ledger.messages())


def test_each_delivery_can_be_looked_at(visit, run) -> None:
    visit.page.select_option("#delivery0", "2")
    visit.go(140)
    reading = run.dashboard(STEPS[140], "efs", "reminder")
    assert visit.figures("efs") == expected(reading)


def test_it_is_moved_by_keys_and_says_where_it_is(visit) -> None:
    visit.go(60)
    visit.page.focus("#time")
    before = visit.step
    visit.page.keyboard.press("ArrowRight")
    assert visit.step == before + 1
    text = "1 hour 5 minutes (07:05, Fri 27 Nov)"
    assert visit.page.text_content("#moment") == text
    assert visit.page.get_attribute("#time", "aria-valuetext") == f"{text} after the start"
    visit.page.keyboard.press("End")
    assert visit.step == len(STEPS) - 1
    visit.page.keyboard.press("PageDown")
    assert visit.step < len(STEPS) - 1
    visit.page.keyboard.press("Home")
    assert visit.step == 0


def test_a_screen_reader_is_told_where_it_stops_and_not_each_step(visit, run) -> None:
    live = visit.page.locator("#live")
    assert live.get_attribute("aria-live") == "polite"
    visit.go(60)
    visit.page.focus("#time")
    for _ in range(3):
        visit.page.keyboard.press("ArrowRight")
    assert "1 hour 15 minutes" not in live.text_content()
    efs = run.dashboard(STEPS[63], "efs")
    told = "After 1 hour 15 minutes. without EFS: Delivered .* %, .* with EFS: Delivered "
    playwright.expect(live).to_have_text(re.compile(told + re.escape(shown(efs.delivered_pct))))
    # What the tiles show is read out nowhere else, so nothing is said twice.
    assert visit.page.locator("[aria-live]").count() == 1


def test_it_is_dragged_by_mouse(visit) -> None:
    visit.page.locator("#time").scroll_into_view_if_needed()
    box = visit.page.locator("#time").bounding_box()
    middle = box["y"] + box["height"] / 2
    start = box["x"] + box["width"] * visit.step / (len(STEPS) - 1)
    visit.page.mouse.move(start, middle)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.8 * box["width"], middle, steps=5)
    visit.page.mouse.up()
    assert visit.step == pytest.approx(0.8 * len(STEPS), abs=6)
    assert visit.page.text_content("#moment").startswith(("3 days", "4 days"))


def test_it_is_moved_by_touch(phone) -> None:
    phone.page.locator("#time").scroll_into_view_if_needed()
    box = phone.page.locator("#time").bounding_box()
    phone.page.touchscreen.tap(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    assert phone.step == pytest.approx(0.5 * len(STEPS), abs=15)
    phone.page.locator(".jumps button").nth(3).tap()
    assert STEPS[phone.step] == JUMPS_S[3]
    assert phone.page.get_attribute(".jumps button >> nth=3", "aria-pressed") == "true"


@pytest.mark.parametrize("which", ["visit", "phone"])
def test_nothing_is_wider_than_the_screen_and_no_text_is_cut_off(which, request) -> None:
    page = request.getfixturevalue(which).page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # What may be scrolled sideways is told to the reader, and can be by keyboard.
    cut = page.evaluate(
        """() => Array.from(document.querySelectorAll("h1, h2, h3, h4, p, dt, dd, dd *, label, "
          + "button, figcaption, output, li, summary"))
          .filter(it => !it.closest("svg, .table, pre, .unseen") && it.offsetParent !== null)
          .filter(it => it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 0
            || it.getBoundingClientRect().right > innerWidth + 1)
          .map(it => it.outerHTML.slice(0, 80))"""
    )
    assert cut == []
    for place in page.query_selector_all(".table"):
        assert place.get_attribute("tabindex") == "0"
        assert place.get_attribute("aria-label")


def test_what_can_be_scrolled_sideways_has_a_hint_before_it_and_nothing_else(visit, phone) -> None:
    hinted = """() => Array.from(document.querySelectorAll(".table, pre.scenario"))
      .filter(box => box.offsetHeight > 0).map(box => [
      box.scrollWidth > box.clientWidth + 1, box.previousElementSibling.offsetHeight > 0])"""
    for page in (visit.page, phone.page):
        page.evaluate("document.fonts.ready")
        # Whatever the width: a desktop's window may be narrow, and a programme's table wide.
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
        page.wait_for_timeout(100)
        boxes = page.evaluate(hinted)
        assert all(wide == hint for wide, hint in boxes)
    assert {wide for wide, _ in boxes} == {True, False}
    assert visit.page.is_visible(".keys")
    assert not phone.page.is_visible(".keys")


@pytest.mark.parametrize("which", ["visit", "phone"])
def test_each_chart_is_shown_once_with_letters_that_can_be_read(which, request) -> None:
    page = request.getfixturevalue(which).page
    figures, smallest_px, widest_px = page.evaluate(
        """() => { const figures = Array.from(document.querySelectorAll("figure"));
        const shown = figures.map(figure => Array.from(figure.querySelectorAll("svg"))
          .filter(svg => svg.getBoundingClientRect().width > 0));
        const sizes = shown.flat().flatMap(svg => Array.from(svg.querySelectorAll("text"))
          .map(text => parseFloat(getComputedStyle(text).fontSize) * svg.getScreenCTM().a));
        const right = figures.map(figure => figure.scrollWidth);
        return [shown.map(some => some.length), Math.min(...sizes), Math.max(...right)]; }"""
    )
    assert set(figures) == {1}
    assert smallest_px > 8.5
    assert widest_px <= page.viewport_size["width"]


def test_the_distance_from_the_end_is_not_that_of_rounded_figures(visit, run) -> None:
    figures = run.readings.figures("efs", "*", run.scenario.reporting.denominator)
    visit.page.check("#compute")
    for step in range(30, 200, 10):
        visit.go(step)
        edge = int(run.ledger.last_edges(STEPS[step]))
        off = figures.delivered_pct[edge] - figures.delivered_pct[-1]
        text = visit.page.text_content('.board[data-name="efs"] [data-error]')
        assert f"{abs(off):.2f} points" in text or abs(off) < 0.006


@pytest.mark.parametrize("which", ["visit", "phone"])
def test_no_tile_lies_on_another(which, request) -> None:
    page = request.getfixturevalue(which).page
    boxes = page.eval_on_selector_all(
        ".tiles dt, .tiles strong, .tiles span, .facts dt, .facts strong, .facts span, .board h4, "
        ".jumps button, .moment label, output, .truth dt, .truth strong, .truth dd span",
        """all => all.map(it => [it.getBoundingClientRect(), it.textContent])
        .filter(([box]) => box.width > 0)
        .map(([box, text]) => [box.left, box.top, box.right, box.bottom, text])""",
    )
    assert len(boxes) > 40
    for number, (left, top, right, bottom, text) in enumerate(boxes):
        for other_left, other_top, other_right, other_bottom, other in boxes[number + 1 :]:
            across = min(right, other_right) - max(left, other_left)
            down = min(bottom, other_bottom) - max(top, other_top)
            assert across <= 1.0 or down <= 1.0, (text, other)


def test_the_charts_letters_are_as_wide_as_they_were_drawn(visit) -> None:
    visit.page.evaluate("document.fonts.ready")
    assert visit.page.evaluate("document.fonts.check('bold 12px \"DejaVu Sans\"')")
    loaded = visit.page.evaluate("Array.from(document.fonts).map(it => it.status)")
    assert loaded == ["loaded", "loaded"]
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    text, width, size = visit.page.evaluate(
        """() => { const any = document.querySelector("#run0-delivered-title ~ .chart text");
        const all = Array.from(any.closest("svg").querySelectorAll("text"));
        const long = all.reduce((a, b) => a.textContent.length > b.textContent.length ? a : b);
        const size = parseFloat(getComputedStyle(long).fontSize);
        return [long.textContent, long.getComputedTextLength(), size]; }"""
    )
    drawn = TextPath((0, 0), text, size=size, prop=FontProperties("DejaVu Sans")).get_extents()
    assert len(text) > 20
    assert width == pytest.approx(drawn.width, rel=0.03)


def test_it_is_ready_within_a_second(visit) -> None:
    took_ms = []
    for _ in range(3):
        visit.page.reload()
        took_ms.append(
            visit.page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
        )
    visit.requests[:] = visit.requests[:1]
    assert min(took_ms) < 1000


def test_it_prints_to_a_few_pages_with_the_scenario(visit, tmp_path) -> None:
    visit.page.pdf(path=tmp_path / "a.pdf", prefer_css_page_size=True)
    content = (tmp_path / "a.pdf").read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    assert 6 <= pages <= 20
    visit.page.emulate_media(media="print")
    assert not visit.page.is_visible("#time")
    assert visit.page.is_visible(".readings")
    assert visit.page.evaluate("document.querySelector('details').open")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_another_script_does_not_run_and_the_rest_can_be_read(browser, page, run, tmp_path) -> None:
    changed = tmp_path / "changed.html"
    changed.write_text(page.read_text().replace('"use strict";', '"use strict"; window.x = 1;', 1))
    other = browser[DESKTOP].new_page()
    other.goto(changed.as_uri())
    assert other.evaluate("window.x") is None
    assert other.is_visible(".readings")
    assert f"{run.dashboard('1h', 'efs').delivered_pct:.2f} %" in other.text_content(".readings")
    other.close()


def test_several_runs_move_together(browser, run, other, tmp_path) -> None:
    path = sendcap.write_report({"one": run, "two": other}, tmp_path / "a.html")
    visitor = Visit(browser[DESKTOP].new_page(), path)
    visitor.go(100)
    for number, which in enumerate((run, other)):
        for mode in ("without-efs", "efs"):
            assert visitor.figures(mode, number) == expected(which.dashboard(STEPS[100], mode))
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.page.close()
    assert visitor.complaints == []


# --- The picture of the flow ----------------------------------------------------------------------


def drawn_in(page: Any, layout: str) -> dict[str, str]:
    return dict(
        page.eval_on_selector_all(
            f".flow svg[data-layout={layout}] [data-flow]",
            "all => all.map(it => [it.tagName + ' ' + it.dataset.flow, "
            "it.getAttribute('d') ?? it.textContent])",
        )
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_script_draws_the_flow_as_python_does(visit, run, layout) -> None:
    figures = dashboards(run, ["without-efs", "efs"], STEPS, run.scenario.title)
    for place, each in enumerate(figures["flow"]["deliveries"]):
        visit.page.select_option("#delivery0", str(place))
        for step in (0, 7, 61, 95, 200, len(STEPS) - 1):
            visit.go(step)
            row, all_of_it = figures["now"][step], unpacked(each)
            drawn = drawn_in(visit.page, layout)
            for key, path in bands(LAYOUTS[layout], each["shapes"][layout], all_of_it, row).items():
                assert drawn[f"path {key}"] == path, (place, step, key)
            told = texts(all_of_it, row) | {"name": each["name"][layout]}
            told["moment"] = visit.page.text_content("#moment")
            shown = {key.split()[1]: text for key, text in drawn.items() if key[:5] == "tspan"}
            assert shown == {key: told[key] for key in shown}


def test_it_plays_from_the_start_to_the_end_in_some_twenty_seconds(visit) -> None:
    play, page = visit.page.locator("#play"), visit.page
    visit.go(0)
    play.focus()
    page.keyboard.press("Enter")
    while visit.step < 40:
        page.wait_for_timeout(50)
    began = page.evaluate("[Number(document.getElementById('time').value), performance.now()]")
    assert play.text_content() == "Pause"
    page.wait_for_timeout(1500)
    until = page.evaluate("[Number(document.getElementById('time').value), performance.now()]")
    steps_per_s = 1000 * (until[0] - began[0]) / (until[1] - began[1])
    assert steps_per_s == pytest.approx((len(STEPS) - 1) / 20, rel=0.25)
    # A touch of the slider takes over.
    visit.go(visit.step)
    assert play.text_content() == "Play"
    stopped = visit.step
    page.wait_for_timeout(300)
    assert visit.step == stopped
    visit.go(len(STEPS) - 8)
    play.click()
    playwright.expect(play).to_have_text("Play")
    assert visit.step == len(STEPS) - 1
    play.click()
    page.wait_for_timeout(200)
    assert visit.step < 40
    page.keyboard.press("Space")
    assert play.text_content() == "Play"


def test_whoever_wants_no_motion_sees_a_few_moments(visit) -> None:
    visit.page.emulate_media(reduced_motion="reduce")
    visit.go(0)
    visit.page.click("#play")
    assert STEPS[visit.step] == JUMPS_S[0]
    visit.page.wait_for_timeout(1000)
    assert STEPS[visit.step] == JUMPS_S[0]
    visit.page.wait_for_timeout(1500)
    assert STEPS[visit.step] == JUMPS_S[1]
    visit.page.click("#play")
    visit.page.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize(("which", "layout"), [("visit", "wide"), ("phone", "narrow")])
def test_a_picture_of_the_moment_can_be_saved(which, layout, request) -> None:
    visit = request.getfixturevalue(which)
    visit.go(61)
    with visit.page.expect_download() as download:
        visit.page.click("[data-save]")
    assert download.value.suggested_filename == "flow-after-1-hour-5-minutes.svg"
    root = ElementTree.parse(download.value.path()).getroot()
    # It is a picture by itself: its style is its own.
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib.keys() >= {"width", "height", "font-family"}
    assert not any("class" in element.attrib for element in root.iter())
    elements = {element.get("data-flow"): element for element in root.iter()}
    assert root.get("data-layout") == layout
    assert elements["moment"].text.startswith("1 hour 5 minutes (")
    counts = [elements[place].text for place in ("not_relayed", "waiting", "accepted", "failed")]
    assert sum(int(count.replace(",", "")) for count in counts) <= 23_000
