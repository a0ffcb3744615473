"""The expected curves of small scenarios that can be worked out by hand; conservation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sendcap.analysis import expected, expected_counts
from sendcap.ledger import EVENTS, Ledger
from sendcap.readings.modes import known, statuses
from sendcap.scenario import from_dict

DAY_S = 86_400.0


def ledger_of(**sections: Any) -> Ledger:
    """Expected counts of 1000 messages, all relayed at 0 to one provider that takes 1 s each."""
    plain: dict[str, Any] = {
        "deliveries": [{"name": "a", "messages": 1000, "audience": {"p": 1.0}}],
        "relay": {"batch_time": "0s"},
        "providers": {
            "p": {
                "connections_per_ip": 5000,
                "messages_per_connection": "unlimited",
                "connect_time": "0s",
                "transaction_time": "1s",
            }
        },
        "time": {"bin": "1s"},
    }
    plain["providers"]["p"] |= sections.pop("provider", {})
    plain["deliveries"][0] |= sections.pop("delivery", {})
    for name, section in sections.items():
        plain[name] = plain.get(name, {}) | section
    return expected_counts(from_dict(plain))


def by(ledger: Ledger, event: Any, *times_s: float, clock: Any = "happened", **which: Any) -> Any:
    """Counts up to some moments; after its end a ledger's stay."""
    come = ledger.cumulative(event, clock=clock, **which)
    edges = [min(round(time_s / ledger.bin_s), ledger.bins) for time_s in times_s]
    return pytest.approx([float(come[edge]) for edge in edges], abs=1.0)


def test_all_at_once() -> None:
    ledger = ledger_of()
    assert by(ledger, "relayed", 1) == [1000]
    assert by(ledger, "attempted", 1) == [1000]
    assert by(ledger, "accepted", 1, 2) == [0, 1000]


def test_one_connection_sends_one_after_the_other() -> None:
    ledger = ledger_of(provider={"connections_per_ip": 1})
    assert by(ledger, "accepted", 1, 2, 101, 501, 1000) == [0, 1, 100, 500, 999]


def test_a_connection_is_made_anew_after_so_many_messages() -> None:
    limits = {"connections_per_ip": 1, "messages_per_connection": 4, "connect_time": "2s"}
    ledger = ledger_of(provider=limits)
    # 6 s for 4 messages; somewhere within such a cycle.
    for cycles in (10, 100, 200):
        [accepted] = by(ledger, "accepted", 6 * cycles + 3).expected
        assert accepted == pytest.approx(4 * cycles, abs=4)


@pytest.mark.parametrize(
    ("rate", "times_s", "accepted"),
    [
        ("10/s,max_burst=1", (2, 11, 51, 100.9), (10, 100, 500, 999)),
        ("10/s,max_burst=300", (2, 11, 51, 72), (310, 400, 800, 1000)),
        ("10/m,max_burst=1", (600, 3000), (100, 500)),
        ({"kind": "gap", "pause": "2s"}, (301, 901), (100, 300)),
        (
            {"kind": "fixed-window", "limit": 100, "window": "5m"},
            (2, 299, 302, 1000),
            (100, 100, 200, 400),
        ),
        (
            {
                "kind": "schedule",
                "steps": [
                    {"at": "0s", "rate": "1/s,max_burst=1"},
                    {"at": "100s", "rate": "closed"},
                    {"at": "500s", "rate": "10/s,max_burst=1"},
                ],
            },
            (51, 101, 490, 511, 591),
            (50, 100, 101, 200, 1000),
        ),
        (
            ["10/s,max_burst=1", {"kind": "fixed-window", "limit": 300, "window": "100s"}],
            (11, 31, 90, 111, 211, 311),
            (100, 300, 300, 400, 700, 1000),
        ),
        (
            {"kind": "warm-up", "per_day": [200, 400]},
            (DAY_S / 2, DAY_S, 1.5 * DAY_S),
            (100, 200, 400),
        ),
    ],
)
def test_a_throttle_holds_back(rate: Any, times_s: Any, accepted: Any) -> None:
    ledger = ledger_of(provider={"rate": rate})
    found = by(ledger, "accepted", *times_s).expected
    # A cohort of 1/512 is two messages; the last one before the queue is closed is cut.
    assert np.array(found) == pytest.approx(accepted, abs=3.0)


