"""Providers that refuse by mistake, are away, or tolerate less for a while."""

from __future__ import annotations

from by_hand import LATE, SECOND, SHORT, SOON, TOLERANT, Example
from small_scenarios import scenario_of

DISTURBANCES: dict[str, Example] = {
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
}
