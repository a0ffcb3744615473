"""The people of a scenario: what they fill in, and every slip that can be made with them."""

from __future__ import annotations

from typing import Any

import pytest

from sendcap.errors import ScenarioError
from sendcap.scenario import Scenario, dumps, from_dict, loads, to_dict, updated

DAY_S = 86_400.0
QUICK = {"connect_time": "0s", "transaction_time": "1s"}


def scenario(
    population: dict[str, Any] | None = None,
    delivery: dict[str, Any] | None = None,
    **sections: Any,
) -> Scenario:
    """Return a scenario with changes of its population and of its only delivery."""
    return from_dict(
        {
            "population": {"size": 1000, "providers": {"p": 0.5, "q": 0.5}} | (population or {}),
            "deliveries": [{"name": "news"} | (delivery or {})],
            "relay": {"batch_time": "1s"},
            "providers": {"p": QUICK, "q": QUICK},
        }
        | sections
    )


HALF = {"segments": {"half": {"share": 0.5}}}
KEEN = {
    "classes": {"keen": {"share": 0.2, "open_rate": 0.9}, "rest": {"share": 0.8, "open_rate": 0.1}}
}


def test_a_delivery_targets_all_people_where_it_does_not_say_whom() -> None:
    (news,) = scenario().deliveries
    assert news.messages == 1000
    assert news.audience == {"p": 0.5, "q": 0.5}


@pytest.mark.parametrize(
    ("population", "delivery", "expected"),
    [
        (HALF, {"segment": "half"}, 500),
        (HALF, {"segment": "half", "messages": 20}, 20),
        ({"new_per_day": 50}, {"at": "4d"}, 1200),
        ({"new_per_day": 50} | HALF, {"at": "4d", "segment": "half"}, 600),
        ({"imports": [{"at": "3d", "size": 300, "dead": 0.1}]}, {"at": "2d"}, 1000),
        ({"imports": [{"at": "3d", "size": 300, "dead": 0.1}]}, {"at": "3d"}, 1300),
        (KEEN | {"segments": {"s": {"classes": ["keen"]}}}, {"segment": "s"}, 200),
        (KEEN | {"segments": {"s": {"classes": ["keen"], "share": 0.5}}}, {"segment": "s"}, 100),
        ({"size": 1, "segments": {"s": {"share": 1e-9}}}, {"segment": "s"}, 1),
    ],
)
def test_messages_are_the_people_that_can_be_expected(population, delivery, expected) -> None:
    assert scenario(population, delivery).deliveries[0].messages == expected


def test_each_repetition_has_the_people_of_its_day() -> None:
    weekly = scenario({"new_per_day": 10}, {"every": "7d", "times": 3})
    assert [each.messages for each in weekly.deliveries] == [1000, 1070, 1140]


def test_what_is_filled_in_is_not_written() -> None:
    one = scenario({"new_per_day": 10} | HALF, {"every": "7d", "times": 2, "segment": "half"})
    (written,) = to_dict(one)["deliveries"]
    assert "messages" not in written
    assert "audience" not in written
    assert loads(dumps(one)) == one
    (kept,) = to_dict(scenario(None, {"messages": 20}))["deliveries"]
    assert kept["messages"] == 20


def test_another_size_is_other_messages() -> None:
    assert updated(scenario(), {"population.size": 70}).deliveries[0].messages == 70


def test_without_its_population_a_scenario_is_as_others_are() -> None:
    one = scenario({"new_per_day": 10} | HALF, {"every": "7d", "times": 2, "segment": "half"})
    plain = one.without_population
    assert plain.population is None
    assert [each.messages for each in plain.deliveries] == [500, 535]
    assert {each.segment for each in plain.deliveries} == {None}
    assert scenario({}, {}).without_population == from_dict(
        to_dict(scenario({}, {}).without_population)
    )


def test_opens_count_where_people_may_complain() -> None:
    opened = {"engagement": {"open_rate": 0.5}}
    assert scenario(**opened).without_engagement.engagement.open_rate == 0.0
    complaining = scenario({"complaints": 0.01}, **opened)
    assert complaining.without_engagement == complaining


