"""Rules that suspend a queue, slow it down, or send its messages back."""

from __future__ import annotations

from by_hand import FEW, LATE, SECOND, SHORT, SOON, Example
from small_scenarios import scenario_of

SUSPENSION: dict[str, Example] = {
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
}
