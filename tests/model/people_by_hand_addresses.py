"""What is wrong with addresses, and when they die."""

from __future__ import annotations

from people_by_hand import DAY, DYING, FULL, GREYLISTED, HOUR, P_AND_Q, Example, at

ONE = "population.size = 1\n"


ADDRESSES: dict[str, Example] = {
    "the providers of people are apportioned, and each has a count to deliver": Example(
        P_AND_Q + "population.size = 5\n" + at('"0s"'),
        [("a", 0, 5, 5, {})],
        counts={"accepted": 5},
        to_deliver={("a", "p"): 3, ("a", "q"): 2},
    ),
    "a provider without people has none to deliver": Example(
        "population.providers.q = 0.0\nproviders.q.connect_time = '0s'\n"
        "providers.q.transaction_time = '1s'\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
        to_deliver={("a", "p"): 4, ("a", "q"): 0},
    ),
    "without decay nobody dies": Example(
        at('"0s"', '"366d"'),
        [("a", 0, 4, 4, {}), ("b", 366 * DAY, 4, 4, {})],
        {-1: {"good": 4}},
        {"accepted": 8},
    ),
    "with decay all are dead after a year, which nobody knows at first": Example(
        DYING + at('"0s"', '"365d"', '"366d"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 365 * DAY, 4, 4, {}),
            ("c", 366 * DAY, 4, 0, {"quarantined": 4}),
        ],
        {0: {"good": 4}, 1: {"good": 4, "dead_unknown": 4}, 2: {"quarantined": 4}},
        {"a accepted": 4, "b hard user unknown": 4},
    ),
    "the dead bounce with the first reason of their provider": Example(
        'providers.p.hard = [{ reason = "gone", share = 0.0 }, { reason = "off", share = 0.0 }]\n'
        + DYING
        + at('"365d"'),
        [("a", 365 * DAY, 4, 4, {})],
        counts={"hard gone": 4, "hard": 4},
    ),
    "a fault that never clears ends with death": Example(
        FULL + DYING + at('"0s"', '"365d"'),
        [("a", 0, 4, 4, {}), ("b", 365 * DAY, 4, 4, {})],
        counts={"a soft Mailbox Full": 4, "b hard user unknown": 4, "b soft": 0},
    ),
    "a message takes what is wrong at the hand-over, not at the preparation": Example(
        DYING + at('"365d", prepare = "365d"'),
        [("a", 0, 4, 4, {})],
        {0: {"good": 4}, -1: {"quarantined": 4}},
        {"hard user unknown": 4},
    ),
    "whoever joins dies by the same law from then on": Example(
        ONE
        + DYING
        + 'population.imports = [{ at = "12h", size = 2, dead = 0.0 }]\n'
        + at('"12h"', '"365d12h"'),
        [("a", DAY // 2, 3, 3, {}), ("b", 365 * DAY + DAY // 2, 3, 3, {})],
        counts={"a accepted": 3, "b hard user unknown": 3},
    ),
    "of the good ones each message has a temporary fault anew": Example(
        GREYLISTED + 'mta.retry.delays = ["2h"]\n' + at('"0s"', '"1d"'),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 4, {})],
        counts={"a soft greylisted": 4, "b soft greylisted": 4, "accepted": 8, "recovered": 8},
    ),
    "the share of a temporary fault is of the good ones, newcomers included": Example(
        # Half of the addresses at q are dead, and half have it: every good one has.
        ONE
        + P_AND_Q
        + 'providers.q.hard = [{ reason = "gone", share = 0.5 }]\n'
        + 'providers.q.faults = [{ reason = "busy", share = 0.5, clears_after = "1h" }]\n'
        + 'population.imports = [{ at = "1h", size = 2, dead = 0.0 }]\n'
        + at('"1h"', '"2h"'),
        [("a", HOUR, 3, 3, {}), ("b", 2 * HOUR, 3, 3, {})],
        counts={"a accepted": 2, "a soft busy": 1, "b accepted": 2, "b soft busy": 1, "hard": 0},
    ),
    "the share of a lasting one, among newcomers, is of those that are not dead": Example(
        ONE
        + P_AND_Q
        + 'providers.q.hard = [{ reason = "gone", share = 0.5 }]\n'
        + 'providers.q.faults = [{ reason = "busy", share = 0.5, never = 1.0 }]\n'
        + 'population.imports = [{ at = "1h", size = 2, dead = 0.0 }]\n'
        + at('"1h"', '"2h"'),
        [("a", HOUR, 3, 3, {}), ("b", 2 * HOUR, 3, 3, {})],
        counts={"a accepted": 2, "a soft busy": 1, "b accepted": 2, "b soft busy": 1, "hard": 0},
    ),
    "an import is on the list at its very moment, with those who are dead": Example(
        ONE
        + 'population.imports = [{ at = "1h", size = 3, dead = 1.0 }]\n'
        + at('"3599s"', '"1h"', '"2h"'),
        [
            ("a", HOUR - 1, 1, 1, {}),
            ("b", HOUR, 4, 4, {}),
            ("c", 2 * HOUR, 4, 1, {"quarantined": 3}),
        ],
        {0: {"good": 1}, 1: {"good": 4, "dead_unknown": 3}, 2: {"good": 1, "quarantined": 3}},
        {"hard user unknown": 3},
    ),
    "new ones join evenly over the day": Example(
        ONE
        + "population.new_per_day = 2.0\npopulation.dead_among_new = 1.0\n"
        + at('"43199s"', '"12h"', '"1d"'),
        [
            ("a", DAY // 2 - 1, 1, 1, {}),
            ("b", DAY // 2, 2, 2, {}),
            ("c", DAY, 3, 2, {"quarantined": 1}),
        ],
        {-1: {"good": 1, "quarantined": 2}},
        {"accepted": 3, "hard": 2},
    ),
}