@pytest.mark.parametrize(
    ("population", "delivery", "message"),
    [
        # a segment without people
        (
            {"segments": {"few": {"share": 0}}},
            {"segment": "few"},
            "population.segments.few.share: must be more than 0; nobody would belong to it",
        ),
        (
            {"classes": {"few": {"share": 0, "open_rate": 0.5}}},
            {},
            "population.classes.few.share: must be more than 0; nobody would belong to it",
        ),
        (
            {"segments": {"few": {"classes": ["keen"]}}},
            {},
            (
                'population.segments.few.classes[0]: "keen" is no engagement class of '
                "the population, "
                "which has none; define it"
            ),
        ),
        (
            KEEN | {"segments": {"few": {"classes": ["ken"]}}},
            {},
            (
                'population.segments.few.classes[0]: "ken" is no engagement class of '
                "the population; "
                'did you mean "keen"?'
            ),
        ),
        (
            KEEN | {"segments": {"few": {"classes": ["x"]}}},
            {},
            '"x" is no engagement class of the population; defined: keen, rest',
        ),
        (
            {},
            {"segment": "half"},
            (
                'deliveries[0].segment: "half" is no segment of the population, which has none; '
                "define it"
            ),
        ),
        (
            HALF,
            {"segment": "hall", "every": "1d", "times": 3},
            'deliveries[0].segment: "hall" is no segment of the population; did you mean "half"?',
        ),
        # an audience and a population that disagree
        (
            {},
            {"audience": {"p": 0.6, "q": 0.4}},
            (
                "deliveries[0].audience: is not that of population.providers; leave it "
                "out, or give "
                "the same shares"
            ),
        ),
        # a provider that nobody has
        (
            {"providers": {"p": 1.0}},
            {"audience": {"p": 0.5, "q": 0.5}},
            (
                "deliveries[0].audience.q: nobody in the population has an address "
                "there; leave out "
                "audience"
            ),
        ),
        (
            {"providers": {"p": 1.0, "q": 0.0}},
            {"audience": {"p": 0.5, "q": 0.5}},
            "deliveries[0].audience.q: nobody in the population has an address there",
        ),
        (
            {"providers": {"p": 0.5, "pp": 0.5}},
            {},
            'population.providers.pp: no provider has this name; did you mean "p"?',
        ),
        (
            {"providers": {"p": 0.5, "q": 0.4}},
            {},
            "population.providers: shares sum to 0.9, must sum to 1",
        ),
        (
            {"providers": {"p": 50, "q": 50}},
            {},
            (
                'population.providers: "p" = 50 is more than 1; write shares that sum '
                "to 1, such as 0.5"
            ),
        ),
        # decay of 100 % or more
        (
            {"decay": "100%"},
            {},
            "population.decay: must be less than 1; nobody would be left to write to",
        ),
        ({"decay": "110%"}, {}, 'population.decay: must be at most 1, not "110%"'),
        ({"decay": 22}, {}, "population.decay: must be at most 1, not 22"),
        (
            {"control_group": 1.0},
            {},
            "population.control_group: must be less than 1; nobody would be left to write to",
        ),
        # more messages than people
        (
            {},
            {"messages": 1001},
            (
                "deliveries[0].messages: 1,001 is more than the 1,000 people on the "
                "list then; leave "
                "it out for all of them"
            ),
        ),
        (
            HALF | {"new_per_day": 10},
            {"messages": 536, "segment": "half", "at": "7d"},
            'deliveries[0].messages: 536 is more than the 535 people in the segment "half" then',
        ),
        (
            {"new_per_day": 10},
            {"messages": 1050, "every": "7d", "times": 2},
            "deliveries[0].messages: 1,050 is more than the 1,000 people on the list then",
        ),
        # the rest
        (
            {},
            {"at": "2d", "confirm": {"within": "1h", "ahead": "1d"}, "prepare": "6h"},
            (
                "deliveries[0].prepare: 6h before the start is after people are asked "
                "to confirm it, "
                "1d before; give at least that much"
            ),
        ),
        ({}, {"prepare": "0s"}, 'deliveries[0].prepare: must be more than zero, not "0s"'),
        (
            {"classes": {"keen": {"share": 0.5, "open_rate": 0.5}}},
            {},
            "population.classes: shares sum to 0.5, must sum to 1",
        ),
        (
            {"dead_among_new": 0.1},
            {},
            "population.dead_among_new: needs new_per_day, the number of new addresses",
        ),
        ({"size": 0}, {}, "population.size: must be at least 1, not 0"),
        ({"size": 10**9}, {}, "population.size: must be at most 100000000, not 1000000000"),
        (
            {"size": 100_000_000, "new_per_day": 100},
            {"at": "30d"},
            "population.size: with all that join makes 100,003,000 addresses; at most 100,000,000",
        ),
        (
            {"imports": [{"at": "1d", "size": 9}]},
            {},
            "population.imports[0].dead: required, but missing",
        ),
        (
            {"fatigue": {"max": 0, "period": "1d"}},
            {},
            "population.fatigue.max: must be at least 1, not 0",
        ),
        ({"quarentine": {}}, {}, 'population.quarentine: unknown key; did you mean "quarantine"?'),
    ],
)
def test_every_slip_is_named(population, delivery, message) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(population, delivery)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("key", "value"), [("segment", "half"), ("prepare", "1h")])
def test_keys_of_a_population_need_one(key, value) -> None:
    with pytest.raises(ScenarioError) as caught:
        from_dict(
            {
                "deliveries": [{"name": "a", "messages": 9, "audience": {"p": 1.0}, key: value}],
                "relay": {"batch_time": "1s"},
                "providers": {"p": QUICK},
            }
        )
    message = f"deliveries[0].{key}: needs a [population], which the scenario does not have"
    assert message in str(caught.value)


def test_without_a_population_messages_and_audience_are_required() -> None:
    with pytest.raises(ScenarioError) as caught:
        from_dict(
            {
                "deliveries": [{"name": "news"}],
                "relay": {"batch_time": "1s"},
                "providers": {"p": QUICK},
            }
        )
    assert "deliveries[0].messages: required, but missing" in str(caught.value)
    assert "deliveries[0].audience: required, but missing" in str(caught.value)


@pytest.mark.parametrize(
    "delivery",
    [
        {"audience": {"p": 0.5, "q": 0.5}},
        {"messages": 1000},
        {"at": "2d", "confirm": {"within": "1h", "ahead": "1d"}, "prepare": "1d"},
    ],
)
def test_what_agrees_is_taken(delivery) -> None:
    assert scenario({}, delivery).deliveries[0].messages == 1000
