from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "experiments" / "sweep_benchmark.py"
TINY = ["--runs", "10", "--messages", "2000", "--rounds", "1", "--kills", "1"]


def test_all_of_it_is_measured_and_nothing_is_lost() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARK, *TINY], check=True, capture_output=True, text=True
    )
    one, two, ratio, survival = done.stdout.splitlines()
    for line, workers in ((one, "1 worker"), (two, "2 workers")):
        assert re.fullmatch(
            rf"overhead per run, {workers}, 10 runs of \d+ ms: \d+\.\d ms of CPU \(target < 20 ms"
            r"\)",
            line,
        )
    assert re.match(r"CPU with two workers / one, 2 runs of \d\.\d\d s: \d\.\d\d times", ratio)
    assert re.fullmatch(
        r"killed 1 times, with \d+ of 10 runs kept: the same bytes as undisturbed", survival
    )
