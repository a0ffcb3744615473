"""Results as notebooks and prompts show them, and the bar while they wait."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

import sendcap
from sendcap.text import notebook_bar
from sendcap.text.displayed import html_of
from sendcap.text.tables import Table


@pytest.fixture(scope="module")
def scenario() -> sendcap.Scenario:
    preset = sendcap.load("quickstart")
    return preset.with_({"deliveries[0].messages": 3000}, title="<b>A & B</b>")


@pytest.fixture(scope="module")
def run(scenario) -> sendcap.Run:
    return sendcap.simulate(scenario)


UNTITLED = ("Dashboard(", "DynamicReport(", "Truth(", "Levers(")


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data + "\n"


def results(scenario, run) -> Iterator[object]:
    yield scenario
    yield run
    yield run.dashboard("1h")
    yield run.dynamic_report("2d")
    yield run.truth("1h")
    yield sendcap.limits(run)
    yield sendcap.calendar(scenario)
    yield sendcap.expected(scenario)
    yield sendcap.replicate(scenario, 3, workers=1)
    yield sendcap.converge(scenario, 2, workers=1)
    yield sendcap.compare(scenario, scenario.with_({"mta.ips": 4}), 2, workers=1)
    yield sendcap.levers(scenario, replications=2, workers=1)


def test_each_result_has_a_short_line_and_a_page_with_its_tables(scenario, run) -> None:
    for result in results(scenario, run):
        line = repr(result)
        assert line.startswith(f"{type(result).__name__}(")
        # Those of a moment, and levers, do not know the scenario.
        assert line.startswith(UNTITLED) or "'<b>A & B</b>'" in line
        assert len(line) < 160
        assert "\n" not in line
        assert str(result) == line
        page = Page(result._repr_html_())
        assert "<b>A & B</b>" not in result._repr_html_()
        assert "table" in page.tags or isinstance(result, sendcap.Expected)


def test_the_lines_say_what_it_is(scenario, run) -> None:
    size = "3,000 messages, 1 delivery, 5 providers, seed 1"
    assert repr(scenario) == f"Scenario('<b>A & B</b>', {size})"
    assert repr(run) == f"Run('<b>A & B</b>', {size})"
    shown = run.dashboard("1h", "efs")
    assert repr(shown) == (
        f"Dashboard(with EFS, at 1h: Delivered {shown.delivered_pct:.2f} %, Bounces + errors "
        f"{shown.bounces_errors_pct:.2f} %)"
    )
    assert repr(sendcap.limits(run)) == "Limits('<b>A & B</b>', held up by gmail)"


def test_a_run_shows_its_sentences_and_the_dashboard_beside_the_truth(run) -> None:
    page = Page(run._repr_html_())
    for sentence in run.sentences():
        assert sentence in page.text
    assert "<b>A & B</b>" in page.text
    for text in ("The dashboard, and the truth", "Relay done, ", "the truth", "gmail", "99 %"):
        assert text in page.text


def test_a_dashboard_shows_each_figure(run) -> None:
    shown = run.dashboard("1h", "efs")
    text = Page(shown._repr_html_()).text
    for figure in (f"{shown.sent:,}", f"{shown.failed:,}", f"{shown.delivered_pct:.2f}"):
        assert f"\n{figure}\n" in text
    assert "Bounces + errors %" in text


def test_a_very_long_table_ends_with_how_many_rows_are_left_out() -> None:
    table = Table("Rows", ["", "number"], [["row", f"{number}"] for number in range(1000)])
    text = Page(html_of(table)).text
    assert text.count("row\n") == 30
    assert "970 more rows." in text


def test_limits_of_a_run_are_those_of_its_ledger(run) -> None:
    found = sendcap.limits(run)
    assert found.first_attempts_only
    assert found.run is run
    assert not sendcap.limits(run, seed=5).first_attempts_only
    assert sendcap.limits(run, seed=5).scenario.seed == 5


def test_with_takes_paths_and_keys_at_the_top(scenario) -> None:
    changed = scenario.with_({"mta.ips": 3}, seed=9)
    assert (changed.mta.ips, changed.seed, changed.title) == (3, 9, scenario.title)
    assert changed == sendcap.updated(scenario, {"mta.ips": 3, "seed": 9})
    assert scenario.with_() == scenario
    with pytest.raises(sendcap.ScenarioError, match="sed: unknown"):
        scenario.with_(sed=9)


class Display:
    """Stands for IPython.display."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    def HTML(self, text: str) -> str:  # noqa: N802
        return text

    def display(self, page: str, *, display_id: bool) -> SimpleNamespace:
        assert display_id
        self.pages.append(page)
        return SimpleNamespace(update=self.pages.append)


@pytest.fixture
def notebook(monkeypatch) -> Display:
    """Be in a notebook whose bars begin at once."""
    display = Display()
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(notebook_bar, "_QUICK_S", -1.0)
    monkeypatch.setattr(notebook_bar, "_REDRAW_S", -1.0)
    return display


def test_a_notebook_shows_a_bar_that_is_gone_in_the_end(notebook, scenario) -> None:
    sendcap.simulate(scenario)
    *bars, last = notebook.pages
    assert last == ""
    assert all(page.startswith("<progress value='") for page in bars)
    assert bars[-1].endswith("3,000 messages final")


def test_studies_count_their_simulations_or_runs(notebook, scenario) -> None:
    sendcap.replicate(scenario, 3, workers=2)
    assert "<progress></progress> 3 simulations" in notebook.pages
    sendcap.sweep(scenario, {"mta.ips": [1, 2]}, workers=2)
    assert "<progress value='1.000'></progress> 2 of 2 runs" in notebook.pages
    assert notebook.pages[-1] == ""


def test_who_follows_the_progress_sees_no_bar(notebook, scenario) -> None:
    seen: list[object] = []
    sendcap.simulate(scenario, progress=seen.append)
    assert seen
    assert notebook.pages == []


def test_a_terminal_with_ipython_shows_no_bar(notebook, monkeypatch, scenario) -> None:
    terminal = SimpleNamespace(get_ipython=lambda: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", terminal)
    sendcap.simulate(scenario)
    assert notebook.pages == []


def test_a_bar_is_gone_after_an_error_too(notebook) -> None:
    def interrupted() -> None:
        with notebook_bar.notebook_bar(None, lambda done: (None, str(done))) as seen:
            seen(1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert notebook.pages == ["<progress></progress> 1", ""]
