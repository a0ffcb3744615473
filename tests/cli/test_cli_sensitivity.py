from __future__ import annotations

import pandas as pd
import pytest

STUDY = """
title = "What matters"
scenario = "small.toml"
measures = ["accepted", "bottleneck"]
[design]
points = 4
[design.ranges]
"relay.workers" = [1, 8]
"deliveries[0].messages" = [100, 400]
"""


@pytest.fixture
def study(place):
    (place / "study.toml").write_text(STUDY)
    return place


def test_a_study_tells_what_matters(study, sendcap) -> None:
    result = sendcap("sensitivity", "study.toml", "--out", "out", "--workers", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "What matters: accepted"
    assert lines[1].split("  ")[0] == "Parameter"
    assert lines[3].startswith("deliveries[0].messages ")
    assert "16 runs; 95 % bootstrap intervals." in lines
    indices = pd.read_csv(study / "out" / "sensitivity.csv")
    assert indices["path"].tolist() == ["relay.workers", "deliveries[0].messages"]
    assert len(pd.read_parquet(study / "out" / "results.parquet")) == 16
    assert (study / "out" / "sensitivity.png").stat().st_size > 1000


def test_run_again_it_computes_nothing_and_gives_the_same_bytes(study, sendcap) -> None:
    status = ("sensitivity", "study.toml", "--status")
    assert sendcap(*status).stdout == "0 of 16 runs are done, 0 have failed, 16 are missing\n"
    assert sendcap("sensitivity", "study.toml", "--workers", "1").exit_code == 0
    assert sendcap(*status).stdout == "16 of 16 runs are done, 0 have failed, 0 are missing\n"
    folder = study / "runs" / "study-sensitivity"
    before = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    assert {"sensitivity.csv", "sensitivity.png", "results.csv"} < set(before)
    assert sendcap("sensitivity", "study.toml", "--workers", "1").exit_code == 0
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == before


def test_many_parameters_are_screened(study, sendcap) -> None:
    (study / "study.toml").write_text(STUDY.replace("points = 4", "points = 5"))
    command = ("sensitivity", "study.toml", "--method", "morris", "--out", "out", "--workers", "1")
    result = sendcap(*command)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "What matters: accepted"
    assert "Effect of the whole range (mu*)" in lines[1]
    assert lines[3].startswith("deliveries[0].messages ")
    assert "15 runs; 95 % bootstrap intervals." in lines
    effects = pd.read_csv(study / "out" / "sensitivity.csv")
    assert effects.columns.tolist() == [
        *("measure", "path", "mu_star", "mu_star_low", "mu_star_high", "mu", "sigma")
    ]
    assert effects["path"].tolist() == ["relay.workers", "deliveries[0].messages"]
    folder = study / "out"
    before = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    assert len(before) == 7
    assert sendcap(*command, "--status").stdout.startswith("15 of 15 runs are done")
    assert sendcap(*command).exit_code == 0
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("points = 4", "points = 5"), "the base samples must be a power of two"),
        (('"relay.workers" = [1, 8]', ""), "needs two ranges at least"),
        (('["accepted", "bottleneck"]', '["bottleneck"]'), "no measure is a number"),
        (('"relay.workers" = [1, 8]', '"relay.worker" = [1, 8]'), 'did you mean "workers"?'),
    ],
)
def test_a_study_without_an_answer_is_told_why(study, sendcap, change, message) -> None:
    (study / "study.toml").write_text(STUDY.replace(*change))
    result = sendcap("sensitivity", "study.toml", "--out", "out", "--workers", "1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_grid_has_no_ranges(study, sendcap) -> None:
    (study / "grid.toml").write_text('scenario = "small.toml"\n[over]\n"mta.ips" = [1, 2]\n')
    result = sendcap("sensitivity", "grid.toml")
    assert result.exit_code == 2
    assert result.stderr == ("error: grid.toml: needs ranges; give a [design] instead of values\n")
