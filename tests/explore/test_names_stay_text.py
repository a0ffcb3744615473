"""Names of a scenario are its author's: on the page they are text, never markup."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure

from sendcap.charts.narrow import Named, name_below
from sendcap.explore.answer import Answer, Look, Picture, answer, chart
from sendcap.explore.layout import Controls, answered, document, page, pictured
from sendcap.explore.sliders import Slider
from sendcap.scenario import loads

HOSTILE = '<b>x & "y"'
SAFE = "&lt;b&gt;x &amp; &quot;y&quot;"
NAMED = """
relay.batch_time = "1s"
providers.'<b>x' = { connect_time = "0s", transaction_time = "1s", transient = 0.1 }
[[deliveries]]
name = "<b>first"
messages = 2000
audience = { '<b>x' = 1.0 }
[[deliveries]]
name = "<b>second"
messages = 2000
audience = { '<b>x' = 1.0 }
"""


def is_text(html: str) -> None:
    assert html.count(SAFE) == 1
    assert "<b>" not in html
    assert '"y"' not in html


@pytest.mark.parametrize(
    ("parts", "part"),
    [
        ({"facts": {HOSTILE: "1"}}, "tiles"),
        ({"facts": {"label": HOSTILE}}, "tiles"),
        ({"deliveries": {HOSTILE: {"label": "1"}}}, "words"),
        ({"deliveries": {"d": {HOSTILE: "1"}}}, "words"),
        ({"deliveries": {"d": {"label": HOSTILE}}}, "words"),
        ({"sentences": [HOSTILE]}, "words"),
        ({"notes": [HOSTILE]}, "words"),
        ({"problem": HOSTILE}, "problem"),
        ({"problem": HOSTILE, "only_simulated": True}, "simulate"),
    ],
)
def test_every_part_of_an_answer(parts: dict[str, Any], part: str) -> None:
    found = Answer(**parts)
    is_text(answered(found, found)[part])
    if part not in ("simulate", "problem"):
        is_text(page("title", Controls([], "", ""), found, found, ""))


@pytest.mark.parametrize("simulated", [False, True])
def test_what_a_number_is_compared_with(simulated: bool) -> None:
    before = Answer(facts={"label": HOSTILE})
    parts = answered(Answer(facts={"label": "1"}), before, simulated=simulated)
    is_text(parts["tiles"])


def test_the_bounds_and_the_reason_for_a_simulation() -> None:
    is_text(pictured(Picture(bounds=[HOSTILE]))["bounds"])
    is_text(pictured(Picture(problem=HOSTILE))["simulate"])


@pytest.mark.parametrize(
    ("title", "named"),
    [(HOSTILE, Named("red", "a")), ("a", Named("red", HOSTILE)), ("a", Named("red", "a", HOSTILE))],
)
def test_the_legends_of_a_narrow_chart(title: str, named: Named, monkeypatch) -> None:
    def drawn(*_: object) -> Figure:
        name_below(title, [named])
        return Figure(figsize=(1.0, 1.0))

    monkeypatch.setattr("sendcap.explore.answer.delivered", drawn)
    is_text(chart(None, None, Look(narrow=True)))


def test_a_colour_of_a_legend(monkeypatch) -> None:
    def drawn(*_: object) -> Figure:
        name_below("a", [Named(HOSTILE, "a")])
        return Figure(figsize=(1.0, 1.0))

    monkeypatch.setattr("sendcap.explore.answer.delivered", drawn)
    is_text(chart(None, None, Look(narrow=True)))


def test_the_controls() -> None:
    scenario = loads(NAMED).model_copy(update={"title": HOSTILE})
    slider = Slider(HOSTILE, HOSTILE, (1.0, 2.0), 1.0, lambda *_: {})
    html = document(scenario, [slider])
    controls, _, data = html.partition('<script type="application/json"')
    assert controls.count(SAFE) == 7  # key three times; label, and title of page and window, twice
    assert "<b>" not in controls
    assert controls.count("&lt;b&gt;second") == 2
    assert "<b>" not in data


def test_a_provider_in_the_sentences_and_the_chart() -> None:
    found, run = answer(loads(NAMED), {})
    assert run is not None
    assert any("<b>x" in sentence for sentence in found.sentences)
    html = page("a", Controls([], "", ""), found, found, chart(run, None, Look(narrow=True)))
    assert "&lt;b&gt;x" in html
    assert "<b>" not in html
