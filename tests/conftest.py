"""What tests of every room share: skips for what is absent, and a warm Python."""

from __future__ import annotations

import gc
import importlib.util
import multiprocessing
import os
import re
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
from _pytest.fixtures import FixtureDef
from _pytest.runner import runtestprotocol

# One thread for linear algebra, as in a command, and before anything imports it: two processes
# with two threads each wait for each other, and what waits takes processor time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from compiling import NEEDS_NONE, compiled
from matplotlib.figure import Figure
from sketches import render, sketch
from warm import Warm

from sendcap.study.replication import processes

SHARED = Path(__file__).parents[1].parent / "shared"
"""Data that is too large, or not ours, for the repository: a directory beside it."""

MODULES = {
    "browser": ["playwright"],
    "dask": ["distributed"],
    "notebooks": ["ipykernel", "nbclient", "nbformat"],
}
"""The modules that each extra of sendcap installs for the tests."""

SLOW = Path(__file__).with_name("slow.txt")
"""The files and tests that are marked slow, sorted; see tests/slow.py."""

RENDERED = re.compile(r"^tests/(charts|notebooks)/|_in_(a_)?browser|README")
"""Where charts are rendered, besides tests with the mark of that name."""

REQUIRED = os.environ.get("SENDCAP_TEST_EXTRAS") == "required"
"""Whether a missing extra is an error, as it is in the gate's second environment."""


# In the background of a script, and under nohup, signals are ignored, and so in what a test starts.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(
            _number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL
        )


def missing(extra: str) -> bool:
    return any(importlib.util.find_spec(module) is None for module in MODULES[extra])


def needs_no_queues(item: pytest.Item) -> bool:
    return NEEDS_NONE.search(item.nodeid) is not None


def choose_drawing(item: pytest.Item) -> None:
    """Have charts saved as sketches, except where the test is about the picture.

    Not a fixture: each of thousands of tests would set it up and tear it down.
    """
    rendered = item.get_closest_marker("rendered") or RENDERED.search(item.nodeid)
    Figure.savefig = render if rendered else sketch


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    # What tests share may be for one that is about its pictures.
    Figure.savefig = render
    if not needs_no_queues(item):
        compiled()


@pytest.hookimpl
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Send the first process one report of a test that passes, in place of five messages.

    To pack them, and to unpack them there, takes longer than most tests.
    """
    options = item.config.option
    if not hasattr(item.config, "workerinput") or options.verbose > 0 or options.durations:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            report.keywords = {}
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: FixtureDef[object], request: pytest.FixtureRequest) -> None:
    if fixturedef.scope == "function":
        choose_drawing(request.node)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    choose_drawing(item)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path)
    # The longest tests first, so that none of them is the last. In the middle a second process
    # begins, which needs not wait for the first one to compile the queues.
    items.sort(key=lambda item: not item.nodeid.startswith("tests/experiments/"))
    middle, others = len(items) // 2, [item for item in items if not needs_no_queues(item)]
    items[:] = [*others[:middle], *filter(needs_no_queues, items), *others[middle:]]
    slow = set(SLOW.read_text(encoding="utf-8").splitlines())
    for item in items:
        file, _, name = item.nodeid.partition("::")
        if not slow.isdisjoint({file, f"{file}::{name.partition('[')[0]}"}):
            item.add_marker(pytest.mark.slow)
        if "remembered" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.remembered)
    lacking = {extra for extra in MODULES if missing(extra)}
    if REQUIRED and lacking:
        raise pytest.UsageError(f"extras are not installed: {', '.join(sorted(lacking))}")
    has_browser = bool(shutil.which("chromium") or shutil.which("chromium-browser"))
    for item in items:
        needs = {extra for mark in item.iter_markers("extra") for extra in mark.args}
        in_browser = item.get_closest_marker("browser") is not None
        for extra in sorted((needs | {"browser"} if in_browser else needs) & lacking):
            item.add_marker(pytest.mark.skip(reason=f"needs pip install 'sendcap[{extra}]'"))
        if in_browser and not has_browser:
            item.add_marker(pytest.mark.skip(reason="needs a browser: apt-get install chromium"))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    # Every second process begins with the last file. Then each translates half of the files, and
    # finds the other half translated.
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0")[-1] in "13579" and isinstance(
        collector, pytest.Directory
    ):
        report.result.reverse()
    return report


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # Libraries and tests stay until the end. To look for garbage among them, again and again, takes
    # a sixth of all time.
    gc.disable()
    collected = yield
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    return collected


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Function from a path in the shared data to the file; skips a test without it."""

    def file(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"needs ../shared/{name}")
        return SHARED / name

    return file


@cache
def warm_python() -> Warm:
    """Start a Python that has imported sendcap and loaded its compiled queue, once."""
    compiled()
    return Warm("import warming")


@pytest.fixture(scope="session")
def warm() -> Warm:
    """A Python that has imported sendcap and loaded its compiled queue."""
    return warm_python()


class WarmWorkers:
    """The module multiprocessing, but for spawned processes, which are forked from a warm Python.

    The programs and commands that tests start spawn their workers, as a user's do.
    """

    def get_context(self, method: str) -> Any:
        assert method == "spawn"
        return multiprocessing.get_context("forkserver")

    def __getattr__(self, name: str) -> Any:
        return getattr(multiprocessing, name)


@pytest.fixture(scope="session", autouse=True)
def warm_workers() -> Iterator[None]:
    """Worker processes of this process begin at once, instead of importing for seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "multiprocessing", WarmWorkers())
        patch.setattr(
            forkserver,
            "connect_to_new_process",
            lambda files: warm_python().start_worker(files),
        )
        yield
    if warm_python.cache_info().currsize:
        warm_python().close()
