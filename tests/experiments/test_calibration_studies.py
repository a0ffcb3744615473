from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def output(name: str, *arguments: str) -> str:
    command = [sys.executable, EXPERIMENTS / f"{name}.py", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_recovery_table_has_a_row_for_each_quantity() -> None:
    told = output(
        "calibration_recovery", "--repetitions", "1", "--messages", "4000", "--formats", "postfix"
    )
    rows = re.findall(r"^\| (gmail|yahoo|outlook) ([^|]+) \| [^|]+ \| \d+% \(", told, re.MULTILINE)
    assert ("gmail", "mailbox full, never") in rows
    assert len(rows) >= 22
    assert re.search(r"^\| \*\*all\*\* \| \| \d+\.\d% of \d+ \|$", told, re.MULTILINE)
    assert "| retry policy | 1 of 1 |" in told


def test_the_speed_table_has_a_row_for_a_log() -> None:
    told = output("calibration_speed", "--lines", "5000", "--only", "Momentum")
    rows = re.findall(r"^\| [^|]+ \| \d+ MB \| \d+\.\d MB/s \| \d+\.\d MB/s \|", told, re.MULTILINE)
    assert len(rows) == 1
