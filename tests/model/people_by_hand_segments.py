"""Classes, segments and the control group."""

from __future__ import annotations

from people_by_hand import CLASSES, HOUR, Example, at

SEGMENTS: dict[str, Example] = {
    "a class has an open rate of its own": Example(
        "engagement.open_rate = 0.0\n"
        "population.classes.keen = { share = 1.0, open_rate = 1.0 }\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
        counts={"opened": 4},
    ),
    "that of engagement does not count then": Example(
        "engagement.open_rate = 1.0\n"
        "population.classes.idle = { share = 1.0, open_rate = 0.0 }\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
        counts={"opened": 0},
    ),
    "without classes that of engagement does, and those who open click as before": Example(
        "engagement = { open_rate = 1.0, click_rate = 1.0 }\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
        counts={"opened": 4, "clicked": 4},
    ),
    "a segment of a class that nobody is in targets nobody": Example(
        CLASSES + at('"0s", segment = "rare"', '"1h", segment = "many"'),
        [("a", 0, 0, 0, {}), ("b", HOUR, 4, 4, {})],
        counts={"relayed": 4, "a relayed": 0},
        to_deliver={("a", "p"): 0, ("b", "p"): 4},
    ),
    "a segment that is drawn each time, from one class": Example(
        CLASSES + at('"0s", segment = "now"', '"1h", segment = "now"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {})],
    ),
    "who joins later belongs to a segment as well": Example(
        "population.segments.many.share = 1.0\n"
        'population.imports = [{ at = "1h", size = 3, dead = 0.0 }]\n'
        + at('"0s", segment = "many"', '"1h", segment = "many"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 7, 7, {})],
    ),
    "nobody is in a control group of 0": Example(
        "population.control_group = 0.0\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
    ),
    "a control group gets nothing": Example(
        "population.control_group = 0.9999999999999999\n" + at('"0s"', '"1h"'),
        [("a", 0, 4, 0, {"control group": 4}), ("b", HOUR, 4, 0, {"control group": 4})],
        {-1: {"good": 4}},
        {"relayed": 0},
    ),
}
