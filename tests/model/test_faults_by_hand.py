"""Examples that notice faults put into the engine on purpose, with which all others passed.

A hundred small faults were put in, one at a time. The other examples by hand in this folder noticed
56, two of them since nothing came to an end. `test_starts_under_limits.py` noticed windows and
pauses that are not per source address, and a schedule that counts from zero. These 35 are noticed
here:

    turns         rules after starts; a message active after another one is taken; a limit's call
                  after a take, or after a turn of the queue itself; the youngest message first
    relay         a batch starts at the very moment of a hold
    confirmation  each wave draws one of its own; all sendings draw the same; it is given up so
                  long after it was asked for
    lanes         the youngest first; of retries, the last failure first; where a new message and a
                  retry are ready together, the retry counts; a lane that is parked hides the others
    waiting       of one moment, a retry before a new message
    backoff       of one moment, the last failure is due first
    active        of one moment, the last one that was relayed first
    shared        a rate of takes lets a message pass 0.25 s too early
    limit_rows    a schedule's burst is not per source address
    retry         PowerMTA's age and Postfix's lifetime count otherwise at their very moments
    outcome       the first failure, from which Exim counts, is the last one
    suspension    a share counts answers of earlier periods, too; who is sent back keeps a
                  connection of a limit, or a place in the active queue
    expiry        so does who expires; or counts on for KumoMTA's scaling, waiting or connecting
    connecting    so does who is refused; or that is no answer for the rules
    connections   one that has been idle for just the timeout does not count at the provider
    concurrency   Postfix's window grows unused, or forgets neither successes nor failures

Two are noticed by no example: the connection of who is sent back is idle from then on; failures at
the relay are drawn from the stream of the audience. Four make no difference: the relay starts a
batch before it ends another one of that moment; a start at a step's beginning is charged to the
step before, which has brought as much; a failure at the very expiry waits for it; and a batch with
just enough room waits for the next event as well.
"""

from __future__ import annotations

from typing import Any

import pytest
from small_scenarios import scenario_of
from test_operators_by_hand import confirmed, relayed
from test_orders_by_hand import MANY, MODELS, SECOND, Times, delivery, in_turn, times

from sendcap.scenario import Scenario

ONE_OF_A: dict[str, Any] = {"name": "a", "connections": 1, "deliveries": ["a"]}
FREE: dict[str, Any] = {"name": "a", "connections": 99, "deliveries": ["a", "a2"]}
"""A limit that holds nobody back: its deliveries wait apart from the others."""
RUNNERS: dict[str, Any] = {"name": "runners", "connections": 2, "attempts": "retries"}
RATE = "1/10s,max_burst=1"
AWAY: dict[str, Any] = {"outages": [{"at": "0s", "lasts": "5s"}]}
LATE: dict[str, Any] = {"retry": {"policy": "schedule", "delays": ["1h"]}}
SOON: dict[str, Any] = {"retry": {"policy": "schedule", "delays": ["10s"]}}
ONE_ACCEPTED: dict[str, Any] = {
    "connections_per_ip": 2,
    "accepts_connections": 1,
    "connect_time": "1s",
    "idle_timeout": "10m",
    "transaction_time": "5s",
}
POSTFIX: dict[str, Any] = {"connections_per_ip": 5}
SCALING: dict[str, Any] = {"kind": "postfix", "variant": "readme"}


def plain(*deliveries: Any, **sections: Any) -> Scenario:
    return scenario_of(time=SECOND, deliveries=list(deliveries), **sections)


