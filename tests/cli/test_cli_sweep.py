from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from disks import small_disk_at
from warm import wait_for

from sendcap.cli.progress import pace
from sendcap.study.replication import processes
from sendcap.study.sweeps.files import write_results
from sendcap.study.sweeps.store import Store

STUDY = """
title = "[bold]IPs[/bold]"
scenario = "small.toml"
replications = 2
measures = ["accepted_50_pct_s", "bottleneck", "accepted"]
[over]
"mta.ips" = [1, 2]
"providers.gmail.rate" = ["none", "10/s"]
"""
LONG = """
scenario = "small.toml"
replications = 10
measures = ["accepted_50_pct_s", "accepted"]
[over]
"deliveries[0].messages" = {}
"""


@pytest.fixture
def study(place) -> Path:
    (place / "study.toml").write_text(STUDY)
    return place


@pytest.fixture
def long_study(place) -> Path:
    """A study of 200 runs."""
    (place / "long.toml").write_text(LONG.format(list(range(1000, 1020))))
    return place


@pytest.fixture
def shorter_study(place) -> Path:
    """A study of 100 runs."""
    (place / "long.toml").write_text(LONG.format(list(range(1000, 1010))))
    return place


def results(place: Path, name: str = "out") -> tuple[bytes, pd.DataFrame]:
    folder = place / name
    return (folder / "results.csv").read_bytes(), pd.read_parquet(folder / "results.parquet")


def kept(place: Path, name: str = "out") -> int:
    """Return how many runs are kept, while a sweep goes on."""
    return len(Store(place / name / "store"))


def wait_for_runs(place: Path, more_than: int) -> None:
    """Return when more runs are kept; each is read once."""
    store = Store(place / "out" / "store")

    def are_there() -> bool:
        store.refresh()
        return len(store) > more_than

    wait_for(are_there)


