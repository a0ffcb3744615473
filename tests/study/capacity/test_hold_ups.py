"""What holds each delivery up, and when the bottleneck moves."""

from __future__ import annotations

from typing import Any

import pytest

import sendcap
from sendcap.scenario import Scenario, from_dict
from sendcap.study.capacity.limits import limits_from_ledger

CONNECTED = {"connect_time": "0s", "transaction_time": "1s", "messages_per_connection": "unlimited"}


def scenario_of(*deliveries: dict[str, Any], relay: dict[str, Any] | None = None) -> Scenario:
    """A slow provider that takes 10 a second, and a quick one; the relay hands over 50."""
    return from_dict(
        {
            "time": {"bin": "10s"},
            "deliveries": list(deliveries),
            "relay": {"batch": 10, "batch_time": "0s", "rate": "50/s,max_burst=10"} | (relay or {}),
            "providers": {
                "slow": CONNECTED | {"connections_per_ip": 10},
                "quick": CONNECTED | {"connections_per_ip": 1000},
            },
        }
    )


def delivery(name: str, messages: int, provider: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "messages": messages, "audience": {provider: 1.0}} | keys


def test_a_stream_behind_a_blast_is_held_up_by_it_and_another_is_not() -> None:
    found = sendcap.limits(
        scenario_of(
            delivery("blast", 30_000, "slow"),
            delivery("stream", 600, "slow", at="20m", spread="1h"),
            delivery("other", 600, "quick", at="20m", spread="2h"),
        )
    )
    table = found.hold_ups().set_index("delivery")
    assert table.loc["stream", "stage"] == "slow"
    # 30,000 at 10 a second take 50 minutes; 10 minutes after the start 24,000 of them wait.
    assert table.loc["stream", "wait_s"] == pytest.approx(1800, rel=0.05)
    assert table.loc["blast", "wait_s"] == pytest.approx(2400, rel=0.05)
    assert "other" not in table.index
    _, *others = found.sentences()
    assert "blast: slow holds it up, by up to 39m 59s" in " ".join(others)
    assert others[-1] == "Nothing holds up other."


@pytest.mark.parametrize("at", ["0s", "2m"])
def test_who_comes_later_and_waits_behind_does_not_hold_a_delivery_up(at: str) -> None:
    """2,000 at 10 a second take 200 s; that 30,000 come after them changes nothing."""
    first = delivery("first", 2_000, "slow")
    found = [
        sendcap.limits(scenario_of(first, *others)).hold_ups().set_index("delivery").loc["first"]
        for others in ([], [delivery("blast", 30_000, "slow", at=at)])
    ]
    alone, with_a_blast = found
    assert alone["stage"] == with_a_blast["stage"] == "slow"
    assert with_a_blast["wait_s"] == pytest.approx(alone["wait_s"], abs=10.0)
    assert alone["wait_s"] == pytest.approx(160.0, abs=10.0)
    assert with_a_blast["until_s"] <= 210.0


def test_a_delivery_is_held_up_by_what_its_retries_wait_for() -> None:
    """All of the first is tried again when the second, which began later, is before it."""
    away = {"at": "0s", "lasts": "5m"}
    scenario = scenario_of(
        delivery("first", 1_000, "slow"), delivery("blast", 30_000, "slow", at="6m")
    ).with_(
        {"providers.slow.outages": [away], "mta.retry": {"policy": "schedule", "delays": ["20m"]}}
    )
    held_up = sendcap.limits(scenario).hold_ups().set_index("delivery")
    assert held_up.loc["first", "wait_s"] > 600.0


def test_the_relay_holds_nobody_up_longer_than_anybody_waited_there() -> None:
    """200 batches of 100 take 200 s, although 2000 small ones lower what it carries on average."""
    found = sendcap.limits(
        scenario_of(
            delivery("blast", 20_000, "quick"),
            delivery("stream", 2000, "quick", spread="8h", batch=1),
            relay={"batch": 100, "batch_time": "1s", "rate": "1000/s"},
        )
    )
    assert found.observed[0].longest_wait_s == pytest.approx(200.0, rel=0.05)
    longest_s = found.observed[0].longest_wait_s
    from_ledger = limits_from_ledger(found.run).hold_ups()
    for held_up in (found.hold_ups(), from_ledger):
        assert (held_up["wait_s"] <= longest_s + found.observed[0].bin_s).all()
        assert held_up["wait_s"].max() == pytest.approx(longest_s, rel=0.05)


def test_who_goes_first_is_not_held_up_by_those_who_wait() -> None:
    first_come = scenario_of(
        delivery("blast", 30_000, "slow"), delivery("stream", 600, "slow", at="20m", spread="1h")
    )
    by_priority = first_come.with_({"mta.order": "priority", "deliveries[1].priority": "high"})
    held_up = sendcap.limits(first_come).hold_ups().set_index("delivery")
    assert held_up.loc["stream", "wait_s"] > 1000.0
    held_up = sendcap.limits(by_priority).hold_ups().set_index("delivery")
    assert "stream" not in held_up.index
    assert held_up.loc["blast", "wait_s"] > 2000.0


def test_several_deliveries_go_by_the_clock_and_of_very_many_the_longest_are_told() -> None:
    blasts = [delivery(f"blast {n}", 1000 + 100 * n, "slow", at=f"{n}h") for n in range(12)]
    found = sendcap.limits(scenario_of(*blasts).with_({"start": "2026-11-27T09:00:00"}))
    told = [each for each in found.sentences() if "holds it up" in each]
    assert len(told) == 4
    assert told[0].startswith("blast 11: slow holds it up, by up to ")
    assert told[0].endswith(" from Fri 20:00:10 to Fri 20:03:30.")
    assert "8 other deliveries are held up for a shorter time." in found.sentences()

    assert len(found.hold_ups().query("delivery != '*'")) == 12