BY_HAND: dict[str, tuple[Scenario, str, Times]] = {
    "of one moment, rules look at a queue before its first in line starts": (
        # At 10 s the limit lets one start: p's second message would be the first, but its first
        # one has bounced, and p's queue is suspended at that very moment.
        plain(
            delivery("a", 2, validity="1h"),
            delivery("b", 1, "5s", to="q"),
            mta=LATE,
            provider=MANY
            | {
                "transient": 1.0,
                "suspend": {
                    "counts": ["transient"],
                    "share": 1.0,
                    "of": 1,
                    "within": "10s",
                    "lasts": "5s",
                },
            },
            providers={"q": MANY},
            limits=[{"name": "both", "rate": RATE}],
        ),
        "attempted",
        {"a": [0, 20], "b": [10]},
    ),
    "a message becomes active before another one is taken": (
        # At 1 s there is room for the higher priority, and the connection is free.
        plain(
            delivery("low", 2, priority="low"),
            delivery("high", 1, "500ms", priority="high"),
            mta={"active": 2, "order": "priority"},
        ),
        "accepted",
        {"low": [1, 3], "high": [2]},
    ),
    "who may go on has the turn before another message is taken": (
        # At 11 s b's limit lets it go on, and the connection is free.
        in_turn(
            delivery("a", 12),
            delivery("b", 2),
            limits=[{"name": "b", "rate": RATE, "deliveries": ["b"]}],
        ),
        "accepted",
        {"a": [1, *range(3, 12), 13, 14], "b": [2, 12]},
    ),
    "of two queues at one moment, that goes first whose message has been ready the longest": (
        # At 10 s one of two connections is free, for p or for q.
        plain(
            delivery("q", 1, to="q"),
            delivery("r", 1, to="r"),
            delivery("q later", 1, "5s", to="q"),
            delivery("p later", 1, "6s"),
            providers={
                "q": {"connect_time": "0s", "transaction_time": "10s", "connections_per_ip": 1},
                "r": {"connect_time": "0s", "transaction_time": "30s"},
            },
            limits=[{"name": "all", "connections": 2}],
        ),
        "accepted",
        {"q": [10], "q later": [20], "p later": [21], "r": [30]},
    ),
    "who may go on is first before those of the queue that have been ready for as long": (
        plain(delivery("a", 3), delivery("b", 1), limits=[ONE_OF_A]),
        "accepted",
        {"a": [1, 2, 3], "b": [4]},
    ),
    "who is held back by a limit lets the others of the queue pass": (
        # Two connections are free at 1 s.
        plain(
            delivery("x", 2),
            delivery("a", 2, "500ms"),
            delivery("b", 1, "500ms"),
            provider=MANY | {"connections_per_ip": 2},
            limits=[ONE_OF_A],
        ),
        "accepted",
        {"x": [1, 1], "a": [2, 3], "b": [2]},
    ),
    "of deliveries that wait apart, that goes first which has been ready the longest": (
        plain(
            delivery("x", 1),
            delivery("a", 1, "750ms"),
            delivery("b", 1, "500ms"),
            limits=[FREE | {"deliveries": ["a"]}],
        ),
        "accepted",
        {"x": [1], "b": [2], "a": [3]},
    ),
    "and of retries that are due at the same moment, that which failed first": (
        # Both fail at 3 s; at 13 s one connection is free, the other one at 15 s.
        plain(
            delivery("a", 1),
            delivery("b", 1),
            delivery("c", 1, "12s"),
            mta=SOON,
            provider=AWAY | {"transaction_time": "3s", "connections_per_ip": 2},
            limits=[FREE | {"deliveries": ["a"]}],
        ),
        "accepted",
        {"a": [16], "b": [18], "c": [15]},
    ),
    "and of new ones that which was relayed first, also where a retry is due together with it": (
        # x and b wait apart from a and a2. The retries are due at 11 s and 12 s.
        plain(
            delivery("x", 1),
            delivery("a", 1),
            delivery("a2", 1, "12s"),
            delivery("b", 1, "12s"),
            mta=SOON,
            provider=AWAY,
            limits=[FREE],
        ),
        "accepted",
        {"x": [12], "a2": [13], "b": [14], "a": [15]},
    ),
    "retries that are due at the same moment go in the order in which they failed": (
        # Both fail at 3 s; at 13 s one connection is free, the other one at 15 s.
        plain(
            delivery("a", 1),
            delivery("b", 1),
            delivery("c", 1, "12s"),
            mta=SOON,
            provider=AWAY | {"transaction_time": "3s", "connections_per_ip": 2},
        ),
        "accepted",
        {"a": [16], "b": [18], "c": [15]},
    ),
    "of those that are ready at the same moment, that becomes active which was relayed first": (
        plain(
            delivery("x", 1),
            delivery("b", 1, "500ms", to="q"),
            delivery("a", 1, "500ms"),
            mta={"active": 1},
            providers={"q": MANY},
        ),
        "accepted",
        {"x": [1], "b": [2], "a": [3]},
    ),
    "a rate over deliveries lets nobody go a moment too soon": (
        plain(
            delivery("a", 1),
            delivery("a2", 1, "9900ms"),
            limits=[{"name": "a", "rate": RATE, "deliveries": ["a", "a2"]}],
        ),
        "accepted",
        {"a": [1], "a2": [11]},
    ),
    "nor does a rate over queues": (
        plain(
            delivery("a", 1),
            delivery("b", 1, "9900ms", to="q"),
            provider=MANY,
            providers={"q": MANY},
            limits=[{"name": "both", "rate": RATE}],
        ),
        "accepted",
        {"a": [1], "b": [11]},
    ),
    "nor does that of a queue": (
        plain(delivery("a", 1), delivery("b", 1, "9900ms"), provider=MANY | {"rate": RATE}),
        "accepted",
        {"a": [1], "b": [11]},
    ),
    "of those that become ready together, a new message goes before a retry": (
        plain(delivery("a", 1), delivery("b", 1, "11s"), mta=SOON, provider=AWAY),
        "accepted",
        {"b": [12], "a": [13]},
    ),
    "a share is that of one period, and not of those before": (
        # One in four is unreachable until 10 s, and none of two until 20 s.
        plain(
            delivery("a", 4, validity="1h"),
            delivery("b", 2, "11s"),
            delivery("c", 1, "21s"),
            mta=LATE,
            provider={
                "outages": [{"at": "0s", "lasts": "1500ms"}],
                "suspend": {
                    "counts": ["unreachable"],
                    "share": 0.5,
                    "of": 2,
                    "within": "10s",
                    "lasts": "10s",
                },
            },
        ),
        "accepted",
        {"a": [2, 3, 4], "b": [12, 13], "c": [22]},
    ),
    "who expires in line leaves the connection to others": (
        # The second message of a stands in line from 1 s to 5 s.
        plain(
            delivery("a", 2, validity="5s"),
            delivery("b", 1, "6s", to="q"),
            provider=MANY | {"rate": "1/h,max_burst=1"},
            providers={"q": MANY},
            limits=[{"name": "both", "connections": 1}],
        ),
        "accepted",
        {"a": [1], "b": [7]},
    ),
    "who expires while a connection is made does not ask for another one": (
        # At 10 s the connection is idle; four that wait want no second one, five would.
        plain(
            delivery("a", 1, validity="2s"),
            delivery("b", 5, "10s"),
            provider={
                "connections_per_ip": 10,
                "connect_time": "3s",
                "transaction_time": "10s",
                "connection_scaling": "kumomta",
            },
        ),
        "accepted",
        {"b": [20, 30, 40, 50, 60]},
    ),
    "nor does one who expires before a retry": (
        # The retry is due at 15 s, when the only connection that is wanted carries x.
        plain(
            delivery("a", 1, validity="18s"),
            delivery("x", 1, "14s"),
            delivery("b", 5, "30s"),
            mta=SOON,
            provider={
                "outages": [{"at": "0s", "lasts": "6s"}],
                "connections_per_ip": 10,
                "transaction_time": "5s",
                "connection_scaling": "kumomta",
            },
        ),
        "accepted",
        {"x": [19], "b": [35, 40, 45, 50, 55]},
    ),
    "who expires leaves the active queue to others": (
        # The second slow message waits for the connection until 5 s.
        plain(
            delivery("slow", 2, to="q", validity="5s"),
            delivery("quick", 1, "6s"),
            mta={"active": 2},
            providers={
                "q": {"connect_time": "0s", "transaction_time": "10s", "connections_per_ip": 1}
            },
        ),
        "accepted",
        {"slow": [10], "quick": [7]},
    ),
    "a connection that has been idle for just the timeout counts at the provider": (
        # In use until 8.5 s, and idle until 9 s, when the second one is made, and refused.
        plain(
            delivery("a", 1, "2500ms"),
            delivery("b", 1, "8s"),
            mta=SOON,
            provider=ONE_ACCEPTED | {"idle_timeout": "500ms"},
        ),
        "soft",
        {"b": [9]},
    ),
    "Postfix's window grows no further than it is used": (
        # Of two in use it is three, which two messages of b find at 6 s, and four at 6.4 s.
        plain(
            delivery("a", 8, spread="7200ms"),
            delivery("b", 5, "6s"),
            relay={"batch": 1},
            provider=POSTFIX | {"connection_scaling": SCALING | {"initial": 1}},
        ),
        "accepted",
        {"a": [1, 2, 2, 3, 4, 5, 6, 8], "b": [7, 7, 7, 7, 8]},
    ),
    "Postfix forgets a site when nobody waits for it": (
        # The failure at 11 s is that of the only message: the window is two again.
        plain(
            delivery("a", 1, validity="1h"),
            delivery("b", 1, "2s"),
            delivery("c", 1, "10s", validity="1h"),
            delivery("d", 2, "20s"),
            mta=LATE,
            provider=POSTFIX
            | {
                "outages": [{"at": "0s", "lasts": "1500ms"}, {"at": "10s", "lasts": "1500ms"}],
                "connection_scaling": SCALING | {"initial": 2, "negative": "1/concurrency"},
            },
        ),
        "accepted",
        {"b": [3], "d": [21, 21]},
    ),
    "a step's rate and burst are each source IP's": (
        plain(
            delivery("a", 4),
            mta={"ips": 2},
            provider=MANY
            | {"rate": {"kind": "schedule", "steps": [{"at": "0s", "rate": "1/10s"}]}},
        ),
        "attempted",
        {"a": [0, 0, 5, 10]},
    ),
    "PowerMTA tries once more at the very age at which it gives up": (
        plain(
            delivery("a", 1, validity="1h"),
            mta={"retry": {"policy": "powermta", "retry_after": ["10s"], "bounce_after": "22s"}},
            provider={"transient": 1.0},
        ),
        "attempted",
        {"a": [0, 11, 22]},
    ),
    "Postfix does not after a failure at the very lifetime": (
        plain(
            delivery("a", 1, validity="1h"),
            mta={
                "retry": {
                    "policy": "postfix",
                    "minimal_backoff_time": "10s",
                    "maximal_backoff_time": "10s",
                    "queue_run_delay": "1s",
                    "maximal_queue_lifetime": "21s",
                }
            },
            provider={"transient": 1.0},
        ),
        "attempted",
        {"a": [0, 10, 20]},
    ),
    "Exim counts from the first failure": (
        # At 23 s it has failed for 22 s.
        plain(
            delivery("a", 1, validity="1h"),
            mta={"retry": {"policy": "exim", "rule": "F,20s,10s"}},
            provider={"transient": 1.0},
        ),
        "attempted",
        {"a": [0, 11, 22]},
    ),
    "Exim tries what is due at its next queue run": (
        # Due at 11 s and 26 s, tried at 15 s and 30 s; at 31 s it has failed for 30 s.
        plain(
            delivery("a", 1, validity="1h"),
            mta={"retry": {"policy": "exim", "rule": "F,20s,10s"}},
            provider={"transient": 1.0},
            limits=[RUNNERS | {"one_more_every": "15s"}],
        ),
        "attempted",
        {"a": [0, 15, 30]},
    ),
    "a queue runner takes one message after the other, and each run starts one more": (
        # Three are tried at once and again from 5 s on: two runners at 10 s and 20 s. The first
        # one takes the second message over at 14 s, the second one has nothing left to do.
        plain(
            delivery("a", 3),
            mta={"retry": {"policy": "schedule", "delays": ["4s"]}},
            provider=MANY | {"transaction_time": "4s", "outages": [{"at": "0s", "lasts": "5s"}]},
            limits=[RUNNERS | {"one_more_every": "10s"}],
        ),
        "accepted",
        {"a": [14, 18, 22]},
    ),
    "a runner that has nothing more to do ends, and the next one waits for a run": (
        # Due at 5 s and at 22 s: the runner of 10 s ends at 11 s.
        plain(
            delivery("a", 1),
            delivery("b", 1, "17s"),
            mta={"retry": {"policy": "schedule", "delays": ["4s"]}},
            provider=MANY
            | {"outages": [{"at": "0s", "lasts": "5s"}, {"at": "17s", "lasts": "2s"}]},
            limits=[RUNNERS | {"one_more_every": "10s"}],
        ),
        "accepted",
        {"a": [11], "b": [31]},
    ),
    "what is tried for the first time passes those that wait for a runner": (
        plain(
            delivery("a", 2),
            delivery("b", 2, "6s"),
            mta={"retry": {"policy": "schedule", "delays": ["4s"]}},
            provider={"connections_per_ip": 9, "outages": [{"at": "0s", "lasts": "2s"}]},
            limits=[RUNNERS | {"one_more_every": "10s", "connections": 1}],
        ),
        "accepted",
        {"a": [11, 12], "b": [7, 7]},
    ),
    "with runners alone nothing is sent before a run": (
        plain(
            delivery("a", 3, "1s"),
            provider=MANY | {"transaction_time": "4s"},
            limits=[RUNNERS | {"one_more_every": "10s", "attempts": "all"}],
        ),
        "accepted",
        {"a": [14, 18, 22]},
    ),
    "a connection that is refused counts for rules as one that reaches nobody": (
        # Of two made at 1 s the second one is refused: nothing goes until 61 s, when it is made
        # again; beside the one that is idle from 6 s to 36 s it would be refused again.
        plain(
            delivery("a", 2, validity="30m"),
            delivery("b", 1, "10s", validity="30m"),
            mta=LATE | {"suspend": {"counts": ["unreachable"], "after": 1, "lasts": "1m"}},
            provider=ONE_ACCEPTED | {"idle_timeout": "30s"},
        ),
        "accepted",
        {"a": [6], "b": [67]},
    ),
    "who is refused leaves the connection and the active queue to others": (
        plain(
            delivery("a", 2, validity="30m"),
            delivery("b", 1, "2s", to="q"),
            mta=LATE | {"active": 2},
            provider=ONE_ACCEPTED,
            providers={"q": MANY},
            limits=[{"name": "all", "connections": 2}],
        ),
        "accepted",
        {"a": [6], "b": [3]},
    ),
    "so does who is sent back": (
        # The second one is throttled at 6 s, when the third one stands in line.
        plain(
            delivery("a", 3, validity="30m"),
            delivery("b", 2, "10s", to="q"),
            mta=LATE | {"active": 2},
            provider=MANY
            | {
                "rate": "1/5s",
                "tolerance": "1/h",
                "suspend": {"after": 1, "lasts": "1m", "meanwhile": "retry"},
            },
            providers={"q": MANY},
            limits=[{"name": "all", "connections": 2}],
        ),
        "accepted",
        {"a": [1], "b": [11, 11]},
    ),
    "a pause holds what the relay's rate would let start at its very moment": (
        relayed(
            delivery("a", 2, pause="10s", resume="12s"),
            relay={"batch": 1, "batch_time": "0s", "rate": RATE},
        ),
        "relayed",
        {"a": [0, 12]},
    ),
    "a confirmation is given up so long after the start, however early it is asked for": (
        confirmed({"within": "4h", "ahead": "2h", "give_up": "2h"}, at="3h"),
        "relayed",
        {"news": [4 * 5] * 4},
    ),
}


