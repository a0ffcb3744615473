"""Commands in environments that libraries do not bear."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sendcap.cli.environment import NEEDED_BYTES

SENDCAP = (sys.executable, "-m", "sendcap")

needs_limits = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("sh") is None, reason="limits memory as Linux does"
)


def limited(place: Path, kilobytes: int, *arguments: str, option: str = "-v"):
    """Run a command in a shell that limits memory."""
    return subprocess.run(
        ["sh", "-c", f'ulimit {option} {kilobytes}; exec "$@"', "-", *SENDCAP, *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )


@needs_limits
@pytest.mark.crash
@pytest.mark.parametrize(
    ("option", "kilobytes", "arguments"),
    [
        ("-v", 300_000, ["run", "small.toml"]),
        ("-v", 1_000_000, ["report", "saved"]),
        ("-d", 500_000, ["sweep", "study.toml", "--workers", "2"]),
    ],
)
def test_a_limit_that_is_too_small_is_refused_at_once(place, option, kilobytes, arguments) -> None:
    done = limited(place, kilobytes, *arguments, option=option)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: not enough memory: ulimit {option} {kilobytes} allows "
        f"{kilobytes * 1024 // 10**6} MB; sendcap needs about 1.2 GB\n"
    )


@needs_limits
@pytest.mark.crash
@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["guide"], ["scenario", "show", "small.toml"]]
)
def test_what_needs_little_memory_is_not_refused(place, arguments) -> None:
    done = limited(place, 300_000, *arguments)
    assert (done.returncode, done.stderr) == (0, "")


@needs_limits
@pytest.mark.crash
def test_the_memory_that_is_asked_for_is_enough(place, saved_run) -> None:
    done = limited(place, NEEDED_BYTES // 1024 + 1, "report", str(saved_run))
    assert (done.returncode, done.stderr) == (0, "")


def test_stray_settings_change_nothing(place, saved_run) -> None:
    bad = {"MPLBACKEND": "foo", "SOURCE_DATE_EPOCH": "abc", "NUMBA_NUM_THREADS": "abc"}
    # Directories that cannot be written.
    names = ("HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR")
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run(
        [*SENDCAP, "plot", str(saved_run), "delivered", "-o", "a.pdf"],
        cwd=place,
        env=environment | bad | dict.fromkeys(names, "/dev/null"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_directory_that_is_gone_is_named(place) -> None:
    gone = place / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir ../gone; exec "$@"', "-", *SENDCAP, "report", "x"],
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "error: the working directory: No such file or directory\n",
    )


INTERRUPTED = """
import os, signal, sys

class Interrupts:
    def find_spec(self, name, *_):
        if name == "sendcap.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
import sendcap.__main__
"""


@pytest.mark.crash
def test_an_interrupt_while_the_command_is_imported_shows_no_traceback(place) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=place, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")
