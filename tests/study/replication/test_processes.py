from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from warm import wait_for

import sendcap
from sendcap.errors import SendcapError
from sendcap.study.replication import processes
from sendcap.study.replication.processes import Processes
from sendcap.study.replication.workers import Lost, Workers

# What the processes do; they import it from here.


def square(number: int) -> int:
    return number * number


def process(number: int) -> int:
    time.sleep(0.02)
    return os.getpid()


def poisoned(number: int) -> int:
    time.sleep(0.01)
    if number == 7:
        os._exit(3)
    if number == 23:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def once(path: str) -> str:
    """Kill the process the first time."""
    if not Path(path).exists():
        Path(path).touch()
        os._exit(3)
    return path


def refuses(number: int) -> int:
    if number == 3:
        raise ValueError("three\nis too many")
    return number


def all_of(pool: Workers, function, items) -> dict:
    with pool:
        return dict(pair for batch in pool.completed(function, items) for pair in batch)


@pytest.mark.parametrize("count", [1, 2])
def test_every_item_comes_back_with_its_result(count) -> None:
    assert all_of(Workers(count), square, range(50)) == {n: n * n for n in range(50)}


def test_one_worker_is_another_process() -> None:
    found = set(all_of(Workers(1), process, range(5)).values())
    assert len(found) == 1
    assert os.getpid() not in found


def test_nothing_to_do_starts_no_process() -> None:
    with Workers(2) as pool:
        assert list(pool.completed(square, [])) == []
        assert not multiprocessing.active_children()


@pytest.mark.crash
def test_only_what_kills_its_process_is_lost() -> None:
    found = all_of(Workers(2), poisoned, range(60))
    lost = {item: result.reason for item, result in found.items() if isinstance(result, Lost)}
    assert lost == {
        7: "its worker process died 3 times (exit code 3)",
        23: "its worker process died 3 times (killed, probably out of memory)",
    }
    assert {item: found[item] for item in found if item not in lost} == {
        n: n * n for n in range(60) if n not in lost
    }


@pytest.mark.crash
def test_what_kills_its_process_once_is_not_lost(tmp_path) -> None:
    items = [str(tmp_path / name) for name in "abc"]
    assert all_of(Workers(2), once, items) == {item: item for item in items}


def test_an_error_of_the_function_is_its_result() -> None:
    found = all_of(Workers(1), refuses, range(5))
    assert found == {0: 0, 1: 1, 2: 2, 3: Lost("ValueError: three"), 4: 4}


@pytest.mark.crash
def test_processes_killed_at_random_lose_nothing() -> None:
    found, kills = {}, [20, 60, 100]
    with Workers(2) as pool:
        for batch in pool.completed(process, range(200)):
            found |= dict(batch)
            if kills and len(found) >= kills[0]:
                random.choice(multiprocessing.active_children()).kill()
                kills.pop(0)
    assert len(found) == 200
    assert not [result for result in found.values() if isinstance(result, Lost)]
    assert not kills


def test_items_are_taken_as_they_are_needed() -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    with Workers(2) as pool:
        done = pool.completed(square, numbers())
        came = sum(len(next(done)) for _ in range(3))
        assert len(taken) <= came + 4
        done.close()


PROGRAM = """
from sendcap.study.replication import processes
from sendcap.study.replication.workers import Workers
from math import factorial

with Workers(1) as pool:
    print([pair for batch in pool.completed(factorial, range(3)) for pair in batch])
"""


def test_a_program_without_main_is_told_what_it_lacks(tmp_path, warm) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = os.environ | {"PYTHONPATH": str(Path(sendcap.__file__).parent.parent)}
    done = warm.run(["program.py"], cwd=tmp_path, env=environment, timeout=300)
    assert done.returncode != 0
    assert "SendcapError: worker processes die as soon as they start" in done.stderr


def test_another_thread_may_stop_the_processes() -> None:
    pool = Processes(1, simulates=False)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(next, pool.finished(time.sleep, iter([600]), lambda: 0))
        wait_for(lambda: pool._workers and pool._workers[0].started)
        pool.abandon()

        with pytest.raises(SendcapError, match="have been stopped"):
            first.result()


def test_a_bad_number_of_workers_is_refused() -> None:
    with pytest.raises(SendcapError, match="workers: must be a whole number from 1"):
        Workers(0)


def exits(_pipe: Connection) -> None:
    os._exit(1)


def aborts(_pipe: Connection) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def asleep(_pipe: Connection) -> None:
    """In place of a worker's start: one that spins in a library for want of memory."""
    time.sleep(3600)


@pytest.mark.crash
def test_a_pool_whose_processes_never_start_ends(monkeypatch) -> None:
    monkeypatch.setattr(processes, "_work", asleep)
    monkeypatch.setattr(processes, "STARTS_WITHIN_S", 0.5)
    with pytest.raises(SendcapError, match="worker processes do not start within"):
        all_of(Workers(2), square, range(5))
    assert not multiprocessing.active_children()


@pytest.mark.crash
@pytest.mark.parametrize("start", [exits, aborts], ids=["exit", "signal"])
def test_a_pool_whose_processes_die_as_they_start_ends(monkeypatch, start) -> None:
    monkeypatch.setattr(processes, "_work", start)
    with pytest.raises(SendcapError, match="die as soon as they start"):
        all_of(Workers(2), square, range(5))
    assert not multiprocessing.active_children()


def test_a_process_whose_parent_has_gone_ends_without_a_word(warm) -> None:
    """It learns of it by reading or by sending, whichever comes first; here, by sending."""
    program = """
import multiprocessing, threading
from sendcap.study.replication.processes import _work
ours, theirs = multiprocessing.Pipe()
ours.close()
threading.Thread.start = lambda thread: None
_work(theirs)
"""
    ended = warm.run(["-c", program], timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "")
