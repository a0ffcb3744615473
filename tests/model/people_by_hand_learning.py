"""What Campaign learns, and when."""

from __future__ import annotations

from people_by_hand import (
    DAY,
    GONE,
    GREYLISTED,
    HOUR,
    MINUTE,
    MISTAKEN,
    QUARANTINED,
    REFUSED,
    THRESHOLD_1,
    THRESHOLD_2,
    Example,
    at,
)

DAYS = [f'"{day}d"' for day in range(9)]


LEARNING: dict[str, Example] = {
    "a hard bounce counts once it is known before": Example(
        GONE + at('"0s"', '"1s"', '"2s"'),
        [("a", 0, 4, 4, {}), ("b", 1, 4, 4, {}), ("c", 2, 4, 0, QUARANTINED)],
        {1: {"good": 4, "dead_unknown": 4}, 2: {"quarantined": 4}, -1: {"quarantined": 4}},
        {"hard gone": 8},
    ),
    "what is not known at an early preparation changes nothing": Example(
        GONE + at('"0s"', '"1h", prepare = "1h"', '"1h"'),
        [("a", 0, 4, 4, {}), ("b", 0, 4, 4, {}), ("c", HOUR, 4, 0, QUARANTINED)],
        counts={"a hard": 4, "b hard": 4},
    ),
    "nobody is left to deliver to, and the next one is sent": Example(
        'population.imports = [{ at = "2h", size = 1, dead = 0.0 }]\n'
        'providers.p.hard = [{ reason = "gone", share = 0.9999999999999999 }]\n'
        + at('"0s"', '"1h", spread = "10m"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 0, QUARANTINED), ("c", 2 * HOUR, 5, 1, QUARANTINED)],
        counts={"accepted": 1, "b relayed": 0},
    ),
    "feedback takes its time": Example(
        'feedback.synchronous = "1h"\n' + GONE + at('"0s"', '"3601s"', '"3602s"'),
        [("a", 0, 4, 4, {}), ("b", HOUR + 1, 4, 4, {}), ("c", HOUR + 2, 4, 0, QUARANTINED)],
    ),
    "Campaign polls": Example(
        'feedback.polling = "1h"\n' + GONE + at('"0s"', '"1h"', '"3601s"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {}), ("c", HOUR + 1, 4, 0, QUARANTINED)],
    ),
    "Campaign takes reports in one by one": Example(
        # At 1:00:01, 2:00:01 and so on.
        'feedback.rate = "1/h"\n' + GONE + at('"0s"', '"9000s"'),
        [("a", 0, 4, 4, {}), ("b", 9000, 4, 2, {"quarantined": 2})],
    ),
    "a message that comes back later": Example(
        'providers.p.async_bounce = 1.0\nfeedback.asynchronous = "3h"\n'
        + at('"0s"', '"10801s"', '"10802s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 3 * HOUR + 1, 4, 4, {}),
            ("c", 3 * HOUR + 2, 4, 0, QUARANTINED),
        ],
        {-1: {"quarantined": 4, "mistaken": 4}},
    ),
    "soft bounces count up to the threshold": Example(
        "population.quarantine.threshold = 3\n" + REFUSED + at(*DAYS[:4]),
        [
            ("a", 0, 4, 4, {}),
            ("b", DAY, 4, 4, {}),
            ("c", 2 * DAY, 4, 4, {}),
            ("d", 3 * DAY, 4, 0, QUARANTINED),
        ],
        {0: {"good": 4}, 1: {"erroneous": 4}, 2: {"erroneous": 4}, 3: QUARANTINED},
    ),
    "and five by default": Example(
        REFUSED + at('"0s", every = "1d", times = 6'),
        [
            *((f"a {day + 1}", day * DAY, 4, 4, {}) for day in range(5)),
            ("a 6", 5 * DAY, 4, 0, QUARANTINED),
        ],
        counts={"soft refused": 20},
    ),
    "with a threshold of 1 the first one is enough": Example(
        THRESHOLD_1 + REFUSED + at('"0s"', '"1h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 0, QUARANTINED)],
        {-1: QUARANTINED},
    ),
    "one counts that is just as much later as is significant": Example(
        THRESHOLD_2 + REFUSED + at('"0s"', '"1d"', '"2d"'),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 4, {}), ("c", 2 * DAY, 4, 0, QUARANTINED)],
    ),
    "one does not that is a second too early, and starts no new day": Example(
        THRESHOLD_2 + REFUSED + at('"0s"', '"86399s"', '"1d"', '"2d"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", DAY - 1, 4, 4, {}),
            ("c", DAY, 4, 4, {}),
            ("d", 2 * DAY, 4, 0, QUARANTINED),
        ],
    ),
    "what counts is when Campaign knows it": Example(
        # A day lies between the polls at 1 h and at 25 h.
        THRESHOLD_2 + 'feedback.polling = "1h"\n' + REFUSED + at('"59m"', '"24h1m"', '"26h"'),
        [
            ("a", 59 * MINUTE, 4, 4, {}),
            ("b", DAY + MINUTE, 4, 4, {}),
            ("c", DAY + 2 * HOUR, 4, 0, QUARANTINED),
        ],
    ),
    "soft bounces of one message count, too": Example(
        THRESHOLD_2 + 'mta.retry.delays = ["1d", "30d"]\n' + REFUSED + at('"0s"', '"25h"'),
        [("a", 0, 4, 4, {}), ("b", 25 * HOUR, 4, 0, QUARANTINED)],
        counts={"soft": 8},
    ),
    "so do those that are not due to the address": Example(
        THRESHOLD_2
        + 'providers.p.outages = [{ at = "0s", lasts = "30h" }]\n'
        + at('"0s"', '"1d"', '"2d"'),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 4, {}), ("c", 2 * DAY, 4, 0, QUARANTINED)],
        {-1: MISTAKEN},
        {"soft unreachable": 8},
        mistaken={"a": 0, "b": 0, "c": 4},
    ),
    "a mailbox that is full for a while is a good address in quarantine": Example(
        THRESHOLD_1
        + 'providers.p.faults = [{ reason = "mailbox full", share = 1.0, clears_after = "1h" }]\n'
        + at('"0s"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 2 * HOUR, 4, 0, QUARANTINED)],
        {-1: MISTAKEN},
        mistaken={"a": 0, "b": 4},
    ),
    "errors are kept just until the reset": Example(
        THRESHOLD_2 + REFUSED + at('"0s"', '"10d"', '"11d"'),
        [("a", 0, 4, 4, {}), ("b", 10 * DAY, 4, 4, {}), ("c", 11 * DAY, 4, 0, QUARANTINED)],
        {1: {"erroneous": 4}},
    ),
    "and forgotten a second later": Example(
        THRESHOLD_2 + REFUSED + at('"0s"', '"864001s"', '"11d1s"', '"12d1s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 10 * DAY + 1, 4, 4, {}),
            ("c", 11 * DAY + 1, 4, 4, {}),
            ("d", 12 * DAY + 1, 4, 0, QUARANTINED),
        ],
        # The error was known a second after the start.
        {1: {"erroneous": 4}, 2: {"erroneous": 4}},
    ),
    "an address is erroneous until the reset": Example(
        REFUSED + at('"0s"', '"864001s"'),
        [("a", 0, 4, 4, {}), ("b", 10 * DAY + 1, 4, 4, {})],
        {1: {"erroneous": 4}},
    ),
    "and good a second later": Example(
        REFUSED + at('"0s"', '"864002s"'),
        [("a", 0, 4, 4, {}), ("b", 10 * DAY + 2, 4, 4, {})],
        {1: {"good": 4}, -1: {"erroneous": 4}},
    ),
    "a message that is accepted sets the errors back": Example(
        THRESHOLD_2 + 'mta.retry.delays = ["2h"]\n' + GREYLISTED + at(*DAYS[:3]),
        [(name, day * DAY, 4, 4, {}) for day, name in enumerate("abc")],
        {1: {"good": 4}, -1: {"good": 4}},
        {"soft": 12, "accepted": 12},
    ),
    "what is not accepted in the end does not": Example(
        THRESHOLD_2 + GREYLISTED + at(*DAYS[:3]),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 4, {}), ("c", 2 * DAY, 4, 0, QUARANTINED)],
        {1: {"erroneous": 4}},
    ),
    "between a soft bounce and the acceptance it is erroneous": Example(
        'mta.retry.delays = ["2h"]\n' + GREYLISTED + at('"0s"', '"1h"', '"3h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {}), ("c", 3 * HOUR, 4, 4, {})],
        {0: {"good": 4}, 1: {"erroneous": 4}},
    ),
    "what the relay fails to hand over, and what expires, changes nothing": Example(
        THRESHOLD_1 + GONE + "relay.error_rate = 1.0\n" + at('"0s"', '"1h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {})],
        {-1: {"good": 4, "dead_unknown": 4}},
        {"relay_failed": 8},
    ),
    "nor does what is stopped; it remains to deliver": Example(
        # Two are handed over, after an hour each.
        'relay = { batch = 1, batch_time = "1h" }\n' + GONE + at('"0s", stop = "90m"', '"1d"'),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 2, {"quarantined": 2})],
        {1: {"quarantined": 2, "good": 2, "dead_unknown": 2}},
        {"a relayed": 2},
        to_deliver={("a", "p"): 4, ("b", "p"): 2},
    ),
    "what is known at once is taken in as it arrived": Example(
        # Both are known at 1 h: first the soft bounce, then that the message is accepted.
        THRESHOLD_1
        + 'feedback.polling = "1h"\nmta.retry.delays = ["20m"]\n'
        + 'providers.p.faults = [{ reason = "busy", share = 1.0, clears_after = "10m" }]\n'
        + at('"0s"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 2 * HOUR, 4, 0, QUARANTINED)],
        counts={"accepted": 4},
    ),
}