def test_the_relay_hands_over_batches() -> None:
    ledger = ledger_of(relay={"batch": 100, "batch_time": "10s", "error_rate": 0.1})
    assert by(ledger, "relayed", 10, 11, 20, 21, 101) == [0, 90, 90, 180, 900]
    assert by(ledger, "relay_failed", 10, 11, 101) == [0, 10, 100]


def test_a_delivery_has_batches_of_its_own() -> None:
    ledger = ledger_of(delivery={"batch": 100, "spread": "100s"}, relay={"batch_time": "2s"})
    assert by(ledger, "relayed", 2, 3, 12, 13, 92, 93) == [0, 100, 100, 200, 900, 1000]


def test_the_relays_rate_lets_a_burst_go_at_once() -> None:
    relay = {"workers": 100, "batch": 100, "batch_time": "1s", "rate": "10/s,max_burst=300"}
    ledger = ledger_of(relay=relay)
    # 300 at 0, then 100 every 10 s, each a second later.
    assert by(ledger, "relayed", 2, 10, 12, 20, 72) == [300, 300, 400, 400, 1000]


def test_the_ingress_takes_one_after_the_other() -> None:
    ledger = ledger_of(mta={"ingress_rate": "10/s"})
    assert by(ledger, "accepted", 11, 51, 101) == [100, 500, 1000]


def test_retries_come_when_the_policy_says_until_the_validity_ends() -> None:
    # Attempts at 0, 20 and 60 minutes; the next would be at 140.
    ledger = ledger_of(provider={"transient": 0.5}, delivery={"validity": "2h"})
    assert by(ledger, "accepted", 2, 1201, 1203, 3601, 3604) == [500, 500, 750, 750, 875]
    assert by(ledger, "soft", 2, 1203, 3604, 8000) == [500, 750, 875, 875]
    assert by(ledger, "soft_first", 2, 8000) == [500, 500]
    assert by(ledger, "recovered", 2, 1203, 3604) == [0, 250, 375]
    assert by(ledger, "expired", 7200, 7201) == [0, 125]
    assert ledger.reasons("expired") == {"transient": pytest.approx(125)}


def test_on_failure_messages_expire_at_the_last_attempt() -> None:
    ledger = ledger_of(
        provider={"transient": 0.5}, delivery={"validity": "2h"}, mta={"expire": "on-failure"}
    )
    assert by(ledger, "expired", 3602, 3604) == [0, 125]


def test_a_policy_that_gives_up_ends_it_at_once() -> None:
    ledger = ledger_of(
        provider={"transient": 0.5}, mta={"retry": {"policy": "momentum", "max_retries": 1}}
    )
    assert by(ledger, "expired", 1201, 1203) == [0, 250]


def test_validity_counts_from_the_deliverys_start_where_it_is_told_to() -> None:
    ledger = ledger_of(
        provider={"transient": 1.0},
        delivery={"validity": "30m", "spread": "10m", "at": "100s"},
        mta={"clock_origin": "delivery-start"},
        relay={"batch": 1},
    )
    assert by(ledger, "expired", 1900, 1901) == [0, 1000]


def test_faults_clear_with_their_distribution_from_the_first_attempt() -> None:
    clears = {"dist": "exponential", "mean": "1h"}
    fault = {"reason": "mailbox full", "share": 0.4, "clears_after": clears, "never": 0.25}
    ledger = ledger_of(provider={"faults": [fault]}, delivery={"validity": "2h"})
    later_s = (1201.0, 3602.0)  # 20 and 40 minutes after a failure, which takes a second each time
    recovered = [300 * (1 - math.exp(-time_s / 3600)) for time_s in later_s]
    assert by(ledger, "accepted", 2) == [600]
    assert by(ledger, "recovered", 1203, 3604) == recovered
    assert ledger.reasons("expired") == {
        "mailbox full": pytest.approx(400 - recovered[1], rel=1e-3)
    }


