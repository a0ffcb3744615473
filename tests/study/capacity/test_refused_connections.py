"""A provider that accepts fewer connections than the MTA opens: what limits, checks and runs say.

A refused message waits for its retry and no longer in the queue, so a ceiling is not reached
although much is still to be sent.
"""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

import sendcap
from sendcap.analysis import expected_counts
from sendcap.readings.refusals import refusals
from sendcap.readings.summary import accepted_at_s
from sendcap.run import Run
from sendcap.scenario import Scenario, from_dict
from sendcap.study.capacity.searches import steady
from sendcap.study.capacity.searches.sustained import sustained
from sendcap.study.capacity.searches.within import largest_within

LONG = {"policy": "schedule", "delays": ["20m", "40m"]}
SHORT = {"policy": "schedule", "delays": ["10s"]}
CONNECTIONS = 4


def refusing(
    accepted: int, connect_time: str = "300ms", retry: Any = LONG, **provider: Any
) -> Scenario:
    """2,000 messages at once, of which each accepted connection carries 4 per second."""
    return from_dict(
        {
            "seed": 3,
            "time": {"bin": "1s"},
            "deliveries": [
                {"name": "a", "messages": 2_000, "validity": "2h", "audience": {"p": 1.0}}
            ],
            "relay": {"batch_time": "0s"},
            "mta": {"retry": retry},
            "providers": {
                "p": {
                    "connections_per_ip": CONNECTIONS,
                    "accepts_connections": accepted,
                    "connect_time": connect_time,
                    "transaction_time": "250ms",
                    **provider,
                }
            },
        }
    )


@pytest.mark.parametrize(
    ("accepted", "connect_time", "retry", "late", "expires"),
    [
        (1, "0s", LONG, True, True),
        (2, "0s", LONG, True, True),
        (3, "0s", LONG, True, True),
        (4, "0s", LONG, False, False),
        (2, "300ms", LONG, True, False),
        (3, "300ms", LONG, True, False),
        (4, "300ms", LONG, False, False),
        # Retries so soon that connections are hardly ever free.
        (1, "300ms", SHORT, False, False),
        (3, "300ms", SHORT, False, False),
    ],
)
@pytest.mark.filterwarnings("ignore:providers.p.accepts_connections")
def test_limits_say_where_refusals_keep_a_ceiling_from_being_reached(
    accepted: int, connect_time: str, retry: Any, late: bool, expires: bool
) -> None:
    limits = sendcap.limits(refusing(accepted, connect_time, retry))
    ledger, (*_, stage) = limits.run.ledger, limits.stages
    assert stage.per_s == pytest.approx(4.0 * accepted, rel=0.02)
    expired = ledger.total("expired", clock="happened")
    until_s = accepted_at_s(ledger, 99)
    assert until_s is not None
    assert (expired > 0) == expires
    # The truth of the simulation: how much was carried in the time that it took.
    carried_per_s = ledger.total("accepted", clock="happened") / until_s
    assert (carried_per_s < 0.8 * stage.per_s) == late
    text = limits.sentence
    assert ("But p refuses" in text) == (late or expires)
    assert ("so the ceiling is not reached" in text) == late
    found = re.search(r"([\d,]+) messages? expires? after such an answer", text)
    assert (found is None) == (not expires)
    if found is not None:
        assert int(found[1].replace(",", "")) == expired
    # A run says it with the same words.
    assert text in limits.run.sentences()


def test_the_table_has_the_share_of_refused_attempts() -> None:
    limits = sendcap.limits(refusing(2))
    ledger = limits.run.ledger
    refused = ledger.total("soft", clock="happened", reason="too many connections")
    share = 100.0 * refused / ledger.total("attempted", clock="happened")
    table = limits.table().set_index("stage")
    assert share > 10.0
    assert table.at["p", "refused_pct"] == pytest.approx(share)
    assert math.isnan(table.at["relay", "refused_pct"])
    assert limits.summary()["stages"][-1]["refused_pct"] == pytest.approx(share)


def test_attempts_above_a_tolerance_count_as_turned_away() -> None:
    scenario = refusing(CONNECTIONS - 1, tolerance="4/s")
    run = sendcap.simulate(scenario)
    away = refusals(run.ledger, run.scenario, "p")
    soft = run.ledger.total("soft", clock="happened")
    assert away.throttled > away.refused > 0
    assert away.refused + away.throttled == soft
    assert "p throttles" in " ".join(run.sentences())


