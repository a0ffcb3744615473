"""Deliveries in waves, by zones and cells, and again and again: each is a delivery of its own."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import sendcap
from sendcap.errors import ScenarioError
from sendcap.scenario import Scenario, dumps, from_dict, loads, to_dict, updated
from sendcap.scenario.stages import stages

HOUR = 3600.0
START = {"start": "2026-10-20T08:00:00", "zone": "Europe/Berlin"}  # a Tuesday
ZONES = {"Europe/Berlin": 0.6, "America/New_York": 0.4}


def programme(*deliveries: dict[str, Any], **sections: Any) -> Scenario:
    one = {"name": "news", "messages": 100, "audience": {"p": 1.0}}
    plain = {
        "deliveries": [one | each for each in deliveries],
        "relay": {"batch_time": "0s"},
        "providers": {"p": {"connect_time": "0s", "transaction_time": "1s"}},
    }
    return from_dict(plain | sections)


def sent(scenario: Scenario) -> list[tuple[str, int, float]]:
    return [(each.name, each.messages, each.at / HOUR) for each in scenario.deliveries]


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        ({"every": "1d", "times": 2}, [("news 1", 100, 0.0), ("news 2", 100, 24.0)]),
        (
            {"every": "12h", "until": "30h", "at": "6h"},
            [("news 1", 100, 6.0), ("news 2", 100, 18.0), ("news 3", 100, 30.0)],
        ),
        (
            {"waves": [{"share": 0.25}, {"share": "75%", "after": "2h"}]},
            [("news wave 1", 25, 0.0), ("news wave 2", 75, 2.0)],
        ),
        (
            {"waves": {"size": "30%", "every": "2h"}},
            [(f"news wave {n + 1}", (30, 30, 30, 10)[n], 2.0 * n) for n in range(4)],
        ),
        (
            {"cells": {"share": 0.1, "after": "4h"}},
            [("news A", 10, 0.0), ("news B", 10, 0.0), ("news rest", 80, 4.0)],
        ),
        (
            {"local_time": "09:00", "zones": ZONES},
            [("news Europe/Berlin", 60, 1.0), ("news America/New_York", 40, 7.0)],
        ),
        (
            {"every": "1d", "times": 2, "waves": {"size": 0.5, "every": "1h"}},
            [
                ("news 1 wave 1", 50, 0.0),
                ("news 1 wave 2", 50, 1.0),
                ("news 2 wave 1", 50, 24.0),
                ("news 2 wave 2", 50, 25.0),
            ],
        ),
    ],
    ids=["times", "until", "waves", "equal waves", "cells", "zones", "waves again and again"],
)
def test_each_part_and_repetition_is_a_delivery(
    delivery: dict[str, Any], expected: list[tuple[str, int, float]]
) -> None:
    scenario = programme(delivery, **START)
    assert sent(scenario) == expected
    assert {each.parent for each in scenario.deliveries} == {"news"}
    assert scenario.parents() == {"news": tuple(name for name, *_ in expected)}


def test_whole_days_are_days_of_the_clock() -> None:
    """The clock is put back on the Sunday between: a week of it has 169 hours."""
    weekly = {"at": "Wed 08:00", "every": "7d", "times": 2}
    assert [at for *_, at in sent(programme(weekly, **START))] == [24.0, 24.0 + 169.0]
    without_zone = {"start": "2026-10-20T08:00:00"}
    assert [at for *_, at in sent(programme(weekly, **without_zone))] == [24.0, 24.0 + 168.0]


def test_a_sending_in_the_hour_that_the_clock_repeats_begins_in_the_second_one() -> None:
    """At 02:59:45 by summer time; 30 seconds later it is 02:00 again."""
    start = {"start": "2026-10-25T00:59:45Z", "zone": "Europe/Berlin"}
    daily = {"at": "30s", "every": "1d", "times": 2}
    # On the next day at 02:00:15.
    assert [3600.0 * at for *_, at in sent(programme(daily, **start))] == [30.0, 30.0 + 86_400.0]


def test_the_validity_is_that_of_the_whole() -> None:
    scenario = programme({"validity": "10h", "waves": {"size": 0.5, "every": "4h"}})
    assert [each.validity / HOUR for each in scenario.deliveries] == [10.0, 6.0]


def test_a_programme_is_written_as_it_was_read() -> None:
    scenario = programme(
        {"name": "single"},
        {"every": "7d", "times": 3},
        {"name": "launch", "local_time": "09:00", "zones": ZONES},
        **START,
    )
    assert len(to_dict(scenario)["deliveries"]) == 3
    again = loads(dumps(scenario))
    assert again == scenario
    assert dumps(again) == dumps(scenario) == dumps(pickle.loads(pickle.dumps(scenario)))
    assert (
        sent(updated(scenario, {"deliveries[1].times": 2}))[2:]
        == sent(scenario)[2:3] + sent(scenario)[4:]
    )
    # What is not as the file says any more is written one by one.
    fewer = scenario.model_copy(update={"deliveries": scenario.deliveries[:3]})
    assert [each["name"] for each in to_dict(fewer)["deliveries"]] == ["single", "news 1", "news 2"]


@pytest.mark.parametrize(
    ("delivery", "message"),
    [
        ({"times": 3}, r"deliveries\[1\].times: belongs to a recurring delivery; give every"),
        ({"at": "2d", "every": "1d", "until": "1d"}, r"deliveries\[1\].until: 1d comes before the"),
        ({"every": "7d"}, r"deliveries\[1\].every: needs either times, .* or until"),
        ({"every": "7d", "times": 2, "until": "9d"}, r"deliveries\[1\].every: needs either times"),
        ({"every": "1d", "times": 400}, r'deliveries: "news" is sent too often or for too long'),
        (
            {"waves": {"size": 0.5, "every": "1h"}, "cells": {"share": 0.1, "after": "1h"}},
            r"deliveries\[1\].cells: cannot be together with waves; leave one of them out",
        ),
        (
            {"waves": {"size": 1e-300, "every": "1h"}},
            r"deliveries\[1\].waves.size: must be at least 0.001, not 1e-300",
        ),
        ({"zones": ZONES}, r"deliveries\[1\].zones: belong to local_time; give it"),
        ({"local_time": "09:00"}, r"deliveries\[1\].local_time: needs zones, such as"),
        (
            {"local_time": "09:00", "zones": {"Europe/Berlin": 0.6}},
            r"deliveries\[1\].zones: shares sum to 0.6, must sum to 1",
        ),
        (
            {"local_time": "09:00", "zones": {"Europe/Berlinn": 1.0}},
            r'deliveries\[1\].zones: "Europe/Berlinn" is no time zone',
        ),
        (
            {"local_time": "9 am", "zones": {"Europe/Berlin": 1.0}},
            r'deliveries\[1\].local_time: "9 am" is no time of day; write it like 09:00',
        ),
        (
            {"local_time": "09:00", "zones": {"Europe/Berlin": 1.0, "Asia/Tokyo": 0}},
            r'deliveries\[1\].zones."?Asia/Tokyo"?: must be more than 0, not 0',
        ),
        (
            {"waves": [{"share": 1.0}, {"share": "0%", "after": "1h"}]},
            r'deliveries\[1\].waves\[1\].share: must be more than 0, not "?0%?"?',
        ),
        (
            {"waves": {"size": 30, "every": "1h"}},
            r'deliveries\[1\].waves.size: must be at most 1, not 30; 30 % is 0.3 or "30%"',
        ),
        (
            {"waves": "30%"},
            r"deliveries\[1\].waves: must be a list of waves, or a table such as { size = ",
        ),
        ({"waves": []}, r"deliveries\[1\].waves: needs at least one wave; or leave it out"),
        (
            {"waves": [{"share": 0.3}, 0.7]},
            r"deliveries\[1\].waves: 0.7 is no wave; write a table such as { share = 0.3, after",
        ),
        (
            {"waves": [{"share": 0.5}, {"share": 0.6, "after": "1h"}]},
            r"deliveries\[1\].waves: shares sum to 1.1, must sum to 1",
        ),
        (
            {"waves": [{"share": 0.5, "after": "1h"}, {"share": 0.5, "after": "1h"}]},
            r"deliveries\[1\].waves: must be in the order of their starts .*: wave 2 does not",
        ),
        (
            {"validity": "3h", "waves": {"size": 0.25, "every": "1h"}},
            r"deliveries\[1\].waves: the last part starts after 3h, when the validity, 3h, is over",
        ),
        (
            {"cells": {"share": 0.5, "after": "4h"}},
            r"deliveries\[1\].cells.share: 2 cells of 50 % leave no rest; give less than 50 %",
        ),
        ({"name": "single"}, r'deliveries\[1\].name: "single" is used before'),
        (
            {"name": "single", "every": "1d", "times": 2},
            r'deliveries\[1\].name: "single" is used before',
        ),
        (
            {"every": "1d", "times": 2, "until": "9d"},
            r"deliveries\[1\].every: needs either times, .*, or until, .*, and not both",
        ),
    ],
)
def test_errors_name_the_delivery_of_the_file(delivery: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        programme({"name": "single"}, delivery, **START)


def test_a_name_of_a_part_is_taken() -> None:
    with pytest.raises(ScenarioError, match=r'deliveries\[1\].name: "news 2" is used before'):
        programme({"every": "1d", "times": 2}, {"name": "news 2"})


def test_two_programmes_of_one_name_are_one_problem_of_the_second() -> None:
    daily = {"name": "news", "every": "1d", "times": 5}
    with pytest.raises(ScenarioError) as caught:
        programme(daily, daily | {"at": "1h"})
    assert str(caught.value).splitlines() == [
        '<scenario>: deliveries[1].name: "news" is used before; give each delivery its own name'
    ]


def test_recipients_local_time_needs_a_zone_at_the_start() -> None:
    with pytest.raises(ScenarioError, match='"news": local_time needs a start with a zone or an'):
        programme({"local_time": "09:00", "zones": ZONES}, start="2026-10-20T08:00:00")


def test_a_later_delivery_has_the_number_of_the_file() -> None:
    with pytest.raises(ScenarioError, match=r"deliveries\[1\].audience.q: no provider has this"):
        programme({"every": "1d", "times": 5}, {"name": "x", "audience": {"q": 1.0}})


def test_a_limit_over_a_delivery_covers_its_parts_and_repetitions() -> None:
    limit = {"name": "slow", "rate": "1/s,max_burst=1", "deliveries": ["news"]}
    scenario = programme({"every": "1d", "times": 3}, {"name": "other"}, limits=[limit])
    *_, stage = stages(scenario)
    assert (stage.name, stage.messages) == ("slow", 300)
    *_, stage = stages(loads(dumps(scenario)))
    assert stage.messages == 300
    delays = sendcap.simulate(scenario).delays().query("provider == '*'").set_index("delivery")
    assert delays["delay_longest_s"]["news 3"] == pytest.approx(100.0, rel=0.01)
    assert delays["delay_longest_s"]["other"] < 60.0


def test_a_parent_sums_up_its_parts() -> None:
    run = sendcap.simulate(programme({"every": "1h", "times": 3}, {"name": "other"}))
    assert run.ledger.deliveries == ("news 1", "news 2", "news 3", "other")
    assert run.ledger.written == ("news", "other")
    parts = [run.kpis("efs", name) for name in run.ledger.deliveries[:3]]
    whole = run.kpis("efs", "news")
    for column in ("to_deliver", "relayed", "sent"):
        assert (whole[column] == sum(part[column] for part in parts)).all()
    assert run.dashboard("90m", "efs", "news").relayed == 200
    table = run.delays().query("provider == '*'").set_index("delivery")["accepted"]
    assert table.to_dict() == {"*": 400, "news": 300, "news 1": 100, "news 2": 100} | {
        "news 3": 100,
        "other": 100,
    }
    assert run.summary()["deliveries"]["news"]["accepted"] == 300


def test_a_saved_programme_has_its_parents(tmp_path: Any) -> None:
    run = sendcap.simulate(programme({"every": "1h", "times": 3}))
    run.save(tmp_path / "run")
    again = sendcap.open_run(tmp_path / "run")
    assert again.ledger == run.ledger
    assert again.kpis("efs", "news").equals(run.kpis("efs", "news"))


def test_a_batch_has_to_fit_into_the_spool() -> None:
    other = {"name": "other", "batch": 10}
    message = r"deliveries\[0\].batch: 300 is more than mta.spool, 256; no batch fits"
    with pytest.raises(ScenarioError, match=message):
        programme({"batch": 300}, other, mta={"spool": 256})
    with pytest.raises(ScenarioError, match=r"mta.spool: 100 is less than relay.batch, 256"):
        programme({}, other, mta={"spool": 100})
    # No delivery has the relay's.
    assert programme({"batch": 100}, other, mta={"spool": 100}).mta.spool == 100


def test_parts_have_the_batches_of_the_whole() -> None:
    scenario = programme({"waves": {"size": 0.5, "every": "1h"}, "batch": 8})
    assert [scenario.batches_of(each) for each in scenario.deliveries] == [7, 7]
    assert scenario.mean_batch == 100 / 14
