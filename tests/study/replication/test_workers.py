from __future__ import annotations

import itertools
import os
import re
import signal
import threading
import time
from concurrent.futures import Executor, Future
from pathlib import Path

import pytest
from warm import wait_for

from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.study.replication import workers as module
from sendcap.study.replication.workers import Lost, Workers
from sendcap.version import __version__


def slow_first(number: int) -> tuple[int, int]:
    if number == 0:
        time.sleep(0.5)
    return number, os.getpid()


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ScenarioError("time.bin: is wrong\nrelay: is too")
    return number


def die(number: int) -> int:
    os._exit(3)


@pytest.fixture(scope="module")
def two():
    with Workers(2) as workers:
        yield workers


def test_results_come_in_order_whatever_order_they_finish_in(two) -> None:
    results = list(two.map(slow_first, range(12)))
    assert [number for number, _ in results] == list(range(12))
    processes = {process for _, process in results}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_one_worker_is_this_process() -> None:
    with Workers(1) as one:
        assert list(one.map(slow_first, range(3))) == [(n, os.getpid()) for n in range(3)]


def test_no_more_is_asked_ahead_than_the_processes_need(two) -> None:
    taken = []

    def numbers():
        for number in itertools.count():
            taken.append(number)
            yield number

    results = two.map(slow_first, numbers())
    for _ in range(5):
        next(results)
    assert len(taken) <= 5 + 4
    results.close()


def test_an_error_arrives_as_it_was_raised(two) -> None:
    with pytest.raises(ScenarioError) as caught:
        list(two.map(fail_at_three, range(9)))
    assert str(caught.value) == "time.bin: is wrong\nrelay: is too"
    assert list(two.map(fail_at_three, range(3))) == [0, 1, 2]


def test_a_process_that_dies_is_told_in_one_line() -> None:
    with (
        Workers(2) as workers,
        pytest.raises(SendcapError, match="a worker process died 3 times") as err,
    ):
        list(workers.map(die, range(4)))
    assert "\n" not in str(err.value)


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_a_bad_number_of_workers_is_refused(count) -> None:
    with pytest.raises(SendcapError, match="workers: must be a whole number from 1"):
        Workers(count)


def test_as_many_as_there_are_processors_by_default(monkeypatch) -> None:
    monkeypatch.setattr(module.os, "cpu_count", lambda: 7)
    assert Workers().count == 7
    monkeypatch.setattr(module.os, "cpu_count", lambda: None)
    assert Workers().count == 1


# However the program ends, no process is left behind.

PROGRAM = """
import sys, time
from sendcap.study.replication.workers import Lost, Workers
from sendcap.version import __version__
from tests_study_tasks import sleep_and_tell

if __name__ == "__main__":
    try:
        with Workers(2) as workers:
            for process in workers.map(sleep_and_tell, [0, 0, 0, 0, 1000, 1000, 1000, 1000]):
                print(process, flush=True)
    except KeyboardInterrupt:
        sys.exit(7)
"""
TASKS = """
import os, time
from concurrent.futures import Executor, Future
from pathlib import Path

def sleep_and_tell(seconds):
    # No process takes the second item before both have started.
    Path(f"{os.getpid()}.started").touch()
    until = time.monotonic() + 300
    while len(list(Path().glob("*.started"))) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(seconds)
    return os.getpid()
"""


def gone(process: int) -> bool:
    # A process that nobody has waited for is still there, as a zombie.
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.crash
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 7), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_no_process_outlives_the_program(tmp_path, number, code, warm) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "tests_study_tasks.py").write_text(TASKS)
    with warm.start(["program.py"], cwd=tmp_path, own_group=True) as program:
        processes = {int(program.stdout.readline()) for _ in range(4)}
        assert len(processes) == 2
        # As a terminal does it: every process of the group gets it.
        (os.killpg if number == signal.SIGINT else os.kill)(program.pid, number)
        _, err = program.communicate(timeout=300)
    assert program.returncode == code
    if number == signal.SIGINT:
        assert err == ""
    wait_for(lambda: all(map(gone, processes)))


class KilledWorker(Exception):  # noqa: N818
    """What Dask reports for each task of a worker that died too often."""


class Blaming(Executor):
    """An executor with one worker, which dies of 13 and blames whatever was handed to it."""

    def __init__(self) -> None:
        self.handed: list[tuple[Future, int]] = []

    def submit(self, function, item, /):
        self.handed.append((Future(), item))
        if len(self.handed) == 1:
            threading.Timer(0.05, self.work).start()
        return self.handed[-1][0]

    def work(self) -> None:
        handed, self.handed = self.handed, []
        dies = any(item == 13 for _, item in handed)
        for future, item in handed:
            if dies:
                future.set_exception(KilledWorker(f"task {item}"))
            else:
                future.set_result(item)


def test_only_the_item_that_kills_its_worker_alone_is_lost() -> None:
    found = {}
    with Workers(executor=Blaming()) as pool:
        for batch in pool.completed(str, range(10, 16)):
            found |= dict(batch)
    assert found == {n: n for n in (10, 11, 12, 14, 15)} | {13: Lost("KilledWorker: task 13")}


class Another(Executor):
    """An executor on which another version of sendcap is installed."""

    def __init__(self, name: str, value: object) -> None:
        self.name, self.value = name, value

    def submit(self, function, item, /):
        future: Future = Future()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, self.name, self.value)
            try:
                future.set_result(function(item))
            except SendcapError as error:
                future.set_exception(error)
        return future


ANOTHER = [
    ("MODEL_VERSION", 99, rf"{__version__} with model 99, not {__version__} with model \d+;"),
    ("__version__", "99.1", rf"99.1 with model \d+, not {__version__} with model \d+;"),
]


@pytest.mark.parametrize(("name", "value", "message"), ANOTHER)
def test_a_worker_of_another_version_is_refused(name, value, message) -> None:
    message = f"^the worker has another version of sendcap: {message} install the same one$"
    with Workers(executor=Another(name, value)) as workers:
        with pytest.raises(SendcapError, match=message):
            list(workers.map(fail_at_three, range(3)))
        ((_, result),) = next(workers.completed(fail_at_three, [1]))
    assert re.search(message, result.reason)


class Abandoned(Executor):
    """A cluster without workers; one joins when somebody has asked for them."""

    def __init__(self) -> None:
        self.waiting: list[Future] = []

    def submit(self, function, item, /):
        self.waiting.append(Future())
        return self.waiting[-1]

    def ncores(self) -> dict:
        for future in self.waiting:
            future.set_result(None)
        self.waiting = []
        return {}

    def get_executor(self, pure):
        return self


def test_it_says_that_a_cluster_has_no_workers(monkeypatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.01)
    with (
        pytest.warns(SendcapWarning, match="no workers at the moment; waiting for one"),
        Workers(executor=Abandoned()) as pool,
    ):
        assert len(list(pool.completed(str, [1]))) == 1
