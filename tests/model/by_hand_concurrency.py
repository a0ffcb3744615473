"""Connections that grow with what succeeds, or with what waits."""

from __future__ import annotations

from by_hand import LATE, SECOND, SHORT, SOON, Example
from small_scenarios import scenario_of

CONCURRENCY: dict[str, Example] = {
    "Postfix begins with few connections and adds one for each success": (
        # They come at 0, 1.5, 3, 4.5 and 6 s. A second connection at 2.5 s, a third one at 5 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 5},
            relay={"batch": 1, "rate": "2/3s,max_burst=1"},
            provider={
                "connections_per_ip": 5,
                "transaction_time": "2.5s",
                "connection_scaling": {"kind": "postfix", "initial": 1, "variant": "readme"},
            },
        ),
        "attempted",
        [0, 2, 3, 5, 6],
    ),
    "and takes one away for each failure": (
        # Four, of which three fail: one. It succeeds at 2 s: two, and so on.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 10},
            mta=LATE,
            provider={
                "connections_per_ip": 5,
                "connection_scaling": {
                    "kind": "postfix",
                    "initial": 4,
                    "variant": "readme",
                    "failed_cohorts": "none",
                },
                "outages": [{"at": "0.5s", "lasts": "1s"}],
            },
        ),
        "attempted",
        [0, 0, 0, 0, 1, 2, 2, 3, 3, 3],
    ),
    "a cohort that fails makes the site dead, and its messages go back to their schedule": (
        # The second failure makes 1/2 + 1/1. At 11 s the window is 2 again, at 12 s it is 3.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 4},
            mta=SOON,
            provider={
                "connections_per_ip": 5,
                "connection_scaling": {"kind": "postfix", "initial": 2, "dead_for": "5s"},
                "outages": [{"at": "0.5s", "lasts": "1s"}],
            },
        ),
        "attempted",
        [0, 0, 11, 11, 12, 12],
    ),
    "a delivery that was under way and succeeds brings a dead site back": (
        # They come each 1.5 s. Failures at 4 and 5.5 s, 1/3 + 1/1: the 4th and 5th are sent back.
        # The third succeeds at 7 s, when nobody waits: the window is 3 again.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 7},
            mta=LATE,
            relay={"batch": 1, "rate": "2/3s,max_burst=1"},
            provider={
                "connections_per_ip": 5,
                "transaction_time": "4s",
                "connection_scaling": {"kind": "postfix", "initial": 3, "dead_for": "1h"},
                "outages": [{"at": "3.9s", "lasts": "1.7s"}],
            },
        ),
        "attempted",
        [0, 1, 3, 7, 9],
    ),
    "connections are opened by the length of the queue": (
        # min(10, ceil(10 (1 - exp(-0.23)))) = 3 for ten messages, 2 for the seven that are left.
        scenario_of(
            time=SECOND,
            delivery={"messages": 10},
            provider={
                "connections_per_ip": 10,
                "connect_time": "1s",
                "connection_scaling": "kumomta",
            },
        ),
        "attempted",
        [1, 1, 1, 2, 2, 2, 3, 3, 3, 4],
    ),
    "one more is opened when the queue has grown": (
        # One for three messages; ceil(10 (1 - exp(-0.115))) = 2 when five wait at 1 s.
        scenario_of(
            time=SECOND,
            delivery={"messages": 9},
            relay={"batch": 3, "rate": "3/s"},
            provider={
                "connections_per_ip": 10,
                "transaction_time": "10s",
                "connection_scaling": "kumomta",
            },
        ),
        "attempted",
        [0, 1, 10, 11, 20, 21, 30, 31, 40],
    ),
    "a connection that is used up is opened again only if the queue wants it": (
        # Three for ten messages, two for seven and for five, one for three.
        scenario_of(
            time=SECOND,
            delivery={"messages": 10},
            provider={
                "connections_per_ip": 10,
                "messages_per_connection": 1,
                "connect_time": "1s",
                "connection_scaling": "kumomta",
            },
        ),
        "attempted",
        [1, 1, 1, 3, 3, 5, 5, 7, 9, 11],
    ),
    "and so is one that was idle for too long": (
        # Three for ten messages; at 40 s four more come, for which one is enough.
        scenario_of(
            time=SECOND,
            delivery={"messages": 14},
            relay={"batch": 10, "rate": "10/100s"},
            provider={
                "connections_per_ip": 10,
                "connect_time": "1s",
                "idle_timeout": "10s",
                "connection_scaling": "kumomta",
            },
        ),
        "attempted",
        [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 41, 42, 43, 44],
    ),
    "the queue grows by one message at a time as they leave the ingress": (
        # One batch. At 6 s the last of it is the fifth that waits: a second connection is wanted.
        scenario_of(
            time=SECOND,
            delivery={"messages": 6},
            mta={"ingress_rate": "1/s"},
            provider={
                "connections_per_ip": 10,
                "transaction_time": "100s",
                "connection_scaling": "kumomta",
            },
        ),
        "attempted",
        [1, 6, 101, 106, 201, 206],
    ),
    "what expires as it leaves the ingress is no longer counted": (
        # The sixth message leaves and expires at 6 s. Nine wait at 59 s, ten would want a third.
        scenario_of(
            time=SECOND,
            deliveries=[
                {"name": "a", "messages": 6, "validity": "6s", "audience": {"p": 1.0}},
                {"name": "b", "messages": 9, "at": "50s", "audience": {"p": 1.0}},
            ],
            mta={"ingress_rate": "1/s"},
            provider={
                "connections_per_ip": 10,
                "transaction_time": "100s",
                "connection_scaling": "kumomta",
            },
        ),
        "attempted",
        [1, 6, 101, 106, 201, 206, 301, 306, 401, 406, 501],
    ),
}
