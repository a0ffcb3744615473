from __future__ import annotations

import dataclasses
import math
import re
from itertools import pairwise
from typing import Any

import pytest

from sendcap.errors import SendcapError
from sendcap.scenario import Rate, Scenario, from_dict
from sendcap.scenario.stages import bottleneck, stages
from sendcap.study.capacity.searches.acceptance import bare, takes_and_tries, with_edge_at
from sendcap.study.capacity.searches.lever import available, raised
from sendcap.study.capacity.searches.levers import Gain, Levers, helps_until, levers

CONNECTIONS = "+10 % connections per IP (at least one more)"

PROVIDER = {"connect_time": "2s", "transaction_time": "1s", "connections_per_ip": 10}


def scenario_of(**sections) -> Scenario:
    """One provider, 10 connections: 1 s and a part of 2 s for each message."""
    plain = {
        "seed": 1,
        "deliveries": [{"name": "a", "messages": 4000, "validity": "2h", "audience": {"p": 1.0}}],
        "relay": {"batch_time": "1s", "batch": 10, "workers": 4},
        "providers": {"p": PROVIDER | {"messages_per_connection": 10} | sections.pop("p", {})},
    }
    for name, section in sections.items():
        plain[name] = plain.get(name, {}) | section if isinstance(section, dict) else section
    return from_dict(plain)


def of(scenario: Scenario, **keywords) -> Levers:
    return levers(scenario, **({"workers": 1} | keywords))


def gains(found: Levers) -> dict[str, float]:
    return {gain.lever: gain.gain_s.mean for gain in found.gains}


EVERYTHING = {
    "relay": {"rate": "50/s,max_burst=10"},
    "mta": {"ips": 2, "ingress_rate": "45/s"},
    "p": {"rate": "20/s,max_burst=5", "tolerance": "30/s"},
}


def test_only_what_a_scenario_has_can_be_raised() -> None:
    few = ["one more IP", CONNECTIONS, "one more relay worker"]
    scenario = scenario_of(p={"messages_per_connection": "unlimited"})
    assert [lever.name for lever in available(scenario)] == few
    assert [lever.name for lever in available(scenario_of(**EVERYTHING))] == [
        "one more IP",
        CONNECTIONS,
        "×2 messages per connection",
        "+10 % provider rates",
        "+10 % tolerance",
        "one more relay worker",
        "+10 % relay rate",
        "+10 % ingress rate",
    ]


def test_the_limits_of_connections_can_be_raised() -> None:
    limited = scenario_of(p={"connection_rate": "9/m", "accepts_connections": 7})
    changes = {lever.name: lever.change(limited) for lever in available(limited)}
    assert changes["+10 % connection rates"] == "p 9/m → 99/600s,max_burst=9"
    assert changes["+10 % accepted connections (at least one more)"] == "p 7 → 8"


def test_each_lever_says_what_it_changes_and_changes_that_alone() -> None:
    scenario = scenario_of(**EVERYTHING)
    changes = {lever.name: lever.change(scenario) for lever in available(scenario)}
    assert changes["one more IP"] == "2 → 3"
    assert changes[CONNECTIONS] == "p 10 → 11"
    assert changes["×2 messages per connection"] == "p 10 → 20"
    assert changes["+10 % provider rates"] == "p 20/s,max_burst=5 → 22/s,max_burst=5"
    assert changes["+10 % relay rate"] == "50/s,max_burst=10 → 55/s,max_burst=10"
    assert changes["+10 % ingress rate"] == "45/s → 99/2s"
    for lever in available(scenario):
        pulled = lever.pulled(scenario, 1)
        # What a file may say, and no more than one stage's settings.
        assert from_dict(pulled.model_dump()) == pulled
        fields = type(scenario).model_fields
        assert sum(getattr(pulled, name) != getattr(scenario, name) for name in fields) == 1
        assert lever.pulled(scenario, 3) != pulled


@pytest.mark.parametrize("text", ["100/s", "1/s", "3/7s,max_burst=2", "15,000/h", "1/d"])
@pytest.mark.parametrize("units", [1, 2, 5, 10, 37])
def test_a_rate_is_raised_exactly(text, units) -> None:
    rate = Rate.parse(text)
    more = raised(rate, units)
    assert more.per_s == pytest.approx(rate.per_s * (1 + units / 10), rel=1e-12)
    if rate.burst is not None or more.period_s != rate.period_s:
        assert more.burst_or_limit == rate.burst_or_limit


