from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from sendcap.errors import SendcapError
from sendcap.readings.alerts import AlertCriteria, Sending, alerts, sendings
from sendcap.scenario import from_dict

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
# All are relayed at once; 10 of 100 bounce softly in the first minute, 6 of them recover after 1 h.
SOFT = [
    ("relayed", 0.0, 100),
    ("accepted", 0.0, 90),
    ("soft_first", 0.0, 10),
    ("soft", 0.0, 10),
    ("accepted", HOUR, 6),
    ("recovered", HOUR, 6),
]


def found(ledger, t_s=2 * DAY, mode="efs", contact_s=0.0, held=(), criteria=None, **keywords):
    moments = dict.fromkeys(ledger.deliveries, Sending(contact_s, contact_s, tuple(held)))
    table = alerts(ledger, moments, t_s, mode, criteria=criteria, **keywords)
    return list(table.itertuples(index=False, name=None))


def test_an_alert_is_told_from_its_first_check_to_its_last(made) -> None:
    ledger = made(SOFT, to_deliver=100, bins=48 * 60)
    # Nothing is known at 0:00; at 1:00 the retries are still to come.
    assert found(ledger) == [("news", "soft bounces", 0.05, 10 * MINUTE, HOUR, 0.1)]
    assert found(ledger, t_s=30 * MINUTE)[0][4] == 30 * MINUTE
    assert found(ledger, t_s=9 * MINUTE) == []


def test_without_efs_a_soft_bounce_alerts_nobody(made) -> None:
    assert found(made(SOFT, to_deliver=100, bins=48 * 60), mode="without-efs") == []


def test_checks_follow_the_clock(made) -> None:
    ledger = made(SOFT, to_deliver=100, bins=48 * 60)
    ((_, _, _, first_s, _, _),) = found(ledger, start=datetime(2026, 11, 27, 9, 7))
    assert first_s == 3 * MINUTE


@pytest.mark.parametrize(("hard", "alerted"), [(5, False), (6, True)])
def test_hard_bounces_alert_above_the_limit_and_not_at_it(made, hard, alerted) -> None:
    rows = [("relayed", 0.0, 100), ("accepted", 0.0, 100 - hard), ("hard", 0.0, hard)]
    ledger = made(rows, to_deliver=100, bins=48 * 60)
    expected = [("news", "hard bounces", 0.05, 10 * MINUTE, DAY, 0.06)]
    assert found(ledger) == (expected if alerted else [])


@pytest.mark.parametrize(("messages", "alerted"), [(49, False), (50, True)])
def test_small_deliveries_are_not_watched(made, messages, alerted) -> None:
    ledger = made([("relayed", 0.0, 10), ("hard", 0.0, 10)], to_deliver=messages, bins=60)
    assert bool(found(ledger)) == alerted


def test_a_delivery_is_watched_for_a_day_around_the_contact_date(made) -> None:
    ledger = made([("relayed", 2 * DAY, 100), ("hard", 2 * DAY, 100)], to_deliver=100, bins=6000)
    assert found(ledger, 5 * DAY, contact_s=2 * DAY)[-1][4] == 3 * DAY
    # It hard-bounces 48 h after the contact date.
    assert [alert for _, alert, *_ in found(ledger, 5 * DAY)] == ["start pending"]
    longer = AlertCriteria(monitoring_s=3 * DAY)
    assert found(ledger, 5 * DAY, criteria=longer)[0][4] == 3 * DAY


def test_a_delivery_is_watched_from_a_day_before_the_contact_date(made) -> None:
    ledger = made([("relayed", 0.0, 100), ("hard", 0.0, 100)], to_deliver=100, bins=6000)
    ((_, alert, _, first_s, until_s, _),) = found(ledger, 5 * DAY, contact_s=2 * DAY)
    assert (alert, first_s, until_s) == ("hard bounces", DAY, 3 * DAY)


def test_throughput_counts_again_from_the_very_moment_of_a_resume(made) -> None:
    ledger = made([("relayed", 0.0, 50), ("accepted", 0.0, 50)], to_deliver=100, bins=48 * 60)
    slow = AlertCriteria(throughput_per_h=100)
    held = [(10 * MINUTE, 2 * HOUR), (3 * HOUR, float("inf"))]
    ((_, alert, _, first_s, until_s, _),) = found(ledger, held=held, criteria=slow)
    assert (alert, first_s, until_s) == ("low throughput", 2 * HOUR, 3 * HOUR - 10 * MINUTE)


