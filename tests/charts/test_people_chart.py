"""The chart of people shows the list and the preparations of a run."""

from __future__ import annotations

import itertools

import pytest
from pictures import PEOPLE, run_of_people

import sendcap
from sendcap import scenario
from sendcap.charts.narrow import narrow
from sendcap.charts.people import people
from sendcap.errors import SendcapError
from sendcap.ledger.people import EXCLUSIONS


@pytest.fixture(scope="module")
def run() -> sendcap.Run:
    return run_of_people()


def heights(panel) -> list[list[float]]:
    """Return the heights of the bars, a list for each layer."""
    return [[bar.get_height() for bar in layer] for layer in panel.containers]


def test_the_lines_are_the_shares_of_the_list(run) -> None:
    panel, _ = people(run)
    health = run.list_health()
    shares = {
        name: (100.0 * health[name] / health["people"]).tolist()
        for name in ("quarantined", "denylisted", "dead_unknown")
    }
    for line, (name, expected) in zip(panel.lines, shares.items(), strict=False):
        # Before the first delivery nobody is known to be anything.
        start = [] if name == "dead_unknown" else [0.0]
        assert line.get_ydata() == pytest.approx([*start, *expected])
        assert line.get_xdata()[-1] == run.ledger.end_s
    ends = [text.get_text() for text in panel.texts]
    assert f"quarantined  {shares['quarantined'][-1]:.2f} %" in ends


def test_the_bars_are_the_preparations(run) -> None:
    _, panel = people(run)
    table = run.preparations()
    layers = heights(panel)
    assert layers[0] == table["to_deliver"].tolist()
    reasons = ["control group", "fatigue", "quarantined", "denylisted"]
    assert sorted(reasons) == sorted(EXCLUSIONS)
    for layer, reason in zip(layers[1:], reasons, strict=True):
        assert layer == table[reason.replace(" ", "_")].tolist()
    tops = [bar.get_y() + bar.get_height() for bar in panel.containers[-1]]
    assert tops == table["targeted"].tolist()


def test_what_is_prepared_at_once_stands_side_by_side(run) -> None:
    """The fourth and the fifth are: members and again."""
    _, panel = people(run)
    bars = panel.containers[0]
    moments = run.preparations()["time_s"]
    assert moments[2] == moments[3]
    assert bars[2].get_x() + bars[2].get_width() <= bars[3].get_x()


def test_an_import_is_marked(run) -> None:
    panel, _ = people(run)
    assert "import of 300" in [text.get_text() for text in panel.texts]


def test_the_time_is_by_the_clock_of_the_scenario_or_from_another_start(run) -> None:
    for start, day in ((None, "Mon 9 Nov"), ("2026-03-02T09:00", "Mon 9 Mar")):
        _, panel = people(run, start=start)
        labels = [label.get_text() for label in panel.get_xticklabels()]
        assert any(day in label for label in labels), labels


def test_without_a_start_the_time_is_elapsed() -> None:
    text = PEOPLE.replace("start = 2026-11-02T09:00:00", "")
    _, panel = people(sendcap.simulate(scenario.loads(text)))
    assert "7d" in [label.get_text() for label in panel.get_xticklabels()]


def test_on_a_phone_the_names_are_a_legend(run) -> None:
    with narrow() as legends:
        people(run)
    assert [legend.title for legend in legends] == ["The list", "Deliveries, as they were prepared"]
    assert [name.label for name in legends[1].names][-1] == "to deliver"


def test_many_deliveries_and_none_to_deliver() -> None:
    """A bar for each of 100 days, of which the last ones exclude all."""
    daily = {
        "population.fatigue": {"max": 1, "period": "365d"},
        "population.control_group": 0.0,
        "deliveries": [{"name": "daily", "every": "1d", "times": 100}],
    }
    case = scenario.updated(scenario.loads(PEOPLE), daily)
    _, panel = people(sendcap.simulate(case))
    layers = heights(panel)
    assert len(layers[0]) == 100
    assert layers[0][1] == 0
    bars = panel.containers[0]
    for one, two in itertools.pairwise(bars):
        assert one.get_x() + one.get_width() <= two.get_x() + 1e-6


def test_a_run_without_a_population_is_refused() -> None:
    text = """
[[deliveries]]
name = "news"
messages = 9
audience = { p = 1.0 }
[relay]
batch_time = "1s"
[providers.p]
connect_time = "1s"
transaction_time = "1s"
"""
    with pytest.raises(SendcapError, match=r"the scenario has no \[population\]"):
        sendcap.simulate(scenario.loads(text)).plot("people")
