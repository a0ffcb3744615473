"""Each slider moves what its label says, and nothing that the scenario cannot be."""

from __future__ import annotations

import pytest

from sendcap.errors import SendcapError
from sendcap.explore.sliders import FIRST_DELAYS, moved, sliders
from sendcap.scenario import Scenario, load, presets, to_dict, updated
from sendcap.scenario.stages import stages


def shares(scenario: Scenario) -> tuple[float, float]:
    """The shares of messages that bounce hard, and softly at the first attempt."""
    total = sum(delivery.messages for delivery in scenario.deliveries)
    hard = soft = 0.0
    for (_, name), count in scenario.to_deliver().items():
        settings = scenario.providers[name]
        bad = sum(kind.share for kind in settings.hard)
        faulty = sum(kind.share for kind in settings.faults)
        hard += count / total * bad
        soft += count / total * (faulty + (1.0 - bad - faulty) * settings.transient)
    return hard, soft


@pytest.mark.parametrize("name", presets())
def test_sliders_at_the_scenarios_own_values_change_nothing(name):
    scenario = load(name)
    there = sliders(scenario)

    assert all(
        each.value in each.steps and each.steps == tuple(sorted(each.steps)) for each in there
    )
    assert moved(scenario, {each.key: each.value for each in there}) == scenario


@pytest.mark.parametrize("name", presets())
def test_every_end_of_every_slider_is_a_scenario_that_differs_there_only(name):
    scenario = load(name)
    parts = {"messages": "deliveries", "validity": "deliveries", "relay_rate": "relay"}
    parts |= {"ips": "mta", "first_retry": "mta", "hard_pct": "providers", "soft_pct": "providers"}
    before = to_dict(scenario)

    for slider in sliders(scenario):
        for value in {slider.steps[0], slider.steps[-1]} - {slider.value}:
            after = to_dict(moved(scenario, {slider.key: value}))
            assert {part for part in after if after[part] != before[part]} == {parts[slider.key]}


def test_values_are_what_the_labels_say():
    scenario = load("black-friday")
    there = {slider.key: slider for slider in sliders(scenario)}

    assert there["messages"].label == "Messages, millions"
    assert there["messages"].value == 10
    assert moved(scenario, {"messages": 50}).deliveries[0].messages == 50_000_000
    assert stages(moved(scenario, {"relay_rate": 15_000}))[0].per_s == pytest.approx(15_000)
    assert moved(scenario, {"ips": 3}).mta.ips == 3
    assert moved(scenario, {"first_retry": 7.5}).mta.retry.first == 450
    assert moved(scenario, {"validity": 1}).deliveries[0].validity == 3600
    hard, soft = shares(scenario)
    assert there["hard_pct"].value == pytest.approx(100 * hard, abs=5e-4)
    assert there["soft_pct"].value == pytest.approx(100 * soft, abs=5e-4)


@pytest.mark.parametrize("pct", [0.05, 1.5, 4.8])
def test_shares_of_bounces_are_those_that_were_asked_for(pct):
    scenario = load("black-friday")
    _, soft = shares(scenario)

    # A little less is left for soft bounces where more addresses are bad.
    assert shares(moved(scenario, {"hard_pct": pct}))[0] == pytest.approx(pct / 100)
    assert shares(moved(scenario, {"hard_pct": pct}))[1] == pytest.approx(soft, rel=0.05)
    assert shares(moved(scenario, {"soft_pct": pct}))[1] == pytest.approx(pct / 100)


def test_a_share_ends_where_a_provider_has_no_other_addresses_left():
    scenario = updated(
        load("quickstart"),
        {"providers.gmail.hard": [{"reason": "user unknown", "share": 0.4}]},
    )
    last = next(slider for slider in sliders(scenario) if slider.key == "hard_pct").steps[-1]

    assert shares(moved(scenario, {"hard_pct": last}))[0] > 0.4


@pytest.mark.parametrize("policy", sorted(FIRST_DELAYS))
def test_the_first_retry_is_that_of_the_policy(policy):
    scenario = updated(load("quickstart"), {"mta.retry": {"policy": policy}})

    retry = moved(scenario, {"first_retry": 2}).mta.retry
    assert getattr(retry, FIRST_DELAYS[policy]) == 120


def test_what_a_scenario_does_not_have_gets_no_slider():
    scenario = updated(
        load("quickstart"), {"mta.retry": {"policy": "schedule", "delays": ["5m", "1h"]}}
    )
    clean = {f"providers.{name}.hard": [] for name in scenario.providers}

    keys = {slider.key for slider in sliders(updated(scenario, clean))}
    assert keys == {"messages", "relay_rate", "ips", "soft_pct", "validity"}
    with pytest.raises(SendcapError, match="hard_pct: no such slider; there is messages"):
        moved(updated(scenario, clean), {"hard_pct": 1})
