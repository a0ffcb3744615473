from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

SCRIPT = Path(__file__).parents[2] / "experiments" / "forecast_coverage.py"
TINY = ["--messages", "1000", "--deliveries", "6", "--simulations", "64"]
TINY += ["--at", "20m", "1h", "--workers", "1"]


def test_the_study_tells_coverage_and_width_of_each_reading(tmp_path) -> None:
    command = [sys.executable, SCRIPT, *TINY, "--out", tmp_path / "each.csv"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    rows = [line for line in done.stdout.splitlines() if re.match(r"\| (20m|1h) ", line)]
    kinds = [tuple(cell.strip() for cell in row.split("|")[1:3]) for row in rows]
    assert kinds == [(at, its) for at in ("20m", "1h") for its in ("without-efs", "efs", "both")]
    each = pd.read_csv(tmp_path / "each.csv")
    assert len(each) == 36
    assert each["case"].nunique() == 6
    # Most ends are hit, by intervals that are narrower than what the ranges leave.
    alone = float(done.stdout.splitlines()[2].split("|")[5])
    assert each["covers"].mean() > 0.6
    assert (each["width"] < 1.5 * alone).all()
