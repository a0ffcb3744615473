"""Nothing is created or lost, nothing happens before its cause: read off the sending log."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_scenarios import (
    EVERYTHING,
    FAIR,
    HELD_BACK,
    OPERATED,
    PER_IP,
    REACTING,
    RUNNERS,
    SUSPENDED,
)

from sendcap.ledger import CLOCKS, EVENTS, Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Delivery, Scenario, from_dict

ENDS = {"accepted", "hard", "expired"}
POOLS = {"ips": 1} | {key: PER_IP["mta"][key] for key in ("pools", "queues")}
IN_TURN = {"ips": 1} | {key: FAIR["mta"][key] for key in ("pools", "queues", "order")}
OPERATED_STOP_S = 270.0
LOGGED = ("relayed", "relay_failed", "accepted", "hard", "soft", "expired", "async_bounced")


def variant(**sections: Any) -> Scenario:
    """`EVERYTHING` with other values in some sections."""
    changed = copy.deepcopy(EVERYTHING)
    for name, section in sections.items():
        changed[name] = changed[name] | section if isinstance(section, dict) else section
    return from_dict(changed)


@pytest.fixture(
    scope="module",
    params=[
        {},
        {"mta": {"expire": "on-failure", "clock_origin": "delivery-start"}},
        {"feedback": {"polling": "5m", "rate": "10/s"}},
        {"mta": {"retry": {"policy": "momentum", "max_retries": 2}, "ingress_rate": "20/s"}},
        {"providers": REACTING["providers"]},
        {"providers": SUSPENDED["providers"]},
        {key: PER_IP[key] for key in ("deliveries", "limits")} | {"mta": POOLS},
        {key: FAIR[key] for key in ("deliveries", "limits")} | {"mta": IN_TURN},
        {key: HELD_BACK[key] for key in ("providers", "limits")} | {"mta": {"active": 300}},
        {key: RUNNERS[key] for key in ("deliveries", "limits")} | {"mta": POOLS},
        {key: OPERATED[key] for key in ("start", "deliveries", "relay", "mta")},
    ],
    ids=str,
)
def logged(request, tmp_path_factory) -> tuple[Scenario, Ledger, pd.DataFrame]:
    path: Path = tmp_path_factory.mktemp("log") / "sending-log.parquet"
    scenario = variant(**request.param)
    ledger = simulate_ledger(scenario, sending_log=path)
    rows = pd.read_parquet(path)
    return scenario, ledger, rows


def is_stopped(delivery: Delivery) -> bool:
    """Whether operators stop it before all is handed over: what is left stays to deliver."""
    return delivery.stop == OPERATED_STOP_S


def by_message(rows: pd.DataFrame):
    return rows.groupby(["delivery", "message"], observed=True)


def test_every_message_is_relayed_or_fails_at_the_relay_exactly_once(logged) -> None:
    scenario, _, rows = logged
    first = rows[rows.event.isin(["relayed", "relay_failed"])]
    assert not first.duplicated(["delivery", "message"]).any()
    for delivery in scenario.deliveries:
        numbers = np.sort(first.message[first.delivery == delivery.name])
        counts = first.provider[first.delivery == delivery.name].value_counts()
        handed_over = {name: counts[name] for name in delivery.audience}
        if is_stopped(delivery):
            assert 0 < len(numbers) < delivery.messages
            assert all(handed_over[name] <= count for name, count in delivery.counts().items())
        else:
            np.testing.assert_array_equal(numbers, np.arange(delivery.messages))
            assert handed_over == delivery.counts()


def test_every_relayed_message_ends_exactly_once(logged) -> None:
    _, _, rows = logged
    relayed = int((rows.event == "relayed").sum())
    ends = rows[rows.event.isin(ENDS)]
    assert len(ends) == relayed
    assert not ends.duplicated(["delivery", "message"]).any()
    last = by_message(rows[rows.event != "async_bounced"]).event.last()
    assert set(last.unique()) <= ENDS | {"relay_failed"}
    returned = rows[rows.event == "async_bounced"].set_index(["delivery", "message"]).index
    accepted = rows[rows.event == "accepted"].set_index(["delivery", "message"]).index
    assert len(returned) > 0
    assert returned.isin(accepted).all()


def test_reports_of_one_message_never_overtake_each_other(logged) -> None:
    _, _, rows = logged
    assert rows.known_s.is_monotonic_increasing
    assert (rows.known_s >= rows.happened_s).all()
    assert not (by_message(rows).happened_s.diff() < 0.0).any()
    assert not (by_message(rows.astype({"attempt": np.int64})).attempt.diff() < 0).any()


def test_an_attempt_comes_no_sooner_than_the_shortest_retry_delay(logged) -> None:
    scenario, _, rows = logged
    tried = rows[rows.event.isin(["accepted", "hard", "soft"])]
    gap_s = by_message(tried).happened_s.diff()
    assert gap_s.min() >= scenario.mta.retry.shortest_delay_s
    np.testing.assert_array_equal(tried.attempt, by_message(tried).cumcount() + 1)


def test_expiry_comes_when_the_validity_is_over(logged) -> None:
    scenario, _, rows = logged
    validity_s = {
        delivery.name: scenario.honoured_validity(delivery) for delivery in scenario.deliveries
    }
    at_s = {delivery.name: delivery.at for delivery in scenario.deliveries}
    relayed = rows[rows.event == "relayed"].set_index(["delivery", "message"]).happened_s
    ends = rows[rows.event == "expired"].set_index(["delivery", "message"])
    assert len(ends) > 0
    names = ends.index.get_level_values("delivery")
    begins_s = relayed.loc[ends.index].to_numpy()
    if scenario.mta.clock_origin == "delivery-start":
        begins_s = np.array([at_s[name] for name in names])
    expiry_s = begins_s + np.array([validity_s[name] for name in names])
    retries_are_limited = getattr(scenario.mta.retry, "max_retries", "auto") != "auto"
    untried = ends.attempt == 0
    # Untried: at the expiry, or on being relayed if that was later.
    relayed_s = relayed.loc[ends.index].to_numpy()
    np.testing.assert_array_equal(
        ends.happened_s[untried], np.maximum(expiry_s, relayed_s)[untried]
    )
    if scenario.mta.expire == "at-expiry" and not retries_are_limited:
        # Tried: at the expiry, unless an attempt that began in time ended after it.
        assert (ends.happened_s >= expiry_s).all()
        assert (ends.happened_s - expiry_s).median() == 0.0


def test_the_log_tells_the_same_as_the_ledger_at_every_bin(logged) -> None:
    scenario, ledger, rows = logged
    for clock in CLOCKS:
        bins = (rows[f"{clock}_s"] / scenario.time.bin).astype(int)
        for event in LOGGED:
            for provider in scenario.providers:
                chosen = (rows.event == event) & (rows.provider == provider)
                expected = np.bincount(bins[chosen], minlength=ledger.bins)
                counted = ledger.counts(event, clock=clock, provider=provider)
                np.testing.assert_array_equal(counted, expected)


def test_counts_are_conserved_at_every_bin(logged) -> None:
    scenario, ledger, _ = logged
    for delivery in scenario.deliveries:
        for provider in delivery.audience:
            happened, known = (
                {
                    event: ledger.cumulative(
                        event, clock=clock, delivery=delivery.name, provider=provider
                    )
                    for event in EVENTS
                }
                for clock in CLOCKS
            )
            for count in (happened, known):
                ended = count["accepted"] + count["hard"] + count["expired"]
                assert (count["relayed"] >= ended).all()
                assert (count["relayed"] - ended)[-1] == 0
                assert (count["recovered"] <= count["accepted"]).all()
                assert (count["expired_untried"] <= count["expired"]).all()
                assert (count["soft_first"] <= count["soft"]).all()
                # A first soft bounce leads to acceptance, to a hard bounce or to expiry.
                left = count["soft_first"] - count["recovered"] - count["hard_after_soft"]
                tried_expired = count["expired"] - count["expired_untried"]
                assert (left >= tried_expired).all()
                assert left[-1] == tried_expired[-1]
                assert (count["async_bounced"] <= count["accepted"]).all()
                assert (count["clicked"] <= count["opened"]).all()
                assert (count["opened"] <= count["accepted"]).all() or count is known
                total = count["relayed"] + count["relay_failed"]
                if is_stopped(delivery):
                    assert total[-1] < delivery.counts()[provider]
                else:
                    assert total[-1] == delivery.counts()[provider]
            sent_back = ledger.cumulative(
                "soft",
                clock="happened",
                delivery=delivery.name,
                provider=provider,
                reason="suspended",
            )
            in_service = happened["attempted"] - (
                happened["accepted"] + happened["hard"] + happened["soft"] - sent_back
            )
            settings = scenario.providers[provider]
            assert (in_service >= 0).all()
            assert in_service.max() <= settings.connections_per_ip * sum(scenario.pools().values())
            for event in happened:
                assert (known[event] <= happened[event]).all()
                assert known[event][-1] == happened[event][-1]
