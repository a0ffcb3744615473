"""Writes the list of the slow tests, slow.txt, by how long each has taken.

    python -m pytest -q --durations=0 -vv > durations.txt
    python tests/slow.py durations.txt

A test is slow that takes as long as `LONGEST_S`, or whose parameters do together.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

LONGEST_S, LONGEST_TOGETHER_S = 0.15, 0.4
FILES = [
    "tests/experiments/test_engine_benchmark.py",
    "tests/study/replication/test_processes.py",
]
"""Each of these waits for something slow once."""

QUICK = ["tests/model/test_small_examples_by_hand.py::test_events_happen_when_they_should"]
"""Many examples of a hundredth of a second: they notice most of what is wrong with a step."""

LINE = re.compile(r"^([\d.]+)s (?:call|setup) +(tests/[^:]+::[^\[\s]+)", re.MULTILINE)


def slow_tests(durations: str) -> list[str]:
    taken_s = defaultdict(list)
    for seconds, name in LINE.findall(durations):
        taken_s[name].append(float(seconds))
    return [
        name
        for name, each in taken_s.items()
        if (max(each) >= LONGEST_S or sum(each) >= LONGEST_TOGETHER_S) and name not in QUICK
    ]


if __name__ == "__main__":
    names = slow_tests(Path(sys.argv[1]).read_text(encoding="utf-8")) + FILES
    Path(__file__).with_name("slow.txt").write_text("".join(f"{name}\n" for name in sorted(names)))
