from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from matplotlib.figure import Figure
from sketches import sketch
from warm import Process

import sendcap as package
from sendcap import scenario as package_scenario
from sendcap.charts.drawing import Drawable
from sendcap.cli.commands import commands

TEXT = """
title = "[red]Title[/red]"
seed = 3
[[deliveries]]
name = "news"
messages = 400
audience = { gmail = 0.7, yahoo = 0.3 }
[[deliveries]]
name = "[bold]loyalty[/bold]"
messages = 100
at = "20m"
audience = { gmail = 1.0 }
[relay]
batch_time = "1s"
[providers.gmail]
connect_time = "100ms"
transaction_time = { dist = "exponential", mean = "200ms" }
hard = [{ reason = "user unknown", share = 0.02 }]
faults = [{ reason = "greylisted", share = 0.1, clears_after = "5m" }]
[providers.yahoo]
connect_time = "100ms"
transaction_time = "200ms"
"""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """An empty working directory with a small scenario in small.toml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(TEXT)
    return tmp_path


def run_here(*arguments: str) -> Result:
    result = CliRunner().invoke(commands, list(arguments), prog_name="sendcap")
    # Whatever goes wrong, nobody is shown a traceback.
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def sendcap(place) -> Callable[..., Result]:
    """Run the command in this process."""
    return run_here


@pytest.fixture(scope="session")
def shared_place(tmp_path_factory) -> Callable[[], Path]:
    """Make a directory with the small scenario, for what several tests look at."""

    def made() -> Path:
        folder = tmp_path_factory.mktemp("shared")
        (folder / "small.toml").write_text(TEXT)
        return folder

    return made


@pytest.fixture(scope="session")
def sendcap_in() -> Callable[..., Result]:
    """Run the command in this process and a directory, with charts as sketches."""

    def run(folder: Path, *arguments: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(Figure, "savefig", sketch)
            return run_here(*arguments)

    return run


@pytest.fixture
def undrawn(monkeypatch) -> None:
    """A study saves its charts as empty files: for tests of all else that it tells."""

    def save_charts(result: Drawable, folder: Path, **_: object) -> None:
        for chart in result.charts():
            (folder / f"{chart.name}.png").touch()

    monkeypatch.setattr(Drawable, "save_charts", save_charts)


@pytest.fixture(scope="session")
def saved_run(tmp_path_factory) -> Path:
    """The directory of the small scenario's run, with its sending log; not to be changed."""
    folder = tmp_path_factory.mktemp("saved")
    log = folder / "log.parquet"
    run = package.simulate(package_scenario.loads(TEXT), sending_log=log)
    log.rename(run.save(folder / "run") / "sending-log.parquet")
    return folder / "run"


@pytest.fixture
def process(place, warm):
    """Start the command in a process of its own, which has imported sendcap already."""

    started: list[Process] = []

    def start(*arguments: str, **keywords) -> Process:
        command = ["-m", "sendcap", *arguments]
        started.append(warm.start(command, cwd=place, sketched=True, **keywords))
        return started[-1]

    yield start
    # A test that has failed must leave none behind.
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.close()


@pytest.fixture
def new_process(place):
    """Start the command in a new interpreter, as a shell does."""

    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **keywords) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "sendcap", *arguments],
            cwd=place,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "error"},
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **keywords},
        )
        started.append(process)
        return process

    yield start
    # A test that has failed must leave none behind.
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()
