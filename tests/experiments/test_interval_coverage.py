from __future__ import annotations

import re
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "experiments" / "interval_coverage.py"
TINY = ["--messages", "1000", "--simulations", "30", "--repeats", "20", "--workers", "1"]


def test_the_study_tells_what_each_interval_holds(warm) -> None:
    done = warm.run([SCRIPT, *TINY], forks=True)
    assert done.returncode == 0, done.stderr
    rows = re.findall(
        r"^\| ([a-z ]+) \| \d+ (about normal|moments) \| (.+) \|$", done.stdout, re.MULTILINE
    )
    found = {(kind, group): cells.split(" | ") for kind, group, cells in rows}
    assert {"mean", "median", "one more", "difference"} <= {kind for kind, _ in found}
    assert ("mean", "moments") not in found
    # Of three and of five there is no interval of a median.
    assert found["median", "moments"][:2] == ["–", "–"]
    assert all(int(cell.split()[0]) > 70 for cell in found["median", "moments"][2:])
