"""Whom a preparation excludes, and fatigue."""

from __future__ import annotations

from people_by_hand import (
    CLASSES,
    COMPLAINING,
    DAY,
    FATIGUE,
    GONE,
    HOUR,
    MINUTE,
    QUARANTINED,
    Example,
    at,
)

EXCLUSIONS: dict[str, Example] = {
    "messages of a delivery are a sample of the people": Example(
        at('"0s", messages = 3', '"1h", messages = 4'),
        [("a", 0, 3, 3, {}), ("b", HOUR, 4, 4, {})],
        {-1: {"good": 4}},
        {"accepted": 7},
    ),
    "and of each repetition": Example(
        at('"0s", messages = 3, every = "1h", times = 2'),
        [("a 1", 0, 3, 3, {}), ("a 2", HOUR, 3, 3, {})],
    ),
    "if there are fewer, all": Example(
        CLASSES + at('"0s", segment = "rare", messages = 1'),
        [("a", 0, 0, 0, {})],
    ),
    "those who are excluded are among the sample": Example(
        GONE + at('"0s"', '"1h", messages = 3'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 3, 0, {"quarantined": 3})],
    ),
    "a denylisted address counts as that, though it is quarantined and over fatigue": Example(
        COMPLAINING
        + FATIGUE
        + 'population.complaint_delay = "1h"\nproviders.p.async_bounce = 1.0\n'
        + at('"0s"', '"30m"', '"2h"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", HOUR // 2, 4, 0, QUARANTINED),
            ("c", 2 * HOUR, 4, 0, {"denylisted": 4}),
        ],
        {-1: {"denylisted": 4}},
    ),
    "a quarantined one counts as that, though it is over fatigue": Example(
        GONE + FATIGUE + at('"0s"', '"1h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 0, QUARANTINED)],
    ),
    "of those that are prepared together, the first of the scenario goes first": Example(
        FATIGUE + at('"1h"', '"1h"'),
        [("a", HOUR, 4, 4, {}), ("b", HOUR, 4, 0, {"fatigue": 4})],
    ),
    "and else who is prepared first": Example(
        FATIGUE + at('"1h"', '"1h", prepare = "1m"'),
        [("b", HOUR - MINUTE, 4, 4, {}), ("a", HOUR, 4, 0, {"fatigue": 4})],
    ),
    "a sending counts that is just the period before": Example(
        # b is delivered to nobody, and so does not count for c.
        FATIGUE + at('"0s"', '"2d"', '"2d1s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 2 * DAY, 4, 0, {"fatigue": 4}),
            ("c", 2 * DAY + 1, 4, 4, {}),
        ],
    ),
    "one counts that is just the period after, if it is prepared before": Example(
        FATIGUE + at('"3d"', '"5d", prepare = "5d"'),
        [("b", 0, 4, 4, {}), ("a", 3 * DAY, 4, 0, {"fatigue": 4})],
    ),
    "one that is later still does not": Example(
        FATIGUE + at('"259199s"', '"5d", prepare = "5d"'),
        [("b", 0, 4, 4, {}), ("a", 3 * DAY - 1, 4, 4, {})],
    ),
    "nor one that is not prepared yet": Example(
        FATIGUE + at('"3d", prepare = "2d"', '"3d", prepare = "1d"', '"4d"'),
        [
            ("a", DAY, 4, 4, {}),
            ("b", 2 * DAY, 4, 0, {"fatigue": 4}),
            ("c", 4 * DAY, 4, 0, {"fatigue": 4}),
        ],
    ),
    "up to the maximum": Example(
        "population.fatigue = { max = 2, period = '2d' }\n" + at('"0s"', '"1h"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {}), ("c", 2 * HOUR, 4, 0, {"fatigue": 4})],
    ),
    "one that nobody confirms counts as well": Example(
        FATIGUE + at('"1h", confirm = { within = "5h", give_up = "2h" }', '"4h"'),
        [("a", 3 * HOUR, 4, 4, {}), ("b", 4 * HOUR, 4, 0, {"fatigue": 4})],
        counts={"relayed": 0},
    ),
}
