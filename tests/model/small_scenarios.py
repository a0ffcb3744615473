"""Small scenarios for the tests of the model."""

from __future__ import annotations

import copy
from typing import Any

from sendcap.scenario import Scenario, from_dict


def scenario_of(**sections: Any) -> Scenario:
    """One delivery to one provider that accepts everything at once, but for what is given."""
    provider = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 1}
    plain: dict[str, Any] = {
        "seed": 1,
        "deliveries": [{"name": "a", "messages": 1, "audience": {"p": 1.0}}],
        "relay": {"batch_time": "0s"},
        "providers": {"p": provider | sections.pop("provider", {})},
    }
    delivery = sections.pop("delivery", {})
    plain["deliveries"][0] |= delivery
    for name, section in sections.items():
        plain[name] = plain.get(name, {}) | section if isinstance(section, dict) else section
    return from_dict(plain)


EVERYTHING: dict[str, Any] = {
    "seed": 7,
    "deliveries": [
        {
            "name": "newsletter",
            "messages": 6000,
            "at": "0s",
            "validity": "3d",
            "audience": {"fast": 0.5, "slow": 0.3, "flaky": 0.2},
        },
        {
            "name": "loyalty",
            "messages": 3000,
            "at": "90s",
            "validity": "40m",
            "audience": {"slow": 0.5, "flaky": 0.5},
        },
    ],
    "relay": {
        "workers": 2,
        "batch": 64,
        "batch_time": {"dist": "lognormal", "mean": "700ms", "cv": 0.5},
        "rate": "150/s,max_burst=100",
        "error_rate": 0.01,
    },
    "mta": {
        "ips": 2,
        "ingress_rate": "120/s",
        "retry": {
            "policy": "exponential",
            "first": "10m",
            "factor": 2.0,
            "max": "12h",
            "jitter": 0.1,
        },
    },
    "providers": {
        "fast": {
            "connections_per_ip": 20,
            "messages_per_connection": 20,
            "idle_timeout": "1s",
            "connect_time": {"dist": "uniform", "low": "100ms", "high": "600ms"},
            "transaction_time": {"dist": "gamma", "mean": "400ms", "cv": 0.5},
            "rate": "60/s",
            "transient": 0.02,
            "async_bounce": 0.02,
            "hard": [{"reason": "user unknown", "share": 0.02}],
            "faults": [
                {
                    "reason": "mailbox full",
                    "share": 0.05,
                    "clears_after": {"dist": "lognormal", "mean": "10h", "cv": 1.2},
                    "never": 0.3,
                }
            ],
        },
        "slow": {
            "connections_per_ip": 1,
            "messages_per_connection": 5,
            "connect_time": {"dist": "exponential", "mean": "2s"},
            "transaction_time": {"dist": "lognormal", "median": "2s", "p95": "6s"},
            "transient": 0.05,
            "hard": [
                {"reason": "user unknown", "share": 0.03},
                {"reason": "account disabled", "share": 0.01},
            ],
        },
        "flaky": {
            "connections_per_ip": 3,
            "connect_time": "500ms",
            "transaction_time": {"dist": "weibull", "mean": "1s", "shape": 1.5},
            "rate": "2/s,max_burst=1",
            "transient": 0.2,
            "async_bounce": 0.05,
            "faults": [{"reason": "greylisted", "share": 0.3, "clears_after": "5m"}],
        },
    },
    "feedback": {
        "synchronous": {"dist": "lognormal", "mean": "90s", "cv": 1.0},
        "asynchronous": {"dist": "lognormal", "mean": "9h", "cv": 1.5},
    },
    "engagement": {
        "open_rate": 0.3,
        "open_delay": {"dist": "lognormal", "median": "2h", "p95": "36h"},
        "click_rate": 0.2,
        "click_delay": {"dist": "exponential", "mean": "90s"},
    },
}
"""Every key of a scenario file in use: queues that fill, throttle, expire; two deliveries."""


def with_providers(deliveries: list[Any] | None = None, **changes: Any) -> dict[str, Any]:
    """`EVERYTHING` with other settings for some providers, and for the deliveries in order."""
    sections = copy.deepcopy(EVERYTHING)
    for delivery, each in zip(sections["deliveries"], deliveries or [], strict=False):
        delivery |= each
    for name, provider in changes.items():
        sections["providers"][name] |= provider
    return sections