def test_the_bottleneck_moves_from_the_relay_to_the_provider() -> None:
    found = sendcap.limits(scenario_of(delivery("blast", 30_000, "slow")))
    periods = found.hold_ups().query("delivery == '*'")
    assert list(periods["stage"]) == ["relay", "slow"]
    # The relay has 30,000 − 50 t left at 50/s, the provider 40 t at 10/s: equal after 2 minutes.
    assert periods["until_s"].iloc[0] == pytest.approx(120, abs=15)
    assert periods["until_s"].iloc[1] == pytest.approx(3000, abs=30)
    text = "The longest wait moves: it is at the relay until 2m"
    assert any(sentence.startswith(text) for sentence in found.sentences())


def test_what_waits_at_the_start_alone_is_no_period() -> None:
    """The relay has handed all over after 20 s, before the end of the first bin."""
    found = sendcap.limits(scenario_of(delivery("blast", 1_000, "slow")))
    periods = found.hold_ups().query("delivery == '*'")
    assert list(periods["stage"]) == ["slow"]
    assert not any("moves" in sentence for sentence in found.sentences())


def test_where_nothing_waits_nothing_is_said() -> None:
    found = sendcap.limits(scenario_of(delivery("stream", 600, "quick", spread="1h")))
    assert found.hold_ups().empty
    assert len(found.sentences()) == 1


def test_a_ledger_says_the_same_of_first_attempts() -> None:
    scenario = scenario_of(
        delivery("blast", 30_000, "slow"), delivery("other", 100, "quick", at="1h")
    )
    found, of_run = sendcap.limits(scenario), limits_from_ledger(sendcap.simulate(scenario))
    assert list(found.hold_ups()["stage"]) == list(of_run.hold_ups()["stage"])
    assert of_run.hold_ups()["wait_s"].tolist() == pytest.approx(
        found.hold_ups()["wait_s"].tolist(), abs=2.0
    )


def test_a_relay_whose_workers_and_rate_wait_for_each_other_holds_a_stream_up() -> None:
    # 48 a second come for an hour; one worker and a burst of one batch hand over fewer.
    relay = {"batch_time": {"dist": "lognormal", "mean": "180ms", "cv": 0.5}}
    found = sendcap.limits(
        scenario_of(delivery("stream", 172_800, "quick", spread="1h"), relay=relay)
    )
    assert found.bottleneck == "relay"
    assert "wait for each other" in found.sentence
    assert found.hold_ups().set_index("delivery").loc["stream", "stage"] == "relay"


def test_what_is_stopped_waits_for_the_relay_no_longer_than_until_then() -> None:
    # The relay would need a minute for it, and bins are of 10 s.
    stopped = scenario_of(delivery("stopped", 3000, "quick", stop="4s"))
    found = sendcap.limits(stopped).hold_ups().set_index("delivery")
    assert found.loc["stopped", "stage"] == "relay"
    assert found.loc["stopped", "wait_s"] == 4.0


def test_no_message_waits_longer_than_it_is_valid() -> None:
    late = scenario_of(delivery("late", 3000, "slow", validity="65s"))
    for found in (sendcap.limits(late), limits_from_ledger(sendcap.simulate(late))):
        waits = found.hold_ups().set_index("delivery")
        assert waits.loc["late", "stage"] == "slow"
        assert waits.loc["late", "wait_s"] == 65.0


# Where deliveries take turns, nine in ten of the first one's messages decide.
@pytest.mark.parametrize(("order", "first_s"), [("fifo", 590.0), ("fair", 540.0)])
def test_a_wait_is_as_long_as_the_rate_of_that_time_makes_it(order: str, first_s: float) -> None:
    """600 leave in 10 minutes at one a second; later 3,000 wait for 5, at 10 a second."""
    steps = [{"at": "0s", "rate": "1/s"}, {"at": "10m", "rate": "50/s"}]
    scenario = scenario_of(
        delivery("first", 600, "slow"), delivery("second", 3_000, "slow", at="20m")
    ).with_({"mta.order": order, "providers.slow.rate": {"kind": "schedule", "steps": steps}})
    found = sendcap.limits(scenario)
    table = found.hold_ups().set_index("delivery")
    assert table.loc["first", "wait_s"] == pytest.approx(first_s, abs=15.0)
    assert table.loc["second", "wait_s"] == pytest.approx(240.0, abs=15.0)
    longest_s = max(each.longest_wait_s for each in found.observed)
    assert (table["wait_s"] <= longest_s + 10.0).all()


def test_who_comes_shortly_before_a_rate_is_closed_waits_until_it_opens() -> None:
    steps = [("0s", "10/s"), ("1m", "closed"), ("2h", "10/s")]
    rate = {"kind": "schedule", "steps": [{"at": at, "rate": rate} for at, rate in steps]}
    late = scenario_of(delivery("late", 1_800, "slow")).with_({"providers.slow.rate": rate})
    in_turn = late.with_({"mta.order": "fair"})
    for scenario in (late, in_turn):
        waits = sendcap.limits(scenario).hold_ups().set_index("delivery")
        # 600 have left, 1,200 leave in two minutes from then on.
        assert waits.loc["late", "wait_s"] == pytest.approx(7200.0 + 120.0 - 40.0, abs=30.0)
