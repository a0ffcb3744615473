"""Sweeps in programs of their own, which are killed, interrupted and run side by side."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from warm import Process, wait_for

import sendcap
from sendcap.study.sweeps.store import Store

PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor
import sendcap
from swept import delivered, slow, small

if __name__ == "__main__":
    table = sendcap.sweep(
        small(50),
        {"deliveries[0].messages": list(range(10, 60))},
        replications=4,
        measures=[delivered, "accepted_50_pct_s"],
        executor=ThreadPoolExecutor(2),
        store="store",
    )
    table.drop(columns=["wall_s", "cpu_s"]).to_csv(sys.argv[1], index=False)
"""


@pytest.fixture
def started(warm):
    """Start a program, in a process group of its own."""

    def start(place: Path, program: str, *arguments: str, forks: bool = False) -> Process:
        (place / "program.py").write_text(program)
        places = (Path(__file__).parents[1], Path(sendcap.__file__).parents[1])
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places))}
        command = ["program.py", *arguments]
        return warm.start(command, cwd=place, env=environment, own_group=True, forks=forks)

    return start


def finished(child: Process) -> str:
    out, err = child.communicate(timeout=600)
    assert (child.returncode, err) == (0, "")
    return out


def done_in(store: Path) -> int:
    """Return how many runs a store knows, while a sweep goes on with it."""
    return len(Store(store))


def rows_in(store: Path) -> list[str]:
    import pyarrow.parquet as pq

    found: list[str] = []
    for path in store.glob("runs-*.parquet"):
        found += pq.read_table(path).column("key").to_pylist()
    return found


@pytest.mark.crash
def test_a_sweep_killed_again_and_again_does_every_run_once(started, tmp_path) -> None:
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    for place in (undisturbed, disturbed):
        place.mkdir()
    finished(started(undisturbed, PROGRAM, "table.csv"))
    counts = []
    store = Store(disturbed / "store")

    def done() -> int:
        store.refresh()
        return len(store)

    for _ in range(10):
        child = started(disturbed, PROGRAM, "table.csv")
        # When it has begun: it takes most of the time to start.
        before = done()
        wait_for(lambda each=child, before=before: each.poll() is not None or done() > before)
        time.sleep(random.uniform(0.0, 0.05))
        child.kill()
        child.communicate()
        counts.append(done_in(disturbed / "store"))
    assert counts == sorted(counts)
    finished(started(disturbed, PROGRAM, "table.csv"))
    rows = rows_in(disturbed / "store")
    assert len(rows) == len(set(rows)) == 200
    tables = [(place / "table.csv").read_bytes() for place in (undisturbed, disturbed)]
    assert tables[0] == tables[1]
    assert tables[0].count(b"\n") == 201


TWO = """
import sys
import sendcap
from swept import delivered, small

if __name__ == "__main__":
    told = []
    table = sendcap.sweep(
        small(2000),
        {"deliveries[0].messages": list(range(2000, 2060))},
        replications=2,
        measures=delivered,
        workers=1,
        store="store",
        progress=told.append,
    )
    print(len(table), table["delivered"].sum())
"""


@pytest.mark.crash
def test_two_sweeps_that_share_a_store_at_the_same_time_agree(started, tmp_path) -> None:
    both = [started(tmp_path, TWO, forks=True) for _ in range(2)]
    outputs = [finished(each) for each in both]
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("120 ")
    assert len(set(rows_in(tmp_path / "store"))) == 120


def alive(group: int) -> list[str]:
    """Return the processes of a group that are still there, and not only as zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, other_group = path.read_text().rsplit(")", 1)[1].split()[:3]
            if int(other_group) == group and state != "Z":
                found.append(path.parent.name)
    return found


@pytest.mark.crash
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_ctrl_c_keeps_what_is_done_and_ends_the_workers(started, tmp_path) -> None:
    program = PROGRAM.replace("[delivered,", "[slow,")
    program = program.replace("executor=ThreadPoolExecutor(2)", "workers=2")
    child = started(tmp_path, program, "table.csv")
    wait_for(lambda: done_in(tmp_path / "store"))
    os.killpg(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=600)
    assert child.returncode == -signal.SIGINT
    assert err.strip().endswith("KeyboardInterrupt")
    assert 1 <= done_in(tmp_path / "store") < 200
    wait_for(lambda: not alive(child.pid))