def shorter(sections: dict[str, Any]) -> dict[str, Any]:
    """A third of the messages, and hours instead of days: there are as many fewer windows."""
    sections = copy.deepcopy(sections)
    for delivery in sections["deliveries"]:
        delivery["messages"] //= 3
    sections["deliveries"][0]["validity"] = "5h"
    sections["deliveries"][1]["validity"] = "9m"
    sections["providers"]["fast"]["faults"][0]["clears_after"]["mean"] = "1h"
    sections["feedback"]["asynchronous"]["mean"] = "1h"
    sections["engagement"]["open_delay"] = {"dist": "lognormal", "median": "10m", "p95": "2h"}
    return sections


REACTING = with_providers(
    fast={
        "tolerance": "8/s,max_burst=20",
        "connection_scaling": "kumomta",
        "outages": [{"at": "3m", "lasts": "5m"}],
    },
    slow={
        "tolerance": "10/m",
        "suspend": {"after": 5, "within": "1m", "lasts": "7m"},
        "rate": "1/s,max_burst=3",
    },
    flaky={
        "tolerance": "30/m,max_burst=5",
        "suspend": {"after": 3, "within": "1m", "lasts": "4m", "rate": "3/m,max_burst=2"},
        "connection_scaling": "kumomta",
    },
)
"""The same with queues that react: they are throttled, suspended, and scale their connections."""


SUSPENDED = with_providers(
    fast={
        "tolerance": "8/s,max_burst=20",
        "outages": [{"at": "3m", "lasts": "5m"}],
        "suspend": [
            {"share": 0.2, "of": 60, "within": "1m", "lasts": "2m", "slow_to": 0.5},
            {
                "counts": ["unreachable"],
                "counting": "in-a-row",
                "after": 10,
                "lasts": "1m",
                "meanwhile": "retry",
            },
        ],
    },
    slow={
        "tolerance": "10/m",
        "suspend": {"after": 5, "within": "1m", "lasts": "7m", "meanwhile": "retry"},
        "rate": "1/s,max_burst=3",
    },
    flaky={
        "suspend": [
            {
                "share": "30%",
                "of": 20,
                "within": "5m",
                "counts": ["transient", "fault"],
                "lasts": "4m",
            },
            {"counts": ["transient"], "within": "20s", "after": 9, "lasts": "9m", "rate": "9/m"},
        ],
        "connection_scaling": "kumomta",
    },
)
"""The same with queues whose MTA has several rules, by share and in a row, and sends back."""


DISTURBED = with_providers(
    fast={
        "disturbances": [
            {
                "every": {"dist": "exponential", "mean": "9m"},
                "lasts": {"dist": "lognormal", "mean": "3m", "cv": 0.8},
                "unreachable": True,
            }
        ],
        "connection_scaling": {"kind": "postfix", "initial": 2, "positive": "1/concurrency"},
    },
    slow={
        "tolerance": "1/s",
        "disturbances": [
            {"every": "7m", "lasts": {"dist": "gamma", "mean": "5m", "cv": 1}, "transient": "40%"},
            {"every": {"dist": "exponential", "mean": "9m"}, "lasts": "5m", "transient": "80%"},
        ],
    },
    flaky={
        "suspend": {"after": 5, "within": "1m", "lasts": "2m"},
        "disturbances": [
            {
                "every": {"dist": "exponential", "mean": "20m"},
                "lasts": {"dist": "exponential", "mean": "10m"},
                "tolerance": "9/m,max_burst=2",
            }
        ],
    },
)
"""The same with providers that have bad times at random, and Postfix's connections."""


def _pooled(**mta: Any) -> dict[str, Any]:
    sections = with_providers(deliveries=[{"pool": "bulk"}, {"pool": "small"}])
    del sections["mta"]["ips"]
    sections["mta"] |= {"pools": {"bulk": {"ips": 2}, "small": {"ips": 1}}} | mta
    sections["limits"] = [
        {"name": "slow and flaky", "rate": "90/m,max_burst=5", "providers": ["slow", "flaky"]},
        {"name": "small pool", "rate": ["5/s,max_burst=2", "60/m"], "pools": ["small"]},
        {"name": "all", "connections": 9},
    ]
    return sections


POOLED = _pooled()
"""The same from two pools, with limits over several queues."""
PER_IP = _pooled(queues="per-ip")
"""And with a queue for each source address."""

ORDERED = _pooled(order="priority")
"""Two pools and limits over several queues, where the delivery that begins later goes first."""
for _delivery, _priority in zip(ORDERED["deliveries"], ("low", "high"), strict=True):
    _delivery["priority"] = _priority

