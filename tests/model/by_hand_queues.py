"""Which of several queues goes first, and what is each queue's own."""

from __future__ import annotations

from typing import Any

from by_hand import FEW, SECOND, Example
from small_scenarios import scenario_of

from sendcap.scenario import Scenario


def two_queues(at: str, limit: dict[str, Any], first: int, second: int) -> Scenario:
    """A limit over the queue of p, and that of q, where all messages bounce hard."""
    many = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 9}
    return scenario_of(
        time=SECOND,
        deliveries=[
            {"name": "q", "messages": second, "at": at, "audience": {"q": 1.0}},
            {"name": "p", "messages": first, "audience": {"p": 1.0}},
        ],
        provider=many,
        providers={"q": many | {"hard": [{"reason": "user unknown", "share": 1.0}]}},
        limits=[{"name": "both"} | limit],
    )


QUEUES: dict[str, Example] = {
    "of two that have been ready as long, that of the lower queue goes first": (
        # At 10 s one of two connections is free: for p, called by the limit, or for q, whose own
        # connection is free again as well.
        scenario_of(
            time=SECOND,
            deliveries=[
                {"name": "q", "messages": 1, "audience": {"q": 1.0}},
                {"name": "r", "messages": 1, "audience": {"r": 1.0}},
                {"name": "p later", "messages": 1, "at": "5s", "audience": {"p": 1.0}},
                {"name": "q later", "messages": 1, "at": "5s", "audience": {"q": 1.0}},
            ],
            providers={
                "q": {"connect_time": "0s", "transaction_time": "10s", "connections_per_ip": 1},
                "r": {"connect_time": "0s", "transaction_time": "30s"},
            },
            limits=[{"name": "all", "connections": 2}],
        ),
        "accepted",
        [10, 11, 21, 30],
    ),
    "of one moment, a start comes before a message takes a connection": (
        # Both wait for 10 s: p since 5 s on a connection, q since 0 s for its only one.
        scenario_of(
            time=SECOND,
            deliveries=[
                {"name": "q", "messages": 2, "audience": {"q": 1.0}},
                {"name": "p", "messages": 1, "at": "5s", "audience": {"p": 1.0}},
            ],
            provider={"hard": [{"reason": "user unknown", "share": 1.0}]},
            providers={
                "q": {"connect_time": "0s", "transaction_time": "10s", "connections_per_ip": 1}
            },
            limits=[{"name": "both", "rate": "1/10s,max_burst=1"}],
        ),
        "accepted",
        [10, 30],
    ),
    "of two connections that are made at a moment, the message that is ready longer goes first": (
        # Both are there at 6 s, for p's message since 3 s, for q's second one since 5 s; that has
        # been ready since 0 s, but its queue has one connection at a time.
        scenario_of(
            time=SECOND,
            deliveries=[
                {"name": "q", "messages": 2, "audience": {"q": 1.0}},
                {"name": "p", "messages": 1, "at": "3s", "audience": {"p": 1.0}},
            ],
            provider={"connect_time": "3s", "transaction_time": "1s"},
            providers={
                "q": {
                    "connect_time": "1s",
                    "transaction_time": "4s",
                    "connections_per_ip": 1,
                    "messages_per_connection": 1,
                }
            },
            limits=[{"name": "both", "rate": "1/5s,max_burst=1"}],
        ),
        "accepted",
        [5, 10, 12],
    ),
    "one connection serves one after the other": (
        scenario_of(time=SECOND, delivery=FEW),
        "accepted",
        [1, 2, 3],
    ),
    "two connections serve side by side": (
        scenario_of(time=SECOND, delivery=FEW, provider={"connections_per_ip": 2}),
        "accepted",
        [1, 1, 2],
    ),
    "limits are per source IP": (
        scenario_of(time=SECOND, delivery=FEW, mta={"ips": 3}),
        "accepted",
        [1, 1, 1],
    ),
    "each source IP has a queue and a rate of its own, and messages take them in turn": (
        # Together they would send at 0, 0, 5 and 10 s.
        scenario_of(
            time=SECOND,
            delivery={"messages": 4},
            mta={"ips": 2, "queues": "per-ip"},
            provider={"connections_per_ip": 2, "rate": "1/10s,max_burst=1"},
        ),
        "accepted",
        [1, 1, 11, 11],
    ),
    "of two queues with a limit, the message goes first that has been ready the longest": (
        # p's three messages are ready at 0 s and go at 0, 1 and 2 s; q's at 1 s.
        two_queues("1s", {"rate": "1/s,max_burst=1"}, 3, 2),
        "hard",
        [4, 5],
    ),
    "a limit of connections is over both queues": (
        two_queues("100ms", {"connections": 2}, 3, 2),
        "hard",
        [2, 3],
    ),
    "a pause after each attempt, whatever its queue": (
        two_queues("100ms", {"rate": {"kind": "gap", "pause": "9s"}}, 1, 2),
        "hard",
        [11, 21],
    ),
    "pools have connections of their own": (
        scenario_of(
            time=SECOND,
            deliveries=[
                {"name": name, "messages": 3, "pool": name, "audience": {"p": 1.0}}
                for name in ("one", "two")
            ],
            mta={"pools": {"one": {"ips": 1}, "two": {"ips": 3}}},
        ),
        "accepted",
        [1, 1, 1, 1, 2, 3],
    ),
}