@pytest.mark.parametrize(
    ("rate", "longer"),
    [
        ({"kind": "fixed-window", "limit": 833, "window": "5m"}, 917 / 300),
        ({"kind": "gap", "pause": "1s"}, 1 / (1 + 1 / 1.1)),
        ({"kind": "schedule", "steps": [{"at": "0s", "rate": "2/s,max_burst=1"}]}, 2.2),
        ({"kind": "warm-up", "per_day": [86_400, 864_000]}, 11.0),
        (["2/s,max_burst=1"], 2.2),
    ],
)
def test_every_kind_of_throttle_is_raised(rate, longer) -> None:
    scenario = scenario_of(p={"rate": rate})
    (lever,) = [lever for lever in available(scenario) if lever.name == "+10 % provider rates"]
    (limit,) = [
        constraint
        for constraint in stages(lever.pulled(scenario, 1))[-1].constraints
        if constraint.name != "connections"
    ]
    assert limit.per_s == pytest.approx(longer, rel=1e-9)


def test_the_gain_is_what_the_ceiling_gains() -> None:
    # 10 connections of 1.2 s for 4000 messages: 480 s; 11 of them, 436 s; of 1.1 s, 440 s.
    found = of(scenario_of(), share=1.0)
    assert found.bottleneck.name == "p"
    assert found.takes_s.mean == pytest.approx(480, rel=0.01)
    all_gains = gains(found)
    assert all_gains[CONNECTIONS] == pytest.approx(480 - 480 / 1.1, rel=0.05)
    assert all_gains["×2 messages per connection"] == pytest.approx(40, rel=0.05)
    assert all_gains["one more IP"] == pytest.approx(240, rel=0.05)
    assert all_gains["one more relay worker"] == pytest.approx(0, abs=2)
    # A tenth of the connections: a second IP is twice as many of them.
    assert [gain.lever for gain in found.gains][:2] == [CONNECTIONS, "one more IP"]


def test_common_random_numbers_tell_small_gains_from_none() -> None:
    scenario = scenario_of(
        p={"transaction_time": {"dist": "lognormal", "mean": "1s", "cv": 2.0}, "transient": 0.02},
        mta={"ingress_rate": "4000/s"},
    )
    found = of(scenario, replications=4)
    # By itself, each replication varies by about 2/sqrt(4000) of the time.
    assert found.takes_s.half_width > 10
    by_name = {gain.lever: gain.gain_s for gain in found.gains}
    assert by_name["×2 messages per connection"].low > 0
    assert by_name["+10 % ingress rate"].low <= 1e-3
    assert by_name["×2 messages per connection"].half_width < found.takes_s.half_width


@pytest.mark.parametrize("lever_name", [CONNECTIONS, "one more relay worker"])
def test_a_lever_stops_helping_where_the_bottleneck_moves(lever_name) -> None:
    # p carries 10/1.2 = 8.3/s and the relay 12/s, or the relay 5/s.
    relay_workers = 12 if "connections" in lever_name else 5
    scenario = scenario_of(relay={"batch_time": "10s", "workers": relay_workers})
    (lever,) = [lever for lever in available(scenario) if lever.name == lever_name]
    units, then = helps_until(lever, scenario, {})
    assert (units, then.name) == ((5, "relay") if "connections" in lever_name else (4, "p"))
    # The last unit that moves the bottleneck may help in part; those after it do not.
    fine = with_edge_at(bare(scenario), 300.0)
    takes = [takes_and_tries(0.99, lever.pulled(fine, k) if k else fine)[0] for k in range(9)]
    gained = [before - after for before, after in pairwise(takes)]
    assert min(gained[: units - 1]) > 0.02 * takes[0]
    assert max(map(abs, gained[units:])) < 0.01 * takes[0]
    assert bottleneck(stages(lever.pulled(scenario, units))).name == then.name


def test_what_leaves_the_bottleneck_as_it_is_does_not_help_at_all() -> None:
    found = of(scenario_of(), replications=2)
    until = {gain.lever: (gain.helps_until, gain.then and gain.then.name) for gain in found.gains}
    assert until["one more relay worker"] == (0, None)
    # Even without a reconnect, 10 connections carry 10/s, and the relay 40/s.
    assert until["×2 messages per connection"] == (None, None)
    assert until["one more IP"] == (4, "relay")


