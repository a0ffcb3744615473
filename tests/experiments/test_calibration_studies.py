from __future__ import annotations

import re
from pathlib import Path

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def test_the_recovery_table_has_a_row_for_each_quantity(warm) -> None:
    options = ["--repetitions", "1", "--messages", "4000", "--formats", "postfix"]
    table = warm.run([EXPERIMENTS / "calibration_recovery.py", *options], forks=True).stdout
    rows = re.findall(r"^\| (gmail|yahoo|outlook) ([^|]+) \| [^|]+ \| \d+% \(", table, re.MULTILINE)
    assert ("gmail", "mailbox full, never") in rows
    assert len(rows) >= 22
    assert re.search(r"^\| \*\*all\*\* \| \| \d+\.\d% of \d+ \|$", table, re.MULTILINE)
    assert "| retry policy | 1 of 1 |" in table


def test_the_speed_table_has_a_row_for_a_log(warm) -> None:
    options = ["--lines", "5000", "--only", "Momentum"]
    table = warm.run([EXPERIMENTS / "calibration_speed.py", *options], forks=True).stdout
    rows = re.findall(
        r"^\| [^|]+ \| \d+ MB \| \d+\.\d MB/s \| \d+\.\d MB/s \|", table, re.MULTILINE
    )
    assert len(rows) == 1
