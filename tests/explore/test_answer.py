"""What the page answers is what is expected of the changed scenario."""

from __future__ import annotations

import re
import warnings

import pytest
from matplotlib.figure import Figure

from sendcap import analysis
from sendcap.analysis import expected, expected_counts
from sendcap.errors import SendcapWarning
from sendcap.explore.answer import Look, answer, chart, picture
from sendcap.explore.layout import Controls, answered, page, pictured
from sendcap.fluid import expected as fluid
from sendcap.model.engine import simulate_ledger
from sendcap.readings import remaining
from sendcap.readings.summary import accepted_at_s
from sendcap.run import Run, simulate
from sendcap.scenario import load, loads, updated
from sendcap.text.quantities import elapsed


def test_numbers_and_file_are_those_of_the_changed_scenario():
    scenario = load("quickstart")

    found, run = answer(scenario, {"messages": 0.2, "ips": 4})

    changed = updated(scenario, {"deliveries[0].messages": 200_000, "mta.ips": 4})
    result = Run(changed, expected_counts(changed))
    assert loads(found.scenario) == changed
    accepted_s = accepted_at_s(result.ledger, 99)
    assert found.facts["99 % of all that is ever accepted after"] == elapsed(accepted_s)
    last = result.kpis("efs")["delivered_pct"].iloc[-1]
    assert found.facts["Delivered % in the end"] == f"{last:.2f} %"
    assert any("20 connections" in sentence for sentence in found.sentences)
    assert "200,000 messages to deliver" in chart(run, None)
    assert not found.problem


def test_only_warnings_of_our_own_are_notes(monkeypatch) -> None:
    """The browser that was opened may still run: no matter of the reader."""

    def noisy(scenario):
        warnings.warn("subprocess 17 is still running", ResourceWarning, stacklevel=2)
        warnings.warn("84h is longer than 2h", SendcapWarning, stacklevel=2)
        return expected_counts(scenario)

    monkeypatch.setattr("sendcap.explore.answer.expected_counts", noisy)
    notes = answer(loads(SEVERAL), {})[0].notes
    assert notes[0] == "84h is longer than 2h"
    assert not any("subprocess" in note for note in notes)


def test_only_the_modes_that_are_asked_for_are_drawn():
    _, run = answer(load("quickstart"), {})

    assert "with EFS" in chart(run, ("efs",))
    assert "without EFS" not in chart(run, ("efs",))


def test_what_the_figures_would_leave_out_is_simulated():
    slow = updated(load("quickstart"), {"mta.spool": 1000})

    found, run = answer(slow, {})
    assert run is None
    assert found.only_simulated
    assert answered(found, found)["simulate"].endswith("from a simulation (mta.spool).")


def test_how_far_a_simulation_may_be_from_the_curves_is_said():
    scenario = loads(SEVERAL)
    found, run = answer(scenario, {})
    assert "is being worked out" in answered(found, found)["words"]
    drawn = picture(run, None)
    notes = drawn.bounds
    assert notes == expected(scenario).sentences()
    assert notes[1].startswith("With EFS, Delivered % ends at ")
    assert "points off the course" in notes[1]
    assert notes[1] in pictured(drawn)["bounds"]
    assert pictured(drawn)["chart"] == chart(run, None)


def test_where_runs_differ_too_much_a_simulation_answers():
    relay = {"relay.workers": 1, "relay.batch": 500, "relay.rate": "none"}
    few = {"dist": "exponential", "mean": "30m"}
    scenario = updated(loads(SEVERAL), {**relay, "relay.batch_time": few, "deliveries[1].at": "0s"})
    drawn = picture(answer(scenario, {})[1], None)
    assert drawn.chart == ""
    assert pictured(drawn).keys() == {"simulate"}
    reason = pictured(drawn)["simulate"]
    assert "points off an expected course" in reason
    assert reason.count("(") == 1


def test_values_that_make_no_scenario_are_a_sentence_and_no_failure():
    scenario = updated(loads(SEVERAL), {"mta.retry.max": "30m"})

    found, run = answer(scenario, {"first_retry": 240})

    assert run is None
    assert "max" in found.problem
    text = page("a", Controls([], "", ""), found, answer(scenario, {})[0], "")
    assert found.problem in text.replace("&quot;", '"')


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "a & b <b>"])
def test_a_title_stays_text(hostile):
    scenario = loads(SEVERAL).model_copy(update={"title": hostile})

    found, run = answer(scenario, {})

    text = page(scenario.title, Controls([], "", ""), found, found, chart(run, None))
    assert hostile not in text
    assert "<script" not in text


SEVERAL = """
start = 2026-11-27T08:00:00
relay.batch_time = "1s"
providers.p = { connect_time = "0s", transaction_time = "1s", transient = 0.1 }
[[deliveries]]
name = "first"
messages = 2000
audience = { p = 1.0 }
[[deliveries]]
name = "late & <b>"
messages = 300
at = "6h"
audience = { p = 1.0 }
"""