def test_greylisting_ends_when_the_first_retry_comes_late_enough() -> None:
    fault = {"reason": "greylisted", "share": 1.0, "clears_after": "25m"}
    ledger = ledger_of(provider={"faults": [fault]})
    assert by(ledger, "accepted", 3601, 3604) == [0, 1000]
    assert by(ledger, "soft", 2, 1203, 3604) == [1000, 2000, 2000]


def test_an_outage_refuses_everyone_and_hard_addresses_bounce_after_it() -> None:
    ledger = ledger_of(
        provider={
            "outages": [{"at": "0s", "lasts": "30m"}],
            "hard": [{"reason": "user unknown", "share": 0.1}],
        }
    )
    assert by(ledger, "soft", 2, 1203, 3604) == [1000, 2000, 2000]
    assert ledger.reasons("soft") == {"unreachable": pytest.approx(2000)}
    assert by(ledger, "accepted", 3601, 3604) == [0, 900]
    assert by(ledger, "hard_after_soft", 3601, 3604) == [0, 100]


def test_what_finishes_in_an_outage_fails_and_what_is_before_and_after_does_not() -> None:
    ledger = ledger_of(
        provider={"outages": [{"at": "20s", "lasts": "30s"}], "rate": "10/s,max_burst=1"}
    )
    assert by(ledger, "accepted", 11, 20, 50, 101) == [100, 190, 190, 700]
    assert by(ledger, "soft", 20, 50, 101) == [0, 300, 300]


def test_a_tolerance_throttles_what_is_above_it() -> None:
    ledger = ledger_of(provider={"rate": "10/s,max_burst=1", "tolerance": "5/s,max_burst=100"})
    # 5/s more than are let through take 100 from the burst in 20 s; then half are throttled.
    accepted = by(ledger, "accepted", 20, 101).expected
    assert accepted == pytest.approx([190, 200 + 400], abs=5)
    assert by(ledger, "soft", 20).expected == pytest.approx([0], abs=5)


def test_a_tolerance_that_is_not_used_comes_back() -> None:
    steps = [("0s", "10/s,max_burst=1"), ("20s", "closed"), ("30s", "10/s,max_burst=1")]
    rate = {"kind": "schedule", "steps": [{"at": at, "rate": step} for at, step in steps]}
    ledger = ledger_of(provider={"rate": rate, "tolerance": "5/s,max_burst=100"})
    # The burst of 100 is gone at 20 s; ten seconds without attempts bring 50, for ten seconds more.
    assert by(ledger, "soft", 41).expected == pytest.approx([0], abs=5)
    assert by(ledger, "soft", 61).expected == pytest.approx([100], abs=5)


def test_what_is_still_in_line_expires() -> None:
    ledger = ledger_of(provider={"rate": "1/s,max_burst=1"}, delivery={"validity": "100s"})
    assert ledger.total("attempted", clock="happened") == pytest.approx(101, abs=3)
    assert by(ledger, "expired", 100).expected == pytest.approx([0], abs=3)
    assert by(ledger, "expired", 101).expected == pytest.approx([899], abs=3)
    assert ledger.total("expired_untried") == ledger.total("expired")
    assert list(ledger.reasons("expired")) == ["not attempted"]


def test_the_ingress_holds_messages_back_beyond_their_expiry() -> None:
    ledger = ledger_of(mta={"ingress_rate": "1/s"}, delivery={"validity": "100s"})
    assert by(ledger, "expired_untried", 101).expected == pytest.approx([900], abs=3)


def test_feedback_comes_later() -> None:
    ledger = ledger_of(feedback={"synchronous": "90s"})
    assert by(ledger, "accepted", 91, 92, clock="known") == [0, 1000]
    exponential = {"dist": "exponential", "mean": "90s"}
    ledger = ledger_of(feedback={"synchronous": exponential})
    # Accepted at 1 s.
    known_by = [1000 * (1 - math.exp(-(time_s - 1) / 90)) for time_s in (61, 181)]
    assert by(ledger, "accepted", 61, 181, clock="known").expected == pytest.approx(known_by, abs=5)


