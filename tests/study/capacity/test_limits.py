"""What `sendcap.limits` reports, on small scenarios whose figures are known."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from test_bottlenecks import plain

import sendcap
from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.readings.load import attempts_per_message, refused
from sendcap.scenario import Scenario, from_dict, load, updated
from sendcap.scenario.stages import stages
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed
from sendcap.text.quantities import rate


@pytest.fixture(scope="module")
def friday() -> Limits:
    """Black Friday, a tenth of it from the same 32 IPs."""
    return sendcap.limits(updated(load("black-friday"), {"deliveries[0].messages": 1_000_000}))


def test_a_row_for_each_stage_in_the_order_of_the_way(friday: Limits) -> None:
    table = friday.table().set_index("stage")
    providers = list(friday.scenario.providers)
    assert list(table.index) == ["relay", "ingress", *providers]
    assert friday.bottleneck == "gmail"
    gmail = table.loc["gmail"]
    assert gmail.binding == "connections"
    assert gmail.ceiling_per_s == pytest.approx(160 / 0.332)
    assert gmail.ceiling_per_hour == pytest.approx(3600 * gmail.ceiling_per_s)
    assert gmail.delivery_per_s == pytest.approx(
        gmail.ceiling_per_s / (0.73 * 0.9999 * gmail.attempts_per_message)
    )
    assert gmail.needs_s == pytest.approx(730_000 / (160 / 0.332), rel=0.01)
    # 1,095 a second arrive for 667 s, and 482 are sent.
    assert gmail.peak_backlog == pytest.approx((1095 - 482) * 667, rel=0.02)
    assert gmail.peak_at_s == pytest.approx(667, abs=60)
    assert gmail.drained_at_s == pytest.approx(gmail.needs_s, abs=90)
    assert gmail.longest_wait_s == pytest.approx(gmail.needs_s - 667, rel=0.03)
    assert gmail.mean_wait_s == pytest.approx(gmail.longest_wait_s / 2, rel=0.05)
    assert gmail.utilisation_pct > 97.0  # in the first and the last minute it is not all in use
    # What keeps up has no backlog worth the name.
    assert table.drained_at_s.isna().tolist() == [
        name not in ("relay", "gmail") for name in table.index
    ]
    assert table.loc["yahoo", "utilisation_pct"] == pytest.approx(100 * 142.5 / 753, abs=1.5)


def test_the_relay_holds_what_has_begun_and_is_not_handed_over(friday: Limits) -> None:
    relay = friday.observed[0]
    assert (relay.peak_backlog, relay.peak_at_s) == (1_000_000, 0.0)
    handed_over = friday.run.ledger.cumulative("relayed", clock="happened")
    failed = friday.run.ledger.cumulative("relay_failed", clock="happened")
    left = 1_000_000 - handed_over - failed
    np.testing.assert_array_equal(relay.backlog[:10], left[:10])


def test_over_time_has_a_row_for_each_stage_and_edge(friday: Limits) -> None:
    table = friday.over_time()
    assert list(table.columns) == [
        "stage",
        "time_s",
        "backlog",
        "throughput_per_s",
        "ceiling_per_s",
        "utilisation_pct",
    ]
    for each in friday.observed:
        rows = table[table.stage == each.stage.name]
        assert rows.backlog.max() == each.peak_backlog
        assert rows.throughput_per_s.isna().tolist() == [True] + [False] * (len(rows) - 1)
        assert rows.utilisation_pct.max() <= 100.0
    attempts = friday.run.ledger.total("attempted", clock="happened", provider="gmail")
    carried = table[table.stage == "gmail"].throughput_per_s.sum() * 60.0
    assert carried == pytest.approx(attempts, abs=1e-3)


def test_it_is_the_same_run_but_for_opens_and_clicks(friday: Limits) -> None:
    whole = sendcap.simulate(friday.scenario).ledger
    frame, part = whole.frame(), friday.run.ledger.frame()
    frame = frame[~frame.event.isin(["opened", "clicked"])].reset_index(drop=True)
    assert part.astype({"event": str}).equals(frame.astype({"event": str}))
    assert friday.scenario.engagement.open_rate > 0.0


def test_it_takes_names_paths_and_a_seed(tmp_path) -> None:
    from sendcap.scenario import dumps

    (tmp_path / "fast.toml").write_text(dumps(from_dict(plain({}))))
    found = sendcap.limits(tmp_path / "fast.toml", seed=9)
    assert found.scenario.seed == found.run.scenario.seed == 9
    other = sendcap.limits(str(tmp_path / "fast.toml"))
    assert other.run.ledger != found.run.ledger
    with pytest.raises(ScenarioError, match="no such file"):
        sendcap.limits(tmp_path / "nothing.toml")


def test_its_summary_is_plain_json(friday: Limits) -> None:
    text = json.dumps(friday.summary(), allow_nan=False)
    summary = json.loads(text)
    assert summary["bottleneck"] == "gmail"
    assert summary["sentence"] == friday.sentence
    assert [row["stage"] for row in summary["stages"]] == list(friday.table().stage)
    assert summary["stages"][3]["drained_at_s"] is None


# --- In words -------------------------------------------------------------------------------------


def test_the_sentence_says_who_and_why_and_how_long(friday: Limits) -> None:
    assert friday.sentence == (
        "Bottleneck: gmail. Its 160 connections carry 482 attempts/s; 73 % of the "
        "messages go there, so it needs at least 25m 18s, while the relay would need 11m 6s."
    )


def sentence_of(**changes) -> str:
    return sendcap.limits(from_dict(plain(changes))).sentence


def test_a_delivery_that_is_spread_is_held_up_by_nothing() -> None:
    sections = plain({})
    sections["deliveries"][0]["spread"] = "10m"
    found = sendcap.limits(from_dict(sections))
    assert found.bottleneck is None
    told = found.sentence
    # The last of the batches is ready a little before the end of the spread.
    assert told.startswith("Nothing holds the delivery up: the messages become ready over 9m 58s, ")
    assert "the slowest, the MTA's ingress, needs at least 16.7s" in told


def test_where_no_stage_takes_time_nothing_holds_up() -> None:
    scenario = from_dict(
        {
            "deliveries": [{"name": "a", "messages": 10, "audience": {"p": 1.0}}],
            "relay": {"batch_time": "0s"},
            "providers": {"p": {"connect_time": "0s", "transaction_time": "0s"}},
        }
    )
    found = sendcap.limits(scenario)
    assert found.bottleneck is None
    assert found.sentence == (
        "Nothing holds the delivery up: no stage needs as much as a second for its load."
    )


def test_a_stage_that_is_hardly_faster_is_named_too() -> None:
    told = sentence_of(p={"rate": "100/s,max_burst=1"}, relay={"rate": "170/s,max_burst=50"})
    assert "Bottleneck: p. " in told
    assert told.endswith("the relay is close behind, with 1m 57s.")


def test_messages_that_are_never_tried_are_told() -> None:
    sections = plain({"p": {"rate": "100/s,max_burst=1"}})
    sections["deliveries"][0]["validity"] = "1m"
    found = sendcap.limits(from_dict(sections))
    untried = found.run.ledger.total("expired_untried")
    assert untried > 1000
    assert found.sentence.endswith(
        f" The validity of {untried:,} messages ends before they are tried at all."
    )
    # They are load all the same: the stage needs as long for all of them.
    assert found.observed[2].stage.attempts_per_message == 1.0
    assert found.observed[2].stage.needs_s == pytest.approx(120.0, rel=0.01)


def test_rates_are_told_in_numbers_that_can_be_grasped() -> None:
    assert [rate(each) for each in (12345.6, 99.7, 9.99, 2.5, 1.0, 0.9999, 0.1, 1e-4)] == [
        "12,346/s",
        "100/s",
        "10/s",
        "2.5/s",
        "1/s",
        "3,600/h",
        "360/h",
        "0.36/h",
    ]


# --- Retries --------------------------------------------------------------------------------------


def times(scenario: Scenario, accepted_pct: int | None = None) -> float:
    return attempts_per_message(sendcap.simulate(scenario).ledger, scenario, accepted_pct)["p"]


def test_greylisted_messages_are_tried_twice() -> None:
    faults = [{"reason": "greylisted", "share": 0.3, "clears_after": "9s"}]
    assert times(from_dict(plain({"p": {"faults": faults}}))) == pytest.approx(1.3, abs=0.02)
    assert times(from_dict(plain({"p": {"faults": faults}})), 99) == pytest.approx(1.29, abs=0.03)


def test_full_mailboxes_are_no_load_to_a_delivery_that_is_over() -> None:
    faults = [{"reason": "mailbox full", "share": 0.01, "never": 1.0}]
    scenario = from_dict(
        plain({"p": {"faults": faults}, "mta": {"retry": {"policy": "exponential"}}})
    )
    assert times(scenario) == pytest.approx(1.08, abs=0.03)
    assert times(scenario, 99) == 1.0


def test_a_backlog_is_gone_at_the_edge_after_the_last_noticeable_one() -> None:
    observed = sendcap.limits(from_dict(plain({}))).observed[-1]
    assert observed.bin_s == 1.0
    assert observed.noticeable == pytest.approx(900.0)  # the throughput of a second
    backlog = np.array([0, 5000, 2000, 901, 900, 10, 0])
    assert replace(observed, backlog=backlog).drained_at_s == 4.0
    assert math.isinf(replace(observed, backlog=backlog[:4]).drained_at_s)
    assert math.isnan(replace(observed, backlog=backlog[4:]).drained_at_s)


def test_what_is_refused_is_no_load() -> None:
    for changes in (
        {"outages": [{"at": "5s", "lasts": "1m"}]},
        {"outages": [{"at": "5s", "lasts": "61500ms"}]},
        {"tolerance": "200/s,max_burst=1"},
    ):
        scenario = from_dict(plain({"p": changes}))
        ledger = sendcap.simulate(scenario).ledger
        assert refused(ledger, scenario, "p").sum() == ledger.total("soft", provider="p") > 5000
        assert not refused(ledger, scenario, "q").any()
        assert times(scenario) == 1.0


def test_a_fault_that_is_called_unreachable_is_load() -> None:
    faults = [{"reason": "unreachable", "share": 0.5, "clears_after": "9s"}]
    scenario = from_dict(plain({"p": {"faults": faults, "outages": [{"at": "1h", "lasts": "1m"}]}}))
    assert times(scenario) == pytest.approx(1.5, abs=0.02)


def test_throughput_leaves_out_what_is_refused() -> None:
    found = sendcap.limits(from_dict(plain({"p": {"tolerance": "100/s,max_burst=20"}})))
    stage = found.observed[2]
    assert stage.throughput_per_s.sum() == 12_000
    # It comes in waves, every 10 s, and is never let through faster.
    assert stage.throughput_per_s.max() == pytest.approx(110.0, abs=10.0)
    assert stage.ceiling_per_s[50] == 100.0


# --- What is observed of a stage ------------------------------------------------------------------


def seen(**changes) -> Observed:
    return sendcap.limits(from_dict(plain(changes))).observed[2]


def test_a_fixed_window_is_in_use_for_all_of_its_length() -> None:
    window = {"kind": "fixed-window", "limit": 900, "window": "15s"}
    monitor = seen(p={"rate": window})
    assert monitor.throughput_per_s[18:30].max() < 1.0 < monitor.throughput_per_s[15]
    assert monitor.utilisation[:180] == pytest.approx(1.0)


def test_a_closed_schedule_has_no_utilisation() -> None:
    steps = [{"at": "0s", "rate": "closed"}, {"at": "30s", "rate": "100/s,max_burst=1"}]
    monitor = seen(p={"rate": {"kind": "schedule", "steps": steps}})
    assert np.isnan(monitor.utilisation[:30]).all()
    assert monitor.mean_utilisation > 0.98
    assert monitor.ceiling_per_s[:32].tolist() == [0.0] * 30 + [100.0] * 2


def test_an_outage_carries_nothing() -> None:
    monitor = seen(p={"outages": [{"at": "10s", "lasts": "1m"}]})
    assert (monitor.ceiling_per_s[10:70] == 0.0).all()
    assert (monitor.throughput_per_s[10:70] == 0.0).all()
    assert monitor.throughput_per_s.sum() == 12_000
    assert monitor.utilisation[12:69].max() > 0.0


def test_a_backlog_that_is_still_there_at_the_end_has_not_drained() -> None:
    sections = plain({"p": {"rate": "100/s,max_burst=1"}})
    sections["time"]["horizon"] = "1m"
    with pytest.warns(SendcapWarning, match="cuts off"):
        found = sendcap.limits(from_dict(sections))
    stage = found.observed[2]
    assert stage.drained_at_s == math.inf
    assert stage.backlog[-1] == pytest.approx(6000, rel=0.01)
    assert found.drained_at_s == 60.0
    assert found.summary()["stages"][2]["drained_at_s"] is None


def test_ages_are_those_of_first_in_first_out() -> None:
    """A hundred come each second for ten seconds, and twenty go."""
    arrivals = np.array([100] * 10 + [0] * 10)
    stage = stages(from_dict(plain({})))[2]
    nothing = np.zeros(20)
    observed = Observed(
        stage=stage,
        bin_s=1.0,
        backlog=np.concatenate(([0], np.cumsum(arrivals - 20))),
        arrivals=arrivals,
        throughput_per_s=nothing,
        ceiling_per_s=nothing,
        utilisation=nothing,
        mean_wait_s=0.0,
        p95_wait_s=0.0,
        longest_wait_s=0.0,
    )
    # At 10 s the first 200 have gone, those of the first two seconds.
    assert observed.waiting_longer(0.0, 10.0) == 800
    assert observed.waiting_longer(8.0, 10.0) == 0
    assert observed.waiting_longer(5.0, 10.0) == 300
    assert observed.waiting_longer(2.5, 10.0) == 550
    assert observed.waiting_longer(10.0, 20.0) == observed.waiting_longer(0.0, 20.0) == 600
    assert observed.waiting_longer(15.0, 20.0) == 100


def test_a_rate_of_less_than_one_attempt_in_a_bin_is_in_use_all_the_time() -> None:
    sections = plain({"p": {"rate": "20/m,max_burst=1"}})
    sections["deliveries"][0]["messages"] = 500
    stage = sendcap.limits(from_dict(sections)).observed[2]
    assert set(stage.throughput_per_s[:800]) == {0.0, 1.0}
    assert stage.utilisation[:800] == pytest.approx(1.0, abs=0.1)
    assert stage.mean_utilisation > 0.98


def test_with_a_spool_messages_wait_at_the_relay_for_the_provider_that_holds_them_up() -> None:
    changes = {"p": {"connections_per_ip": 20}, "mta": {"spool": 500}}
    found = sendcap.limits(from_dict(plain(changes)))
    relay, p = found.observed[0], found.observed[2]
    assert found.bottleneck == "p"
    assert p.peak_backlog <= 500
    assert np.flatnonzero(relay.throughput_per_s)[-1] > 0.95 * found.stages[2].needs_s