def test_a_delivery_that_does_not_start_is_pending_for_too_long(made) -> None:
    ledger = made([("relayed", 95 * MINUTE, 100)], to_deliver=100, bins=48 * 60)
    # From 10 min on it is 20 min late at 30 min, but not for longer; the last check sees 80 min.
    assert found(ledger, contact_s=10 * MINUTE) == [
        ("news", "start pending", 1200.0, 40 * MINUTE, 90 * MINUTE, 80 * MINUTE)
    ]


def test_before_the_contact_date_nothing_is_pending(made) -> None:
    ledger = made([("relayed", 5 * HOUR, 100)], to_deliver=100, bins=48 * 60)
    assert found(ledger, contact_s=5 * HOUR) == []


def test_what_an_operator_holds_is_not_pending(made) -> None:
    ledger = made([], to_deliver=100, bins=48 * 60)
    # Paused from 0:00 to 2:00, so due since then; stopped at 5:00.
    held = [(0.0, 2 * HOUR), (5 * HOUR, float("inf"))]
    ((_, alert, _, first_s, until_s, worst_s),) = found(ledger, held=held)
    assert alert == "start pending"
    assert (first_s, until_s) == (2 * HOUR + 30 * MINUTE, 5 * HOUR - 10 * MINUTE)
    assert worst_s == 2 * HOUR + 50 * MINUTE


def test_low_throughput_needs_a_limit(made) -> None:
    # 60 at once and 40 after 5 h: 60 an hour after an hour, and 15 after four.
    rows = [("relayed", 0.0, 60), ("relayed", 5 * HOUR, 40)]
    ledger = made(rows, to_deliver=100, bins=48 * 60)
    assert found(ledger, mode="without-efs") == []
    criteria = AlertCriteria(throughput_per_h=100.0)
    assert found(ledger, mode="without-efs", criteria=criteria) == [
        ("news", "low throughput", 100.0, 40 * MINUTE, 5 * HOUR, 12.0)
    ]
    younger = replace(criteria, throughput_age_s=2 * HOUR)
    assert found(ledger, mode="without-efs", criteria=younger)[0][3] == 2 * HOUR + 10 * MINUTE
    half = replace(criteria, throughput_processed=0.5)
    assert found(ledger, mode="without-efs", criteria=half) == []


def test_each_delivery_has_alerts_of_its_own(made) -> None:
    bad = [("relayed", 0.0, 100), ("hard", 0.0, 100)]
    ledger = made(SOFT, to_deliver=100, bins=48 * 60, more=[("bad", "gmail", 100, bad)])
    moments = dict.fromkeys(ledger.deliveries, Sending(0.0, 0.0))
    names = [tuple(row[:2]) for row in found(ledger)]
    assert names == [("news", "soft bounces"), ("bad", "hard bounces")]
    only = alerts(ledger, moments, DAY, "efs", "bad")
    assert only.delivery.tolist() == ["bad"]
    whole = replace(ledger, parents={"campaign": ("news", "bad")})
    assert len(alerts(whole, moments, DAY, "efs", "campaign")) == 2


@pytest.mark.filterwarnings("ignore:.* is never sent:sendcap.errors.SendcapWarning")
def test_a_delivery_is_due_when_it_is_confirmed_and_its_first_messages_are_ready() -> None:
    plain = {"messages": 100, "audience": {"p": 1.0}}
    in_the_evening = [0.0] * 18 + [1.0] * 6
    deliveries = [
        {"name": "plain", "at": "1h"},
        {"name": "confirmed", "at": "1h", "confirm": {"within": "3h", "ahead": "1h"}},
        {"name": "given up", "at": "1h", "confirm": {"within": "3h", "give_up": "1h"}},
        {"name": "stream", "spread": "1d", "pattern": in_the_evening},
        {"name": "paused", "pause": "1h", "resume": "2h"},
    ]
    scenario = from_dict(
        {
            "start": "2026-11-27T08:00:00",
            "deliveries": [plain | delivery for delivery in deliveries],
            "relay": {"batch_time": "1s"},
            "providers": {"p": {"connect_time": "1s", "transaction_time": "1s"}},
        }
    )
    forever = float("inf")
    assert sendings(scenario) == {
        "plain": (HOUR, HOUR, ()),
        "confirmed": (HOUR, 3 * HOUR, ()),
        "given up": (HOUR, 2 * HOUR, ((2 * HOUR, forever),)),
        "stream": (0.0, 10 * HOUR, ()),
        "paused": (0.0, 0.0, ((HOUR, 2 * HOUR),)),
    }


@pytest.mark.parametrize(
    "wrong", [{"soft_ratio": -0.1}, {"every_s": 0.0}, {"monitoring_s": float("nan")}]
)
def test_limits_that_are_none_are_refused(wrong) -> None:
    with pytest.raises(SendcapError, match=next(iter(wrong))):
        AlertCriteria(**wrong)
