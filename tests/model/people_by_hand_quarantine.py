"""Who leaves quarantine."""

from __future__ import annotations

from people_by_hand import (
    DAY,
    DYING,
    FULL,
    HOUR,
    MISTAKEN,
    QUARANTINED,
    REFUSED,
    THRESHOLD_1,
    THRESHOLD_2,
    Example,
    at,
)

QUARANTINE: dict[str, Example] = {
    "a full mailbox leaves at the first cleanup after its time, once a day from t = 0": Example(
        THRESHOLD_1 + FULL + at('"0s"', '"30d"', '"2678399s"', '"31d"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 30 * DAY, 4, 0, QUARANTINED),
            ("c", 31 * DAY - 1, 4, 0, QUARANTINED),
            ("d", 31 * DAY, 4, 4, {}),
        ],
        {1: {"quarantined": 4}, 3: {"good": 4}},
    ),
    "at a cleanup that is just then": Example(
        THRESHOLD_1
        + 'population.quarantine.mailbox_full = "86399s"\n'
        + FULL
        + at('"0s"', '"86399s"', '"1d"'),
        [("a", 0, 4, 4, {}), ("b", DAY - 1, 4, 0, QUARANTINED), ("c", DAY, 4, 4, {})],
    ),
    "with a clock at 04:00": Example(
        # The first ones after a day and a second are those of 18 hours and a day.
        'start = "2026-11-27T10:00:00"\n'
        + THRESHOLD_1
        + 'population.quarantine.mailbox_full = "1d"\n'
        + FULL
        + at('"0s"', '"151199s"', '"42h"'),
        [("a", 0, 4, 4, {}), ("b", 42 * HOUR - 1, 4, 0, QUARANTINED), ("c", 42 * HOUR, 4, 4, {})],
    ),
    "at 04:00 of a day that is an hour longer": Example(
        'start = "2026-10-24T10:00:00"\nzone = "Europe/Berlin"\n'
        + THRESHOLD_1
        + 'population.quarantine.mailbox_full = "1h"\n'
        + FULL
        + at('"0s"', '"18h"', '"19h"'),
        [("a", 0, 4, 4, {}), ("b", 18 * HOUR, 4, 0, QUARANTINED), ("c", 19 * HOUR, 4, 4, {})],
    ),
    "it counts from 0 then": Example(
        THRESHOLD_2
        + 'population.quarantine.mailbox_full = "1h"\npopulation.quarantine.significant = "1h"\n'
        + FULL
        + at('"0s"', '"2h"', '"1d"', '"26h"', '"27h"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 2 * HOUR, 4, 4, {}),
            ("c", DAY, 4, 4, {}),
            ("d", DAY + 2 * HOUR, 4, 4, {}),
            ("e", DAY + 3 * HOUR, 4, 0, QUARANTINED),
        ],
        {2: {"good": 4}, 3: {"erroneous": 4}},
    ),
    "another reason never leaves": Example(
        THRESHOLD_1 + REFUSED + at('"0s"', '"366d"'),
        [("a", 0, 4, 4, {}), ("b", 366 * DAY, 4, 0, QUARANTINED)],
        {-1: QUARANTINED},
    ),
    "a full one that bounces hard never leaves": Example(
        # Known to be dead before it would leave.
        THRESHOLD_1
        + 'population.quarantine.mailbox_full = "365d"\n'
        + FULL
        + DYING
        + at('"0s"', '"31535900s", prepare = "31535900s"', '"366d"'),
        [("a", 0, 4, 4, {}), ("b", 0, 4, 4, {}), ("c", 366 * DAY, 4, 0, QUARANTINED)],
        {-1: {"quarantined": 4}},
        {"a soft": 4, "b hard": 4},
    ),
    "a full one that bounces softly again leaves all the same": Example(
        THRESHOLD_1
        + 'population.quarantine.mailbox_full = "1h"\npopulation.quarantine.significant = "1h"\n'
        + FULL
        + at('"0s"', '"20h", prepare = "20h"', '"1d"'),
        [("a", 0, 4, 4, {}), ("b", 0, 4, 4, {}), ("c", DAY, 4, 4, {})],
    ),
    "one that accepts a message later remains in quarantine": Example(
        THRESHOLD_1
        + 'providers.p.outages = [{ at = "0s", lasts = "1m" }]\n'
        + at('"0s"', '"1h", prepare = "1h"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 0, 4, 4, {}), ("c", 2 * HOUR, 4, 0, QUARANTINED)],
        {-1: MISTAKEN},
        {"b accepted": 4},
    ),
}
