from __future__ import annotations

import re
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "experiments" / "forecast_misspecified.py"
TINY = ["--messages", "1000", "--each", "1", "--tables", "1", "--at", "1h", "--workers", "1"]


def test_the_study_tells_coverage_and_warnings_of_each_way_to_be_wrong(warm) -> None:
    done = warm.run([SCRIPT, *TINY], forks=True)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (default|one) \| (\w+) \| ([\d.]+)% ", done.stdout, re.MULTILINE)
    kinds = ("none", "never", "transient", "clearing", "retry", "async", "hard", "slower", "all")
    assert [row[:2] for row in rows] == [
        (ranges, kind) for ranges in ("default", "one") for kind in kinds
    ]
    mean = {
        ranges: sum(float(row[2]) for row in rows if row[0] == ranges) / len(kinds)
        for ranges in ("default", "one")
    }
    assert mean["default"] > 80.0
    assert "| default | 1h | both, one | " in done.stdout
