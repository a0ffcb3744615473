"""The calendar of a programme and its deadlines, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from matplotlib.container import BarContainer

import sendcap
from sendcap.errors import SendcapError
from sendcap.scenario import Scenario, from_dict, updated
from sendcap.study.calendar.rows import rows_of
from sendcap.study.replication import replication_seed
from sendcap.study.replication.measures import accepted_share_s
from sendcap.text.quantities import elapsed

QUEUE = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 1}


def programme(*deliveries: dict[str, Any], **sections: Any) -> Scenario:
    """Deliveries to one provider, which takes a message a second."""
    one = {"messages": 100, "audience": {"p": 1.0}}
    plain = {
        "time": {"bin": "1s"},
        "deliveries": [one | each for each in deliveries],
        "relay": {"batch": 10, "workers": 1, "batch_time": "100ms"},
        "mta": {"ips": 1},
        "providers": {"p": QUEUE, "q": QUEUE},
    }
    return from_dict(plain | sections)


def test_each_delivery_has_its_times() -> None:
    scenario = programme(
        {"name": "late", "at": "80s"},
        {"name": "first"},
        {"name": "elsewhere", "at": "50s", "audience": {"q": 1.0}},
        {"name": "stopped", "at": "300s", "stop": "301s", "messages": 1000},
    )
    slots = {slot.delivery: slot for slot in sendcap.calendar(scenario).slots}
    assert list(slots) == ["first", "elsewhere", "late", "stopped"]
    # 99 of 100 messages, one a second after the first batch.
    assert slots["first"].accepted_s == pytest.approx(99.1, abs=1.0)
    assert slots["first"].relayed_s == pytest.approx(1.0, abs=1.0)
    # It waits for the first one, which is in the same queue.
    assert slots["late"].accepted_s == pytest.approx(199.1, abs=1.0)
    assert slots["first"].beside == ("late",)
    assert slots["late"].beside == ("first",)
    assert slots["elsewhere"].beside == ()
    assert slots["stopped"].relayed_s == math.inf
    assert slots["stopped"].accepted_s == pytest.approx(300.0 + 99.0, abs=2.0)


def test_parts_name_the_whole_and_the_table_has_all() -> None:
    waves = {"size": 0.5, "every": "10m"}
    table = sendcap.calendar(programme({"name": "launch", "waves": waves})).table()
    assert table["parent"].tolist() == ["launch", "launch"]
    assert table["planned_s"].tolist() == [0.0, 600.0]
    assert table["asked_s"].isna().all()
    assert table["beside"].tolist() == ["", ""]


def test_a_late_confirmation_is_seen() -> None:
    confirm = {"within": "10m", "ahead": "5m"}
    (slot,) = sendcap.calendar(programme({"name": "a", "at": "1h", "confirm": confirm})).slots
    assert (slot.planned_s, slot.asked_s, slot.starts_s) == (3600.0, 3300.0, 3900.0)


def test_a_deadline_names_what_makes_a_delivery_hold() -> None:
    """The second one waits 400 s for the first; alone it would take 100 s."""
    scenario = programme(
        {"name": "blast", "messages": 1000}, {"name": "alert", "at": "600s"}, mta={"ips": 2}
    )
    # Two addresses: two messages a second.
    slow = updated(scenario, {"providers.p.transaction_time": "2s"})
    found = sendcap.calendar(slow, deadline="900s", replications=2)
    blast, alert = found.verdicts
    assert blast.holds == 0
    assert (alert.delivery, alert.holds, alert.replications) == ("alert", 0, 2)
    assert alert.accepted_median_s == pytest.approx(1099.0, abs=3.0)
    sentences = [remedy.sentence for remedy in alert.remedies]
    assert 'it has priority = "high", with mta.order = "priority"' in sentences
    assert "it has a pool of its own with 1 of the 2 source addresses" in sentences
    for remedy in alert.remedies:
        again = sendcap.calendar(updated(slow, dict(remedy.changes)), "900s", replications=2)
        assert {each.delivery: each.holds for each in again.verdicts}["alert"] == 2
    assert found.deadlines()["remedies"].iloc[1] == "; ".join(sentences)


def test_an_earlier_start_is_found_to_five_minutes() -> None:
    scenario = programme({"name": "a", "messages": 1000, "at": "2h"})
    # Ready at 7200 s, 99 % at 8190 s: five minutes earlier hold, and no less is asked.
    (verdict,) = sendcap.calendar(scenario, deadline="8000s", replications=2).verdicts
    assert [remedy.sentence for remedy in verdict.remedies] == ["it starts 5m earlier"]
    (verdict,) = sendcap.calendar(scenario, deadline="7300s", replications=2).verdicts
    assert [remedy.sentence for remedy in verdict.remedies] == ["it starts 15m earlier"]


def test_who_is_asked_earlier_confirms_earlier() -> None:
    confirm = {"within": "10m"}
    scenario = programme({"name": "a", "at": "2h", "confirm": confirm})
    (verdict,) = sendcap.calendar(scenario, deadline="7400s", replications=2).verdicts
    assert verdict.remedies[0].sentence == "its confirmation is asked for 10m earlier"


def test_a_remedy_says_who_is_late_for_it() -> None:
    """Both need 100 s of the same second each; one of them is late, whoever goes first."""
    scenario = programme({"name": "first"}, {"name": "second", "at": "20s"})
    first, second = sendcap.calendar(scenario, deadline="150s", replications=2).verdicts
    assert (first.holds, second.holds) == (2, 0)
    costs = {remedy.sentence: remedy.at_the_cost_of for remedy in second.remedies}
    assert costs['it has priority = "high", with mta.order = "priority"'] == ("first",)
    told = [remedy.in_full for remedy in second.remedies]
    assert any(text.endswith("(but then first would be late)") for text in told)


def test_a_delivery_that_holds_needs_nothing() -> None:
    (verdict,) = sendcap.calendar(programme({"name": "a"}), "2m", replications=20).verdicts
    assert (verdict.holds, verdict.probability, verdict.high) == (20, 1.0, 1.0)
    # Clopper and Pearson's bound: 0.025 ** (1 / 20).
    assert verdict.low == pytest.approx(0.025 ** (1 / 20))


def test_who_is_still_spread_at_the_deadline_is_not_in_question() -> None:
    scenario = programme({"name": "a"}, {"name": "b", "spread": "10m"})
    found = sendcap.calendar(scenario, "5m", replications=2)
    assert [verdict.delivery for verdict in found.verdicts] == ["a"]


def test_a_spread_is_all_ready_with_the_last_batch() -> None:
    # Batches over ten minutes: the last of four is ready after 7m 30s, and all is accepted soon.
    scenario = programme({"name": "a", "spread": "10m", "messages": 4})
    scenario = updated(scenario, {"relay.batch": 1, "deliveries[0].at": "0s"})
    assert scenario.all_ready_s(scenario.deliveries[0]) == 450.0
    found = sendcap.calendar(scenario, "9m", replications=2)
    assert found.slots[0].accepted_s < 540.0
    assert [verdict.probability for verdict in found.verdicts] == [1.0]
    with pytest.raises(SendcapError, match="no delivery is ready before it"):
        sendcap.calendar(scenario, "7m", replications=2)


def test_the_bound_is_that_of_the_confidence() -> None:
    found = sendcap.calendar(programme({"name": "a"}), "2m", replications=9, confidence=0.8)
    assert found.verdicts[0].low == pytest.approx(0.1 ** (1 / 9))


def test_nine_in_ten_is_a_time_that_one_of_the_replications_took() -> None:
    scenario = updated(
        programme({"name": "a"}),
        {"providers.p.transaction_time": {"dist": "exponential", "mean": "1s"}},
    )
    (verdict,) = sendcap.calendar(scenario, "10m", replications=5).verdicts
    times_s = [
        accepted_share_s(
            sendcap.simulate(scenario.with_seed(replication_seed(scenario.seed, number))).ledger,
            0.99,
        )
        for number in range(5)
    ]
    assert verdict.accepted_90_pct_s == pytest.approx(max(times_s))
    assert verdict.accepted_median_s == pytest.approx(sorted(times_s)[2])
    assert verdict.remedies == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"deadline": "10s"}, "deadline: no delivery is ready before it; give a later moment"),
        ({"deadline": "17:00"}, 'deadline: "17:00" is a time by the clock, and the scenario has'),
        ({"deadline": "1h", "share": 1.5}, "share: must be above 0 and at most 1"),
        ({"deadline": "1h", "replications": 0}, "replications: must be a whole number from 1"),
        ({"deadline": "1h", "confidence": 2.0}, "confidence: must be between 0 and 1"),
    ],
)
def test_wrong_questions_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SendcapError, match=message):
        sendcap.calendar(programme({"name": "a", "at": "20s"}), **arguments)


def test_the_chart_has_a_row_for_each_delivery() -> None:
    scenario = programme({"name": "a", "every": "1h", "times": 3}, {"name": "b", "at": "30m"})
    figure = sendcap.calendar(scenario, deadline="2h", replications=2).plot()
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a 1", "b", "a 2", "a 3"]
    many = programme({"name": "a", "every": "1h", "times": 40}, {"name": "b", "at": "30m"})
    (axes,) = sendcap.calendar(many).plot().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def bars(scenario: Scenario) -> dict[str, list[tuple[float, float]]]:
    """The bars of each row in minutes, from and until."""
    (axes,) = sendcap.calendar(scenario).plot().axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for bar in (bar for row in axes.containers if isinstance(row, BarContainer) for bar in row):
        minutes = [edge / 60.0 for edge in (bar.get_x(), bar.get_x() + bar.get_width())]
        name = names[round(bar.get_y() + bar.get_height() / 2.0)]
        found[name].append((round(minutes[0]), round(minutes[1])))
    return found


def test_a_part_waits_until_the_whole_is_confirmed_and_not_until_its_own_start() -> None:
    waves = {"waves": {"size": 0.5, "every": "1h"}, "at": "1h"}
    late = bars(programme({"name": "a", "confirm": {"within": "80m"}} | waves))
    assert late["a wave 1"][0] == (60, 140)
    # Confirmed at 140 min, an hour before the second wave starts.
    assert late["a wave 2"][0] == (120, 140)
    assert late["a wave 2"][1][0] >= 200
    in_time = bars(programme({"name": "a", "confirm": {"within": "30m"}} | waves))
    assert in_time["a wave 1"][0] == (60, 90)
    assert in_time["a wave 2"][0][0] == 150


def test_what_is_given_up_has_waited_until_then() -> None:
    never = {"within": {"dist": "uniform", "low": "1h", "high": "9999h"}, "give_up": "2h"}
    scenario = programme({"name": "a", "at": "1h", "confirm": never}, {"name": "b"})
    assert bars(scenario)["a"] == [(60, 180)]
    slot = sendcap.calendar(scenario).slots[-1]
    assert (slot.confirmed_s, slot.gives_up_s) == (math.inf, 10_800.0)


def test_what_is_never_accepted_is_at_the_mta_until_it_expires() -> None:
    late = programme({"name": "late", "messages": 1000, "validity": "10m"})
    # Handed over after 10 s; the last of it expires 10 minutes later.
    assert bars(late)["late"] == [(0, 0), (0, 10)]
    (axes,) = sendcap.calendar(late).plot().axes
    relayed, at_the_mta = (row[0] for row in axes.containers if isinstance(row, BarContainer))
    # What is retried and reported is a thin bar.
    assert at_the_mta.get_height() == relayed.get_height()


def test_long_names_are_told_apart_by_their_ends() -> None:
    name = "The newsletter of the autumn campaign to all readers"
    scenario = programme({"name": name, "waves": {"size": 0.5, "every": "1h"}})
    one, two = bars(scenario)
    assert (one[-7:], two[-7:]) == (" wave 1", " wave 2")
    assert max(map(len, (one, two))) <= 40


def test_the_rows_tell_the_whole_way_by_the_clock() -> None:
    scenario = programme(
        {"name": "a", "messages": 200}, {"name": "b", "at": "1h"}, start="2026-11-27T08:00:00"
    )
    found = sendcap.calendar(scenario)
    one, two = rows_of(found)
    # A message a second: half after 100 s, 90 % after 180 s.
    assert (one["Starts"], one["50 % accepted"], one["90 % accepted"]) == (
        *("Fri 08:00", "Fri 08:01:41", "Fri 08:03:01"),
    )
    assert (two["Planned"], two["Relayed"], two["Delivered %"]) == ("–", "Fri 09:00:01", "100.00")
    assert found.slots[0].accepted_50_pct_s == pytest.approx(100.1, abs=1.0)
    assert found.slots[0].delivered_pct == 100.0
    assert found.left_out == ()
    due = sendcap.calendar(scenario, "30m", replications=2)
    assert due.left_out == ("b",)


def test_delivered_settles_where_most_messages_expire() -> None:
    case = programme({"name": "late", "messages": 1000, "validity": "60s"})
    (late,) = sendcap.calendar(case).slots
    assert late.accepted_s == math.inf
    # The last of them expires a minute after the relay is done, after ten seconds.
    assert late.settled_s == pytest.approx(70.0, abs=2.0)


def test_of_many_deliveries_the_rows_are_of_the_whole() -> None:
    many = programme({"name": "a", "every": "1h", "times": 40}, {"name": "b", "at": "30m"})
    one, two = rows_of(sendcap.calendar(many))
    assert (one["Delivery"], one["Sent"], one["Messages"]) == ("a", "40", "4,000")
    assert (two["Delivery"], two["Sent"], two["Delivered %"]) == ("b", "1", "100.00")


def test_what_is_stopped_uses_the_relay_until_then() -> None:
    scenario = programme(
        {"name": "stopped", "messages": 1000, "stop": "2s"},
        {"name": "later", "at": "1h"},
        {"name": "last", "at": "2h"},
    )
    stopped, later, _ = sendcap.calendar(scenario).slots
    assert (stopped.stopped_s, stopped.relayed_s, stopped.beside) == (2.0, math.inf, ())
    assert math.isnan(later.stopped_s)
    assert rows_of(sendcap.calendar(scenario))[0]["Relayed"] == "stopped"
    (axes,) = sendcap.calendar(scenario).plot().axes
    # Relayed for 2 s, and then at the MTA.
    assert [bar.get_width() for bar in axes.containers[0]] == [2.0]


def test_of_many_deliveries_one_may_never_be_accepted_or_start() -> None:
    unsure = {"within": {"dist": "uniform", "low": "1s", "high": "9999h"}, "give_up": "5m"}
    many = programme(
        {"name": "late", "every": "1h", "times": 30, "validity": "60s", "messages": 200},
        {"name": "never", "at": "30m", "every": "1h", "times": 2, "confirm": unsure},
        {"name": "slow", "at": "10m", "every": "1h", "times": 2, "confirm": {"within": "5m"}},
    )
    late, slow, never = rows_of(sendcap.calendar(many))
    # A message a second: those after the first 60 s expire.
    assert late["Longest to 99 %"] == "never (late 1)"
    assert (never["Longest to 99 %"], never["Latest"]) == ("never (never 1)",) * 2
    assert (never["First"], never["Settled"]) == ("never", "never")
    assert (slow["Longest to 99 %"], slow["Latest"]) == ("1m 40s (slow 1)", "5m (slow 1)")


def test_of_many_deliveries_a_part_that_is_not_sent_settles_nothing() -> None:
    waves = {"size": 0.5, "every": "10m"}
    many = programme(
        {"name": "a", "every": "1m", "times": 30},
        {"name": "launch", "at": "1h", "waves": waves, "stop": "65m"},
        {"name": "b", "at": "2h"},
    )
    found = sendcap.calendar(many)
    launch = next(row for row in rows_of(found) if row["Delivery"] == "launch")
    first, second = (slot for slot in found.slots if slot.parent == "launch")
    assert second.settled_s == math.inf
    assert launch["Settled"] == elapsed(first.settled_s)