def test_a_lever_can_do_harm() -> None:
    # Faster than the provider lets through, there is more to be throttled and tried again.
    scenario = scenario_of(
        p={"tolerance": "5/s,max_burst=50", "messages_per_connection": "unlimited"}
    )
    scenario = scenario.model_copy(update={"deliveries": (scenario.deliveries[0].model_copy(
        update={"messages": 5000}),)})  # fmt: skip
    other_gains = gains(of(scenario, share=0.8))
    assert other_gains[CONNECTIONS] < -10
    assert other_gains["+10 % tolerance"] > 10


def test_where_nothing_is_held_up_nothing_helps() -> None:
    delivery = {"name": "a", "messages": 4000, "audience": {"p": 1.0}, "spread": "1h"}
    found = of(scenario_of(deliveries=[delivery]), replications=2)
    assert found.bottleneck is None
    assert {gain.helps_until for gain in found.gains} == {0}
    assert max(map(abs, gains(found).values())) < 0.01 * found.takes_s.mean


def test_the_true_step_is_told_and_equal_steps_are_compared() -> None:
    # One more of five is 20 %, and so is one more of five IPs: nothing to choose between them.
    scenario = scenario_of(p={"connections_per_ip": 5}, mta={"ips": 5})
    found = of(scenario, share=1.0, replications=2)
    by_name = {gain.lever: gain for gain in found.gains}
    assert by_name[CONNECTIONS].step_pct == pytest.approx(20.0)
    assert by_name["one more IP"].step_pct == pytest.approx(20.0)
    assert by_name["×2 messages per connection"].step_pct == pytest.approx(100.0)
    assert by_name["one more relay worker"].step_pct == pytest.approx(25.0)
    assert by_name[CONNECTIONS].per_10_pct_s.mean == pytest.approx(
        by_name["one more IP"].per_10_pct_s.mean, rel=0.02
    )
    assert by_name[CONNECTIONS].gain_s.mean == pytest.approx(
        2.0 * by_name[CONNECTIONS].per_10_pct_s.mean
    )
    (text,) = found.sentences()
    assert "for each 10 %" in text
    assert "; then the relay holds up." in text


def test_the_step_is_that_of_the_provider_that_holds_up() -> None:
    providers = {
        name: PROVIDER | {"connections_per_ip": count} for name, count in (("p", 5), ("q", 40))
    }
    deliveries = [{"name": "a", "messages": 4000, "audience": {"p": 0.5, "q": 0.5}}]
    scenario = from_dict(
        {"deliveries": deliveries, "relay": {"batch_time": "1s"}, "providers": providers}
    )
    (lever,) = (lever for lever in available(scenario) if lever.name == CONNECTIONS)
    assert lever.step_pct(scenario, "p") == pytest.approx(20.0)
    assert lever.step_pct(scenario, "q") == pytest.approx(10.0)
    assert lever.step_pct(scenario) == pytest.approx(15.0)


def test_with_costs_it_is_the_money_that_counts() -> None:
    costs = {"mta.ips": 100, "providers.connections_per_ip": 3, "relay.rate": 0.5}
    found = of(scenario_of(**EVERYTHING), replications=2, costs=costs)
    by_name = {gain.lever: gain for gain in found.gains}
    # 10 connections become 11, and 50 messages a second 55.
    assert by_name["one more IP"].cost == 100
    assert by_name[CONNECTIONS].cost == 3
    assert by_name["+10 % relay rate"].cost == pytest.approx(2.5)
    assert by_name["+10 % tolerance"].cost is None
    priced = [gain for gain in found.gains if gain.cost is not None]
    assert list(found.gains[:3]) == priced
    assert [gain.per_cost_s for gain in priced] == sorted(
        (gain.gain_s.mean / gain.cost for gain in priced), reverse=True
    )
    assert found.frame()["cost"].isna().sum() == len(found.gains) - 3


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ({"mta.ipz": 1}, "costs: mta.ipz: no lever of this scenario; its levers are mta.ips, "),
        ({"mta.ips": -1}, "costs: mta.ips: must be a number, 0 or more, not -1"),
        ({"mta.ips": "x"}, 'costs: mta.ips: must be a number, 0 or more, not "x"'),
        (
            {"providers.rate": 1},
            "costs: providers.rate: a schedule, a gap or a warm-up has no unit",
        ),
    ],
)
def test_costs_that_make_no_sense_are_refused(costs, message) -> None:
    scenario = scenario_of(p={"rate": {"kind": "gap", "pause": "1s"}})
    with pytest.raises(SendcapError, match=re.escape(message)):
        of(scenario, costs=costs)


