"""The people whom deliveries go to, in scenarios whose outcome can be worked out by hand."""

from __future__ import annotations

import pytest
from oracle_reports import counts_of
from people_by_hand import FATIGUE, GONE, Example, at
from people_by_hand_addresses import ADDRESSES
from people_by_hand_complaints import COMPLAINTS
from people_by_hand_exclusions import EXCLUSIONS
from people_by_hand_learning import LEARNING
from people_by_hand_preparations import PREPARATIONS
from people_by_hand_quarantine import QUARANTINE
from people_by_hand_segments import SEGMENTS
from people_models import MODELS, scenario_of, total
from test_orders_by_hand import times

from sendcap.errors import SendcapWarning

BY_HAND: dict[str, Example] = {
    **ADDRESSES,
    **SEGMENTS,
    **PREPARATIONS,
    **EXCLUSIONS,
    **LEARNING,
    **QUARANTINE,
    **COMPLAINTS,
}


def without_zeros(states: dict[str, float]) -> dict[str, float]:
    return {name: count for name, count in states.items() if count and name != "at_s"}


@pytest.mark.parametrize("example", BY_HAND)
@pytest.mark.parametrize("model", MODELS)
def test_people_are_targeted_excluded_and_learned_of_as_worked_out(
    example: str, model: str
) -> None:
    expected = BY_HAND[example]
    outcome = MODELS[model](scenario_of(expected.toml))
    rows = [
        (name, at_s, targeted, sum(to_deliver.values()), excluded)
        for name, at_s, targeted, excluded, to_deliver in outcome.prepared
    ]
    assert rows == expected.prepared
    for number, states in (expected.health or {}).items():
        # Not every model tells of each preparation, but all of the end.
        if number == -1 or number in outcome.health:
            assert without_zeros(outcome.health[number]) == states, number
    if expected.weekly is not None:
        assert [without_zeros(states) for states in outcome.weekly] == expected.weekly
    for what, count in (expected.counts or {}).items():
        assert total(outcome.ledger, what) == count, what
    if expected.relayed is not None:
        assert times(counts_of(outcome.ledger), "relayed") == expected.relayed
    if expected.weeks is not None:
        assert outcome.weeks == expected.weeks
    if expected.mistaken is not None:
        assert outcome.mistaken == expected.mistaken
    if expected.to_deliver is not None:
        assert dict(outcome.ledger.to_deliver) == expected.to_deliver
    assert outcome.ledger.messages() == sum(row[3] for row in rows)


@pytest.mark.parametrize("model", MODELS)
def test_what_would_come_at_a_horizon_does_not_happen(model: str) -> None:
    toml = 'time.horizon = "90m"\n' + GONE + at('"0s"', '"1h"', '"90m"')
    with pytest.warns(SendcapWarning, match="cuts off"):
        scenario = scenario_of(toml)
    outcome = MODELS[model](scenario)
    assert [row[0] for row in outcome.prepared] == ["a", "b"]
    assert dict(outcome.ledger.to_deliver) == {("a", "p"): 4, ("b", "p"): 0, ("c", "p"): 0}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("drawn", "is_the_same"), [("once", True), ("each-time", False)])
def test_a_segment_that_is_drawn_once_has_the_same_people(
    drawn: str, is_the_same: bool, model: str
) -> None:
    """A rule against a second message tells who gets one."""
    segment = f'population.segments.s = {{ share = 0.5, drawn = "{drawn}" }}\n'
    toml = FATIGUE + segment + at('"0s", segment = "s"', '"1h", segment = "s"')
    outcome = MODELS[model](scenario_of(toml + "population.size = 200\n"))
    (_, _, first, _, _), (_, _, second, excluded, _) = outcome.prepared
    assert 60 <= first <= 140
    assert (excluded["fatigue"] == first == second) == is_the_same


@pytest.mark.parametrize("model", MODELS)
def test_a_control_group_is_the_same_people_each_time(model: str) -> None:
    toml = "population.size = 200\npopulation.control_group = 0.5\n" + at('"0s"', '"1h"')
    outcome = MODELS[model](scenario_of(FATIGUE + toml))
    (_, _, _, first, _), (_, _, _, second, _) = outcome.prepared
    assert 60 <= first["control group"] == second["control group"] <= 140
    assert second["fatigue"] == 200 - first["control group"]