def test_feedback_is_polled() -> None:
    ledger = ledger_of(
        provider={"rate": "1/s,max_burst=1"}, feedback={"polling": "5m"}, time={"bin": "10s"}
    )
    # What was accepted by 300 s is known then, in the bin that begins then.
    found = by(ledger, "accepted", 300, 310, 600, 610, 1300, clock="known").expected
    assert found == pytest.approx([0, 299, 299, 599, 1000], abs=2)


def test_feedback_is_taken_in_at_a_rate() -> None:
    ledger = ledger_of(feedback={"rate": "10/s"})
    assert by(ledger, "accepted", 11, 51, 101, clock="known").expected == pytest.approx(
        [100, 500, 1000], abs=6
    )


def test_asynchronous_bounces_come_within_seven_days() -> None:
    latency = {"dist": "exponential", "mean": "5d"}
    ledger = ledger_of(
        provider={"async_bounce": 0.2}, feedback={"asynchronous": latency}, time={"bin": "1h"}
    )
    within = 1 - math.exp(-7 / 5)
    found = [200 * (1 - math.exp(-days / 5)) / within for days in (1, 3)]
    assert by(ledger, "async_bounced", DAY_S, 3 * DAY_S, 7 * DAY_S + 3600) == [*found, 200]


def test_opens_and_clicks_are_followed_for_two_weeks() -> None:
    delay = {"dist": "exponential", "mean": "7d"}
    ledger = ledger_of(
        engagement={"open_rate": 0.5, "open_delay": delay, "click_rate": 0.4, "click_delay": "1h"},
        delivery={"at": "1d"},
        time={"bin": "1h"},
    )
    assert by(ledger, "opened", 8 * DAY_S) == [500 * (1 - math.exp(-1))]
    opened = 500 * (1 - math.exp(-2))
    assert ledger.total("opened") == pytest.approx(opened, rel=1e-3)
    assert ledger.total("clicked") == pytest.approx(200 * (1 - math.exp(-2 + 1 / 7 / 24)), rel=1e-3)
    assert ledger.end_s <= 15 * DAY_S + 3600


def test_nothing_gets_through_a_relay_that_always_fails() -> None:
    ledger = ledger_of(relay={"error_rate": 1.0}, provider={"hard": [{"reason": "r", "share": 1}]})
    assert ledger.total("relay_failed") == pytest.approx(1000)
    assert {event for event in EVENTS if ledger.total(event)} == {"relay_failed"}


TROUBLED: dict[str, Any] = {
    "deliveries": [
        {"name": "a", "messages": 6000, "audience": {"p": 0.5, "q": 0.5}, "validity": "1d"},
        {"name": "b", "messages": 999, "at": "90s", "audience": {"q": 1}, "validity": "40m"},
        {
            "name": "c",
            "messages": 1,
            "spread": "1h",
            "validity": "1d",
            "audience": {"p": 0.5, "q": 0.5},
        },
    ],
    "relay": {
        "workers": 2,
        "batch": 64,
        "batch_time": {"dist": "lognormal", "mean": "700ms", "cv": 0.5},
        "rate": "150/s,max_burst=100",
        "error_rate": 0.01,
    },
    "mta": {"ips": 2, "ingress_rate": "120/s", "retry": {"first": "10m", "jitter": 0.1}},
    "providers": {
        "p": {
            "connect_time": "500ms",
            "transaction_time": {"dist": "weibull", "mean": "1s", "shape": 1.5},
            "transient": 0.1,
            "async_bounce": 0.02,
            "outages": [{"at": "9m", "lasts": "5m"}],
            "tolerance": "8/s,max_burst=20",
            "hard": [{"reason": "user unknown", "share": 0.02}],
            "faults": [
                {
                    "reason": "unreachable",
                    "share": 0.1,
                    "clears_after": {"dist": "gamma", "mean": "2h", "cv": 2.0},
                    "never": 0.3,
                }
            ],
        },
        "q": {
            "connections_per_ip": 1,
            "messages_per_connection": 5,
            "connect_time": {"dist": "exponential", "mean": "2s"},
            "transaction_time": {"dist": "lognormal", "median": "2s", "p95": "6s"},
            "transient": 0.05,
        },
    },
    "feedback": {
        "synchronous": {"dist": "lognormal", "mean": "90s", "cv": 1.0},
        "asynchronous": {"dist": "empirical", "values": ["1m", "3h", "10h"]},
    },
    "engagement": {"open_rate": 0.3, "open_delay": "2h", "click_rate": 0.2, "click_delay": "90s"},
}


