"""The settings that take effect at each queue, in words; all figures are worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sendcap.model.limit_rows import LimitRows
from sendcap.readings.effective import Effective, common_rows, effective
from sendcap.readings.effective.retries import series_text
from sendcap.scenario import Scenario, attempt_series_s, from_dict, presets, to_dict
from sendcap.scenario import load as load_scenario
from sendcap.scenario.retry import (
    AdobeLegacyRetry,
    EximRetry,
    ExponentialRetry,
    KumomtaRetry,
    MomentumRetry,
    OpensmtpdRetry,
    PostfixRetry,
    PowermtaRetry,
    RetryPolicy,
    ScheduleRetry,
)

NINE = "2026-11-27T09:00:00+01:00"
HOUR = 3600.0


def scenario(*, ips: int = 4, mta: Any = None, top: Any = None, **provider: Any) -> Scenario:
    """One delivery to one provider from a few addresses."""
    return from_dict(
        {
            "deliveries": [{"name": "one", "messages": 1000, "audience": {"gmail": 1.0}}],
            "relay": {"batch_time": "0s"},
            "mta": {"ips": ips} | (mta or {}),
            "providers": {"gmail": {"connect_time": "1s", "transaction_time": "1s"} | provider},
        }
        | (top or {})
    )


def texts(group: Effective, label: str) -> list[str]:
    return [text for name, text in group.rows if name == label]


def said(label: str, **changes: Any) -> str:
    """Return the only text with a label, of the only group."""
    (group,) = effective(scenario(**changes))
    (text,) = texts(group, label)
    return text


PER_IP = {"mta": {"queues": "per-ip"}}
STEPS = {
    "kind": "schedule",
    "steps": [
        {"at": "0s", "rate": "100/s,max_burst=1"},
        {"at": "1h", "rate": "closed"},
        {"at": "15h", "rate": "1,000/15m"},
    ],
}


@pytest.mark.parametrize(
    ("label", "key", "value", "pooled", "per_ip"),
    [
        ("Rate", "rate", "none", "none", "none"),
        (
            "Rate",
            "rate",
            "100/s",
            "100/s each IP = 400/s (400 at once)",
            "100/s each IP = 400/s (100 at once each)",
        ),
        (
            "Rate",
            "rate",
            "15,000/h,max_burst=1",
            "15,000/h each IP = 60,000/h (4 at once)",
            "15,000/h each IP = 60,000/h (each evenly spaced)",
        ),
        (
            "Rate",
            "rate",
            {"kind": "fixed-window", "limit": 833, "window": "5m"},
            *["833 each IP = 3,332 in each window of 5m, the first from t = 0s on"] * 2,
        ),
        (  # a transaction of 1 s and a pause of 3 s
            "Gap",
            "rate",
            {"kind": "gap", "pause": "3s"},
            *[
                (
                    "one attempt of each IP at a time, and a pause of 3s after it: "
                    "0.25/s each IP = 1/s on average"
                )
            ]
            * 2,
        ),
        (
            "Schedule",
            "rate",
            STEPS,
            (
                "until t = 1h 100/s each IP = 400/s (4 at once); until t = 15h closed; "
                "then 1,000/15m each IP = 4,000/15m (4,000 at once)"
            ),
            (
                "until t = 1h 100/s each IP = 400/s (each evenly spaced); until t = 15h closed; "
                "then 1,000/15m each IP = 4,000/15m (1,000 at once each)"
            ),
        ),
        (
            "Warm-up",
            "rate",
            {"kind": "warm-up", "per_day": [200, 500], "share": 0.5},
            (
                "over each day from t = 0s on, 4 at once: 100 each IP = 400 on day 1; "
                "250 each IP = 1,000 on day 2 and later"
            ),
            (
                "over each day from t = 0s on, each evenly spaced: 100 each IP = 400 on day 1; "
                "250 each IP = 1,000 on day 2 and later"
            ),
        ),
        (
            "Opening",
            "connection_rate",
            "30/min,max_burst=5",
            "30/min each IP = 120/min (20 at once)",
            "30/min each IP = 120/min (5 at once each)",
        ),
        (
            "Tolerance",
            "tolerance",
            "2,000/h",
            "2,000/h each IP = 8,000/h (8,000 at once)",
            "2,000/h each IP = 8,000/h (2,000 at once each)",
        ),
        (
            "Accepted",
            "accepts_connections",
            3,
            *["3 each IP = 12 connections at a time; a further one is refused, a soft bounce"] * 2,
        ),
    ],
)
def test_a_limit_says_its_figure_of_each_address_and_of_all(
    label: str, key: str, value: Any, pooled: str, per_ip: str
) -> None:
    assert said(label, **{key: value}) == pooled
    assert said(label, **{key: value}, **PER_IP) == per_ip


def test_one_address_has_one_figure() -> None:
    assert said("Rate", ips=1, rate="100/s") == "100/s (100 at once)"
    assert said("Rate", ips=1, rate="100/s,max_burst=1", **PER_IP) == "100/s (evenly spaced)"


def test_each_throttle_of_a_list_has_the_name_that_edits_give_it() -> None:
    (group,) = effective(
        scenario(ips=1, rate=["500/s", {"kind": "fixed-window", "limit": 9000, "window": "1h"}])
    )
    assert texts(group, "Rate[0]") == ["500/s (500 at once)"]
    assert texts(group, "Rate[1]") == ["9,000 in each window of 1h, the first from t = 0s on"]


def test_the_engine_has_the_same_figures() -> None:
    # 100/s of each of 4 addresses: 400/s, 400 at once; windows of 833 each.
    four = scenario(rate=["100/s", {"kind": "fixed-window", "limit": 833, "window": "5m"}])
    rows = LimitRows()
    for throttle in four.providers["gmail"].throttles:
        rows.add(throttle, 4)
    rate, window = rows.rows
    assert 1.0 / rate["one"] == pytest.approx(400.0)
    assert (rate["two"], window["one"], window["two"]) == (400, 3332, 300.0)


def test_moments_are_by_the_clock_where_there_is_one() -> None:
    outages = [{"at": "2h", "lasts": "30m"}, {"at": "1d", "lasts": "1h"}]
    changes = {"ips": 1, "rate": STEPS, "outages": outages, "top": {"start": NINE}}
    assert said("Schedule", **changes) == (
        "until 10:00 100/s (evenly spaced); until 00:00 on Sat 28 Nov closed; "
        "then 1,000/15m (1,000 at once)"
    )
    assert said("Outages", **changes) == (
        "unreachable from 11:00 to 11:30 and from 09:00 on Sat 28 Nov to 10:00 on Sat 28 Nov"
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "10 each IP = 40, opened as needed; closed when idle for 1m or after 100 attempts"),
        (
            {"messages_per_connection": "unlimited", "idle_timeout": "30s", "ips": 1},
            "10, opened as needed; closed when idle for 30s",
        ),
        (  # the 10th is wanted when 10 (1 - e^-0.023n) > 9: n > ln 10 / 0.023 = 100.1
            {"connection_scaling": "kumomta"} | PER_IP,
            (
                "10 each IP = 40, opened by the length of the queue as in KumoMTA: all 10 of an IP "
                "from 101 waiting messages on; closed when idle for 1m or after 100 attempts"
            ),
        ),
        (  # 40 (1 - e^-0.023n) > 39: n > ln 40 / 0.023 = 160.4
            {"connection_scaling": "kumomta"},
            (
                "10 each IP = 40, opened by the length of the queue as in KumoMTA: all 40 from 161 "
                "waiting messages on; closed when idle for 1m or after 100 attempts"
            ),
        ),
        (
            {"connection_scaling": {"kind": "postfix", "initial": 3, "negative": "1/concurrency"}},
            (
                "3 to 10 each IP = 12 to 40 by Postfix's window, 1 more for a success, 1 / window "
                "less for an attempt that reaches nobody; closed when idle for 1m or after "
                "100 attempts"
            ),
        ),
    ],
)
def test_connections_say_how_they_are_opened_and_closed(changes: Any, text: str) -> None:
    assert said("Connections", **changes) == text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"lasts": "2h"}, "at each throttled answer: suspended for 2h, and messages wait"),
        (
            {"after": 3, "within": "10m", "lasts": "2h", "meanwhile": "retry"},
            (
                "after 3 throttled answers within 10m: suspended for 2h, and what is ready goes "
                "back to its retries"
            ),
        ),
        (
            {
                "after": 102,
                "counting": "in-a-row",
                "counts": ["throttled", "unreachable"],
                "lasts": "90m",
                "rate": "1/min",
            },
            (
                "after 102 throttled or unreachable answers in a row: slowed down for 1h 30m, "
                "to 1/min each IP = 4/min (4 at once)"
            ),
        ),
        (
            {"share": 0.03, "of": 2000, "lasts": "1h", "slow_to": 0.5},
            (
                "at the end of each 1h from t = 0s on with at least 2,000 attempts, 3 % or more of "
                "them throttled: slowed down for 1h, to 50 % of the rate so far"
            ),
        ),
    ],
)
def test_a_rule_says_what_it_takes_and_what_it_does(rule: Any, text: str) -> None:
    assert said("Suspension", tolerance="1000/h", suspend=rule) == text


def test_a_rule_acts_on_each_address_by_itself_where_each_has_a_queue() -> None:
    text = said("Suspension", tolerance="1000/h", suspend={"lasts": "2h"}, **PER_IP)
    assert text.startswith("at each throttled answer, each IP by itself: suspended for 2h")


def test_a_rule_without_anything_to_count_is_said_to_have_no_effect() -> None:
    assert said("Suspension", suspend={"lasts": "2h"}) == (
        "1 rule has no effect: without a tolerance no answer is throttled"
    )


def test_a_disturbance_says_how_often_it_comes_and_what_it_does() -> None:
    often = {"every": {"dist": "exponential", "mean": "2d"}, "lasts": "2h"}
    (group,) = effective(
        scenario(
            transient=0.2,
            disturbances=[
                often | {"unreachable": True},
                often | {"transient": 0.3, "tolerance": "10/s"},
                often | {"transient": 0.1},
            ],
        )
    )
    assert texts(group, "Disturbance") == [
        "2d on average after the one before, for 2h: " + effect
        for effect in (
            "unreachable",
            (
                "30 % of the attempts bounce softly and no more than 10/s each IP = 40/s "
                "(40 at once) is tolerated"
            ),
            "nothing changes, since 20 % bounce softly anyway",
        )
    ]


@pytest.mark.parametrize(
    ("policy", "hours", "text"),
    [
        (
            ExponentialRetry(),
            84,
            "20m, 1h, 2h 20m, 5h, 10h 20m and 21h after the first attempt, then every 12h",
        ),
        (ExponentialRetry(), 2, "20m and 1h after the first attempt, no more within the lifetime"),
        (ScheduleRetry(delays=["5m"]), 84, "every 5m"),
        (
            ScheduleRetry(delays=["5m", "30m", "2h"]),
            84,
            "5m and 35m after the first attempt, then every 2h",
        ),
        (MomentumRetry(max_retries=3), 84, "20m, 1h and 2h 20m after the first attempt, 3 in all"),
        (MomentumRetry(max_retries=0), 84, "none"),
        (  # 85 h is the last: 85 h + 85 h 20 m is more than 7 d
            KumomtaRetry(),
            7 * 24,
            (
                "20m, 1h, 2h 20m, 5h, 10h 20m, 21h, 1d 18h 20m and 3d 13h after the first attempt, "
                "8 in all"
            ),
        ),
        (  # between two scans; 4000 s to the scan after, 4200 s
            PostfixRetry(),
            84,
            "7m 30s, 17m 30s, 37m 30s and 1h 17m 30s after the first attempt, then every 1h 10m",
        ),
        (  # 9 times 15 m, until 2 h 15 m; then 1 h and 1.5 times as long each, until past 16 h
            EximRetry(),
            84,
            (
                "15m, 30m, 45m, 1h, 1h 15m, 1h 30m, … and 23h 1m 52s after the first attempt, "
                "then every 6h"
            ),
        ),
        (
            PowermtaRetry(retry_after=["10m", "1h"], bounce_after="5h"),
            84,
            "10m after the first attempt, then every 1h, 5 in all",
        ),
        (
            OpensmtpdRetry(),
            2,
            (
                "6m 40s, 26m 40s, 1h and 1h 46m 40s after the first attempt, no more within the "
                "lifetime"
            ),
        ),
        (
            AdobeLegacyRetry(),
            7 * 24,
            "1h, 2h, 3h, 4h and 5h after the first attempt, then every 1d",
        ),
        (ScheduleRetry(delays=["5h"]), 4, "none within the lifetime"),
    ],
)
def test_retries_are_said_as_they_work_out(policy: RetryPolicy, hours: float, text: str) -> None:
    assert series_text(policy, hours * HOUR) == text


@pytest.mark.parametrize(
    ("policy", "end"),
    [
        ({"jitter": 0.025}, "; each delay ± 2.5 %"),
        ({"policy": "kumomta"}, "; each delay ± 30s"),
        (
            {"policy": "exim", "rule": "H,4d,1h,2"},
            "; delays of H steps are the middle of their range",
        ),
        (
            {"policy": "postfix"},
            "; at scans of the queue, every 5m, so up to 2m 30s sooner or later",
        ),
        ({}, "then every 12h"),
    ],
)
def test_retries_say_how_much_they_vary(policy: Any, end: str) -> None:
    assert said("Retries", retry=policy).endswith(end)


def test_a_lifetime_is_that_of_each_delivery_as_honoured() -> None:
    one = {"messages": 10, "audience": {"gmail": 1.0}}
    deliveries = [
        one | {"name": name, "validity": validity}
        for name, validity in (("a", "5d"), ("b", "4h"), ("c", "4h"))
    ]
    mta = {"longest_validity": "4d", "clock_origin": "delivery-start", "expire": "on-failure"}
    with pytest.warns(match="longest_validity"):
        text = said("Lifetime", mta=mta, top={"deliveries": deliveries})
    assert text == (
        "4d, not 5d (mta.longest_validity), for a and 4h for b, c from the delivery's start on; "
        "messages expire at the failure after which no retry fits"
    )
    assert said("Lifetime") == "3d 12h from the hand-over on; messages expire on time"


def programme(providers: int = 2, **top: Any) -> Scenario:
    """Two pools that send to all providers, and limits over some of the queues."""
    names = [f"p{number}" for number in range(providers)]
    audience = dict.fromkeys(names, 1.0 / providers)
    return from_dict(
        {
            "deliveries": [
                {"name": pool, "messages": 1000, "pool": pool, "audience": audience}
                for pool in ("big", "small")
            ],
            "relay": {"batch_time": "0s"},
            "mta": {"pools": {"big": {"ips": 4}, "small": {"ips": 1}}},
            "providers": {key: {"connect_time": "1s", "transaction_time": "1s"} for key in names},
        }
        | top
    )


def test_queues_with_the_same_settings_are_said_once() -> None:
    big, small = effective(programme(100))
    assert [len(group.queues) for group in (big, small)] == [100, 100]
    assert big.heading.startswith("p0, p1, p2, ")
    assert big.heading.endswith(", p98 and p99 from big: 4 IPs together")
    assert small.heading.endswith(" and p99 from small: 1 IP")
    assert {label for label, _ in common_rows((big, small))} == {"Rate", "Retries", "Lifetime"}
    assert common_rows((big,)) == ()


def test_a_shared_limit_says_all_that_it_covers() -> None:
    window = {"kind": "fixed-window", "limit": 500, "window": "1m"}
    limits = [
        {"name": "minute", "rate": ["40/s", window], "providers": ["p0"]},
        {"name": "connections", "connections": 40},
        {"name": "own", "rate": "1/s", "providers": ["p1"], "pools": ["big"]},
    ]
    groups = effective(programme(limits=limits))
    assert [group.heading for group in groups] == [
        "p0 from big: 4 IPs together",
        "p0 from small: 1 IP",
        "p1 from big: 4 IPs together",
        "p1 from small: 1 IP",
    ]
    minute = (
        "minute, over p0 from big and small together: 40/s (40 at once); "
        "500 in each window of 1m, the first from t = 0s on"
    )
    everything = "connections, over all queues together: 40 connections in use"
    own = "own, over p1 from big: 1/s (evenly spaced)"
    assert [texts(group, "Shared limit") for group in groups] == [
        [minute, everything],
        [minute, everything],
        [everything, own],
        [everything],
    ]


def test_a_shared_limit_over_many_queues_says_how_many() -> None:
    half = {"name": "half", "connections": 9, "providers": [f"p{n}" for n in range(0, 40, 2)]}
    big, *_ = effective(programme(40, limits=[half]))
    assert texts(big, "Shared limit") == ["half, over 40 queues together: 9 connections in use"]
    assert big.heading.startswith("p0, p2, p4, ")


def test_queues_of_each_address_are_said_once_for_the_pool() -> None:
    (group,) = effective(scenario(**PER_IP))
    assert group.heading == "gmail: 4 IPs, each with a queue of its own"


@pytest.mark.parametrize("name", presets())
def test_every_queue_of_a_preset_is_in_one_group(name: str) -> None:
    preset = load_scenario(name)
    queues = [queue for group in effective(preset) for queue in group.queues]
    assert sorted(queues) == sorted(preset.paths())


def test_a_series_may_start_between_scans() -> None:
    assert attempt_series_s(PostfixRetry(), limit=3, arrived_s=150.0) == [0.0, 450.0, 1050.0]


def test_the_order_of_a_queue_is_said_where_it_is_not_the_oldest_first() -> None:
    pools = {"big": {"ips": 3, "weights": [1, 1, 5]}, "small": {"ips": 1}}
    mta = {"queues": "per-ip", "order": "priority", "active": 500, "pools": pools}
    plain = to_dict(programme())
    plain["mta"] = mta
    plain["deliveries"][0]["priority"] = "low"
    plain["deliveries"].append({**plain["deliveries"][0], "name": "news", "priority": "high"})
    plain["limits"] = [{"name": "few", "connections": 3, "deliveries": ["news"]}]
    big, small = effective(from_dict(plain))
    assert texts(big, "Order") == ["news first, then big"]
    assert texts(big, "Active") == ["500 messages at a time, over all queues"]
    assert texts(big, "Turns of IPs") == ["of each 7 messages 1 by IP 1, 1 by IP 2 and 5 by IP 3"]
    assert texts(big, "Shared limit") == [
        "few, over p0 and p1 from big together, for news: 3 connections in use"
    ]
    assert texts(small, "Order") == texts(small, "Turns of IPs") == []
    plain["mta"]["order"] = "fair"
    for delivery in plain["deliveries"]:
        del delivery["priority"]
    assert texts(effective(from_dict(plain))[0], "Order") == ["big and news take turns"]
