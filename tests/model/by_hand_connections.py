"""Connections that are made, used up, idle for too long, and refused."""

from __future__ import annotations

from typing import Any

from by_hand import FEW, SECOND, SOON, Example, schedule
from small_scenarios import scenario_of

ONE_ACCEPTED: dict[str, Any] = {
    "connections_per_ip": 2,
    "accepts_connections": 1,
    "connect_time": "1s",
    "transaction_time": "5s",
}


CONNECTIONS: dict[str, Example] = {
    "a connection is made first, and again when it is used up": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 5},
            provider={"connect_time": "3s", "messages_per_connection": 2},
        ),
        "attempted",
        [3, 4, 8, 9, 13],
    ),
    "a connection idle for longer than the timeout is made again": (
        # Messages come at 0, 10 and 20 s: it was idle for 6 s, then for 9 s.
        scenario_of(
            time=SECOND,
            delivery=FEW,
            relay={"batch": 1, "rate": "1/10s,max_burst=1"},
            provider={"connect_time": "3s", "idle_timeout": "6s"},
        ),
        "attempted",
        [3, 10, 23],
    ),
    "at every message, if the timeout is shorter than the pauses": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            relay={"batch": 1, "rate": "1/10s,max_burst=1"},
            provider={"connect_time": "3s", "idle_timeout": "5s"},
        ),
        "attempted",
        [3, 13, 23],
    ),
    "connections are opened at a rate, and messages wait for them in order": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 4},
            provider={"connections_per_ip": 4, "connect_time": "3s", "connection_rate": "2/10s"},
        ),
        "attempted",
        [3, 3, 8, 13],
    ),
    "the rate of connections is each source IP's": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 4},
            mta={"ips": 2},
            provider={
                "connections_per_ip": 2,
                "connect_time": "3s",
                "connection_rate": "1/10s,max_burst=1",
            },
        ),
        "attempted",
        [3, 3, 8, 13],
    ),
    "a message may expire while it waits for a connection to be opened": (
        # Two are opened at 10 s and 20 s, for messages that are gone when they are made.
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "12s"},
            provider={
                "connections_per_ip": 3,
                "connect_time": "3s",
                "connection_rate": "1/10s,max_burst=1",
            },
        ),
        "expired",
        [12, 12],
    ),
    "a schedule of opening connections holds from its moments on": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            provider={
                "connections_per_ip": 3,
                "connect_time": "3s",
                "connection_rate": schedule(("0s", "closed"), ("5s", "1/10s"), ("20s", "1/s")),
            },
        ),
        "attempted",
        [8, 18, 23],
    ),
    "a provider refuses a connection more than it accepts": (
        # Of two made at 1 s the second is refused, and the third message's at 2 s. At 11 s the
        # second message finds the first connection idle; at 12 s that is in use, and the third
        # one's is refused at 13 s. At 23 s it finds the idle one, too.
        scenario_of(time=SECOND, delivery=FEW, mta=SOON, provider=ONE_ACCEPTED),
        "attempted",
        [1, 1, 2, 11, 13, 23],
    ),
    "refused messages bounce softly at once": (
        scenario_of(time=SECOND, delivery=FEW, mta=SOON, provider=ONE_ACCEPTED),
        "soft",
        [1, 2, 13],
    ),
    "connections idle for longer than the timeout do not count": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            mta=SOON,
            provider=ONE_ACCEPTED | {"idle_timeout": "3s"},
        ),
        "attempted",
        [1, 1, 2, 12, 13, 24],
    ),
}