@pytest.mark.filterwarnings("ignore:expected")
@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"mta": {"expire": "on-failure", "retry": {"policy": "postfix"}}},
        {"mta": {"clock_origin": "delivery-start", "retry": {"policy": "kumomta"}}},
        {"feedback": {"synchronous": "90s", "polling": "7m", "rate": "3/s"}},
        {"mta": {"ingress_rate": "1/m"}},
        {"time": {"bin": "1h"}},
        {"time": {"bin": "7s"}},
    ],
    ids=[
        *("as it is", "postfix, on failure", "from the start", "slow feedback", "slow ingress"),
        *("1h", "7s"),
    ],
)
def test_no_message_is_made_or_lost(sections: dict[str, Any]) -> None:
    changed = {name: TROUBLED.get(name, {}) | section for name, section in sections.items()}
    scenario = from_dict(TROUBLED | changed)
    ledger = expected_counts(scenario)
    for (delivery, provider), messages in scenario.to_deliver().items():
        for clock in ("happened", "known"):
            total = {
                event: ledger.total(event, clock=clock, delivery=delivery, provider=provider)
                for event in EVENTS
            }
            equal = pytest.approx(messages, rel=1e-9)
            assert total["relayed"] + total["relay_failed"] == equal
            final = total["accepted"] + total["hard"] + total["expired"]
            assert final + total["relay_failed"] == equal
            tried = total["accepted"] + total["hard"] + total["soft"]
            assert total["attempted"] == pytest.approx(tried, rel=1e-9)
            ended_softly = total["soft_first"] - total["recovered"] - total["hard_after_soft"]
            expired = total["expired"] - total["expired_untried"]
            assert ended_softly == pytest.approx(expired, rel=1e-9, abs=1e-9 * messages)
    for clock in ("happened", "known"):
        come = {event: ledger.cumulative(event, clock=clock) for event in EVENTS}
        for event in EVENTS:
            assert (ledger.counts(event, clock=clock) >= 0.0).all()
        slack = 1e-6 * ledger.messages()
        for part, whole in (
            ("accepted", "relayed"),
            ("recovered", "accepted"),
            ("hard_after_soft", "hard"),
            ("soft_first", "soft"),
            ("expired_untried", "expired"),
            ("clicked", "opened"),
        ):
            assert (come[part] <= come[whole] + slack).all()
        final = come["accepted"] + come["hard"] + come["expired"]
        assert (final <= come["relayed"] + slack).all()


def test_all_modes_end_on_the_same_figures() -> None:
    ledger = expected(from_dict(TROUBLED)).ledger
    # What the other tests look at, which leave the error bound out.
    assert ledger == expected_counts(from_dict(TROUBLED))
    found = known(ledger)
    ends = [
        [float(counts[-1]) for counts in statuses(found, mode)[:2]]
        for mode in ("without-efs", "efs", "efs-v8", "legacy")
    ]
    for end in ends[1:]:
        assert end == pytest.approx(ends[0], rel=1e-9)


def test_a_fault_lasts_from_the_first_attempt_that_reaches_the_provider() -> None:
    # All are refused at 1 s; the retries at 601 s see the fault, those at 1201 s the end of it.
    fault = {"reason": "greylisted", "share": 1.0, "clears_after": "500s"}
    ledger = ledger_of(
        provider={"outages": [{"at": "0s", "lasts": "1m"}], "faults": [fault]},
        mta={"retry": {"policy": "schedule", "delays": ["599s"]}},
    )
    assert by(ledger, "soft", 2, 602, 1300, reason="greylisted") == [0, 1000, 1000]
    assert by(ledger, "accepted", 1100, 1210) == [0, 1000]
