"""``sendcap optimise``: a study's cheapest settings, in the terminal and as files."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result
from warm import wait_for

from sendcap.study.sweeps.store import Store

pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'sendcap[optimise]'")

STUDY = """
title = "[bold]Cheap[/bold]"
scenario = "small.toml"
replications = 5
measures = ["accepted"]
[target]
measure = "accepted_50_pct_s"
at_most = "90s"
[levers]
"mta.ips" = { from = 1, to = 16, cost = 40 }
"relay.workers" = { from = 1, to = 8, cost = 75 }
[set]
"deliveries[0].messages" = 40_000
[search]
trials = 24
replications = 1
"""


@pytest.fixture
def study(place) -> Path:
    (place / "study.toml").write_text(STUDY)
    return place


@pytest.fixture(scope="module")
def searched(shared_place, sendcap_in) -> tuple[Path, Result]:
    """The directory of a search by one worker, and what it has told; not to be changed."""
    folder = shared_place()
    (folder / "study.toml").write_text(STUDY)
    result = sendcap_in(folder, "optimise", "study.toml", "--out", "out", "--workers", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    return folder / "out", result


def files(folder: Path) -> dict[str, bytes]:
    """Return the files, without those in which the runs' times show."""
    timed = ("results.parquet", "summary.json")
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.name not in timed
    }


def test_a_study_gives_settings_that_can_be_run(study, sendcap, searched) -> None:
    out, result = searched
    lines = result.stdout.splitlines()
    assert lines[0] == "[bold]Cheap[/bold]"
    trials = pd.read_csv(out / "trials.csv", keep_default_na=False)
    (answer,) = trials[trials["met"] == "yes"].to_dict("records")
    assert ["mta.ips", str(answer["mta.ips"]), "1", "16"] in [line.split() for line in lines]
    told = " ".join(result.stdout.split())
    assert f"Cost {answer['cost']:,.0f}; time until 50 % is accepted: " in told
    assert " with 95 % confidence." in told
    assert float(answer["bound"]) <= 90.0
    front = pd.read_csv(out / "front.csv")
    assert front["cost"].is_monotonic_increasing
    assert front["accepted_50_pct_s"].is_monotonic_decreasing
    runs = pd.read_parquet(out / "results.parquet")
    assert len(runs) == len(trials) + 5
    assert runs["accepted"].min() > 35_000
    # As many as asked for, and the steps from there.
    asked, steps = 24, len(trials) - 24
    assert steps > 0
    assert (
        " ".join(result.stdout.split())
        .rpartition(" Saved in ")[0]
        .endswith(
            f" {asked} settings tried, and {steps} a step cheaper than the best of them; "
            f"{len(runs)} runs, 1 test."
        )
    )
    assert (out / "front.png").stat().st_size > 5000
    run = sendcap("run", str(out / "optimum.toml"), "--out", "run")
    assert run.exit_code == 0
    assert f"ips = {answer['mta.ips']}\n" in (study / "run" / "scenario.toml").read_text()


def test_the_bytes_are_the_same_with_two_workers_and_when_it_is_run_again(
    study, sendcap, searched
) -> None:
    for workers in ("2", "1"):
        done = sendcap("optimise", "study.toml", "--out", "out", "--workers", workers)
        assert done.exit_code == 0
        assert files(study / "out") == files(searched[0])
    assert len(files(study / "out")) == 7


@pytest.mark.crash
def test_a_search_that_is_stopped_says_how_to_go_on_and_gives_the_same(
    study, process, sendcap, searched
) -> None:
    arguments = ("optimise", "study.toml", "--workers", "1", "--out", "b")
    child = process(*arguments, forks=True)
    wait_for(lambda: len(Store(study / "b" / "store")))
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=300)
    assert child.returncode == 130
    assert "runs are done and saved in b; run the same command again to resume\n" in err
    assert "Traceback" not in err
    again = sendcap(*arguments)
    assert (again.exit_code, again.stderr) == (0, "")
    assert files(study / "b") == files(searched[0])


def test_a_target_that_nothing_meets_is_an_error_with_the_trials_there(
    study, sendcap, searched
) -> None:
    shutil.copytree(searched[0], study / "out")
    (study / "study.toml").write_text(STUDY.replace('"90s"', '"1s"'))
    result = sendcap("optimise", "study.toml", "--out", "out", "--workers", "1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: target: none of the 24 settings tried meets the target")
    assert "the nearest reach " in result.stderr
    assert result.stderr.count("\n") == 1
    # No answer to another question is left.
    assert set(files(study / "out")) == {
        *("study.toml", "scenario.toml", "trials.csv", "front.csv", "front.png", "results.csv")
    }


def test_without_optuna_it_is_told_how_to_get_it(study, sendcap, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    result = sendcap("optimise", "study.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("pip install 'sendcap[optimise]'\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("to = 16, cost = 40", "to = 16"),
            'levers."mta.ips": has no cost; give one, and cost = 0',
        ),
        (("cost = 40", 'cost = "40"'), 'levers."mta.ips": cost: must be a number'),
        (("from = 1, to = 16", "from = 16, to = 1"), 'levers."mta.ips": [16, 1]: write the lower'),
        (('"mta.ips"', '"mta.ip"'), 'levers."mta.ip": unknown key; did you mean "ips"?'),
        (("from = 1, to = 16", "from = 0, to = 16"), 'levers."mta.ips": must be at least 1'),
        (("{ from = 1, to = 16, cost = 40 }", "[1, 16]"), "must be a table, such as { from = 1"),
        (("accepted_50_pct_s", "accepted_5_pct_s"), "target.measure: "),
        (('at_most = "90s"', ""), "target: give one of at_most and at_least"),
        (('at_most = "90s"', 'at_most = "90"'), "target: "),
        (('at_most = "90s"', 'at_most = "90s"\nconfidence = 95'), "target.confidence: must be mo"),
        (("trials = 24", "trials = 0"), "search.trials: must be at least 1"),
        (("replications = 5", "replications = 1"), "replications: must be at least 2"),
        (("[levers]", "[lever]"), 'lever: unknown key; did you mean "levers"?'),
        (("[target]", "[over]"), "over: unknown key"),
    ],
)
def test_a_study_without_an_answer_is_refused(study, sendcap, change, message) -> None:
    assert change[0] in STUDY
    (study / "study.toml").write_text(STUDY.replace(*change))
    result = sendcap("optimise", "study.toml", "--out", "out", "--workers", "1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.startswith("error: study.toml: ")
    assert not (study / "out").exists()


def test_a_sweep_of_it_says_what_it_lacks(study, sendcap) -> None:
    result = sendcap("sweep", "study.toml")
    assert result.exit_code == 2
    assert "study.toml: is a study of `sendcap optimise`, not a study of `sendcap sweep`" in (
        result.stderr
    )
