from __future__ import annotations

import re
from pathlib import Path

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "expected_accuracy.py"


def test_the_table_has_an_error_and_a_time_for_each_case(warm) -> None:
    output = warm.run([EXPERIMENT, "--replications", "2", "--only", "keeps up", "rate"]).stdout
    error = r"[+-]\d+\.\d{3} \(\d+\.\d{3}\)"
    rows = re.findall(
        rf"^\| ([^|]+) \| {error} \| {error} \| {error} \| \d+ ms \|$", output, re.MULTILINE
    )
    assert rows == ["keeps up", "rate"]
    times = re.findall(r"^(\S+), ([\d,]+) messages: \d+ ms$", output, re.MULTILINE)
    assert ("black-friday", "100,000,000") in times