AS_FORESEEN = {
    "of one moment, rules look at a queue before its first in line starts",
    "and of new ones that which was relayed first, also where a retry is due together with it",
    "of those that become ready together, a new message goes before a retry",
}
"""The textbook model goes through these moments in the order in which they were foreseen."""


@pytest.mark.parametrize(
    ("example", "model"),
    [
        (example, model)
        for example in BY_HAND
        for model in MODELS
        if model != "textbook" or example not in AS_FORESEEN
    ],
)
def test_what_happens_is_what_has_been_worked_out(example: str, model: str) -> None:
    scenario, event, expected = BY_HAND[example]
    assert times(MODELS[model](scenario), event) == expected


AT_RANDOM: dict[str, Any] = {"within": {"dist": "exponential", "mean": "3h"}}


@pytest.mark.parametrize("model", ["engine", "textbook"])
def test_waves_keep_their_distance_whenever_they_are_confirmed(model: str) -> None:
    scenario = confirmed(AT_RANDOM, waves={"size": 0.5, "every": "2h"})
    first, second = times(MODELS[model](scenario), "relayed").values()
    assert second[0] - first[0] == 8


@pytest.mark.parametrize("model", ["engine", "textbook"])
def test_each_sending_is_confirmed_when_it_happens_to_be(model: str) -> None:
    scenario = confirmed(AT_RANDOM | {"give_up": "5d"}, every="7d", times=3)
    starts = [seconds[0] for seconds in times(MODELS[model](scenario), "relayed").values()]
    assert len({start % (4 * 24 * 7) for start in starts}) == 3