FAIR = _pooled(queues="per-ip", order="fair")
"""A queue for each address, of which one has more turns, and deliveries that take turns."""
FAIR["mta"]["pools"]["bulk"]["weights"] = [3, 1]
for _delivery in FAIR["deliveries"]:
    _delivery["pool"] = "bulk"
del FAIR["mta"]["pools"]["small"], FAIR["limits"][1]

HELD_BACK = with_providers(
    slow=SUSPENDED["providers"]["slow"],
    flaky={"suspend": {"after": 9, "within": "1m", "lasts": "2m"}},
)
"""Limits over single deliveries, which hold messages back before they take a connection."""
HELD_BACK["limits"] = [
    {
        "name": "newsletter",
        "rate": ["30/s,max_burst=5", {"kind": "fixed-window", "limit": 900, "window": "1m"}],
        "deliveries": ["newsletter"],
    },
    {
        "name": "loyalty at flaky",
        "rate": {
            "kind": "schedule",
            "steps": [{"at": "0s", "rate": "1/s"}, {"at": "5m", "rate": "20/m,max_burst=2"}],
        },
        "connections": 2,
        "providers": ["flaky"],
        "deliveries": ["loyalty"],
    },
    {"name": "all", "connections": 30},
]

RUNNERS = _pooled(order="fair")
"""Queue runners of two pools, and of one that they alone send for; deliveries take turns."""
RUNNERS["limits"] = [
    {"name": "again", "attempts": "retries", "connections": 3, "one_more_every": "90s"},
    {"name": "small", "pools": ["small"], "connections": 12, "one_more_every": "20s"},
    {
        "name": "loyalty again",
        "attempts": "retries",
        "deliveries": ["loyalty"],
        "rate": "2/s,max_burst=4",
    },
]

ACTIVE = with_providers(deliveries=[{"priority": "low"}, {"priority": "high"}])
"""An active queue that the slow provider fills, and the higher priority first within it."""
ACTIVE["mta"] |= {"active": 600, "order": "priority"}
ACTIVE["relay"] |= {"batch": 1, "batch_time": "10ms"}

HOLDING = _pooled(queues="per-ip")
"""A backlog in two pools, beside the deliveries: of several ages, tried or not, and flushed."""
HOLDING["backlog"] = [
    {
        "provider": "fast",
        "pool": "bulk",
        "messages": 700,
        "age": {"dist": "uniform", "low": "0s", "high": "70h"},
    },
    {
        "provider": "fast",
        "pool": "small",
        "messages": 300,
        "age": {"dist": "exponential", "mean": "40h"},
        "attempts": 3,
        "reason": "mailbox full",
    },
    {"provider": "slow", "pool": "small", "messages": 200, "age": "30m", "due": "0s"},
    {
        "provider": "slow",
        "pool": "bulk",
        "messages": 200,
        "age": "5h",
        "attempts": 2,
        "reason": "unreachable",
        "due": {"dist": "uniform", "low": "0s", "high": "30m"},
    },
    {"provider": "flaky", "pool": "bulk", "messages": 150, "age": "4h", "attempts": 0},
]


OPERATED = with_providers(
    deliveries=[
        {
            "spread": "20m",
            "batch": 5,
            "pattern": [*[1.0] * 8, 1.0, 3.0, *[1.0] * 14],
            "pause": ["2m", "9m"],
            "resume": ["5m", "10m"],
        },
        {"pause": "100s", "resume": "4m", "stop": "270s"},
    ]
)
"""A stream whose rate changes on the hour, and deliveries that are paused, resumed and stopped.

The second one is stopped before all is handed over; a third one is confirmed at random.
"""
OPERATED["start"] = "2026-11-27T08:50:00"
OPERATED["deliveries"].append(
    OPERATED["deliveries"][1]
    | {
        "name": "reminder",
        "messages": 900,
        "at": "3m",
        "stop": "40m",
        "pause": "7m",
        "resume": "8m",
    }
    | {"waves": {"size": "40%", "every": "3m"}, "validity": "50m"}
    | {
        "confirm": {
            "within": {"dist": "lognormal", "mean": "3m", "cv": 1.0},
            "hours": "Fri 08:00-08:58, Fri 09:01-18:00",
            "people": 2,
            "ahead": "1m",
            "give_up": "10m",
        }
    }
)
OPERATED["mta"] |= {"order": "fair", "spool": 3000}
OPERATED["relay"] |= {"rate": "40/s,max_burst=100"}
