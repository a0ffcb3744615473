from __future__ import annotations

import importlib
import json
import pkgutil
import shutil

import pytest

from sendcap import checking
from sendcap import study as package
from sendcap.files.directory import Contents

STUDY = """
scenario = "small.toml"
measures = ["accepted"]
[over]
"mta.ips" = [1, 2]
"""


@pytest.fixture
def saved(sendcap, place):
    assert sendcap("run", "small.toml", "--out", "run").exit_code == 0
    return place / "run"


def test_a_saved_run_is_complete_and_unchanged(sendcap, saved) -> None:
    result = sendcap("check", "run")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "ok: run: a saved run, complete and unchanged\n"
    summary = json.loads((saved / "summary.json").read_text())
    assert set(summary["sha256"]) == {path.name for path in saved.iterdir()}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "kpis.csv").unlink(), "run/kpis.csv: is missing"),
        (lambda run: (run / "ledger.parquet").unlink(), "run/ledger.parquet: is missing"),
        (lambda run: (run / "kpis.csv").write_text("x"), "run/kpis.csv: has changed since it was"),
        (lambda run: (run / "summary.json").write_text("{"), "run/summary.json: is damaged"),
        (lambda run: (run / "summary.json").unlink(), "run: has no checksums"),
        (lambda run: (run / "notes.txt").write_text("x"), "run/notes.txt: has no checksum"),
    ],
)
def test_what_is_wrong_is_told_and_the_exit_code_is_2(sendcap, saved, damage, message) -> None:
    damage(saved)
    result = sendcap("check", "run")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1


def test_a_changed_figure_of_the_summary_is_told(sendcap, saved) -> None:
    text = (saved / "summary.json").read_text()
    (saved / "summary.json").write_text(text.replace('"to_deliver": 500', '"to_deliver": 501'))
    result = sendcap("check", "run")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: run/summary.json: has changed since it was saved")


def test_each_directory_has_its_line(sendcap, saved, place) -> None:
    shutil.copytree(saved, place / "other")
    (place / "other" / "kpis.csv").write_text("x")
    result = sendcap("check", "run", "other", ".", "none")
    assert result.exit_code == 2
    assert result.stdout == "ok: run: a saved run, complete and unchanged\n"
    lines = [line.removeprefix("error: ") for line in result.stderr.splitlines()]
    assert [line.split(": ")[0] for line in lines] == ["other/kpis.csv", ".", "none"]


def test_a_study_and_the_store_are_checked(sendcap, place) -> None:
    (place / "study.toml").write_text(STUDY)
    assert sendcap("sweep", "study.toml", "--out", "out", "--workers", "1").exit_code == 0
    result = sendcap("check", "out", "out/store")
    assert result.stdout == (
        "ok: out: the results of a study, complete and unchanged\n"
        "ok: out/store: a store of runs, complete and unchanged\n"
    )
    (place / "out" / "results.csv").write_text("x")
    (runs,) = (place / "out" / "store").glob("runs-*")
    runs.write_bytes(runs.read_bytes()[:-1])
    result = sendcap("check", "out")
    assert result.exit_code == 2
    assert "out/results.csv: has changed" in result.stderr
    assert f"{runs.relative_to(place)}: is damaged" in result.stderr
    assert runs.exists(), "a check changes nothing"
    assert sendcap("plot", "out", "sweep").exit_code == 2


def test_a_calendar_is_checked(sendcap) -> None:
    assert sendcap("calendar", "small.toml", "--out", "out").exit_code == 0
    result = sendcap("check", "out")
    assert result.stdout == "ok: out: what sendcap calendar has saved, complete and unchanged\n"


def test_what_any_command_saves_can_be_checked() -> None:
    names = [name for _, name, _ in pkgutil.walk_packages(package.__path__, "sendcap.study.")]
    found = [each for name in names for each in vars(importlib.import_module(name)).values()]
    contents = [each for each in found if isinstance(each, Contents)]
    assert len(contents) > 5
    assert [each.what for each in contents if each not in checking.KINDS] == []
