"""What tests of every room share: skips for what is absent, and a warm Python."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from warm import Warm

import sendcap
from sendcap.scenario import from_dict

SHARED = Path(__file__).parents[1].parent / "shared"
"""Data that is too large, or not ours, for the repository: a directory beside it."""

MODULES = {
    "browser": ["playwright"],
    "dask": ["distributed"],
    "explore": ["marimo"],
    "notebooks": ["ipykernel", "nbclient", "nbformat"],
}
"""The modules that each extra of sendcap installs for the tests."""

REQUIRED = os.environ.get("SENDCAP_TEST_EXTRAS") == "required"
"""Whether a missing extra is an error, as it is in the gate's second environment."""


def missing(extra: str) -> bool:
    return any(importlib.util.find_spec(module) is None for module in MODULES[extra])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
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


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Function from a path in the shared data to the file; skips a test without it."""

    def file(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"needs ../shared/{name}")
        return SHARED / name

    return file


PROVIDER = {"connect_time": "1s", "transaction_time": "1s"}
SMALLEST = {
    "deliveries": [{"name": "d", "messages": 10, "audience": {"p": 0.5, "q": 0.5}}],
    "relay": {"batch_time": "1s"},
    # The queue of q reacts, and has a compiled loop of its own.
    "providers": {"p": PROVIDER, "q": PROVIDER | {"tolerance": "1/s", "suspend": "momentum"}},
}
WARMING = f"""
import importlib, pkgutil
import sendcap
from sendcap.scenario import from_dict

for module in pkgutil.walk_packages(sendcap.__path__, "sendcap."):
    if not module.name.endswith((".__main__", ".page")):
        importlib.import_module(module.name)
sendcap.simulate(from_dict({SMALLEST!r}))
"""


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """A Python that has imported sendcap and loaded its compiled queue."""
    its = Warm(WARMING)
    yield its
    its.close()


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let one process compile the queues, while the others wait for its result on disk."""
    folder = tmp_path_factory.getbasetemp()
    with (
        (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)
        .joinpath("compiled")
        .open("w") as lock
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        sendcap.simulate(from_dict(SMALLEST))
