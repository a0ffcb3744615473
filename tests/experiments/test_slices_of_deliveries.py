from __future__ import annotations

from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "experiments" / "slices.py"


def test_a_slice_is_held_against_the_whole(warm) -> None:
    done = warm.run([SCRIPT, "--presets", "quickstart", "--wholes", "2", "--slices", "4"])
    assert done.returncode == 0, done.stderr
    rows = [row.split("|") for row in done.stdout.splitlines() if row.startswith("| quickstart")]
    assert [row[3].strip() for row in rows] == ["without-efs", "efs"]
    assert all(abs(float(row[4].split()[0])) < 0.3 for row in rows)
