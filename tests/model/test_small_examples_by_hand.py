"""Scenarios so small that the right answer can be worked out on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_scenarios import scenario_of

from sendcap import textbook
from sendcap.ledger import Event, Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario

SECOND = {"bin": "1s"}
FEW = {"messages": 3}
SHORT = {"messages": 3, "validity": "30m"}
SOON: dict[str, Any] = {"retry": {"policy": "schedule", "delays": ["10s"]}}
LATE: dict[str, Any] = {"retry": {"policy": "schedule", "delays": ["1h"]}}
TOLERANT: dict[str, Any] = {"connections_per_ip": 3, "tolerance": "1/10s"}


def times(ledger: Ledger, event: Event) -> list[float]:
    """When each of the events happened, to the bin of a second."""
    return [
        float(second)
        for second, count in zip(
            ledger.edges_s, ledger.counts(event, clock="happened"), strict=False
        )
        for _ in range(count)
    ]


ONE_ACCEPTED: dict[str, Any] = {
    "connections_per_ip": 2,
    "accepts_connections": 1,
    "connect_time": "1s",
    "transaction_time": "5s",
}


def schedule(*steps: tuple[str, str]) -> dict[str, Any]:
    return {"kind": "schedule", "steps": [{"at": at, "rate": rate} for at, rate in steps]}


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


BY_HAND: dict[str, tuple[Scenario, Event, list[float]]] = {
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
    "a tolerance may follow a schedule": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            mta=SOON,
            provider={
                "connections_per_ip": 3,
                "tolerance": schedule(("0s", "1/10s"), ("20s", "1/s")),
            },
        ),
        "accepted",
        [1, 12, 23],
    ),
    "the relay's rate may follow a schedule, also for a batch that waits": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 4},
            relay={"batch": 1, "rate": schedule(("0s", "1/10s"), ("15s", "1/2s"))},
        ),
        "relayed",
        [0, 10, 16, 18],
    ),
    "a batch larger than a step's burst goes once the burst is full": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 6},
            relay={"batch": 2, "rate": schedule(("0s", "1/10s"), ("20s", "closed"), ("1m", "1/s"))},
        ),
        "relayed",
        [0, 0, 60, 60, 62, 62],
    ),
    "the throttle lets its burst go at once, then one per interval": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 5},
            provider={"connections_per_ip": 5, "rate": "2/10s"},
        ),
        "attempted",
        [0, 0, 5, 10, 15],
    ),
    "a burst of one spaces evenly": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            provider={"connections_per_ip": 5, "rate": "2/10s,max_burst=1"},
        ),
        "attempted",
        [0, 5, 10],
    ),
    "a fixed window lets its limit go as fast as it can, then waits for the next": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 5},
            provider={
                "connections_per_ip": 5,
                "rate": {"kind": "fixed-window", "limit": 2, "window": "10s"},
            },
        ),
        "attempted",
        [0, 0, 10, 10, 20],
    ),
    "of several throttles each holds": (
        # Two at once and one per 2 s, but no more than three in ten seconds.
        scenario_of(
            time=SECOND,
            delivery={"messages": 6},
            provider={
                "connections_per_ip": 6,
                "rate": [
                    "1/2s,max_burst=2",
                    {"kind": "fixed-window", "limit": 3, "window": "10s"},
                ],
            },
        ),
        "attempted",
        [0, 0, 2, 10, 10, 12],
    ),
    "a gap is counted from the finish": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            provider={
                "connections_per_ip": 5,
                "transaction_time": "3s",
                "rate": {"kind": "gap", "pause": "1s"},
            },
        ),
        "attempted",
        [0, 4, 8],
    ),
    "Postfix's rate delay: a cycle of 2.968 s service and 1 s delay takes 3.968 s": (
        # The mean service of 909 deliveries in an hour in a public Postfix log.
        scenario_of(
            time={"bin": "16ms"},
            delivery={"messages": 4},
            provider={
                "connections_per_ip": 20,
                "transaction_time": "2968ms",
                "rate": {"kind": "gap", "pause": "1s"},
            },
        ),
        "attempted",
        [0, 3.968, 7.936, 11.904],
    ),
    "Adobe's native MTA: 10,000 an hour are 833 in each five minutes": (
        scenario_of(
            time={"bin": "5m"},
            delivery={"messages": 4},
            provider={
                "connections_per_ip": 2,
                "transaction_time": "2m",
                "rate": {"kind": "fixed-window", "limit": 1, "window": "5m"},
            },
        ),
        "attempted",
        [0, 300, 600, 900],
    ),
    "a schedule changes the rate, and may close the queue": (
        # One per 2 s until 5 s, none until 20 s, then one per second: at 4 s half a message of
        # the first step is left, so at 20.5 s the next is due.
        scenario_of(
            time={"bin": "500ms"},
            delivery={"messages": 6},
            provider={
                "connections_per_ip": 6,
                "rate": {
                    "kind": "schedule",
                    "steps": [
                        {"at": "0s", "rate": "1/2s,max_burst=1"},
                        {"at": "5s", "rate": "closed"},
                        {"at": "20s", "rate": "1/s,max_burst=1"},
                    ],
                },
            },
        ),
        "attempted",
        [0, 2, 4, 20.5, 21.5, 22.5],
    ),
    "a warm-up spaces each day's volume over the day": (
        scenario_of(
            time={"bin": "1m"},
            delivery={"messages": 5},
            provider={"connections_per_ip": 5, "rate": {"kind": "warm-up", "per_day": [2, 4]}},
        ),
        "attempted",
        [0, 43_200, 86_400, 108_000, 129_600],
    ),
    "a provider's tolerance throttles what comes too soon": (
        # One per 10 s. All three finish at 1 s, the two throttled ones again at 12 s, one at 23 s.
        scenario_of(time=SECOND, delivery=FEW, mta=SOON, provider=TOLERANT),
        "accepted",
        [1, 12, 23],
    ),
    "an attempt in an outage is none that is tolerated": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 2},
            mta=SOON,
            provider=TOLERANT | {"tolerance": "1/20s", "outages": [{"at": "0s", "lasts": "2s"}]},
        ),
        # Both fail at 1 s; at 12 s one is let through, at 23 s none yet.
        "accepted",
        [12, 34],
    ),
    "a bad address takes of the tolerance as well": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            mta=SOON,
            provider=TOLERANT | {"hard": [{"reason": "user unknown", "share": 1.0}]},
        ),
        "hard",
        [1, 12, 23],
    ),
    "a throttled answer suspends the queue": (
        # The second is throttled at 2 s, so the third goes a minute later.
        scenario_of(
            time=SECOND,
            delivery=SHORT,
            mta=LATE | {"suspend": {"lasts": "1m"}},
            provider={"tolerance": "1/h"},
        ),
        "attempted",
        [0, 1, 62],
    ),
    "after as many throttled answers as the rule says, within its period": (
        # Throttled at 2 and 6 s, 4 s apart; then at 67 and 68 s, and at 129 and 130 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 7},
            relay={"batch": 1, "rate": "1/5s,max_burst=2"},
            mta=LATE | {"suspend": {"after": 2, "within": "4s", "lasts": "1m"}},
            provider={"tolerance": "1/h"},
        ),
        "attempted",
        [0, 1, 5, 66, 67, 128, 129],
    ),
    "or it slows the queue down": (
        # Throttled at 2 and 3 s: from then on one per 20 s, the first at once. The answer at 4 s,
        # the second in 10 s, lets it last until 64 s; later ones are too far apart.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 8},
            mta=LATE | {"suspend": {"after": 2, "within": "10s", "lasts": "1m", "rate": "1/20s"}},
            provider={"tolerance": "1/h"},
        ),
        "attempted",
        [0, 1, 2, 3, 23, 43, 63, 64],
    ),
    "a suspension holds those back that stand in the throttle's line": (
        # By the throttle at 0, 5 and 10 s; the second is throttled at 6 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT,
            mta=LATE | {"suspend": {"lasts": "1m"}},
            provider={"connections_per_ip": 3, "rate": "1/5s", "tolerance": "1/h"},
        ),
        "attempted",
        [0, 5, 66],
    ),
    "the throttle goes on from where it was before they stood in line": (
        # Suspended from 6 to 9 s, from 11 to 14 s: shorter than the throttle holds them back.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 4},
            mta=LATE | {"suspend": {"lasts": "3s"}},
            provider={"connections_per_ip": 4, "rate": "1/5s", "tolerance": "1/h"},
        ),
        "attempted",
        [0, 5, 10, 15],
    ),
    "each suspension begins with the slower rate's burst": (
        # Throttled at 2 s: one at once, the next would be at 22 s, but it ends at 13 s. That one
        # is throttled at 14 s: again one at once.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 7},
            mta=LATE | {"suspend": {"within": "1s", "lasts": "10s", "rate": "1/20s"}},
            provider={"tolerance": "1/h"},
        ),
        "attempted",
        [0, 1, 2, 13, 14, 25, 26],
    ),
    "a suspension that is renewed does not": (
        # Throttled at 1 s: one at once. Its answer at 2 s moves those in line from 11 to 12 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 7},
            mta=LATE | {"suspend": {"within": "1s", "lasts": "10s", "rate": "1/20s"}},
            provider={"connections_per_ip": 2, "tolerance": "1/h"},
        ),
        "attempted",
        [0, 0, 1, 12, 12, 13, 24],
    ),
    "they expire if it lasts too long": (
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"validity": "30s"},
            mta=LATE | {"suspend": {"lasts": "1m"}},
            provider={"connections_per_ip": 3, "rate": "1/5s", "tolerance": "1/h"},
        ),
        "expired_untried",
        [30],
    ),
    "a provider may have a rule of its own": (
        scenario_of(
            time=SECOND,
            delivery=SHORT,
            mta=LATE | {"suspend": {"lasts": "1m"}},
            provider={"tolerance": "1/h", "suspend": "none"},
        ),
        "attempted",
        [0, 1, 2],
    ),
    "a connection is made again after a suspension": (
        # The connection takes 3 s, and is idle for longer than its timeout while suspended.
        scenario_of(
            time=SECOND,
            delivery=SHORT,
            mta=LATE | {"suspend": {"lasts": "1m"}},
            provider={"tolerance": "1/h", "connect_time": "3s", "idle_timeout": "10s"},
        ),
        "attempted",
        [3, 4, 68],
    ),
    "a share of a period's attempts suspends the queue at its end": (
        # Of those that end until 4.5 s three in four are throttled: until 14.5 s. One ends until
        # 9 s, and three until 18 s, all throttled: until 28 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 11},
            mta=LATE | {"suspend": {"share": 0.75, "of": 3, "within": "4.5s", "lasts": "10s"}},
            provider={"tolerance": "1/h"},
        ),
        "attempted",
        [0, 1, 2, 3, 4, 14, 15, 16, 17, 28, 29],
    ),
    "or slows it down to a share of their rate": (
        # Four until 4.5 s: a quarter of them is one in 4.5 s, from 5 s on. Two until 9 s: one in
        # 9 s, but it ends at 18 s. Four until 22.5 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 14},
            mta=LATE
            | {
                "suspend": {
                    "share": 0.5,
                    "of": 2,
                    "within": "4.5s",
                    "lasts": "9s",
                    "slow_to": "25%",
                }
            },
            provider={"tolerance": "1/h"},
        ),
        "attempted",
        [0, 1, 2, 3, 4, 5, 9, 18, 19, 20, 21, 22, 23, 27],
    ),
    "the messages of a suspended queue may follow the retry schedule": (
        # The second is throttled at 2 s. It and the third are ready every 10 s, and sent back
        # until 62 s. Then one of them is throttled again.
        scenario_of(
            time=SECOND,
            delivery=FEW | {"validity": "130s"},
            mta=SOON | {"suspend": {"lasts": "1m", "meanwhile": "retry"}},
            provider={"tolerance": "1/h"},
        ),
        "attempted",
        [0, 1, 62, 123],
    ),
    "each time they bounce softly": (
        scenario_of(
            time=SECOND,
            delivery=FEW | {"validity": "25s"},
            mta=SOON | {"suspend": {"lasts": "1m", "meanwhile": "retry"}},
            provider={"tolerance": "1/h"},
        ),
        "soft",
        [2, 2, 12, 12, 22, 22],
    ),
    "those in line for a limit are sent back, too": (
        # By the throttle at 0, 5 and 10 s; the second is throttled at 6 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 4},
            mta=LATE | {"suspend": {"lasts": "1m", "meanwhile": "retry"}},
            provider={"connections_per_ip": 3, "rate": "1/5s", "tolerance": "1/h"},
        ),
        "soft",
        [6, 6, 6],
    ),
    "a dead site is left alone, and its messages are sent back": (
        # Two in a row are unreachable: until 32 s. Each that is tried afterwards is one more in a
        # row. At 100 s the outage is over; at 125 s four are due, and the first one at 131 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 5},
            mta=SOON
            | {
                "suspend": {
                    "counts": ["unreachable"],
                    "counting": "in-a-row",
                    "after": 2,
                    "lasts": "30s",
                    "meanwhile": "retry",
                }
            },
            provider={"outages": [{"at": "0s", "lasts": "100s"}]},
        ),
        "attempted",
        [0, 1, 32, 63, 94, 125, 126, 127, 128, 131],
    ),
    "of several rules each holds": (
        # Throttled at 2 s: one per 4 s, the first at once. The third in a row, at 7 s, stops all.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 6},
            mta=LATE
            | {
                "suspend": [
                    {"within": "1s", "lasts": "20s", "rate": "1/4s"},
                    {"after": 3, "counting": "in-a-row", "lasts": "1m"},
                ]
            },
            provider={"tolerance": "1/h"},
        ),
        "attempted",
        [0, 1, 2, 6, 67, 128],
    ),
    "a provider refuses by mistake what ends from one moment to another": (
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 5},
            provider={"refusals": [{"at": "2s", "lasts": "2s"}]},
        ),
        "hard",
        [2, 3],
    ),
    "what is throttled is not refused": (
        # One is tolerated at 1 s, and one that is tried again at 11 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 2},
            mta=SOON,
            provider=TOLERANT | {"refusals": [{"at": "0s", "lasts": "10s"}]},
        ),
        "hard",
        [1],
    ),
    "a provider that is away refuses nothing": (
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 3},
            mta=LATE,
            provider={
                "outages": [{"at": "0s", "lasts": "2s"}],
                "refusals": [{"at": "0s", "lasts": "3s"}],
            },
        ),
        "hard",
        [2],
    ),
    "a provider is away again and again": (
        # From 10.5 to 15.5 s, and from 26 to 31 s.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 28},
            mta=LATE,
            provider={"disturbances": [{"every": "10.5s", "lasts": "5s", "unreachable": True}]},
        ),
        "soft",
        [11, 12, 13, 14, 15, 26, 27, 28],
    ),
    "meanwhile it tolerates less": (
        # One in four seconds from 10.5 s on.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 20},
            mta=LATE,
            provider={
                "disturbances": [{"every": "10.5s", "lasts": "8s", "tolerance": "1/4s,max_burst=1"}]
            },
        ),
        "soft",
        [12, 13, 14, 16, 17, 18],
    ),
    "or defers all": (
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 9},
            mta=LATE,
            provider={"disturbances": [{"every": "4.5s", "lasts": "2s", "transient": 1.0}]},
        ),
        "soft",
        [5, 6],
    ),
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
    "an attempt in an outage may be given up after a time": (
        # The first one is under way when it begins; the third one would be given up after it.
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 4},
            mta=LATE,
            provider={"outages": [{"at": "0.5s", "lasts": "10s", "fails_after": "4s"}]},
        ),
        "soft",
        [4, 8],
    ),
    "or goes on when the outage is over": (
        scenario_of(
            time=SECOND,
            delivery=SHORT | {"messages": 4},
            mta=LATE,
            provider={"outages": [{"at": "0.5s", "lasts": "10s", "fails_after": "4s"}]},
        ),
        "accepted",
        [11, 12],
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
    "a spread delivery becomes ready evenly": (
        scenario_of(time=SECOND, delivery=FEW | {"at": "5s", "spread": "30s"}, relay={"batch": 1}),
        "relayed",
        [5, 15, 25],
    ),
    "a stream has batches of its own, and others those of the relay": (
        # Of the stream one and one at 0 and 10 s; of b 8 at 5 s, and 1 after them.
        scenario_of(
            time=SECOND,
            deliveries=[
                {"name": "a", "messages": 2, "spread": "20s", "batch": 1, "audience": {"p": 1.0}},
                {"name": "b", "messages": 9, "at": "5s", "audience": {"p": 1.0}},
            ],
            relay={"batch": 8, "batch_time": "2s"},
        ),
        "relayed",
        [2, 7, 7, 7, 7, 7, 7, 7, 7, 9, 12],
    ),
    "the ingress takes one message after the other": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            mta={"ingress_rate": "1/10s"},
            provider={"connections_per_ip": 5},
        ),
        "attempted",
        [10, 20, 30],
    ),
    "a batch is relayed when it ends, batches wait for a worker": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 5},
            relay={"batch": 2, "workers": 2, "batch_time": "7s"},
        ),
        "relayed",
        [7, 7, 7, 7, 14],
    ),
    "the relay's rate spaces batches by their size": (
        # Burst 2, one message per 5 s: 2 at once, the next 2 at 10 s, the last needs 5 s more.
        scenario_of(
            time=SECOND,
            delivery={"messages": 5},
            relay={"batch": 2, "workers": 9, "rate": "2/10s"},
        ),
        "relayed",
        [0, 0, 10, 10, 15],
    ),
    "a delivery starts at its time": (
        scenario_of(time=SECOND, delivery={"messages": 2, "at": "1m"}),
        "accepted",
        [61, 62],
    ),
    "retries follow the policy, counted from the finish": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "1h"},
            mta={"retry": {"policy": "schedule", "delays": ["10s", "1m"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "clears_after": "1m"}]},
        ),
        # Fails at 1 s and 12 s; at 73 s the fault, 60 s old at 61 s, has cleared.
        "attempted",
        [0, 11, 72],
    ),
    "an attempt that ends in an outage fails, whatever the address": (
        scenario_of(
            time=SECOND,
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={
                "outages": [{"at": "0s", "lasts": "5s"}, {"at": "12s", "lasts": "1s"}],
                "hard": [{"reason": "user unknown", "share": 1.0}],
            },
        ),
        # Fails at 1 s and at 12 s; at 23 s the provider is back and knows no such user.
        "hard_after_soft",
        [23],
    ),
    "what expires while it waits leaves at its expiry": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "15s"},
            provider={"transaction_time": "10s"},
        ),
        "expired_untried",
        [15],
    ),
    "a message backing off expires at its expiry": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [15],
    ),
    "or at the failure after which no retry fits": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            mta={"expire": "on-failure", "retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [12],
    ),
    "as KumoMTA's policy has it": (
        # Tried until 1 s, 12 s and 33 s; a retry at 73 s would be too late.
        scenario_of(
            time=SECOND,
            delivery={"validity": "1m"},
            mta={"retry": {"policy": "kumomta", "retry_interval": "10s"}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [33],
    ),
    "unless the scenario has it otherwise": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "1m"},
            mta={
                "expire": "at-expiry",
                "retry": {"policy": "kumomta", "retry_interval": "10s"},
            },
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [60],
    ),
    "a provider has retries of its own": (
        scenario_of(
            time=SECOND,
            mta={"retry": {"policy": "kumomta"}},
            provider={
                "retry": {"policy": "schedule", "delays": ["10s", "20s"]},
                "faults": [{"reason": "full", "share": 1.0, "clears_after": "40s"}],
            },
        ),
        "attempted",
        [0, 11, 32, 53],
    ),
    "with its own rule of expiry": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "1m"},
            mta={"retry": {"policy": "kumomta", "retry_interval": "10s"}},
            provider={
                "retry": {"policy": "schedule", "delays": ["50s"]},
                "faults": [{"reason": "full", "share": 1.0, "never": 1.0}],
            },
        ),
        "expired",
        [60],
    ),
    "an MTA may honour a longer validity than Adobe's": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "5d"},
            mta={"longest_validity": "5d", "retry": {"policy": "schedule", "delays": ["1d"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [432_000],
    ),
    "a policy that gives up ends the message at its last failure": (
        scenario_of(
            time=SECOND,
            mta={"retry": {"policy": "momentum", "max_retries": 1}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [1202],
    ),
    "the validity may count from the delivery's start": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            relay={"batch_time": "8s"},
            mta={
                "clock_origin": "delivery-start",
                "retry": {"policy": "schedule", "delays": ["10s"]},
            },
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [15],
    ),
    "a message that would leave the ingress after its expiry expires there": (
        scenario_of(
            time=SECOND, delivery={"messages": 3, "validity": "15s"}, mta={"ingress_rate": "1/10s"}
        ),
        "expired_untried",
        [15, 15],
    ),
    "a message that is relayed after its expiry expires at once": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            relay={"batch_time": "20s"},
            mta={"clock_origin": "delivery-start"},
        ),
        "expired_untried",
        [20],
    ),
    "a message taken at the very moment of its expiry still goes": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "10s"},
            provider={"transaction_time": "5s"},
        ),
        "attempted",
        [0, 5, 10],
    ),
    "a message that is relayed at the very moment of its expiry still goes": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            relay={"batch_time": "15s"},
            mta={"clock_origin": "delivery-start"},
        ),
        "attempted",
        [15],
    ),
    "a bounce that comes at the very moment of the expiry is the last": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "11s"},
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={
                "transaction_time": "11s",
                "faults": [{"reason": "full", "share": 1.0, "never": 1.0}],
            },
        ),
        "expired",
        [11],
    ),
    "an attempt that may start at the very moment of the expiry still does": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "20s"},
            provider={"connections_per_ip": 3, "rate": "1/10s"},
        ),
        "attempted",
        [0, 10, 20],
    ),
    "a retry due at the very moment of the expiry still goes": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "11s"},
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "attempted",
        [0, 11],
    ),
    "a fault has cleared at the very moment at which it clears": (
        scenario_of(
            time=SECOND,
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "clears_after": "11s"}]},
        ),
        # Fails at 1 s, so it clears at 12 s: the very moment at which the retry finishes.
        "accepted",
        [12],
    ),
    "a bad address is bounced hard, however flaky its provider": (
        scenario_of(
            time=SECOND,
            provider={"transient": 1.0, "hard": [{"reason": "user unknown", "share": 1.0}]},
        ),
        "hard",
        [1],
    ),
    "a message that cannot start in time does not count as use of its connection": (
        # Messages at 0, 50 and 100 s. The throttle lets the second go at 90 s only, after its
        # expiry. So at 100 s the connection has been idle since 1 s, and is made again.
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "20s"},
            relay={"batch": 1, "rate": "1/50s,max_burst=1"},
            provider={"connect_time": "3s", "idle_timeout": "60s", "rate": "1/90s"},
        ),
        "attempted",
        [3, 103],
    ),
    "a connection under way does not save a message from expiring": (
        scenario_of(time=SECOND, delivery={"validity": "5s"}, provider={"connect_time": "20s"}),
        "expired_untried",
        [5],
    ),
    "a message that cannot start in time takes no token": (
        # 1 per 10 s: the first at 0 s, the second at 10 s; the third, due at 20 s, expires.
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "15s"},
            provider={"connections_per_ip": 3, "rate": "1/10s"},
        ),
        "attempted",
        [0, 10],
    ),
}


@pytest.mark.parametrize("model", ["engine", "textbook"])
@pytest.mark.parametrize("example", BY_HAND)
def test_events_happen_when_they_should(example: str, model: str) -> None:
    its, event, expected = BY_HAND[example]
    simulate = simulate_ledger if model == "engine" else textbook.simulate_ledger
    assert times(simulate(its), event) == expected


def test_a_report_waits_for_the_one_before_it(tmp_path: Path) -> None:
    """The first report takes 60 s, as all do; polled every 50 s, it is known at 100 s."""
    its = scenario_of(
        time=SECOND,
        feedback={"synchronous": "60s", "asynchronous": "1s", "polling": "50s"},
        provider={"async_bounce": 1.0},
    )
    log = tmp_path / "log.parquet"
    ledger = simulate_ledger(its, sending_log=log)
    rows = pd.read_parquet(log)
    assert list(rows.event) == ["relayed", "accepted", "async_bounced"]
    assert list(rows.happened_s) == [0.0, 1.0, 2.0]
    # The bounce was there at 2 s already, but may not overtake the acceptance, there at 61 s.
    assert list(rows.known_s) == [0.0, 100.0, 100.0]
    assert ledger.counts("async_bounced", clock="known")[100] == 1


def test_reports_are_held_to_the_rate() -> None:
    its = scenario_of(
        time=SECOND,
        delivery={"messages": 4},
        provider={"connections_per_ip": 4},
        feedback={"rate": "1/10s"},
    )
    known = simulate_ledger(its).counts("accepted", clock="known")
    assert [int(second) for second in known.nonzero()[0]] == [11, 21, 31, 41]


@pytest.mark.parametrize(("rate", "known_s"), [("none", 20), ("1/2s", 22)])
def test_a_report_that_arrives_at_a_poll_is_taken_in_by_it(rate: str, known_s: int) -> None:
    its = scenario_of(
        time=SECOND,
        provider={"transaction_time": "15s"},
        feedback={"synchronous": "5s", "polling": "10s", "rate": rate},
    )
    known = simulate_ledger(its).counts("accepted", clock="known")
    assert [int(second) for second in known.nonzero()[0]] == [known_s]


@pytest.mark.parametrize(
    ("open_delay", "click_delay", "expected"),
    [("14d", "1s", (0, 0)), ("13d", "1d", (1, 0)), ("13d", "23h", (1, 1))],
)
def test_opens_and_clicks_are_followed_for_two_weeks_from_the_delivery(
    open_delay: str, click_delay: str, expected: tuple[int, int]
) -> None:
    delays = {"open_delay": open_delay, "click_delay": click_delay}
    its = scenario_of(
        delivery={"at": "1d"},
        provider={"transaction_time": "0s"},
        engagement={"open_rate": 1.0, "click_rate": 1.0} | delays,
    )
    for ledger in (simulate_ledger(its), textbook.simulate_ledger(its)):
        assert (ledger.total("opened"), ledger.total("clicked")) == expected


def test_the_log_says_after_which_attempt_a_message_expires(tmp_path: Path) -> None:
    """The first message has failed once, the other has not been tried."""
    its = scenario_of(
        delivery={"messages": 2, "validity": "15s"},
        mta={"retry": {"policy": "schedule", "delays": ["30s"]}},
        provider={"transaction_time": "10s", "transient": 1.0, "rate": "1/h"},
    )
    log = tmp_path / "log.parquet"
    simulate_ledger(its, sending_log=log)
    rows = pd.read_parquet(log)
    expired = rows[rows.event.isin(["expired", "expired_untried"])]
    assert sorted(zip(expired.message, expired.attempt, expired.happened_s, strict=True)) == [
        (0, 1, 15.0),
        (1, 0, 15.0),
    ]


@pytest.mark.parametrize("simulate", [simulate_ledger, textbook.simulate_ledger])
def test_what_fails_at_the_relay_takes_no_time_of_the_ingress(simulate) -> None:
    its = scenario_of(
        time=SECOND,
        delivery={"messages": 40},
        relay={"batch": 10, "error_rate": 0.5},
        mta={"ingress_rate": "1/s"},
        provider={"connections_per_ip": 40},
    )
    ledger = simulate(its)
    relayed = ledger.total("relayed")
    assert 0 < relayed < 40
    assert times(ledger, "attempted") == list(range(1, relayed + 1))


def test_a_fault_is_the_reason_even_where_everything_fails() -> None:
    its = scenario_of(
        delivery={"messages": 10, "validity": "1h"},
        provider={
            "transient": 1.0,
            "faults": [{"reason": "full", "share": 0.5, "never": 1.0}],
        },
    )
    for ledger in (simulate_ledger(its), textbook.simulate_ledger(its)):
        soft = ledger.reasons("soft_first")
        assert set(soft) == {"full", "transient"}
        assert ledger.reasons("expired") == soft