@pytest.mark.parametrize(
    ("rule", "binding", "said"),
    [
        ({"after": 20, "lasts": "15m"}, "suspension", "suspended again and again"),
        ({"after": 20, "lasts": "15m", "rate": "1/m"}, "suspension", "again and again"),
        (
            {"share": "10%", "of": 20, "within": "10m", "lasts": "15m"},
            "rate",
            "while the queue is held back",
        ),
        ({"after": 20, "lasts": "15m", "counts": ["unreachable"]}, "rate", "connections are free"),
        ({"after": 50_000, "lasts": "15m"}, "rate", "while connections are free"),
    ],
)
def test_a_queue_that_throttled_answers_suspend_does_not_wait_for_retries(
    rule: dict[str, Any], binding: str, said: str
) -> None:
    # The rate's mean is below the tolerance. But after each suspension 2,000 may go at once: for a
    # rule by share no ceiling follows from that.
    settings = {
        "accepts_connections": "none",
        "rate": "2/s,max_burst=2000",
        "tolerance": "3/s",
        "suspend": rule,
    }
    scenario = sendcap.updated(
        refusing(CONNECTIONS - 1),
        {f"providers.p.{key}": value for key, value in settings.items()},
    )
    limits = sendcap.limits(scenario)
    assert limits.table().set_index("stage").at["p", "binding"] == binding
    assert "But p throttles" in limits.sentence
    assert said in limits.sentence
    assert ("while connections are free" in limits.sentence) == ("are free" in said)
    assert ("so the ceiling is not reached" in limits.sentence) == (binding == "rate")


def test_a_part_of_an_expected_message_is_none() -> None:
    changes = {"accepts_connections": "none", "tolerance": "10/s"}
    scenario = sendcap.updated(
        refusing(CONNECTIONS - 1),
        {
            "deliveries[0].validity": "59m",
            **{f"providers.p.{key}": value for key, value in changes.items()},
        },
    )
    counts = expected_counts(scenario)
    assert 0.0 < refusals(counts, scenario, "p").expired < 0.5
    text = " ".join(Run(scenario, counts).sentences())
    assert "p throttles" in text
    assert "expire after such an answer" not in text


def test_a_fault_of_the_same_name_is_no_refusal() -> None:
    fault = {"reason": "too many connections", "share": 0.5, "clears_after": "5m"}
    scenario = sendcap.updated(
        refusing(CONNECTIONS - 1, faults=[fault]), {"providers.p.accepts_connections": "none"}
    )
    run = sendcap.simulate(scenario)
    assert run.ledger.total("soft", clock="happened") >= 900
    assert refusals(run.ledger, run.scenario, "p").share == 0.0


def test_one_accepted_connection_is_one() -> None:
    text = sendcap.limits(refusing(1, "300ms", SHORT)).sentence
    assert "It accepts one connection, which carries 4 attempts/s" in text


@pytest.mark.parametrize(("accepted", "retry"), [(2, LONG), (3, LONG), (2, SHORT)])
def test_of_the_largest_delivery_the_share_is_accepted_and_does_not_expire(
    accepted: int, retry: Any
) -> None:
    scenario = sendcap.updated(refusing(accepted, retry=retry), {"deliveries[0].validity": "30m"})
    found = largest_within(scenario, "40m", 0.99, workers=1, replications=4, precision=0.01)
    largest = sendcap.updated(scenario, {"deliveries[0].messages": found.messages})
    ledger = sendcap.simulate(largest).ledger
    share = ledger.total("accepted", clock="happened") / found.messages
    assert share == pytest.approx(0.99, abs=0.003)


@pytest.mark.parametrize("ips", [1, 3])
def test_the_steady_rate_is_carried_in_a_plain_simulation(ips: int) -> None:
    # Several retries fit into the validity, which is long beside the time that is measured.
    retry = {"policy": "schedule", "delays": ["2m"]}
    scenario = refusing(2, "1s", retry, transaction_time={"dist": "exponential", "mean": "250ms"})
    scenario = sendcap.updated(scenario, {"mta.ips": ips, "deliveries[0].validity": "20m"})
    found = sustained(scenario, measured=1_000, precision=0.05, replications=4, workers=1)
    assert found.per_s.mean == pytest.approx(8.0 * ips, rel=0.05)

    def unsettled(per_s: float) -> float:
        lasts_s = 3600
        count = round(per_s * lasts_s)
        stream = {
            "deliveries[0].messages": count,
            "deliveries[0].spread": f"{lasts_s}s",
            "relay.batch": 1,
        }
        ledger = sendcap.simulate(sendcap.updated(scenario, stream)).ledger
        return ledger.total("expired", clock="happened") / count

    assert unsettled(found.per_s.mean) < 0.002
    assert unsettled(1.5 * found.per_s.mean) > 0.1


def test_far_above_the_steady_rate_few_messages_tell_the_growth(monkeypatch) -> None:
    # Of 40 messages a second 8 at most are accepted; all others are tried again and again.
    retry = {"policy": "schedule", "delays": ["2m"]}
    scenario = refusing(2, "1s", retry, transaction_time={"dist": "exponential", "mean": "250ms"})
    changes = {"relay.batch_time": "6.4s", "deliveries[0].validity": "20m"}
    scenario = sendcap.updated(scenario, changes)
    quick = {"measured": 20_000, "precision": 0.1, "replications": 2, "workers": 1}
    monkeypatch.setattr(steady, "_FEW", 5_000)
    few = sustained(scenario, **quick)
    monkeypatch.setattr(steady, "_FAR_ABOVE", math.inf)
    many = sustained(scenario, **quick)
    assert few.per_s == many.per_s
    (growth,), (slowly,) = few.growing, many.growing
    assert growth.per_s != slowly.per_s
    assert growth.per_s == pytest.approx(slowly.per_s, rel=0.01)
    assert growth.per_s == pytest.approx(40.0 - 8.0, rel=0.05)
