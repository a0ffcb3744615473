"""Programs that a warm Python starts leave no process behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from warm import Warm


def test_what_a_killed_program_has_forked_ends_with_it(warm) -> None:
    program = """
import os, signal, time
if os.fork():
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(60)
print("still here")
"""
    process = warm.start(["-c", program], forks=True)
    # The forked process has the output open, too.
    assert process.communicate() == ("", "")


@pytest.mark.parametrize("forks", [False, True])
def test_what_still_runs_ends_with_the_warm_python(forks) -> None:
    program = """
import os, sys, time
if sys.argv[1] == "True":
    os.fork()
print("begun", flush=True)
time.sleep(60)
print("still here")
"""
    python = Warm("")
    process = python.start(["-c", program, forks], forks=forks)
    assert process.stdout.readline() == "begun\n"
    python.close()
    assert process.wait() == -signal.SIGKILL
    assert "still here" not in process.stdout.read()
    process.close()


@pytest.mark.parametrize(
    ("ending", "code", "told"),
    [
        ("", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('why')", 1, "why\n"),
        ("sys.exit(-1)", 255, ""),
        ("import signal; signal.raise_signal(signal.SIGTERM)", -15, ""),
    ],
)
def test_a_program_ends_as_one_of_a_new_interpreter(warm, ending, code, told) -> None:
    program = f"""
import atexit, sys, threading, time
atexit.register(print, "at the end")
threading.Timer(0.05, print, ["later"]).start()
print("begun")
{ending}
"""
    done = warm.run(["-c", program])
    found = done.returncode, done.stderr, done.stdout
    # Who is killed does nothing more.
    assert found == (code, told, "" if code < 0 else "begun\nlater\nat the end\n")


def test_an_output_that_takes_nothing_is_an_error_at_the_end(warm) -> None:
    with Path("/dev/full").open("w") as full:
        done = warm.run(["-c", "print('lost')"], stdout=full.fileno())
    assert done.returncode == 120
    assert "No space left on device" in done.stderr
