"""Each study of a planner's question runs, at a small size."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


STUDIES = (
    "delivered_convergence",
    "efs_or_not",
    "feedback_latency",
    "ip_warmup",
    "retry_policies",
    "stream_beside_a_blast",
    "throughput_limits",
    "quarantine",
)


@pytest.mark.parametrize(
    ("name", "arguments", "rows", "lines"),
    [
        ("retry_policies", ["--messages", "5000", "--replications", "2"], 7 * 3, 8),
        ("throughput_limits", ["--messages", "5000"], 12, 13),
        ("ip_warmup", ["--messages", "2000"], 6, 7),
        ("delivered_convergence", ["--messages", "5000", "--replications", "1"], 9 * 2, 19),
        ("feedback_latency", ["--messages", "5000"], 6 * 2 * 17, 13),
        ("efs_or_not", ["--messages", "5000"], 4 * 2 * 125, 9),
    ],
)
def test_a_study_writes_its_table_and_its_chart(
    warm, tmp_path, name, arguments, rows, lines
) -> None:
    out = tmp_path / "out"
    command = [EXPERIMENTS / f"{name}.py", *arguments, "--workers", "1", "--out", out]
    done = warm.run(command, cwd=tmp_path, forks=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == lines
    stem = name.replace("_", "-")
    table = pd.read_csv(out / f"{stem}.csv")
    assert len(table) == rows
    assert (out / f"{stem}.png").stat().st_size > 5000
    # Again: all of it is in the store, and the bytes are the same.
    before = {path.name: path.read_bytes() for path in out.glob(f"{stem}.*")}
    again = warm.run(command, cwd=tmp_path, forks=True)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert {path.name: path.read_bytes() for path in out.glob(f"{stem}.*")} == before


def test_one_delivery_in_bad_days_is_enough_for_a_threshold_of_four(warm, tmp_path) -> None:
    options = ["--people", "2000", "--weeks", "10", "--out", tmp_path]
    done = warm.run([EXPERIMENTS / "quarantine.py", *options], cwd=tmp_path, forks=True)
    assert (done.returncode, done.stderr) == (0, "")
    table = pd.read_csv(tmp_path / "quarantine.csv")
    assert (tmp_path / "quarantine.png").stat().st_size > 5000
    usual = table[(table["significant"] == "1d") & (table["validity"] == "84h")]
    lost = usual.set_index(["bad_days", "threshold"])["mistaken_pct"]
    assert lost["none", 1] > 5.0
    assert lost["none", 5] == 0.0
    assert lost["Outlook away for 4 d", 4] > 15.0
    assert lost["Outlook away for 4 d", 5] < 2.0
    assert (lost["Gmail refuses for 2 d"] > 40.0).all()


def test_priorities_and_turns_help_a_stream_more_than_a_pool_of_its_own(warm, tmp_path) -> None:
    command = [EXPERIMENTS / "stream_beside_a_blast.py", "--newsletter", "40000", "--out", tmp_path]
    done = warm.run(command, cwd=tmp_path, forks=True)
    assert (done.returncode, done.stderr) == (0, "")
    table = pd.read_csv(tmp_path / "stream-beside-a-blast.csv").set_index("remedy")
    p99_s = table["p99"]
    assert p99_s["priorities"] < p99_s["a pool of their own"] < p99_s["first in, first out"]
    assert p99_s["turns"] < p99_s["a pool of their own"]
    assert table["newsletter: p99"].idxmax() == "newsletter held to 600,000/h"


def test_every_study_states_its_question_its_answer_and_how_long_it_takes() -> None:
    for name in STUDIES:
        text = (EXPERIMENTS / f"{name}.py").read_text()
        for words in ("**Question.**", "**Answer", "Run by hand, ", "minute"):
            assert words in text