def alive(group: int) -> list[str]:
    """Return the processes of a group that are still there, and not only as zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, other_group = path.read_text().rsplit(")", 1)[1].split()[:3]
            if int(other_group) == group and state != "Z":
                found.append(path.parent.name)
    return found


def test_a_study_becomes_a_table_of_its_runs(study, sendcap) -> None:
    result = sendcap("sweep", "study.toml", "--out", "out", "--workers", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "[bold]IPs[/bold]: means over 2 replications\n" in result.stdout
    assert re.search(r"\n1 +1 +10/s +\d[\d.sm ]+ gmail +\d{3}\n", result.stdout)
    assert "\n8 runs, 0 failed.\nSaved in out: results.csv, results.parquet\n" in result.stdout
    _, table = results(study)
    assert table.columns.tolist() == [
        *("point", "replication", "seed", "mta.ips", "providers.gmail.rate"),
        *("accepted_50_pct_s", "bottleneck", "accepted", "error", "wall_s", "cpu_s"),
    ]
    assert len(table) == 8
    read = pd.read_csv(study / "out" / "results.csv", dtype={"seed": str}, keep_default_na=False)
    pd.testing.assert_frame_equal(read, table.drop(columns=["wall_s", "cpu_s"]), check_dtype=False)
    assert {path.name for path in (study / "out").iterdir()} == {
        *("study.toml", "scenario.toml", "results.csv", "results.parquet", "store", "summary.json")
    }
    assert (study / "out" / "study.toml").read_text() == STUDY


def test_run_again_it_computes_nothing_and_gives_the_same_bytes(
    study, sendcap, monkeypatch
) -> None:
    assert sendcap("sweep", "study.toml", "--workers", "1").exit_code == 0
    folder = study / "runs" / "study-sweep"
    before = {path.name: path.read_bytes() for path in folder.glob("results.*")}
    # No process is started for nothing.
    monkeypatch.setattr(processes, "multiprocessing", None)
    assert sendcap("sweep", "study.toml").exit_code == 0
    assert {path.name: path.read_bytes() for path in folder.glob("results.*")} == before


def test_status_tells_how_far_it_is_and_writes_nothing(study, sendcap) -> None:
    def status(name: str) -> str:
        return sendcap("sweep", name, "--out", "out", "--status").stdout

    assert status("study.toml") == "0 of 8 runs are done, 0 have failed, 8 are missing\n"
    assert not (study / "out").exists()
    sendcap("sweep", "study.toml", "--out", "out", "--workers", "1")
    assert status("study.toml") == "8 of 8 runs are done, 0 have failed, 0 are missing\n"
    (study / "wider.toml").write_text(STUDY.replace("[1, 2]", "[0, 1, 2, 3]").replace("0, ", ""))
    assert status("wider.toml") == "8 of 12 runs are done, 0 have failed, 4 are missing\n"


def test_runs_that_fail_are_told_and_the_others_are_there(place, sendcap) -> None:
    (place / "s.toml").write_text(
        'scenario = "small.toml"\nmeasures = ["accepted"]\n[over]\n'
        '"mta.spool" = [100, 1000]\n"relay.batch" = [50, 256]\n'
    )
    result = sendcap("sweep", "s.toml", "--out", "out", "--workers", "1")
    assert result.exit_code == 0
    assert "\n4 runs, 1 failed.\n  1 run: mta.spool: 100 is less than relay.batch" in result.stdout
    _, table = results(place)
    assert (table["error"] != "").tolist() == [False, True, False, False]
    assert sendcap("sweep", "s.toml", "--out", "out", "--status").stdout == (
        "3 of 4 runs are done, 1 has failed, 0 are missing\n"
    )


def test_many_points_are_summed_up(place, sendcap) -> None:
    (place / "s.toml").write_text(
        'scenario = "small.toml"\nmeasures = ["accepted", "accepted_99_pct_s", "bottleneck"]\n'
        '[design]\npoints = 40\nranges = { "deliveries[0].messages" = [10, 100] }\n'
    )
    result = sendcap("sweep", "s.toml", "--out", "out", "--workers", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Runs: 40 points"
    assert lines[3].startswith("Accepted  ")
    assert lines[4].startswith("Time until 99 % is accepted  ")


def test_a_store_may_be_shared(study, sendcap) -> None:
    for name in ("a", "b"):
        result = sendcap("sweep", "study.toml", "--out", name, "--store", "s", "--workers", "1")
        assert result.exit_code == 0
    assert results(study, "a")[0] == results(study, "b")[0]
    assert results(study, "a")[1].equals(results(study, "b")[1])
    assert not (study / "a" / "store").exists()


def test_measures_are_listed(sendcap) -> None:
    lines = sendcap("sweep", "--list-measures").stdout.splitlines()
    assert re.match(r"accepted_50_pct_s +when 50 % of the deliverable", lines[0])
    assert len(lines) > 20
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.toml"], "none.toml: no such file; give a study file"),
        (
            ["small.toml"],
            "is a scenario, not a study of `sendcap sweep`; `sendcap run` reads it; a",
        ),
        (["study.toml", "--workers", "0"], "0 is not 1 or more"),
        (["study.toml", "--dask", "tcp://127.0.0.1:9", "--workers", "1"], "give one, not both"),
        (["study.toml", "--out", "small.toml"], "small.toml: cannot be read: a part of the path"),
        (["study.toml", "--out", "full"], "full: holds 'letter.txt', which no sweep has written"),
        (["study.toml", "--store", "full"], "full: is not a store of sendcap, and not empty"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_each(study, sendcap, arguments, message) -> None:
    (study / "full").mkdir()
    (study / "full" / "letter.txt").write_text("dear")
    result = sendcap("sweep", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert all(line.startswith("error: ") for line in result.stderr.splitlines())
    assert not (study / "runs").exists()


def test_if_every_run_fails_that_is_an_error(study, sendcap, monkeypatch) -> None:
    monkeypatch.setattr("sendcap.study.replication.workers.MODEL_VERSION", 99)
    result = sendcap("sweep", "study.toml", "--out", "out", "--workers", "1")
    assert result.exit_code == 2
    assert "error: all 8 runs have failed: the worker has another version" in result.stderr
    assert (results(study)[1]["error"] != "").all()


def test_without_dask_it_is_told_how_to_get_it(study, sendcap, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = sendcap("sweep", "study.toml", "--dask", "tcp://127.0.0.1:9")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --dask: Dask is not installed: pip install 'sendcap[dask]'\n",
    )


@pytest.mark.extra("dask")
def test_a_cluster_that_does_not_answer_is_told(study, process) -> None:
    running = process("sweep", "study.toml", "--dask", "tcp://127.0.0.1:9")
    _, err = running.communicate(timeout=300)
    assert running.returncode == 2
    assert "error: --dask: no scheduler answers at tcp://127.0.0.1:9" in err
    assert err.count("\n") == 1


@pytest.mark.extra("dask")
def test_a_cluster_gives_the_same_bytes(study, process, sendcap) -> None:
    import distributed

    assert sendcap("sweep", "study.toml", "--out", "a", "--workers", "1").exit_code == 0
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        running = process("sweep", "study.toml", "--out", "b", "--dask", cluster.scheduler_address)
        _, err = running.communicate(timeout=300)
    assert (running.returncode, err) == (0, "")
    assert results(study, "a")[0] == results(study, "b")[0]


# Being stopped.


@pytest.mark.crash
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
@pytest.mark.parametrize(
    ("number", "code", "word", "how"),
    [
        # Workers that were spawned have none of the command's handlers. They ignore the other one;
        # `test_ctrl_c_ends_every_process_and_leaves_nothing` has them spawned, too.
        (signal.SIGTERM, 143, "terminated", {"own_group": True}),
        (signal.SIGINT, 130, "interrupted", {"forks": True}),
    ],
)
def test_a_sweep_that_is_stopped_keeps_what_is_done_and_says_how_to_go_on(
    long_study, process, sendcap, number, code, word, how
) -> None:
    running = process("sweep", "long.toml", "--out", "out", "--workers", "2", **how)
    wait_for_runs(long_study, 6)
    # As a terminal does it: every process of the group gets it.
    os.killpg(running.pid, number)
    out, err = running.communicate(timeout=300)
    assert (running.returncode, out) == (code, "")
    told = re.fullmatch(
        r"(\d+) of 200 runs are done and saved in out; run the same command again to resume\n"
        f"error: {word}\n",
        err,
    )
    assert told
    there = kept(long_study)
    # The signal may come when a run has been kept and not yet been counted.
    assert 2 < int(told[1]) <= there < 200
    wait_for(lambda: not alive(running.pid))
    assert not list((long_study / "out" / "store").glob(".*"))
    assert sendcap("sweep", "long.toml", "--out", "out", "--status").stdout == (
        f"{there} of 200 runs are done, 0 have failed, {200 - there} are missing\n"
    )


@pytest.mark.crash
def test_a_sweep_that_is_killed_goes_on_and_gives_the_same_bytes(
    shorter_study, process, sendcap
) -> None:
    before = 0
    # Workers that were spawned end by themselves: `test_no_process_outlives_the_program`.
    for _ in range(2):
        running = process("sweep", "long.toml", "--out", "out", "--workers", "2", forks=True)
        wait_for_runs(shorter_study, before + 10)
        running.kill()
        running.communicate(timeout=300)
        wait_for(lambda group=running.pid: not alive(group))
        before = kept(shorter_study)
    assert before < 100
    assert sendcap("sweep", "long.toml", "--out", "out", "--workers", "2").exit_code == 0
    assert sendcap("sweep", "long.toml", "--out", "other", "--workers", "2").exit_code == 0
    assert results(shorter_study)[0] == results(shorter_study, "other")[0]
    assert len(results(shorter_study)[1]) == 100


def test_a_file_that_cannot_be_written_is_told_in_one_line(study, warm) -> None:
    # No file may be larger than nothing: as on a full disk.
    code = "import resource, sendcap.cli\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    code += "sendcap.cli.main(['sweep', 'study.toml', '--out', 'out'])"
    done = warm.run(["-c", code], cwd=study)
    assert (done.returncode, done.stderr) == (
        2,
        "error: out: cannot be written: a file would be larger than the file system allows\n",
    )
    assert not list((study / "out").iterdir())


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 200 kB."""
    with small_disk_at(tmp_path / "disk", "200k") as place:
        yield place


