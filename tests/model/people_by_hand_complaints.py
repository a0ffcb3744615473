"""Complaints, and what readings tell of people."""

from __future__ import annotations

from people_by_hand import COMPLAINING, DAY, HOUR, REFUSED, Example, at

COMPLAINTS: dict[str, Example] = {
    "a complaint is known after its delay": Example(
        COMPLAINING + 'population.complaint_delay = "1h"\n' + at('"0s"', '"3601s"', '"3602s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", HOUR + 1, 4, 4, {}),
            ("c", HOUR + 2, 4, 0, {"denylisted": 4}),
        ],
        {1: {"good": 4}, -1: {"denylisted": 4}},
    ),
    "of the opens that are too late to be counted, too": Example(
        COMPLAINING
        + 'population.complaint_delay = "1h"\nengagement.open_delay = "15d"\n'
        + at('"0s"', '"15d1h"', '"15d2h"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 15 * DAY + HOUR, 4, 4, {}),
            ("c", 15 * DAY + 2 * HOUR, 4, 0, {"denylisted": 4}),
        ],
        counts={"opened": 0},
    ),
    "it does not wait for feedback": Example(
        COMPLAINING
        + 'population.complaint_delay = "1h"\nfeedback.polling = "1d"\n'
        + 'feedback.synchronous = "2d"\n'
        + at('"0s"', '"3601s"', '"3602s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", HOUR + 1, 4, 4, {}),
            ("c", HOUR + 2, 4, 0, {"denylisted": 4}),
        ],
    ),
    "nobody complains of what is not opened": Example(
        'population.complaints = 1.0\npopulation.complaint_delay = "1h"\n' + at('"0s"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 2 * HOUR, 4, 4, {})],
    ),
    "weeks are counted from t = 0, by the acceptance": Example(
        # b is accepted as the second week begins.
        at('"0s"', '"604799s"', '"8d"', '"21d", messages = 1'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 7 * DAY - 1, 4, 4, {}),
            ("c", 8 * DAY, 4, 4, {}),
            ("d", 21 * DAY, 1, 1, {}),
        ],
        weeks={0: {1: 4}, 1: {2: 4}, 3: {1: 1}},
    ),
    "the state of the list is told at the end of each week": Example(
        # Of the second week one comes as it ends, and errors are told until they are forgotten.
        'population.quarantine = { reset = "5d", significant = "1d" }\n'
        "population.imports = [\n"
        '{ at = "14d", size = 1, dead = 1.0 }, { at = "22d", size = 1, dead = 0.0 }]\n'
        + REFUSED
        + at('"3d"', '"15d"', '"16d1s"', '"21d"'),
        [
            ("a", 3 * DAY, 4, 4, {}),
            ("b", 15 * DAY, 5, 5, {}),
            ("c", 16 * DAY + 1, 5, 4, {"quarantined": 1}),
            ("d", 21 * DAY, 5, 4, {"quarantined": 1}),
        ],
        {-1: {"erroneous": 4, "quarantined": 1}},
        weekly=[
            {"erroneous": 4},
            {"good": 5, "dead_unknown": 1},
            {"erroneous": 4, "quarantined": 1},
        ],
    ),
    "those who join after the last preparation do not count: nothing goes to them": Example(
        # The last soft bounce is on the second day.
        'mta.retry.delays = ["2d", "30d"]\n'
        'population.imports = [{ at = "1d", size = 3, dead = 1.0 }]\n' + REFUSED + at('"0s"'),
        [("a", 0, 4, 4, {})],
        {-1: {"erroneous": 4}},
    ),
}
