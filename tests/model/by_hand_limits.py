"""Limits of attempts: rates, windows, pauses, schedules, and what a provider tolerates."""

from __future__ import annotations

from by_hand import FEW, SECOND, SOON, TOLERANT, Example, schedule
from small_scenarios import scenario_of

LIMITS: dict[str, Example] = {
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
}
