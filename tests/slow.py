"""Writes the list of the slow tests, slow.txt, by the processor time that each takes.

    PYTHONPATH=tests python -m pytest -q -n 0 -p slow

What a test's processes take is the test's. What is made once for several tests counts for each of
them in equal parts: otherwise whichever comes first would pay for it. A test is slow that takes as
long as `LONGEST_S`, or whose parameters do together. What is not run stays as it is in the list.
"""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
from _pytest.fixtures import FixtureDef

LONGEST_S, LONGEST_TOGETHER_S = 0.15, 0.4
FILES = [
    "tests/experiments/test_engine_benchmark.py",
    "tests/study/replication/test_processes.py",
]
"""Each of these waits for something slow once."""

QUICK = ["tests/model/test_small_examples_by_hand.py::test_events_happen_when_they_should"]
"""Many examples of a hundredth of a second: they notice most of what is wrong with a step."""

TICKS = os.sysconf("SC_CLK_TCK")
WORTH_A_LOOK_S = 0.05
"""What is over sooner has not started a process."""

Shared = tuple[str, str]
"""A fixture that several tests may share: where it is defined, and its name."""


class Costs:
    """Processor seconds of each test, and of what tests share."""

    def __init__(self) -> None:
        self.own: defaultdict[str, float] = defaultdict(float)
        self.shared: Counter[Shared] = Counter()
        self.users: defaultdict[Shared, list[str]] = defaultdict(list)
        self._others_s, self._looked = 0.0, 0.0

    def now_s(self) -> float:
        """Return the processor time of this process and of all that it has started."""
        if time.monotonic() - self._looked > WORTH_A_LOOK_S:
            self._others_s = of_others_s()
            self._looked = time.monotonic()
        return time.process_time() + self._others_s

    def of_tests(self) -> dict[str, float]:
        """Return the cost of each test, with its part of what it shares."""
        costs = dict(self.own)
        for fixture, users in self.users.items():
            for name in users:
                costs[name] += self.shared[fixture] / len(users)
        return costs


def of_others_s() -> float:
    """Return the processor time of all processes below this one, ended or not."""
    started, taken_s = defaultdict(list), {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        number = int(file.parent.name)
        started[int(fields[1])].append(number)
        taken_s[number] = sum(map(int, fields[11:15])) / TICKS
    ended = os.times()
    total_s = ended.children_user + ended.children_system
    living = started[os.getpid()]
    while living:
        number = living.pop()
        total_s += taken_s[number]
        living += started[number]
    return total_s


def plain(name: str) -> str:
    """Return the name of a test without its parameters."""
    return name.partition("[")[0]


def slow_tests(costs_s: Iterable[tuple[str, float]]) -> list[str]:
    """Return the slow tests, from the cost of each with its parameters."""
    taken_s = defaultdict(list)
    for name, seconds in costs_s:
        taken_s[plain(name)].append(seconds)
    return [
        name
        for name, each in taken_s.items()
        if (max(each) >= LONGEST_S or sum(each) >= LONGEST_TOGETHER_S) and name not in QUICK
    ]


COSTS = Costs()
COLLECTED: set[str] = set()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    began_s = COSTS.now_s()
    done = yield
    COSTS.own[item.nodeid] += COSTS.now_s() - began_s
    for name, definitions in item._fixtureinfo.name2fixturedefs.items():
        if definitions[-1].scope != "function":
            COSTS.users[definitions[-1].baseid, name].append(item.nodeid)
    return done


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    began_s = COSTS.now_s()
    made = yield
    if fixturedef.scope != "function":
        taken_s = COSTS.now_s() - began_s
        COSTS.shared[fixturedef.baseid, fixturedef.argname] += taken_s
        COSTS.own[request._pyfuncitem.nodeid] -= taken_s
    return made


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    COLLECTED.update(plain(item.nodeid) for item in items)


def pytest_sessionfinish() -> None:
    path = Path(__file__).with_name("slow.txt")
    run, files = set(map(plain, COSTS.own)), {name.partition("::")[0] for name in COLLECTED}
    others = [
        name
        for name in path.read_text(encoding="utf-8").splitlines()
        if name not in run and (name in COLLECTED | files or name.partition("::")[0] not in files)
    ]
    names = {*others, *slow_tests(COSTS.of_tests().items()), *FILES}
    path.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
