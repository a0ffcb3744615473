"""When a sending is prepared."""

from __future__ import annotations

from people_by_hand import DAY, FATIGUE, GONE, HOUR, P_AND_Q, QUARANTINED, Example, at

PREPARATIONS: dict[str, Example] = {
    "it is prepared as it starts": Example(
        at('"3h"'), [("a", 3 * HOUR, 4, 4, {})], relayed={"a": [180] * 4}
    ),
    "or so long before, and starts at its start": Example(
        at('"3h", prepare = "2h"'), [("a", HOUR, 4, 4, {})], relayed={"a": [180] * 4}
    ),
    "but not before t = 0": Example(
        at('"3h", prepare = "4h"'), [("a", 0, 4, 4, {})], relayed={"a": [180] * 4}
    ),
    "or as it is confirmed, before its start": Example(
        at('"3h", confirm = { within = "1h", ahead = "2h" }'),
        [("a", 2 * HOUR, 4, 4, {})],
        relayed={"a": [180] * 4},
    ),
    "or after it": Example(
        at('"3h", confirm = { within = "1h" }'),
        [("a", 4 * HOUR, 4, 4, {})],
        relayed={"a": [240] * 4},
    ),
    "one that is confirmed before t = 0 is prepared then": Example(
        at('"1h", confirm = { within = "30m", ahead = "2h" }'),
        [("a", 0, 4, 4, {})],
        relayed={"a": [60] * 4},
    ),
    "with both, it is prepared before the start that was planned": Example(
        at('"3h", prepare = "2h", confirm = { within = "1h" }'),
        [("a", HOUR, 4, 4, {})],
        relayed={"a": [240] * 4},
    ),
    "one that is never confirmed is prepared as it is given up, and not sent": Example(
        at('"3h", confirm = { within = "5h", give_up = "2h" }'),
        [("a", 5 * HOUR, 4, 4, {})],
        counts={"relayed": 0},
        to_deliver={("a", "p"): 4},
    ),
    "all parts of a sending are prepared together, with shares of who is left": Example(
        # Of five waves follow 3 and 2; of four, 2.4 and 1.6.
        "population.size = 5\n" + at('"3h", waves = { size = 0.5, every = "2h" }, messages = 4'),
        [("a", 3 * HOUR, 4, 4, {})],
        relayed={"a wave 1": [180] * 2, "a wave 2": [300] * 2},
        to_deliver={("a wave 1", "p"): 2, ("a wave 2", "p"): 2},
    ),
    "what is learned between two waves changes nothing": Example(
        GONE + at('"1d", waves = { size = 0.5, every = "2h" }'),
        [("a", DAY, 4, 4, {})],
        counts={"a wave 1 hard": 2, "a wave 2 hard": 2},
    ),
    "of three who are left each cell has one, and the rest": Example(
        "population.size = 3\n"
        'population.imports = [{ at = "1h", size = 1, dead = 1.0 }]\n'
        + at('"1h"', '"3h", cells = { share = 0.25, after = "2h" }'),
        [("a", HOUR, 4, 4, {}), ("b", 3 * HOUR, 4, 3, {"quarantined": 1})],
        # Shares of 1, 1 and 2 of three people: 0.75, 0.75 and 1.5.
        to_deliver={("a", "p"): 4, ("b A", "p"): 1, ("b B", "p"): 1, ("b rest", "p"): 1},
    ),
    "each repetition is a sending": Example(
        GONE + at('"0s", every = "1d", times = 2'),
        [("a 1", 0, 4, 4, {}), ("a 2", DAY, 4, 0, QUARANTINED)],
        to_deliver={("a 1", "p"): 4, ("a 2", "p"): 0},
    ),
    "zones are prepared together, as the sending starts": Example(
        'start = "2026-11-27T08:00:00"\nzone = "Europe/Berlin"\n'
        + at(
            '"1h", local_time = "10:00", '
            'zones = { "Europe/Berlin" = 0.5, "America/New_York" = 0.5 }'
        ),
        [("a", HOUR, 4, 4, {})],
        relayed={"a Europe/Berlin": [120] * 2, "a America/New_York": [480] * 2},
    ),
    "waves that are confirmed late are prepared then, and count from then for fatigue": Example(
        FATIGUE
        + at(
            '"1h", waves = { size = 0.5, every = "2h" }, confirm = { within = "1h" }',
            '"2d2h"',
            '"4d2h1s"',
        ),
        [
            ("a", 2 * HOUR, 4, 4, {}),
            ("b", 2 * DAY + 2 * HOUR, 4, 0, {"fatigue": 4}),
            ("c", 4 * DAY + 2 * HOUR + 1, 4, 4, {}),
        ],
        relayed={"a wave 1": [120] * 2, "a wave 2": [240] * 2, "c": [4 * 1440 + 120] * 4},
    ),
    "the messages of a delivery are in batches of those who are left": Example(
        "relay.batch = 2\n"
        + P_AND_Q
        + 'population.size = 5\nproviders.q.hard = [{ reason = "gone", share = 1.0 }]\n'
        + at('"0s"', '"1h", spread = "2h"'),
        [("a", 0, 5, 5, {}), ("b", HOUR, 5, 3, {"quarantined": 2})],
        # Three messages are two batches.
        relayed={"a": [0] * 5, "b": [60, 60, 120]},
    ),
    "repetitions are prepared before each start, and at t = 0 at the earliest": Example(
        GONE + at('"1h", every = "1d", times = 2, prepare = "2h"'),
        [("a 1", 0, 4, 4, {}), ("a 2", DAY - HOUR, 4, 0, QUARANTINED)],
    ),
    "one that nobody confirms is prepared when it should be, too": Example(
        at('"3h", prepare = "1h", confirm = { within = "5h", give_up = "2h" }'),
        [("a", 2 * HOUR, 4, 4, {})],
        counts={"relayed": 0},
    ),
    "what is learned between confirmation and start changes nothing": Example(
        GONE + at('"0s"', '"2h", confirm = { within = "1s", ahead = "2h" }', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 1, 4, 4, {}), ("c", 2 * HOUR, 4, 0, QUARANTINED)],
    ),
    "who joins between preparation and start is not targeted": Example(
        'population.imports = [{ at = "2h", size = 3, dead = 0.0 }]\n'
        + at('"3h", prepare = "2h"', '"4h"'),
        [("a", HOUR, 4, 4, {}), ("b", 4 * HOUR, 7, 7, {})],
        relayed={"a": [180] * 4, "b": [240] * 7},
    ),
}
