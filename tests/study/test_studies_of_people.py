"""Limits, calendars and studies of a population: right, or refused in a sentence."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import sendcap
from sendcap.errors import ScenarioError, SendcapError
from sendcap.explore.answer import answer
from sendcap.explore.sliders import sliders
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, dumps, from_dict, loads
from sendcap.study.capacity.limits import limits_from_ledger
from sendcap.study.capacity.searches.acceptance import bare
from sendcap.study.convergence.charts.reading import about_the_replications

DAY_S = 86_400.0
SLOW = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 2}


def scenario(population: dict[str, Any] | None = None, **changes: Any) -> Scenario:
    """Return a send to 300 people, half of them dead, another a week later, and one to nobody."""
    return from_dict(
        {
            "time": {"bin": "10s"},
            "population": {
                "size": 300,
                "providers": {"p": 1.0},
                "fatigue": {"max": 1, "period": "3d"},
            }
            | (population or {}),
            "deliveries": [
                {"name": "letter", "every": "7d", "times": 2},
                {"name": "again", "at": "8d"},
            ],
            "relay": {"batch": 10, "batch_time": "1s"},
            "providers": {"p": SLOW | {"hard": [{"reason": "gone", "share": 0.5}]}},
        }
        | changes
    )


NOBODY = scenario(
    {"segments": {"few": {"share": 1e-9}}}, deliveries=[{"name": "a", "segment": "few"}]
)


@pytest.fixture(scope="module")
def run() -> sendcap.Run:
    return sendcap.simulate(scenario())


def left(run: sendcap.Run) -> list[int]:
    """Return the messages to deliver: about half are in quarantine before the second letter."""
    first, second, third = run.preparations()["to_deliver"].tolist()
    assert (first, third) == (300, 0)
    assert 100 < second < 200
    return [first, second, third]


def test_limits_are_of_the_messages_that_are_left(run) -> None:
    found = sendcap.limits(scenario())
    relay, provider = found.stages
    assert relay.messages == provider.messages == sum(left(run))
    assert found.observed[0].backlog[-1] == 0
    # The first letter is the longest: two connections need 150 s for 300 messages.
    assert "behind by up to 2m 30s" in found.sentence


def test_a_ledger_tells_the_same_limits(run) -> None:
    watched, told = sendcap.limits(scenario()), limits_from_ledger(run)
    assert told.sentence == watched.sentence
    for stage in told.observed:
        assert stage.backlog[-1] == 0
        assert stage.backlog.max() <= 300


def test_limits_keep_the_scenario_as_it_was_written() -> None:
    found = sendcap.limits(scenario())
    assert loads(dumps(found.scenario)) == scenario()


def test_limits_prepare_when_the_run_does() -> None:
    """A delivery that is confirmed an hour late is prepared two hours before its own time."""
    confirmed = scenario(
        deliveries=[
            {"name": "first", "at": "0s"},
            {
                "name": "second",
                "at": "5d",
                "prepare": "2h",
                "confirm": {"within": "1h", "ahead": "0s"},
            },
        ]
    )
    found = sendcap.limits(confirmed)
    ledger = sendcap.simulate(confirmed).ledger
    assert found.run.ledger.people == ledger.people
    assert ledger.people is not None
    assert ledger.people.preparations[1].at_s == 5 * DAY_S - 7200.0


def test_who_complains_is_left_out_of_limits_and_calendars_too() -> None:
    """Opens decide whom later deliveries reach, so they stay."""
    complaining = scenario(
        {"complaints": 0.5, "complaint_delay": "1h", "fatigue": None},
        engagement={"open_rate": 1.0, "open_delay": "1m"},
        deliveries=[{"name": "letter", "every": "7d", "times": 3}],
    )
    expected = sendcap.simulate(complaining).ledger.people
    assert expected is not None
    assert expected.preparations[2].excluded["denylisted"] > 50
    assert sendcap.limits(complaining).run.ledger.people == expected
    assert sendcap.calendar(complaining).run.ledger.people == expected


def test_a_calendar_has_the_messages_that_are_left(run) -> None:
    one, two, three = sendcap.calendar(scenario()).slots
    assert [one.messages, two.messages, three.messages] == left(run)
    # What goes to nobody is done as it starts, and beside nothing.
    assert three.relayed_s == three.accepted_s == three.settled_s == three.starts_s == 8 * DAY_S
    assert three.beside == ()


def test_what_goes_to_nobody_meets_its_deadline() -> None:
    found = sendcap.calendar(scenario(), "9d", replications=2, workers=1)
    assert [(each.delivery, each.holds) for each in found.verdicts] == [
        *(("letter 1", 2), ("letter 2", 2)),
        ("again", 2),
    ]
    assert found.verdicts[2].accepted_median_s == 8 * DAY_S


def test_a_deadline_knows_of_quarantine() -> None:
    """300 messages take 150 s, which is too long; about 150 are left, and take half of it."""
    found = sendcap.calendar(scenario(), 7 * DAY_S + 120.0, replications=2, workers=1)
    assert [each.holds for each in found.verdicts] == [2, 2]
    early = sendcap.calendar(scenario(), 120.0, replications=2, workers=1)
    assert [each.holds for each in early.verdicts] == [0]


def test_what_campaign_knows_stays_where_all_else_is_left_out() -> None:
    late = scenario(feedback={"synchronous": "8d"}, time={"bin": "10s", "horizon": "30d"})
    assert bare(late).feedback == late.feedback
    assert bare(late).time.horizon is None
    assert bare(late.without_population).feedback != late.feedback


def test_a_search_for_the_largest_delivery_has_no_end_of_people() -> None:
    """Two connections accept 2 messages a second, dead or not; of 7,200 half are good."""
    found = sendcap.largest_within(
        scenario(deliveries=[{"name": "letter"}]), "1h", workers=1, replications=4
    )
    assert found.messages == pytest.approx(7200, rel=0.02)


def test_a_steady_stream_has_no_end_of_people() -> None:
    found = sendcap.sustained(scenario(), replications=2, measured=20_000, workers=1)
    assert found.name == "p"
    assert found.per_s.mean == pytest.approx(2.0, rel=0.02)


def test_levers_keep_the_population() -> None:
    found = sendcap.levers(scenario(deliveries=[{"name": "letter"}]), replications=2, workers=1)
    assert found.takes_s.mean == pytest.approx(150.0, abs=5.0)
    more = {gain.lever: gain.gain_s.mean for gain in found.gains}
    assert more["one more IP"] == pytest.approx(75.0, abs=5.0)


def test_expected_curves_refuse_people_by_name() -> None:
    with pytest.raises(
        ScenarioError, match=r"expected: population: who is excluded .*\(`sendcap run`\)"
    ):
        sendcap.expected(scenario())


def test_people_have_no_slider_of_messages() -> None:
    assert "messages" not in [slider.key for slider in sliders(scenario())]
    assert "messages" in [slider.key for slider in sliders(scenario().without_population)]


@pytest.mark.parametrize(
    "chart",
    ["delivered", "statuses", "funnel", "time-to-accept", "delay", "bounce-reasons", "retries"],
)
def test_a_chart_of_a_delivery_to_nobody_is_drawn(run, chart) -> None:
    assert run.plot(chart, delivery="again").axes


@pytest.mark.parametrize(
    "report", ["dashboard", "dynamic_report", "bounce_summary", "alerts", "throughput"]
)
def test_a_report_on_a_delivery_to_nobody_is_empty(run, report) -> None:
    arguments = {} if report == "throughput" else {"mode": "efs"}
    assert getattr(run, report)(9 * DAY_S, delivery="again", **arguments) is not None


def test_nobody_left_is_refused_in_a_sentence() -> None:
    message = "nobody is left to deliver to; sendcap run says why people are excluded"
    for ask in (
        lambda: sendcap.converge(NOBODY, 2, workers=1),
        lambda: sendcap.compare(NOBODY, NOBODY, 2, workers=1),
        lambda: sendcap.limits(NOBODY),
        lambda: sendcap.simulate(NOBODY).plot("backlog"),
        lambda: sendcap.simulate(NOBODY).plot("reading-error"),
    ):
        with pytest.raises(SendcapError, match=message):
            ask()


def test_a_run_to_nobody_has_sentences_tables_and_charts(tmp_path) -> None:
    nobody = sendcap.simulate(NOBODY)
    (dead,) = nobody.list_health()["dead_unknown"]
    assert nobody.sentences() == [
        "In 1 sending nobody was excluded: 0 messages to deliver.",
        (
            "At the end of the run the list has 300 people: all are good. "
            f"{dead} of them are dead without Campaign knowing."
        ),
        '"a" went to nobody: it targeted nobody.',
    ]
    for name in ("people", "delivered", "statuses", "funnel", "time-to-accept", "calendar"):
        assert nobody.plot(name).axes
    assert sendcap.open_run(nobody.save(tmp_path / "run")).ledger == nobody.ledger


def test_a_convergence_says_that_its_messages_are_those_before_exclusions() -> None:
    study = sendcap.converge(scenario(), 2, workers=1)
    assert about_the_replications(study.replications).startswith(
        "900 messages before exclusions, 2 simulations"
    )
    final = study.final()
    assert not np.isnan(final["mean"]).all()


def test_a_sweep_may_be_over_the_population() -> None:
    swept = sendcap.sweep(
        scenario(),
        over={"population.size": [100, 300]},
        measures="accepted",
        workers=1,
    )
    small, large = swept["accepted"]
    assert large > 2 * small


def test_a_population_travels_to_other_processes() -> None:
    for one in (scenario(), scenario().without_population, bare(scenario())):
        again = pickle.loads(pickle.dumps(one))
        assert again == one
        assert sendcap.simulate(again).ledger == sendcap.simulate(one).ledger


def test_the_page_with_sliders_simulates_people() -> None:
    for slider in sliders(scenario()):
        for value in (slider.steps[0], slider.steps[-1]):
            found, run = answer(scenario(), {slider.key: value})
            assert found.only_simulated, slider.key
            assert run is None
    found, _ = answer(scenario(), {}, simulated=simulate_ledger)
    assert found.problem == ""
    assert found.notes == []
