from __future__ import annotations

import re
from pathlib import Path

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "expected_accuracy.py"


BOUND = EXPERIMENT.with_name("expected_bound.py")


def test_the_bound_is_held_against_random_scenarios(warm) -> None:
    # Of these some are refused, and none takes long.
    few = ["--first", "2016", "--scenarios", "3", "--simulations", "2"]
    output = warm.run([BOUND, *few]).stdout
    assert re.search(r"^answered [1-3] of 3 scenarios$", output, re.MULTILINE)
    assert re.search(r"^simulations within the bound all the time: \d+\.\d%$", output, re.MULTILINE)
    assert re.search(r"^final: (\d+\.\d(, )?){4}$", output, re.MULTILINE)


def test_the_table_has_an_error_and_a_time_for_each_case(warm) -> None:
    few = ["--replications", "2", "--rounds", "1", "--only", "keeps up", "rate"]
    few += ["--timed", "black-friday"]
    output = warm.run([EXPERIMENT, *few]).stdout
    error = r"[+-]\d+\.\d{3} \(\d+\.\d{3}\)"
    rows = re.findall(
        rf"^\| ([^|]+) \| {error} \| {error} \| {error} \| \d+ ms \|$", output, re.MULTILINE
    )
    assert rows == ["keeps up", "rate"]
    times = re.findall(r"^(\S+), ([\d,]+) messages: \d+ ms$", output, re.MULTILINE)
    assert ("black-friday", "100,000,000") in times