@pytest.mark.crash
def test_a_full_disk_loses_at_most_what_was_under_way(
    shorter_study, process, sendcap, small_disk
) -> None:
    running = process("sweep", "long.toml", "--out", "disk/out", "--workers", "2", forks=True)
    _, err = running.communicate(timeout=300)
    told = re.fullmatch(
        r"error: disk/out/store: cannot be written: no space is left on the disk; (\d+) of 100 "
        r"runs are saved; run the same sweep again to resume\n",
        err,
    )
    assert told, err
    assert running.returncode == 2
    assert int(told[1]) == kept(shorter_study, "disk/out") > 10
    assert not list((small_disk / "out" / "store").glob(".*"))
    # With room again.
    subprocess.run(["mount", "-o", "remount,size=5m", str(small_disk)], check=True)
    assert sendcap("sweep", "long.toml", "--out", "disk/out", "--workers", "2").exit_code == 0
    assert len(results(shorter_study, "disk/out")[1]) == 100


def test_progress_is_shown_on_a_terminal_and_nowhere_else(long_study, process) -> None:
    master, slave = pty.openpty()
    running = process(
        *("sweep", "long.toml", "--out", "out"),
        forks=True,
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(slave)
    seen = ""
    until = time.monotonic() + 300
    while not re.search(r"runs/s +\S+ left", seen) and time.monotonic() < until:
        seen += os.read(master, 4096).decode(errors="replace")
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=300) == 130
    os.close(master)
    assert re.search(r"\d+ of 200 runs", seen)


def test_the_time_left_is_told_from_the_runs_so_far() -> None:
    assert pace(0, 100, 5.0) == "starting"
    assert pace(50, 100, 5.0) == "10.0 runs/s  10s left"


def test_columns_of_words_and_numbers_become_words_in_parquet(tmp_path) -> None:
    table = pd.DataFrame(
        {
            "a": pd.Series([1, "none", None], dtype=object),
            "b": [1.5, None, 2.0],
            "c": pd.Series([10**30, 1, 2], dtype=object),
            "d": pd.Series([True, None, False], dtype=object),
            "wall_s": 0.0,
            "cpu_s": 0.0,
        }
    )
    write_results(tmp_path, table)
    read = pd.read_parquet(tmp_path / "results.parquet")
    assert read["a"].tolist()[:2] == ["1", "none"]
    assert read["b"].tolist()[::2] == [1.5, 2.0]
    assert read["c"].tolist() == [str(10**30), "1", "2"]
    assert read["d"].tolist() == [True, None, False]