def test_times_of_acceptance_are_said_as_a_run_says_them():
    scenario = updated(loads(SEVERAL), {"providers.p.hard": [{"reason": "unknown", "share": 0.08}]})
    result = simulate(scenario)
    facts = answer(scenario, {}, simulated=lambda _: result.ledger)[0].facts
    (of_all,) = (each for each in result.sentences() if each.startswith("Half "))
    assert of_all.startswith("Half of all that is ever accepted has been accepted after")
    assert facts["99 % of all that is ever accepted after"] == "6h 21m, Fri 14:21"
    assert " and 99 % after 6h 21m." in of_all


def test_times_of_several_deliveries_are_by_the_clock_too():
    found, _ = answer(loads(SEVERAL), {})
    assert found.facts["99 % of all that is ever accepted after"] == "6h 21m, Fri 14:21"
    # Of its own start nobody needs the clock.
    late = found.deliveries["late & <b>"]["99 % of all that is ever accepted after"]
    assert "Fri" not in late


def test_each_of_several_deliveries_has_numbers_that_count_from_its_start():
    scenario = loads(SEVERAL)
    found, run = answer(scenario, {})

    result = expected_counts(scenario)
    assert list(found.deliveries) == ["first", "late & <b>"]
    for name, start_s in (("first", 0.0), ("late & <b>", 21_600.0)):
        facts = found.deliveries[name]
        assert facts.keys() == found.facts.keys()
        accepted_s = accepted_at_s(result, 99, delivery=name)
        assert facts["99 % of all that is ever accepted after"] == elapsed(accepted_s - start_s)
    parts = answered(found, found, "late & <b>")
    assert parts["tiles"].count("as in the scenario") == len(found.facts)
    late = found.deliveries["late & <b>"]
    assert late["99 % of all that is ever accepted after"] in parts["tiles"]
    assert "late &amp; &lt;b&gt;" in parts["words"]
    assert "<b>" not in parts["words"]
    assert "300 messages to deliver" in chart(run, None, Look("late & <b>"))


def test_a_narrow_chart_has_its_names_below():
    _, run = answer(load("quickstart"), {})

    wide, slim = chart(run, None), chart(run, None, Look(narrow=True))
    assert "sc-legend" not in wide
    assert slim.index("</svg>") < slim.index('<div class="sc-legend">Delivered %<ul><li>')
    width = re.compile(r'<svg[^>]* width="([\d.]+)pt"')
    assert float(width.search(slim)[1]) < 0.5 * float(width.search(wide)[1])


def test_what_only_a_simulation_can_tell_is_left_to_one():
    text = SEVERAL.replace("messages = 300", "priority = 'high'\nmessages = 300")
    scenario = loads(f"mta.order = 'priority'{text}")

    found, run = answer(scenario, {"validity": 12})

    assert run is None
    assert found.only_simulated
    assert loads(found.scenario).deliveries[0].validity == 12 * 3600
    parts = answered(found, found)
    assert parts["problem"] == ""
    assert parts["simulate"].endswith("is only known from a simulation (mta.order).")
    simulated, run = answer(scenario, {"validity": 12}, simulated=simulate_ledger)
    assert simulated.facts.keys() == answer(loads(SEVERAL), {})[0].facts.keys()
    assert "expected" not in answered(simulated, found, simulated=True)["tiles"]
    # What is no scenario is no question for a simulation.
    assert not answer(scenario, {"validity": -1})[0].only_simulated


def test_a_simulation_is_compared_with_what_was_expected():
    scenario = load("quickstart")
    found, before = answer(scenario, {"ips": 4})[0], answer(scenario, {})[0]

    tiles = answered(found, before, simulated=True)["tiles"]
    assert f"expected {before.facts['99 % of all that is ever accepted after']}" in tiles
    assert "as expected" in tiles
    assert "in the scenario" not in tiles


def test_numbers_take_one_course_and_a_picture_one_drawing(monkeypatch):
    """So many answers at once: what is worked out twice is what everybody waits for."""
    done = []

    def noted(place, name, as_name):
        value = getattr(place, name)

        def noting(*arguments, **keywords):
            done.append(as_name)
            return value(*arguments, **keywords)

        monkeypatch.setattr(place, name, noting)

    for module in (analysis, fluid):
        noted(module, "expected_ledger", "course")
    noted(remaining, "known", "a clock")
    noted(Figure, "savefig", "drawing")

    _, run = answer(load("quickstart"), {"ips": 4}, ("without-efs", "efs"))
    assert done == ["course", "a clock", "a clock"]
    done.clear()
    picture(run, ("without-efs", "efs"))
    assert done == ["course"] * 3 + ["drawing"]