def test_the_table_has_a_row_for_each_lever_ranked() -> None:
    found = of(scenario_of(**EVERYTHING), replications=2)
    table = found.frame()
    assert list(table["per_10_pct_s"]) == sorted(table["per_10_pct_s"], reverse=True)
    assert len(table) == 8
    assert (table["low_s"] <= table["gain_s"]).all()
    assert (table["gain_s"] <= table["high_s"]).all()
    assert list(table["gain_pct"]) == pytest.approx(
        [100 * gain.gain_s.mean / found.takes_s.mean for gain in found.gains]
    )
    assert table.loc[table["lever"] == "+10 % relay rate", "helps_until"].item() == 0


def test_the_number_of_workers_changes_nothing() -> None:
    told: list[int] = []
    one = of(scenario_of(), progress=told.append)
    assert one == of(scenario_of(), workers=2)
    assert told == list(range(1, one.simulations + 1))
    assert one.simulations == 3 * 5


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"share": "0%"}, "share: must be more than 0"),
        ({"replications": 1}, "replications: must be a whole number from 2"),
        ({"confidence": 2.0}, "confidence: must be"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(keywords, message) -> None:
    with pytest.raises(SendcapError, match=message):
        of(scenario_of(), **keywords)


def test_a_share_that_is_never_accepted_is_told() -> None:
    scenario = scenario_of(deliveries=[
        {"name": "a", "messages": 9000, "validity": "2m", "audience": {"p": 1.0}}
    ])  # fmt: skip
    told = r"at most \d+\.?\d* % are: of all messages \d\d % expire before they are tried; ask for"
    with pytest.raises(SendcapError, match=told) as caught:
        of(scenario)
    assert "\n" not in str(caught.value)
    assert not math.isinf(of(scenario, share=0.05, replications=2).takes_s.mean)


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ({"p": {"hard": [{"reason": "unknown", "share": 1.0}]}}, "100 % bounce hard"),
        ({"p": {"outages": [{"at": "0s", "lasts": "5d"}]}}, "100 % expire after soft bounces"),
        ({"p": {"transient": 1.0}}, "100 % expire after soft bounces"),
        ({"relay": {"error_rate": 1.0}}, "100 % fail before the hand-over"),
    ],
)
def test_levers_say_why_nothing_is_ever_accepted(sections: dict[str, Any], reason: str) -> None:
    with pytest.raises(SendcapError, match=f"^no message is ever accepted: {reason}"):
        of(scenario_of(**sections))


def test_where_pools_have_the_addresses_one_more_of_none_is_no_lever() -> None:
    pools = {"x": {"ips": 2}}
    scenario = scenario_of(mta={"pools": pools})
    assert "mta.ips" not in {lever.path for lever in available(scenario)}
    assert "mta.ips" in {lever.path for lever in available(scenario_of())}
    with pytest.raises(SendcapError, match=r"mta\.ips: no lever of this scenario"):
        levers(scenario, costs={"mta.ips": 40})


def test_the_sentence_names_no_lever_of_which_nothing_is_certain() -> None:
    found = of(scenario_of())
    best, *others = (gain for gain in found.gains if gain.gain_s.low > 0.0)

    def told(*gains: Gain) -> str:
        (sentence,) = dataclasses.replace(found, gains=gains).sentences()
        return sentence

    def unsure(gain: Gain) -> Gain:
        """Return the same mean with an interval that holds 0."""
        wide = dataclasses.replace(gain.gain_s, low=-gain.gain_s.mean, high=3.0 * gain.gain_s.mean)
        return dataclasses.replace(gain, gain_s=wide)

    assert f"Most comes of {best.lever}: it saves" in told(best, *others)
    assert f"Most comes of {others[0].lever}: it saves" in told(unsure(best), *others)
    nothing = told(*map(unsure, found.gains))
    assert nothing.endswith("No lever saves time that is certain: the intervals hold 0.")
