from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

SCRIPT = Path(__file__).parents[2] / "experiments" / "forecast_coverage.py"
TINY = ["--messages", "1000", "--deliveries", "3", "--simulations", "64"]
TINY += ["--tables", "1", "--at", "20m", "1h", "--workers", "1"]


def test_the_study_tells_coverage_and_width_of_each_reading(warm, tmp_path) -> None:
    done = warm.run([SCRIPT, *TINY, "--out", tmp_path / "each.csv"], forks=True)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if re.match(r"\| (20m|1h) ", line)]
    kinds = [tuple(cell.strip() for cell in row.split("|")[1:3]) for row in rows]
    assert kinds == [(at, read) for at in ("20m", "1h") for read in ("without-efs", "efs", "both")]
    each = pd.read_csv(tmp_path / "each.csv")
    assert len(each) == 18
    assert each["case"].nunique() == 3
    # Most ends are hit, by intervals that are narrower than what the ranges leave.
    alone = float(done.stdout.splitlines()[2].split("|")[5])
    assert each["covers"].mean() > 0.6
    assert (each["width"] < 1.5 * alone).all()
